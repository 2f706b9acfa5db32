/** Remembers the latest answers that were asked for; a failed one is asked for anew. */
export class Memo<Key, Value> {
  readonly #limit: number
  readonly #answers = new Map<Key, Promise<Value>>()

  constructor(limit: number) {
    this.#limit = limit
  }

  has(key: Key): boolean {
    return this.#answers.has(key)
  }

  get(key: Key, make: () => Promise<Value>): Promise<Value> {
    const known = this.#answers.get(key)
    const answer = known ?? make()
    this.#answers.delete(key)
    this.#answers.set(key, answer)
    if (known === undefined) answer.catch(() => this.#answers.delete(key))
    this.#forgetOldest()
    return answer
  }

  clear(): void {
    this.#answers.clear()
  }

  #forgetOldest(): void {
    for (const key of this.#answers.keys()) {
      if (this.#answers.size <= this.#limit) return
      this.#answers.delete(key)
    }
  }
}

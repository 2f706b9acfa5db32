/** Points over time in bounded memory: when there are too many, every second one goes, and only every second comes. */
export class Series<Point> {
  readonly #limit: number
  #points: Point[] = []
  #last: Point | undefined
  #seen = 0
  #stride = 1

  /** @param limit even */
  constructor(limit: number) {
    this.#limit = limit
  }

  push(point: Point): void {
    if (this.#seen % this.#stride === 0) {
      if (this.#points.length === this.#limit) {
        this.#points = this.#points.filter((_, index) => index % 2 === 0)
        this.#stride *= 2
      }
      if (this.#seen % this.#stride === 0) this.#points.push(point)
    }
    this.#seen += 1
    this.#last = point
  }

  /** The latest is always among them. */
  get points(): Point[] {
    const kept = [...this.#points]
    if (this.#last !== undefined && kept.at(-1) !== this.#last) kept.push(this.#last)
    return kept
  }
}

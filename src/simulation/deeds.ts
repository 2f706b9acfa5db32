import type { RunEvent } from './record/index.js'

/** Counts what was done to a mesh, by its kind. */
export class Deeds {
  readonly #counts = new Map<string, number>()

  /** By kind, the most frequent first. */
  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([, one], [, other]) => other - one))
  }

  record(event: RunEvent): void {
    if (event.type !== 'action') return
    const { type } = event.action
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1)
  }
}

import type { EnclaveState } from '../../record/events.js'
import { placeOf } from '../../record/samples.js'

/** By its number, to be kept in a column of numbers. */
export const STATES: readonly EnclaveState[] = ['unregistered', 'setup', 'running', 'down', 'killed']

export interface EnclaveView {
  readonly name: string
  readonly cluster: number
  readonly slot: number
  readonly state: EnclaveState
  readonly held: number
  readonly wanted: number
  readonly lag: number
}

type Place = Pick<EnclaveView, 'cluster' | 'slot'>

const COLUMNS = ['state', 'held', 'wanted', 'lag'] as const
type Column = (typeof COLUMNS)[number]

/** All enclaves in columns of numbers, which thousands of them are quickly copied in. */
export class Enclaves {
  readonly #indices: Map<string, number>
  readonly #places: Map<string, Place>
  readonly #columns: Record<Column, Int32Array>

  constructor(indices = new Map<string, number>(), places = new Map<string, Place>(), columns = emptyColumns(64)) {
    this.#indices = indices
    this.#places = places
    this.#columns = columns
  }

  get size(): number {
    return this.#indices.size
  }

  view(name: string): EnclaveView | undefined {
    const index = this.#indices.get(name)
    const place = this.#places.get(name)
    if (index === undefined || place === undefined) return undefined
    const { state, held, wanted, lag } = this.#columns
    return {
      name,
      ...place,
      state: STATES[state[index] ?? 0] ?? 'unregistered',
      held: held[index] ?? 0,
      wanted: wanted[index] ?? 0,
      lag: lag[index] ?? 0,
    }
  }

  *views(): Generator<EnclaveView> {
    for (const name of this.#indices.keys()) {
      const view = this.view(name)
      if (view !== undefined) yield view
    }
  }

  setState(name: string, state: EnclaveState): void {
    this.#set(name, 'state', STATES.indexOf(state))
  }

  setSample(name: string, sample: { readonly held: number; readonly wanted: number; readonly lag: number }): void {
    this.#set(name, 'held', sample.held)
    this.#set(name, 'wanted', sample.wanted)
    this.#set(name, 'lag', sample.lag)
  }

  /** One more share is held, by what is known between two samples. */
  hold(name: string): void {
    const index = this.#indexOf(name)
    if (index === undefined) return
    const { held, wanted } = this.#columns
    held[index] = (held[index] ?? 0) + 1
    wanted[index] = Math.max(0, (wanted[index] ?? 0) - 1)
  }

  copy(): Enclaves {
    const columns = { ...this.#columns }
    for (const column of COLUMNS) columns[column] = columns[column].slice()
    return new Enclaves(new Map(this.#indices), this.#places, columns)
  }

  #set(name: string, column: Column, value: number): void {
    const index = this.#indexOf(name)
    if (index !== undefined) this.#columns[column][index] = value
  }

  /** @returns undefined for one whose name says no place: it cannot be shown. */
  #indexOf(name: string): number | undefined {
    const known = this.#indices.get(name)
    if (known !== undefined) return known
    const place = this.#places.get(name) ?? placeOf(name)
    if (place === undefined) return undefined
    const index = this.#indices.size
    this.#indices.set(name, index)
    // What a name says never changes, so that all copies may share it.
    this.#places.set(name, place)
    if (index >= this.#columns.state.length) {
      for (const column of COLUMNS) {
        const grown = new Int32Array(index * 2)
        grown.set(this.#columns[column])
        this.#columns[column] = grown
      }
    }
    return index
  }
}

function emptyColumns(size: number): Record<Column, Int32Array> {
  return {
    state: new Int32Array(size),
    held: new Int32Array(size),
    wanted: new Int32Array(size),
    lag: new Int32Array(size),
  }
}

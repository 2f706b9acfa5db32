import type { Metadata, PortableRegistry } from '@polkadot/types'
import { stringCamelCase } from '@polkadot/util'
import { readCompact, type Skip, Skipper } from './skipper.js'

/** Picks events by the names of their pallet, in camelCase, and their own. */
export type EventFilter = (pallet: string, event: string) => boolean

/** Finds the few events that matter among those of a block, without decoding the others. */
export class EventRecords {
  /** The type of one record. */
  readonly type: number
  readonly #record: Skip
  readonly #event: Skip
  readonly #metadata: Metadata
  readonly #types: PortableRegistry
  readonly #filters = new Map<EventFilter, Uint8Array>()

  /** @param type of the list. @throws Error when it is no list of records. */
  constructor(metadata: Metadata, type: number) {
    this.#metadata = metadata
    this.#types = metadata.asLatest.lookup
    const skipper = new Skipper(this.#types)
    this.type = this.#types.getSiType(type).def.asSequence.type.toNumber()
    this.#record = skipper.skip(this.type)
    this.#event = skipper.field(this.type, ['event']).find
  }

  /**
   * The records, as bytes, of the events that `filter` picks.
   *
   * Every list is followed from its first record to its last, also one without the two bytes that any such event begins
   * with: to look for these first would take as long, and would take a list that was cut short for one without events.
   * @throws Error when that does not lead to its very end.
   */
  find(list: Uint8Array, filter: EventFilter): Uint8Array[] {
    const wanted = this.#pairs(filter)
    const isWanted = (at: number) => wanted[((list[at] ?? 0) << 8) | (list[at + 1] ?? 0)] === 1
    const found: Uint8Array[] = []
    const { value: count, end: begin } = readCompact(list, 0)
    let offset = begin
    for (let done = 0; done < count; done++) {
      const end = this.#record(list, offset)
      // Only then do the bytes bound this loop, whatever the count says.
      if (end === offset) throw new Error('a record takes no bytes')
      if (isWanted(this.#event(list, offset))) found.push(list.subarray(offset, end))
      offset = end
    }
    if (offset !== list.length) throw new Error(`${list.length - offset} bytes follow the last of its ${count} records`)
    return found
  }

  /** An event begins with the indices of its pallet and of itself: for each such pair, whether it is picked. */
  #pairs(filter: EventFilter): Uint8Array {
    const known = this.#filters.get(filter)
    if (known !== undefined) return known
    const pairs = new Uint8Array(0x1_0000)
    for (const { name, index, events } of this.#metadata.asLatest.pallets) {
      if (events.isNone) continue
      const pallet = stringCamelCase(name.toString())
      for (const event of this.#types.getSiType(events.unwrap().type).def.asVariant.variants) {
        if (filter(pallet, event.name.toString())) pairs[(index.toNumber() << 8) | event.index.toNumber()] = 1
      }
    }
    this.#filters.set(filter, pairs)
    return pairs
  }
}

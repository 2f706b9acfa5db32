import assert from 'node:assert/strict'
import { toHex } from '../../src/crypto/index.js'
import type { Pages, RecordTable } from '../../src/store/records.js'
import type { Sealer } from '../../src/store/sealing.js'

/** What a transaction reads from, of which only these sealed records are there; counts what it is asked for. */
export class BelowTransaction {
  asked = 0
  readonly #found: ReadonlyMap<string, Uint8Array>
  readonly #sealer: Sealer

  constructor(sealer: Sealer, records: readonly [name: Uint8Array, sealed: Uint8Array][] = []) {
    this.#sealer = sealer
    this.#found = new Map(records.map(([name, sealed]) => [toHex(name), sealed]))
  }

  async sealed(names: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.asked += names.length
    return names.map((name) => this.#found.get(toHex(name)))
  }

  isEmpty(prefix: number): boolean {
    return ![...this.#found.keys()].some((name) => Number.parseInt(name.slice(2, 4), 16) === prefix)
  }

  open<Key, Value>(table: RecordTable<Key, Value>, _: Key, name: Uint8Array, sealed: Uint8Array): Value {
    return table.decode(this.#sealer.open(name, sealed) ?? assert.fail())
  }

  openPage(_: Pages, name: Uint8Array, sealed: Uint8Array): Uint8Array {
    return this.#sealer.open(name, sealed) ?? assert.fail()
  }

  tampered(): never {
    assert.fail()
  }
}

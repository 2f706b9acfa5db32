import assert from 'node:assert/strict'
import { DEEPEST_LEVEL, Inventory, NUMBERS, type Prefix, ROOT } from '../../../src/inventory/index.js'
import { partFrom, partOf } from '../../../src/reconcile/parts.js'
import { decodePrefixes, encodePrefixes, inOrder } from '../../../src/reconcile/prefixes.js'
import type { Part as WirePart } from '../../../src/reconcile/wire/reconcile.js'
import { inventoryOf, secrets } from './fixture.js'

const bytes = (...values: number[]) => Uint8Array.from(values)
const refused = { code: 'reconcile/refusing', refusal: 'MALFORMED' }

describe('the prefixes of a question', () => {
  it('are read as they were written', () => {
    const prefixes = [ROOT, { level: 8, first: 0 }, { level: 8, first: 16 }, { level: 1, first: 2 ** 32 }]
    assert.deepEqual(decodePrefixes(encodePrefixes(prefixes)), prefixes)
    assert.deepEqual(inOrder([...prefixes].reverse()), prefixes)
  })

  it('are refused when they are none, twice, out of order, or too many', () => {
    const many = Array.from({ length: 257 }, (_, at) => ({ level: 8, first: 16 * at }))
    assert.equal(decodePrefixes(encodePrefixes(many.slice(1))).length, 256)
    const bad: Uint8Array[] = [
      bytes(),
      bytes(0, 0, 0, 0, 0),
      encodePrefixes(many),
      encodePrefixes([ROOT, ROOT]),
      encodePrefixes([{ level: 8, first: 16 }, ROOT]),
      encodePrefixes([{ level: 8, first: 0 }, ROOT]),
      encodePrefixes([{ level: 8, first: 8 }]),
      encodePrefixes([{ level: 9, first: 0 }]),
      encodePrefixes([{ level: 255, first: 0 }]),
      encodePrefixes([{ level: 1, first: NUMBERS }]),
      encodePrefixes([{ level: 8, first: 2 ** 40 - 16 }]),
    ]
    for (const each of bad) assert.throws(() => decodePrefixes(each), refused)
  })
})

describe('a part of an answer', () => {
  const wire = (part: Partial<WirePart>): WirePart => ({ present: 0, fingerprints: bytes(), items: bytes(), ...part })
  const deep: Prefix = { level: DEEPEST_LEVEL, first: 2 ** 32 }
  const fingerprints = (count: number) => new Uint8Array(16 * count).fill(9)

  it('is the shares themselves where there are few, and else what its children are known by', () => {
    const held = inventoryOf(secrets(5, 33, 100))
    const root = partFrom(partOf(held, ROOT), ROOT)
    assert.ok('children' in root)
    assert.deepEqual(
      root.children.map(({ length }) => length),
      [16, 0],
    )
    held.delete(5)
    assert.deepEqual(partFrom(partOf(held, ROOT), ROOT), { items: secrets(105, 32, 100) })
    assert.deepEqual(partFrom(partOf(new Inventory(), ROOT), ROOT), { items: [] })
    const last = inventoryOf([{ share: NUMBERS - 1, version: 0xffff_ffff }])
    assert.deepEqual(partFrom(partOf(last, ROOT), ROOT), { items: [{ share: NUMBERS - 1, version: 0xffff_ffff }] })
  })

  it('is refused when it is not what it can be', () => {
    const longest = Array.from({ length: 33 }, () => [0, 7]).flat()
    assert.equal('items' in partFrom(wire({ items: bytes(...longest.slice(2)) }), ROOT), true)
    const bad: [string, WirePart, Prefix][] = [
      ['fingerprints of nothing', wire({ fingerprints: fingerprints(1) }), ROOT],
      ['too few fingerprints', wire({ present: 3, fingerprints: fingerprints(1) }), ROOT],
      ['too many fingerprints', wire({ present: 1, fingerprints: fingerprints(2) }), ROOT],
      ['a fingerprint that is cut', wire({ present: 1, fingerprints: bytes(1, 2) }), ROOT],
      ['a child that there is not', wire({ present: 4, fingerprints: fingerprints(1) }), ROOT],
      ['a bit beyond all', wire({ present: 2 ** 32 - 1, fingerprints: fingerprints(16) }), { level: 3, first: 0 }],
      ['both', wire({ present: 1, fingerprints: fingerprints(1), items: bytes(0, 1) }), ROOT],
      ['children of single shares', wire({ present: 1, fingerprints: fingerprints(1) }), deep],
      ['too many items', wire({ items: bytes(...longest) }), ROOT],
      ['an item outside', wire({ items: bytes(16, 1) }), deep],
      ['a second item outside', wire({ items: bytes(15, 1, 0, 1) }), deep],
      ['an item without its version', wire({ items: bytes(3) }), deep],
      ['a varint without its end', wire({ items: bytes(3, 0x80) }), deep],
      ['a varint that is longer than need be', wire({ items: bytes(0x83, 0x00, 1) }), deep],
      ['a varint of six bytes', wire({ items: bytes(3, 0x80, 0x80, 0x80, 0x80, 0x80, 1) }), deep],
      ['a version of 2^32', wire({ items: bytes(3, 0x80, 0x80, 0x80, 0x80, 0x10) }), deep],
    ]
    for (const [name, part, prefix] of bad) assert.throws(() => partFrom(part, prefix), refused, name)
  })
})

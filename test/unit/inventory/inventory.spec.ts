import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import {
  childOf,
  DEEPEST_LEVEL,
  fanOutAt,
  Inventory,
  isPrefix,
  keyOf,
  NUMBERS,
  numberOf,
  type Prefix,
  ROOT,
  sizeAt,
} from '../../../src/inventory/index.js'
import { capsule, secret } from '../share/fixture.js'

/*
 * Sums and fingerprints of protocols/reconcile/1/SPEC.md 4.2, written down once more from its text alone.
 */
function H(tag: string, part: Buffer): Buffer {
  const lengths = [tag.length, part.length].map((length) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(length)
    return bytes
  })
  return createHash('sha256')
    .update(Buffer.concat([...(lengths.slice(0, 1) as Buffer[]), Buffer.from(tag), lengths[1] as Buffer, part]))
    .digest()
}

function fingerprint(shares: readonly (readonly [number, number])[]): string {
  let sum = 0n
  for (const [share, version] of shares) {
    const element = Buffer.alloc(9)
    element[0] = share < 2 ** 32 ? 1 : 2
    element.writeUInt32BE(share % 2 ** 32, 1)
    element.writeUInt32BE(version, 5)
    sum += BigInt(`0x${H('ternoa/reconcile/1/element', element).toString('hex')}`)
  }
  const count = shares.length.toString(16).padStart(16, '0')
  const whole = Buffer.from(count + (sum % 2n ** 256n).toString(16).padStart(64, '0'), 'hex')
  return H('ternoa/reconcile/1/fingerprint', whole).subarray(0, 16).toString('hex')
}

const within = (held: ReadonlyMap<number, number>, { level, first }: Prefix) =>
  [...held].filter(([share]) => share >= first && share < first + sizeAt(level)).sort(([one], [other]) => one - other)

/** All prefixes that hold something, and some beside them. */
function* prefixesOf(held: ReadonlyMap<number, number>): Generator<Prefix> {
  yield ROOT
  for (const share of [...held.keys(), 5, NUMBERS - 1].slice(0, 12)) {
    for (let level = 0; level <= DEEPEST_LEVEL; level += 1) {
      yield { level, first: Math.floor(share / sizeAt(level)) * sizeAt(level) }
    }
  }
}

function assertIsOf(inventory: Inventory, held: ReadonlyMap<number, number>): void {
  assert.equal(inventory.size, held.size)
  for (const prefix of prefixesOf(held)) {
    const all = within(held, prefix)
    assert.equal(inventory.count(prefix), all.length)
    assert.deepEqual(
      inventory.items(prefix, 3).map(({ share, version }) => [share, version]),
      all.slice(0, 3),
    )
    const children = inventory.children(prefix)
    assert.equal(children.length, fanOutAt(prefix.level))
    for (const [index, { count, fingerprint: told }] of children.entries()) {
      const part = within(held, childOf(prefix, index))
      assert.equal(count, part.length)
      assert.equal(Buffer.from(told).toString('hex'), part.length === 0 ? '' : fingerprint(part))
    }
  }
  const { fingerprint: all } = inventory.summary()
  assert.equal(Buffer.from(all).toString('hex'), held.size === 0 ? '' : fingerprint([...held]))
}

describe('the inventory of what is held', () => {
  it('numbers shares in the order of kinds and ids', () => {
    const keys = [secret(0), secret(7), secret(0xffff_ffff), capsule(0), capsule(7), capsule(0xffff_ffff)]
    const numbers = keys.map(numberOf)
    assert.deepEqual(numbers, [0, 7, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 7, NUMBERS - 1])
    assert.deepEqual(numbers.map(keyOf), keys)
  })

  it('divides all numbers into two, and each part into 16 until there is one share to each', () => {
    let prefix = ROOT
    for (; prefix.level <= DEEPEST_LEVEL; prefix = childOf(prefix, fanOutAt(prefix.level) - 1)) {
      assert.ok(isPrefix(prefix))
      assert.equal(sizeAt(prefix.level), fanOutAt(prefix.level) * sizeAt(prefix.level + 1))
    }
    assert.deepEqual(prefix, { level: 9, first: NUMBERS - 1 })
    const none = [prefix, { level: 1, first: 2 ** 33 }, { level: 8, first: 8 }, { level: 0, first: 2 ** 32 }]
    assert.deepEqual(none.map(isPrefix), [false, false, false, false])
  })

  it('is known by what it holds and not by how it came to hold it', () => {
    // Close together, so that runs fill, split and empty; and here and there.
    const share = fc.oneof(
      fc.nat(600),
      fc.nat(600),
      fc.integer({ min: 2 ** 32 - 20, max: 2 ** 32 + 20 }),
      fc.nat(NUMBERS - 1),
    )
    const step = fc.record({ share, version: fc.nat(0xffff_ffff), isGone: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_500, size: 'max' }), (steps) => {
        const [inventory, held] = [new Inventory(), new Map<number, number>()]
        for (const { share: number, version, isGone } of steps) {
          if (isGone) {
            inventory.delete(number)
            held.delete(number)
          } else {
            inventory.set(number, version)
            held.set(number, version)
          }
          assert.equal(inventory.versionOf(number), held.get(number))
        }
        assertIsOf(inventory, held)
      }),
      { seed: 7, numRuns: 15 },
    )
  })

  it('holds many in order, and none after all are gone', () => {
    const [inventory, held] = [new Inventory(), new Map<number, number>()]
    for (let nftId = 0; nftId < 3_000; nftId += 1) {
      inventory.set(nftId, nftId + 1)
      held.set(nftId, nftId + 1)
    }
    assertIsOf(inventory, held)
    for (let nftId = 0; nftId < 3_000; nftId += 1) if (nftId % 97 > 0) inventory.delete(nftId)
    for (const share of held.keys()) if (share % 97 > 0) held.delete(share)
    assertIsOf(inventory, held)
    inventory.clear()
    assertIsOf(inventory, new Map())
  })
})

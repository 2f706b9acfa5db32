import assert from 'node:assert/strict'
import fc from 'fast-check'
import { shareKeyText } from '../../../src/domain/index.js'
import { DEEPEST_LEVEL, fanOutAt, Inventory, keyOf, NUMBERS, type Prefix } from '../../../src/inventory/index.js'
import { Comparing, type Difference } from '../../../src/reconcile/comparing.js'
import type { Part } from '../../../src/reconcile/parts.js'
import { compare, inventoryOf, secrets } from './fixture.js'

const nothing = new Uint8Array()

function text(differences: readonly Difference[]): string[] {
  return differences.map(({ key, here, there }) => `${shareKeyText(key)} ${here ?? '-'} ${there ?? '-'}`).sort()
}

/** The same, without a tree. */
function plainly(here: ReadonlyMap<number, number>, there: ReadonlyMap<number, number>) {
  const [ahead, behind]: [Difference[], Difference[]] = [[], []]
  for (const share of new Set([...here.keys(), ...there.keys()])) {
    const difference = { key: keyOf(share), here: here.get(share), there: there.get(share) }
    if (difference.here === difference.there) continue
    if ((difference.there ?? -1) > (difference.here ?? -1)) ahead.push(difference)
    else behind.push(difference)
  }
  return { ahead: text(ahead), behind: text(behind) }
}

describe('the comparison of what two hold', () => {
  it('finds what differs, and nothing else', () => {
    const share = fc.oneof(
      fc.nat(400),
      fc.nat(400),
      fc.integer({ min: 2 ** 32, max: 2 ** 32 + 300 }),
      fc.nat(NUMBERS - 1),
    )
    const set = fc.array(fc.tuple(share, fc.nat(50)), { maxLength: 400, size: 'max' })
    const changes = fc.array(fc.tuple(share, fc.option(fc.nat(50))), { maxLength: 20 })
    fc.assert(
      fc.property(set, changes, fc.double({ min: 0, max: 0.999, noNaN: true }), (common, changed, turn) => {
        const here = new Map(common)
        const there = new Map(common)
        for (const [number, version] of changed) {
          if (version === null) there.delete(number)
          else there.set(number, version)
        }
        const items = (held: ReadonlyMap<number, number>) =>
          [...held].map(([number, version]) => ({ share: number, version }))
        const found = compare(inventoryOf(items(here)), inventoryOf(items(there)), turn)
        assert.deepEqual({ ahead: text(found.ahead), behind: text(found.behind) }, plainly(here, there))
        assert.ok(found.isComplete)
        const { lackingHere, olderHere, lackingThere, olderThere } = found.counts
        assert.deepEqual(
          [lackingHere + olderHere, lackingThere + olderThere],
          [found.ahead.length, found.behind.length],
        )
      }),
      { seed: 5, numRuns: 200 },
    )
  })

  it('costs as much as differs, and not as much as there is', () => {
    const cost = (count: number, differing: number) => {
      const there = inventoryOf(secrets(0, count))
      for (let at = 0; at < differing; at += 1) there.set(Math.floor(((at + 0.5) * count) / differing), 4_000_000)
      const found = compare(inventoryOf(secrets(0, count)), there)
      assert.equal(found.ahead.length, differing)
      return found
    }
    const [small, large, more] = [cost(2_000, 5), cost(40_000, 5), cost(40_000, 50)]
    assert.ok(large.bytes < 2.5 * small.bytes, `${large.bytes} bytes for twenty times as much, ${small.bytes} before`)
    assert.ok(more.bytes < 11 * large.bytes)
    assert.ok(large.bytes < 5 * 1_600, `${large.bytes} bytes`)
    // The levels that all ids begin alike in are asked for at once.
    assert.ok(large.questions <= 5, `${large.questions} questions`)
  })

  it('asks once where one of the two holds nothing', () => {
    const full = inventoryOf(secrets(0, 1_000))
    const [fetched, given] = [compare(new Inventory(), full), compare(full, new Inventory())]
    assert.equal(given.counts.lackingThere, 1_000)
    assert.deepEqual([given.questions, given.behind.length], [1, 512])
    assert.equal(fetched.ahead.length, 512)
    assert.equal(fetched.isComplete, false)
  })

  it('goes to the end in one part before it begins another, and not in the same part each time', () => {
    const full = inventoryOf(secrets(0, 30_000))
    const [one, other] = [compare(new Inventory(), full), compare(new Inventory(), full, 0.5)]
    assert.ok(one.questions < 20, `${one.questions} questions until so many are listed`)
    assert.notDeepEqual(one.ahead[0]?.key, other.ahead[0]?.key)
  })

  it('ends whatever is answered: descents without an end, and differences without number', () => {
    const rounds = (here: Inventory, answer: (prefix: Prefix) => Part) => {
      const comparing = new Comparing(here, 0)
      let [questions, most] = [0, 0]
      for (let asked = comparing.next(); asked !== undefined; asked = comparing.next()) {
        questions += 1
        most = Math.max(most, asked.length)
        assert.ok(asked.every(({ level }) => level <= DEEPEST_LEVEL))
        for (const prefix of asked) comparing.take(prefix, answer(prefix))
      }
      const { ahead, behind, isComplete } = comparing.result()
      return { questions, most, ahead: ahead.length, behind: behind.length, isComplete }
    }
    const other = new Uint8Array(16).fill(1)
    const deeper = (prefix: Prefix): Part => {
      if (prefix.level === DEEPEST_LEVEL) return { items: [] }
      return { children: Array.from({ length: fanOutAt(prefix.level) }, () => other) }
    }
    for (const here of [new Inventory(), inventoryOf(secrets(0, 5_000))]) {
      const { questions, most } = rounds(here, deeper)
      assert.deepEqual([questions, most], [64, 256])
    }
    const claims = (prefix: Prefix): Part => {
      if (prefix.level < DEEPEST_LEVEL) return deeper(prefix)
      return { items: Array.from({ length: 16 }, (_, at) => ({ share: prefix.first + at, version: 7 })) }
    }
    const { ahead, isComplete } = rounds(new Inventory(), claims)
    assert.deepEqual([ahead, isComplete], [512, false])
    const denies = (prefix: Prefix): Part => (prefix.level === 0 ? { children: [other, nothing] } : { items: [] })
    const denied = rounds(inventoryOf(secrets(0, 5_000)), denies)
    assert.deepEqual([denied.questions, denied.behind], [1, 512])
  })
})

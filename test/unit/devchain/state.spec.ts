import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Changes, State } from '../../../src/devchain/ledger/state.js'
import type { Hex } from '../../../src/domain/index.js'

const ITEMS = ['aa', 'ab', 'b0'].map((byte) => byte.repeat(32))

/** Keys of three items, so short that histories collide. */
const key = fc
  .tuple(fc.constantFrom(...ITEMS), fc.constantFrom('', '00', '01', '0100', 'ff'))
  .map(([item, suffix]): Hex => `0x${item}${suffix}`)
const value = fc.option(fc.uint8Array({ maxLength: 2 }), { nil: undefined })
const history = fc.array(
  fc.array(fc.tuple(key, value), { maxLength: 6 }).map((entries): Changes => new Map(entries)),
  {
    maxLength: 8,
  },
)

/** The state after each block, whole. */
function snapshots(blocks: readonly Changes[]): Map<Hex, Uint8Array>[] {
  let state = new Map<Hex, Uint8Array>()
  return blocks.map((changes) => {
    state = new Map(state)
    for (const [changed, to] of changes) {
      if (to === undefined) state.delete(changed)
      else state.set(changed, to)
    }
    return state
  })
}

describe('the state of every block', () => {
  it('is what a copy of the whole state at each block would be', () => {
    fc.assert(
      fc.property(history, key, (blocks, asked) => {
        const state = new State()
        for (const [block, changes] of blocks.entries()) state.append(block, changes)
        for (const [block, snapshot] of snapshots(blocks).entries()) {
          assert.deepEqual(state.get(asked, block), snapshot.get(asked))
          assert.deepEqual(state.keys('0x', block, 100), [...snapshot.keys()].sort())
        }
      }),
    )
  })

  it('pages keys under a prefix without gaps or repetitions, also while keys are added', () => {
    const prefix = fc
      .tuple(fc.constantFrom(...ITEMS), fc.nat({ max: 68 }))
      .map(([item, end]) => `0x${item}0100`.slice(0, 2 + end))
    fc.assert(
      fc.property(history, prefix, fc.integer({ min: 1, max: 4 }), (blocks, asked, count) => {
        const state = new State()
        for (const [block, changes] of blocks.entries()) {
          state.append(block, changes)
          const expected = [...(snapshots(blocks)[block]?.keys() ?? [])]
            .filter((found) => found.startsWith(asked))
            .sort()
          const paged: Hex[] = []
          for (;;) {
            const page = state.keys(asked, block, count, paged.at(-1))
            paged.push(...page)
            if (page.length < count) break
          }
          assert.deepEqual(paged, expected)
        }
      }),
    )
  })
})

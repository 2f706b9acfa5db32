import assert from 'node:assert/strict'
import type { Plain } from '../../../src/chain/runtime/plain.js'
import type { ChainEvent } from '../../../src/chain/runtime/runtime.js'
import { type BatchMethod, resultsOf } from '../../../src/chain/transactions/batch.js'

/** An error's name stands for the error. */
const runtime = { errorName: (error: Plain) => `${error}` }

const event = (pallet: string, name: string, data: ChainEvent['data'] = {}): ChainEvent => ({
  phase: 1,
  pallet,
  name,
  data,
})
const completed = event('utility', 'ItemCompleted')
const failed = (error: string) => event('utility', 'ItemFailed', { error })
const interrupted = (index: Plain, error = 'NFTNotFound') => event('utility', 'BatchInterrupted', { index, error })
const extrinsicFailed = event('system', 'ExtrinsicFailed', { dispatchError: 'BadOrigin', dispatchInfo: null })

const results = (method: BatchMethod | undefined, count: number, ...events: ChainEvent[]) =>
  resultsOf(runtime, [event('balances', 'Withdraw'), ...events, event('system', 'ExtrinsicSuccess')], {
    method,
    count,
    block: 7,
  }).map(({ failure }) => failure ?? 'done')

describe('what became of each call in a transaction', () => {
  it('is told of a call alone', () => {
    assert.deepEqual(results(undefined, 1), ['done'])
    assert.deepEqual(results(undefined, 1, extrinsicFailed), ['BadOrigin'])
  })

  it('is told where the metadata names no fields', () => {
    const unnamed = (pallet: string, name: string, ...values: Plain[]) =>
      event(pallet, name, Object.fromEntries(values.map((value, at) => [`${at}`, value])))
    assert.deepEqual(results(undefined, 1, unnamed('system', 'ExtrinsicFailed', 'BadOrigin', null)), ['BadOrigin'])
    assert.deepEqual(results('force_batch', 2, unnamed('utility', 'ItemFailed', 'A'), completed), ['A', 'done'])
    assert.deepEqual(results('batch', 3, unnamed('utility', 'BatchInterrupted', 1, 'B')), ['done', 'B'])
  })

  it('is told by position when a batch goes on after failures', () => {
    const end = event('utility', 'BatchCompletedWithErrors')
    assert.deepEqual(results('force_batch', 4, failed('A'), completed, completed, failed('B'), end), [
      'A',
      'done',
      'done',
      'B',
    ])
    const added = event('nft', 'ShardAdded')
    assert.deepEqual(results('force_batch', 2, added, completed, added, completed), ['done', 'done'])
  })

  for (const [where, index] of [
    ['first', 0],
    ['middle', 2],
    ['last', 4],
  ] as const) {
    it(`is told up to the failure when a batch was interrupted at the ${where} call`, () => {
      const done = Array<ChainEvent>(index).fill(completed)
      assert.deepEqual(results('batch', 5, ...done, interrupted(index)), [
        ...Array<string>(index).fill('done'),
        'NFTNotFound',
      ])
    })
  }

  it('is done when a plain batch was completed, also where it does not tell of each call', () => {
    assert.deepEqual(results('batch', 3, event('utility', 'BatchCompleted')), ['done', 'done', 'done'])
  })

  for (const method of ['force_batch', 'batch'] as const) {
    it(`is nothing when a ${method} failed as a whole`, () => {
      assert.throws(() => results(method, 2, extrinsicFailed), { code: 'chain/call-failed', reason: 'BadOrigin' })
    })
  }

  const unclear: readonly (readonly [string, BatchMethod, readonly ChainEvent[]])[] = [
    ['none of its events', 'force_batch', []],
    ['fewer events than calls', 'force_batch', [completed, completed]],
    ['more events than calls', 'force_batch', [completed, completed, completed, completed]],
    ['no end', 'batch', [completed, completed, completed]],
    ['an interruption after its last call', 'batch', [interrupted(3)]],
    ['an interruption nowhere', 'batch', [interrupted('first')]],
    ['an interruption before its first call', 'batch', [interrupted(-1)]],
  ]
  for (const [what, method, events] of unclear) {
    it(`cannot be read from a ${method} with ${what}`, () => {
      assert.throws(() => results(method, 3, ...events), { code: 'chain/unreadable-block', block: 7 })
    })
  }
})

import assert from 'node:assert/strict'
import type { RunEvent } from '../../../src/simulation/record/index.js'
import { RecordedAudit, type RecordedExpectation } from '../../../src/simulation/recorded-audit.js'

type Unplaced<Event = RunEvent> = Event extends unknown ? Omit<Event, 'at'> : never

const share = { kind: 'secret', nftId: 7 } as const
const running = (enclave: string) => ({ type: 'enclave', enclave, state: 'running' }) as const
const stored = (enclave: string, ms: number) => ({ type: 'stored', enclave, ...share, from: 'c0-s0', ms }) as const
const trigger = { type: 'trigger', block: 4, cluster: 0, ...share } as const
const exchange = { type: 'exchange', requester: 'c1-s0', provider: 'c0-s0', shares: 1, bytes: 9, ms: 5 } as const

function checked(expectation: RecordedExpectation, events: readonly Unplaced[]) {
  const audit = new RecordedAudit([expectation])
  for (const event of events) audit.record({ ...event, at: 0 })
  const { passed, detail } = audit.check(expectation)
  return [passed, detail]
}

describe('what follows from the record of a run', () => {
  const replicated = { type: 'replicated', within: 1_000, percent: 50 } as const

  it('counts replicas that were up when a share was synced, and had it in time', () => {
    const up = ['c0-s0', 'c1-s0', 'c2-s0'].map(running)
    const late = { ...running('c3-s0'), state: 'setup' } as const
    const events = [...up, late, trigger, stored('c1-s0', 900), stored('c2-s0', 1_100), stored('c3-s0', 10)]
    assert.deepEqual(checked(replicated, events), [true, '1 of 2 replicas, 50.00 %'])
    assert.deepEqual(checked({ ...replicated, percent: 51 }, events), [false, '1 of 2 replicas, 50.00 %'])
    assert.deepEqual(checked(replicated, [...up, trigger]), [false, '0 of 2 replicas, 0.00 %'])
  })

  it('does not count those of clusters that are private, nor any that are down', () => {
    const set = { type: 'set-access', cluster: 2, access: 'private' } as const
    const events = [
      ...['c1-s0', 'c2-s0', 'c3-s0'].map(running),
      { type: 'action', action: set, text: 'set access' } as const,
      { type: 'enclave', enclave: 'c3-s0', state: 'killed' } as const,
      trigger,
      stored('c1-s0', 1),
    ]
    assert.deepEqual(checked({ ...replicated, percent: 100 }, events), [true, '1 of 1 replicas, 100.00 %'])
    assert.equal(checked(replicated, [])[1], 'There was nothing to check.')
  })

  it('wants everybody who came back to have caught up, in time', () => {
    const expectation = { type: 'caught-up', within: 1_000 } as const
    const killed = { type: 'enclave', enclave: 'c1-s0', state: 'killed' } as const
    const caughtUp = { type: 'caught-up', enclave: 'c1-s0', ms: 800, shares: 2 } as const
    const back = [running('c1-s0'), killed, running('c1-s0')]
    assert.deepEqual(checked(expectation, [...back, caughtUp]), [true, '1 times, 0.8 s at most'])
    assert.deepEqual(checked(expectation, back), [false, 'c1-s0 came back and has not caught up'])
    assert.deepEqual(checked(expectation, [...back, { ...caughtUp, ms: 1_200 }]), [false, 'c1-s0 took 1.2 s'])
  })

  it('sets what an origin served beside what it was the origin of', () => {
    const expectation = { type: 'fan-out', exchangesPerTrigger: 2 } as const
    const failed = { ...exchange, code: 'BUSY' }
    const ofAnother = { ...exchange, provider: 'c5-s0' }
    const events = [trigger, exchange, exchange, failed, ofAnother, ofAnother, ofAnother]
    assert.deepEqual(checked(expectation, events), [true, 'c0-s0 served 2.00 exchanges for each'])
    assert.equal(checked(expectation, [...events, exchange])[0], false)
  })
})

import assert from 'node:assert/strict'
import { AttestationError } from '../../../src/attestation/index.js'
import { SlotmeshError, silentLogger } from '../../../src/domain/index.js'
import type { NodeEvent } from '../../../src/node/index.js'
import { Telemetry } from '../../../src/node/telemetry.js'

describe('telemetry', () => {
  it('tells every listener, also when one of them fails, and logs which event it was', () => {
    const logged: string[] = []
    const logger = { ...silentLogger, error: (message: string) => logged.push(message) }
    const telemetry = new Telemetry(() => 1, logger)
    const told: string[] = []
    telemetry.subscribe(() => {
      throw new Error('a defect of the embedding program')
    })
    const unsubscribe = telemetry.subscribe(({ type }) => told.push(type))
    telemetry.stateChanged('running')
    telemetry.refusalSent('BUSY')
    unsubscribe()
    telemetry.refusalSent('BUSY')
    assert.deepEqual(told, ['state', 'refusal-sent'])
    assert.deepEqual(logged, ['a listener failed', 'a listener failed', 'a listener failed'])
    assert.deepEqual(telemetry.counts().refusals.sent, { BUSY: 2 })
  })

  it('tells who hears one type of event of no other', () => {
    const telemetry = new Telemetry(() => 1, silentLogger)
    const [states, codes]: [string[], string[]] = [[], []]
    const end = telemetry.on('state', ({ state }) => states.push(state))
    telemetry.on('refusal-sent', ({ code }) => codes.push(code))
    telemetry.stateChanged('setup')
    telemetry.refusalSent('BUSY')
    end()
    telemetry.stateChanged('running')
    assert.deepEqual([states, codes], [['setup'], ['BUSY']])
  })

  it('counts comparisons with slot peers, and the gaps that they have shown', () => {
    const telemetry = new Telemetry(() => 150, silentLogger)
    const told: NodeEvent[] = []
    telemetry.subscribe((event) => told.push(event))
    const ofPeer = { missing: 0, outdated: 0, unlisted: 0, disputed: 0 }
    const cost = { isComplete: true, questions: 4, bytes: 2_000, ms: 30 }
    const reconciled = { peer: '0x01', missing: 2, outdated: 1, erased: 0, ofPeer, causes: [], ...cost } as const
    telemetry.reconciled(reconciled)
    telemetry.reconciled({ ...reconciled, missing: 0, outdated: 0 })
    telemetry.reconciliationFailed()
    telemetry.reconciliationServed()
    const { sessions, gaps, last } = telemetry.reconciliation()
    assert.deepEqual(sessions, { requested: 2, served: 1, failed: 1 })
    assert.deepEqual([gaps, last?.missing, last?.at], [3, 0, 150])
    assert.deepEqual(told[0], { type: 'reconciled', ...reconciled, at: 150 })
  })

  it('tells what an exchange cost, from its beginning to its end, whether it went well or not', () => {
    let now = 100
    const telemetry = new Telemetry(() => now, silentLogger)
    const told: NodeEvent[] = []
    telemetry.subscribe((event) => told.push(event))
    const [one, other] = [`0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`] as const
    telemetry.exchangeBegun(one)
    now = 130
    telemetry.exchangeBegun(other)
    now = 150
    telemetry.exchangeEnded(one, { shares: 3, bytes: 900, messages: 7 })
    telemetry.exchangeFailed(other, new SlotmeshError('share/cut', 'It was cut.'))
    assert.deepEqual(told, [
      { type: 'exchange-done', peer: one, shares: 3, bytes: 900, messages: 7, ms: 50, at: 150 },
      { type: 'exchange-failed', peer: other, code: 'share/cut', ms: 20, at: 150 },
    ])
  })

  it('tells of exchanges that were served, handshakes, and what a block meant', () => {
    const telemetry = new Telemetry(() => 70, silentLogger)
    const told: NodeEvent[] = []
    telemetry.subscribe((event) => told.push(event))
    const [peer, at] = [`0x${'01'.repeat(32)}` as const, 70]
    const triggers = [{ type: 'removed', kind: 'secret', nftId: 7 }] as const
    telemetry.handshakeDone({ role: 'provider', ms: 12 })
    telemetry.peerAttested(peer)
    telemetry.exchangeServed({ account: peer, sent: 2, traffic: { bytes: 800, messages: 5 }, ms: 40 })
    telemetry.servingFailed(new SlotmeshError('share/cut', 'It was cut.'))
    telemetry.triggersTaken(9, triggers)
    assert.deepEqual(told, [
      { type: 'handshake', role: 'provider', ms: 12, at },
      { type: 'peer-attested', peer, at },
      { type: 'exchange-served', peer, shares: 2, bytes: 800, messages: 5, ms: 40, at },
      { type: 'serving-failed', code: 'share/cut', at },
      { type: 'triggers', block: 9, triggers, at },
    ])
    assert.equal(telemetry.counts().exchanges.served, 1)
  })

  it('tells how long a quote was looked at and what that came to, and hands on what came of it', async () => {
    let now = 100
    const telemetry = new Telemetry(() => now, silentLogger)
    const told: NodeEvent[] = []
    telemetry.subscribe((event) => told.push(event))
    const done = await telemetry.verifying(async () => {
      now = 108
      return 'claims'
    })
    assert.equal(done, 'claims')
    const debug = new AttestationError('attestation/debug-enclave', 'debug', 'It is a debug enclave.')
    await assert.rejects(
      telemetry.verifying(() => Promise.reject(debug)),
      debug,
    )
    await assert.rejects(
      telemetry.verifying(() => Promise.reject(new Error('a defect'))),
      /a defect/,
    )
    assert.deepEqual(told, [
      { type: 'quote-verified', outcome: 'admitted', ms: 8, at: 108 },
      { type: 'quote-verified', outcome: 'attestation/debug-enclave', ms: 0, at: 108 },
      { type: 'quote-verified', outcome: 'failed', ms: 0, at: 108 },
    ])
  })
})

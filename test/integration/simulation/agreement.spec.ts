import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mode } from '../../../src/simulation/record/index.js'
import type { StageInit } from '../../../src/simulation/stage.js'
import { createStage } from '../../../src/simulation/stages.js'
import { eventsOf, type Played, playOn, scenarioOf } from './playing.js'

/**
 * Small, and with everything in it that the modes could count differently. The chain is of generation 1, which the other
 * tests of live nodes leave out.
 */
const SCENARIO = scenarioOf(`
clusters: 2
chain: { blockTime: 500 ms, generation: 1 }
timeline:
  - do: { type: mint, secrets: 3, capsules: 2 }
  - when: settled
    do: { type: stop, enclave: c1-s1 }
  - do: { type: mint, secrets: 2, without: 1 }
  - when: settled
    do: { type: restart, enclave: c1-s1 }
  - when: settled
    do: { type: impostor, slot: 0 }
expect:
  - { type: complete }
  - { type: recovery }
  - { type: outsiders-get-nothing }
  - { type: resumed, enclave: c1-s1 }
  - { type: no-needless-refusals }
`)

/** Owners do not ask for their shares back in the discrete mode, so that nobody is refused one. */
const OF_LIVE_ALONE = ['Nobody but the owner gets a share']

/**
 * Which peer is asked for how much at a time hangs on when triggers are seen. A machine that has much else to do makes
 * more exchanges of it, each for less; nothing makes fewer.
 */
const MORE_EXCHANGES = { part: 0.5, amount: 8 } as const

/** Handshakes that no exchange came of: of the impostor, and of who was refused or cut off. */
const OTHER_HANDSHAKES = 8

describe('one scenario, played live and under a computed clock', function () {
  this.timeout(300_000)
  let live: Played
  let discrete: Played

  before(async () => {
    discrete = await playIn('discrete')
    live = await playIn('live')
  })

  it('meets the same checks, and all of them hold', () => {
    for (const { checks } of [live, discrete])
      assert.deepEqual(
        checks.filter(({ passed }) => !passed),
        [],
      )
    const names = live.checks.map(({ name }) => name).filter((name) => !OF_LIVE_ALONE.includes(name))
    assert.deepEqual(
      discrete.checks.map(({ name }) => name),
      names,
    )
  })

  it('has every enclave fetch as many shares, and hold as many at the end', () => {
    assert.deepEqual(storedBy(discrete), storedBy(live))
    assert.deepEqual(lastSample(discrete), lastSample(live))
    assert.equal(lastSample(live).length, 10)
  })

  it('tells the same of every enclave in the report’s table', () => {
    const told = ({ rows }: Played) =>
      rows.map(({ cluster, slot, status, note }) => ({ cluster, slot, shares: status?.shares, note }))
    assert.deepEqual(told(discrete), told(live))
    assert.deepEqual(
      told(live).flatMap(({ note }) => note || []),
      ['stopped, restarted', 'impostor'],
    )
    // The one that was restarted has served nobody since, and has asked for what it missed.
    const again = [live, discrete].map(({ rows }) => rows.find(({ note }) => note === 'stopped, restarted')?.status)
    for (const status of again) assert.ok(status && status.exchanges.requested >= 1 && status.exchanges.served === 0)
  })

  it('counts the same: who there was, what was synced, who caught up with something', () => {
    for (const total of ['enclaves', 'triggers'] as const) assert.equal(discrete.totals[total], live.totals[total])
    const caughtUp = (played: Played) => eventsOf(played, 'caught-up').filter(({ shares }) => shares > 0)
    assert.deepEqual(
      caughtUp(discrete).map(({ enclave, shares }) => [enclave, shares]),
      caughtUp(live).map(({ enclave, shares }) => [enclave, shares]),
    )
    assert.equal(caughtUp(live).length, 1)
  })

  it('takes no more exchanges under a computed clock, a handshake for each, of about as many bytes', () => {
    const { part, amount } = MORE_EXCHANGES
    const most = Math.max(amount + live.totals.exchanges, live.totals.exchanges * (1 + part))
    assert.ok(discrete.totals.exchanges <= most, `${discrete.totals.exchanges} and ${live.totals.exchanges} exchanges`)
    for (const { totals } of [live, discrete]) {
      const others = totals.attestations - totals.exchanges
      assert.ok(others >= 0 && others <= totals.failedExchanges + OTHER_HANDSHAKES, JSON.stringify(totals))
    }
    const [one, other] = [live, discrete].map(({ totals }) => totals.bytes / totals.exchanges)
    assert.ok(
      one !== undefined && other !== undefined && Math.abs(one - other) < 0.2 * one,
      `${one} and ${other} bytes`,
    )
  })
})

async function playIn(mode: Mode): Promise<Played> {
  const folder = await mkdtemp(join(tmpdir(), 'slotmesh-test-'))
  try {
    return await playOn(SCENARIO, (parts) => createStage(mode, { ...parts, ...initOf(folder) }))
  } finally {
    await rm(folder, { recursive: true })
  }
}

function initOf(folder: string): Pick<StageInit, 'folder' | 'processors' | 'slower' | 'signal' | 'progress'> {
  return { folder, processors: 1, slower: undefined, signal: new AbortController().signal, progress: () => undefined }
}

function storedBy(played: Played): Record<string, number> {
  const stored: Record<string, number> = {}
  for (const { enclave } of eventsOf(played, 'stored')) stored[enclave] = (stored[enclave] ?? 0) + 1
  return Object.fromEntries(Object.entries(stored).sort())
}

/** Who holds how many of how many, when all is over. */
function lastSample(played: Played): (string | number)[][] {
  const last = eventsOf(played, 'sample').at(-1)
  const held = Object.entries(last?.enclaves ?? {}).map(([enclave, sample]) => [
    enclave,
    sample.held,
    last?.listed ?? 0,
  ])
  return held.sort()
}

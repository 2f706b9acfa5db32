import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLiveStage } from '../../../src/simulation/live/index.js'
import { SeededRandom } from '../../../src/simulation/randomness.js'
import type { RunEvent } from '../../../src/simulation/record/index.js'
import { parseScenario } from '../../../src/simulation/scenario/index.js'
import type { Stage } from '../../../src/simulation/stage.js'

const SCENARIO = `
title: Two clusters
why: To be played by hand.
clusters: 2
chain: { blockTime: 300 ms }
regions: { here: 0, there: 1 }
expect: [{ type: complete }]
`

/** One world for all: its start is what costs. What one test does, the next finds done. */
describe('a live stage', function () {
  this.timeout(240_000)
  const controller = new AbortController()
  const patience = { timeoutMs: 120_000, signal: controller.signal }
  const events: RunEvent[] = []
  let folder: string
  let stage: Stage

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-test-'))
    stage = await createLiveStage(
      {
        scenario: parseScenario(SCENARIO, 'by-hand.yaml'),
        recorder: { record: (event) => events.push(event) },
        random: new SeededRandom(`0x${'5a'.repeat(32)}`),
        folder,
        signal: controller.signal,
        processors: undefined,
        slower: undefined,
        progress: () => undefined,
      },
      'live',
    )
    await stage.open()
  })

  after(async () => {
    controller.abort()
    await stage.close()
    await rm(folder, { recursive: true })
  })

  async function expectComplete(): Promise<void> {
    await stage.untilSettled(patience)
    const checks = await stage.audit({ type: 'complete' })
    assert.deepEqual(
      checks.filter(({ passed }) => !passed),
      [],
    )
  }

  function count(type: RunEvent['type']): number {
    return events.filter((event) => event.type === type).length
  }

  it('mints, settles, and records what it saw', async () => {
    assert.deepEqual(stage.clusters(), [0, 1])
    // One after the other: the secret NFT is the oldest, and so the one that is burned later.
    await stage.mint([{ kind: 'secret', cluster: 0, bytes: 64 }])
    await stage.mint([{ kind: 'capsule', cluster: 1, bytes: 200 }])
    await expectComplete()
    assert.equal(count('trigger'), 2)
    assert.equal(count('stored'), 10)
    const { exchanges, triggers, bytes, dhtLookups, attestations, busiestServed, enclaves } = await stage.totals()
    assert.deepEqual([triggers, enclaves], [2, 10])
    assert.ok(exchanges >= 10 && bytes > 10_000 && dhtLookups > 0 && attestations >= 10 && busiestServed >= 1)
    assert.ok(count('block') > 0 && count('sample') > 0)
  })

  it('makes no blocks while it is paused, but one for each step', async () => {
    stage.pause()
    const last = () => events.findLast((event) => event.type === 'block')?.block ?? -1
    const at = stage.clock.now()
    // Final a block later: what was best when it was paused.
    await stage.step()
    await stage.step()
    const seen = await stage.inspect('c0-s0')
    assert.equal(stage.clock.now(), at)
    assert.equal(seen?.state, 'running')
    assert.equal(await stage.inspect('c7-s0'), undefined)
    const before = last()
    stage.resume()
    await stage.mint([{ kind: 'secret', cluster: 1, bytes: 64 }])
    assert.ok(last() > before)
  })

  it('erases what was burned, and keeps both shares of a hybrid', async () => {
    await stage.perform({ type: 'convert-to-hybrid' })
    await expectComplete()
    await stage.perform({ type: 'burn', nfts: 1 })
    await expectComplete()
    const rows = await stage.rows()
    // Two NFTs are left of three: the one that was burned was the hybrid.
    for (const { status } of rows) assert.deepEqual(status?.shares, { secret: 1, capsule: 1 })
  })

  it('has on both sides of a partition what was minted on either when it has healed', async () => {
    await stage.perform({ type: 'partition', one: ['here'], other: ['there'] })
    const before = count('stored')
    await stage.mint([
      { kind: 'secret', cluster: 0, bytes: 64 },
      { kind: 'capsule', cluster: 1, bytes: 64 },
    ])
    assert.equal(count('stored'), before)
    await stage.perform({ type: 'heal' })
    await expectComplete()
    assert.equal(count('stored'), before + 10)
    const checks = await stage.audit({ type: 'no-needless-refusals' })
    assert.deepEqual(
      checks.filter(({ passed }) => !passed),
      [],
    )
  })

  it('moves enclaves to other slots', async () => {
    await stage.perform({ type: 'swap-slots', cluster: 1, slots: [0, 3] })
    await expectComplete()
    assert.deepEqual(
      (await stage.rows()).slice(5).map(({ slot }) => slot),
      [3, 1, 2, 0, 4],
    )
    const checks = await stage.audit({ type: 'recovery' })
    assert.deepEqual(
      checks.filter(({ passed }) => !passed),
      [],
    )
  })

  it('goes on across a partition, an outage of the chain and an upgrade of its runtime', async () => {
    await stage.perform({ type: 'partition', one: ['here'], other: ['there'] })
    await stage.perform({ type: 'runtime-upgrade' })
    await stage.mint([{ kind: 'secret', cluster: 0, bytes: 64 }])
    assert.equal(events.filter((event) => event.type === 'stored' && event.enclave.startsWith('c1')).length >= 5, true)
    await stage.perform({ type: 'chain-outage', region: 'there', lasts: 2_000 })
    await stage.perform({ type: 'heal' })
    await expectComplete()
  })

  it('starts an enclave again, as often as it takes, while no chain answers it', async () => {
    const enclave = { cluster: 1, slot: 4 }
    await stage.perform({ type: 'stop', enclave })
    // Longer than a node that starts waits for its chain.
    await stage.perform({ type: 'chain-outage', region: 'there', lasts: 11_000 })
    await stage.perform({ type: 'restart', enclave })
    await expectComplete()
  })

  it('tells a private cluster nothing', async () => {
    await stage.perform({ type: 'set-access', cluster: 1, access: 'private' })
    assert.deepEqual(stage.clusters(), [0])
    await stage.mint([{ kind: 'secret', cluster: 0, bytes: 64 }])
    await expectComplete()
    const checks = await stage.audit({ type: 'complete' })
    assert.ok(checks.some(({ name, passed }) => passed && name.startsWith('Private clusters')))
    await stage.perform({ type: 'set-access', cluster: 1, access: 'public' })
    await expectComplete()
  })

  it('has a late cluster stand in for the origin of what an enclave missed, where that is down', async () => {
    await stage.perform({ type: 'add-cluster', access: 'public' })
    await stage.untilSettled(patience)
    const missing = { cluster: 0, slot: 2 }
    const origin = { cluster: 1, slot: 2 }
    await stage.perform({ type: 'stop', enclave: missing })
    await stage.mint([{ kind: 'capsule', cluster: 1, bytes: 64 }])
    await stage.untilSettled(patience)
    await stage.perform({ type: 'stop', enclave: origin })
    await stage.perform({ type: 'restart', enclave: missing })
    await stage.untilSettled(patience)
    await stage.perform({ type: 'restart', enclave: origin })
    await expectComplete()
    const [check] = await stage.audit({ type: 'failed-over', enclave: missing, peer: origin })
    assert.equal(check?.passed, true, check?.detail)
  })

  it('says what it cannot do', async () => {
    const c0s0 = { cluster: 0, slot: 0 }
    await assert.rejects(stage.perform({ type: 'kill', enclave: c0s0 }), { code: 'simulation/cannot-kill' })
    await assert.rejects(stage.perform({ type: 'restart', enclave: c0s0 }), {
      message: 'c0-s0 is up: it cannot be started.',
    })
    await assert.rejects(stage.perform({ type: 'stop', enclave: { cluster: 9, slot: 0 } }), {
      code: 'simulation/unknown-enclave',
    })
    await assert.rejects(stage.perform({ type: 'burn', nfts: 50 }), { code: 'simulation/nothing-to-burn' })
  })
})

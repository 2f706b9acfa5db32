import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createDiscreteStage } from '../../../src/simulation/discrete/index.js'
import { SeededRandom } from '../../../src/simulation/randomness.js'
import type { RunEvent } from '../../../src/simulation/record/index.js'
import { findScenario, parseScenario } from '../../../src/simulation/scenario/index.js'
import { eventsOf, failed, play, SEED, scenarioOf } from './playing.js'

const ROUGH = `
clusters: 4
regions: { east: 0-1, west: 2-3 }
chain: { blockTime: 2 s }
links:
  - { latency: 2 ms, bandwidth: 1 Gbit/s }
  - { between: [east, west], latency: 60 ms, jitter: 20 ms, loss: 2 %, bandwidth: 20 Mbit/s }
arrivals:
  - { every: 5 s, until: 60 s }
timeline:
  - at: 10 s
    do: { type: kill, enclave: c2-s1 }
  - at: 30 s
    do: { type: restart, enclave: c2-s1 }
  - do: { type: disconnect, enclave: c0-s0 }
expect:
  - { type: complete }
  - { type: recovery }
  - { type: no-needless-refusals }
`

describe('a scenario under a computed clock', function () {
  this.timeout(120_000)

  it('is played alike to the last event with one seed, and otherwise with another', async () => {
    const scenario = scenarioOf(ROUGH)
    const [one, again] = [await play(scenario), await play(scenario)]
    assert.deepEqual(failed(one), [])
    assert.equal(again.digest, one.digest)
    assert.deepEqual(again.totals, one.totals)
    const other = await play(scenario, `0x${'08'.repeat(32)}`)
    assert.deepEqual(failed(other), [])
    assert.notEqual(other.digest, one.digest)
  })

  it('passes through the whole life of a share', async () => {
    const text = await readFile('examples/scenarios/life-of-a-share.yaml', 'utf8')
    const played = await play(parseScenario(text, 'life-of-a-share.yaml'))
    assert.deepEqual(failed(played), [])
    assert.equal(played.checks.length, 11)
  })

  // Live, the same is done to one mesh in live.spec.ts, and by `npm run stories`.
  for (const name of ['partition-and-heal', 'slots-swapped']) {
    it(`passes through ${name}, as it comes with the package`, async () => {
      const { scenario } = await findScenario(name)
      const played = await play(scenario)
      assert.deepEqual(failed(played), [])
      assert.ok(played.checks.length >= scenario.expect.length)
    })
  }

  it('takes the time of the links for each share', async () => {
    const replication = async (latency: string) => {
      const played = await play(
        scenarioOf(`
clusters: 2
links: [{ latency: ${latency} }]
timeline:
  - at: 30 s
    do: { type: mint, secrets: 1 }
expect: [{ type: complete }]
`),
      )
      assert.deepEqual(failed(played), [])
      return eventsOf(played, 'stored').map(({ ms }) => ms)
    }
    const [near, far] = [await replication('1 ms'), await replication('200 ms')]
    assert.equal(near.length, 5)
    // Two round trips of an exchange and one of its stream are the least.
    const [nearest, farthest] = [Math.max(...near), Math.min(...far)]
    assert.ok(nearest < 300, `${nearest} ms on a short line`)
    assert.ok(farthest > 3 * 400, `${farthest} ms on a long line`)
  })

  it('fetches a thousand NFTs of one block in one exchange for each pair of slot peers', async () => {
    const played = await play(
      scenarioOf(`
clusters: 2
arrivals: [{ burst: 1000, kind: secret }]
expect: [{ type: complete }]
`),
    )
    assert.deepEqual(failed(played), [])
    assert.equal(new Set(eventsOf(played, 'trigger').map(({ block }) => block)).size, 1)
    assert.equal(eventsOf(played, 'trigger').length, 1_000)
    assert.equal(eventsOf(played, 'stored').length, 5_000)
    assert.equal(eventsOf(played, 'exchange').length, 10)
  })

  it('has everybody refuse an impostor for its build, and a stranger for having no seat', async () => {
    const played = await play(
      scenarioOf(`
clusters: 3
timeline:
  - do: { type: mint, secrets: 2 }
  - when: settled
    do: { type: impostor, slot: 2 }
  - do: { type: stranger }
  - do: { type: mint, secrets: 1 }
expect:
  - { type: complete }
  - { type: outsiders-get-nothing }
  - { type: no-needless-refusals }
`),
    )
    assert.deepEqual(failed(played), [])
    const ofImpostor = eventsOf(played, 'exchange').filter(({ requester }) => requester === 'c3-s2')
    assert.ok(ofImpostor.length >= 3)
    for (const { code } of ofImpostor) assert.equal(code, 'MEASUREMENT_NOT_ALLOWED')
    assert.deepEqual(
      eventsOf(played, 'stored').filter(({ enclave, from }) => enclave === 'c3-s2' || from === 'c3-s2'),
      [],
    )
  })

  it('finds out that the other side has given a connection up as soon as it can send there again', async () => {
    // Each side gives up for itself, between 20 and 80 s after the cut.
    const played = await play(
      scenarioOf(`
clusters: 2
regions: { east: 0, west: 1 }
chain: { blockTime: 1 s }
timeline:
  - do: { type: mint, secrets: 1 }
  - when: settled
    do: { type: partition, one: [east], other: [west] }
  - after: 45 s
    do: { type: heal }
  - after: 1 s
    do: { type: mint, secrets: 2 }
expect:
  - { type: complete }
  - { type: replicated, within: 5 s }
`),
    )
    assert.deepEqual(failed(played), [])
    const replication = eventsOf(played, 'stored').map(({ ms }) => ms)
    assert.equal(replication.length, 15)
    assert.ok(Math.max(...replication) < 5_000, `${Math.max(...replication)} ms`)
  })

  it('gives up no connection for a cut that has long healed', async () => {
    const played = await play(
      scenarioOf(`
clusters: 2
regions: { east: 0, west: 1 }
chain: { blockTime: 1 s }
timeline:
  - do: { type: mint, secrets: 1 }
  - when: settled
    do: { type: partition, one: [east], other: [west] }
  - after: 1 s
    do: { type: heal }
  - after: 18 s
    do: { type: partition, one: [east], other: [west] }
  - do: { type: mint, secrets: 2 }
  - after: 10 s
    do: { type: heal }
expect: [{ type: complete }]
`),
    )
    assert.deepEqual(failed(played), [])
    // Nobody is cut off for the 20 s after which a side gives up.
    assert.deepEqual(
      eventsOf(played, 'exchange').filter(({ code }) => code !== undefined),
      [],
    )
  })

  it('has a token refused that has expired at the block that the provider sees', async () => {
    const played = await play(
      scenarioOf(`
clusters: 2
regions: { east: 0-0, west: 1-1 }
chain: { blockTime: 500 ms }
timeline:
  - do: { type: kill, enclave: c1-s0 }
  - do: { type: mint, secrets: 3, without: 1 }
  - when: settled
    do: { type: chain-outage, region: west, lasts: 30 s }
  - after: 15 s
    do: { type: restart, enclave: c1-s0 }
expect: [{ type: complete }]
`),
    )
    assert.deepEqual(failed(played), [])
    const tries = eventsOf(played, 'exchange').filter(({ requester }) => requester === 'c1-s0')
    assert.equal(tries[0]?.code, 'TOKEN_EXPIRED')
    assert.equal(tries.at(-1)?.code, undefined)
  })

  it('lets nothing through a partition until it heals, and loses nothing by it', async () => {
    const played = await play(
      scenarioOf(`
clusters: 4
regions: { east: 0-1, west: 2-3 }
timeline:
  - do: { type: mint, secrets: 4 }
  - when: settled
    do: { type: partition, one: [east], other: [west] }
  - do: { type: mint, secrets: 4 }
  - after: 180 s
    do: { type: heal }
patience: 5 min
expect:
  - { type: complete }
  - { type: recovery }
`),
    )
    assert.deepEqual(failed(played), [])
    const actions = eventsOf(played, 'action')
    const [cutAt, healedAt] = ['partition', 'heal'].map(
      (type) => actions.find(({ action }) => action.type === type)?.at,
    )
    assert.ok(cutAt !== undefined && healedAt !== undefined)
    const isEast = (enclave: string) => /^c[01]-/.test(enclave)
    const meanwhile = eventsOf(played, 'stored').filter(({ at }) => at > cutAt && at < healedAt)
    assert.equal(meanwhile.length, 4 * 5)
    assert.deepEqual(
      meanwhile.filter(({ enclave, from }) => isEast(enclave) !== isEast(from)),
      [],
    )
    const after = eventsOf(played, 'stored').filter(({ at }) => at > healedAt)
    assert.equal(after.length, 4 * 2 * 5)
    assert.ok(eventsOf(played, 'exchange').some(({ at, code }) => at > cutAt && at < healedAt && code !== undefined))
  })

  it('can be held, gone on with block by block, and ended while somebody waits', async () => {
    const blocks: number[] = []
    const recorder = {
      record: (event: RunEvent) => {
        if (event.type === 'block') blocks.push(event.block)
      },
    }
    const scenario = scenarioOf('clusters: 2\nexpect: [{ type: complete }]')
    const stage = createDiscreteStage({ scenario, random: new SeededRandom(SEED), recorder })
    await stage.open()
    stage.pause()
    const minting = stage.mint([{ kind: 'secret', cluster: 0, bytes: 64 }])
    const before = blocks.length
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(blocks.length, before)
    await stage.step()
    assert.equal(blocks.length, before + 1)
    assert.equal((await stage.inspect('c0-s0'))?.state, 'running')
    const aborted = new AbortController()
    const settling = stage.untilSettled({ timeoutMs: 60_000, signal: aborted.signal })
    aborted.abort(new Error('interrupted'))
    await assert.rejects(settling, /interrupted/)
    await stage.close()
    await assert.rejects(minting, { code: 'simulation/ended' })
  })

  it('does what else can be done to a mesh', async () => {
    const played = await play(
      scenarioOf(`
clusters: 3
chain: { blockTime: 1 s }
regions: { east: 0-0, west: 1-2 }
timeline:
  - do: { type: mint, secrets: 4, capsules: 2 }
  - when: settled
    do: { type: burn, nfts: 2 }
  - when: settled
    do: { type: swap-slots, cluster: 1, slots: [0, 3] }
  - when: settled
    do: { type: slow, enclave: c0-s0, latency: 200 ms, bandwidth: 1 Mbit/s }
  - do: { type: runtime-upgrade }
  - do: { type: add-cluster }
  - when: settled
    do: { type: add-cluster, access: private }
  - do: { type: set-access, cluster: 2, access: private }
  - do: { type: mint, secrets: 1, without: 2 }
  - when: settled
    do: { type: set-access, cluster: 2, access: public }
  - when: settled
    do: { type: kill-region, region: west }
  - after: 20 s
    do: { type: restart-region, region: west }
  - when: settled
    do: { type: unassign, enclave: c3-s4 }
  - do: { type: stop, enclave: c3-s0 }
  - do: { type: mint, secrets: 1, without: 3 }
  - when: settled
    do: { type: restart, enclave: c3-s0 }
expect:
  - { type: complete }
  - { type: recovery }
  - { type: resumed, enclave: c3-s0 }
  - { type: no-needless-refusals }
`),
    )
    assert.deepEqual(failed(played), [])
    assert.equal(played.totals.triggers, 8)
    const states = eventsOf(played, 'enclave').filter(({ enclave }) => enclave === 'c3-s4')
    assert.deepEqual(
      states.map(({ state }) => state),
      ['unregistered', 'setup', 'running', 'unregistered'],
    )
    // It erased what it held, and fetched what its new slot has.
    assert.ok(eventsOf(played, 'stored').filter(({ enclave }) => enclave === 'c1-s0').length >= 4 + 2)
  })
})

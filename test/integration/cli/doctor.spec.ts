import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lookAtChain } from '../../../src/cli/doctor/chain.js'
import { lookAtDisk } from '../../../src/cli/doctor/disk.js'
import { lookAtPorts } from '../../../src/cli/doctor/ports.js'
import { settingsOf } from '../../../src/cli/settings.js'
import { controlSocketOf, serveControl } from '../../../src/control/index.js'
import { type DevelopmentChain, startDevelopmentChain } from '../../../src/devchain/index.js'
import { silentLogger } from '../../../src/domain/index.js'
import { waitUntil } from '../../../src/simulation/wait.js'
import { runHere } from '../../e2e/cli.js'

const { signal } = new AbortController()

/** What the command as a whole says is in test/e2e/operator.spec.ts. */
describe('what is looked at for an operator', function () {
  this.timeout(60_000)
  let scratch: string
  let chain: DevelopmentChain

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-doctor-'))
    chain = await startDevelopmentChain({ blockTime: 200 })
    const settings = await settingsOf({ chain: [chain.url] })
    // The genesis block has no time.
    const begun = async () => {
      const { block = 0 } = await lookAtChain(settings, { now: Date.now, signal })
      return block > 0 ? true : undefined
    }
    await waitUntil(begun, { timeoutMs: 30_000, signal, what: () => 'the first block to be final' })
  })

  after(async () => {
    await chain.stop()
    await rm(scratch, { recursive: true })
  })

  it('is the clock, against that of the latest final block', async () => {
    const settings = await settingsOf({ chain: [chain.url] })
    const stateAt = async (skew: number) => {
      const { findings, block } = await lookAtChain(settings, { now: () => Date.now() + skew, signal })
      assert.ok(block !== undefined)
      return findings.find(({ about }) => about === 'clock')
    }
    assert.equal((await stateAt(0))?.state, 'well')
    assert.equal((await stateAt(-60_000))?.state, 'warns')
    assert.equal((await stateAt(-600_000))?.state, 'fails')
    const ahead = await stateAt(3_600_000)
    assert.equal(ahead?.state, 'warns')
    assert.match(ahead?.mend ?? '', /NTP/)
  })

  it('is a clock that nothing can be said of, where the chain has not said the time', async () => {
    const young = await startDevelopmentChain({ blockTime: 'manual' })
    try {
      const { findings } = await lookAtChain(await settingsOf({ chain: [young.url] }), { now: Date.now, signal })
      assert.deepEqual(
        findings.map(({ about, state }) => [about, state]),
        [
          ['chain', 'well'],
          ['clock', 'warns'],
        ],
      )
    } finally {
      await young.stop()
    }
  })

  it('is each endpoint: one that fails is a warning as long as another answers', async () => {
    const states = async (...urls: string[]) => {
      const { findings } = await lookAtChain(await settingsOf({ chain: urls }), { now: Date.now, signal })
      return findings.filter(({ about }) => about === 'chain').map(({ state }) => state)
    }
    assert.deepEqual(await states('ws://127.0.0.1:1', chain.url), ['well', 'warns'])
    assert.deepEqual(await states('ws://127.0.0.1:1'), ['fails'])
    const { findings } = await lookAtChain(await settingsOf({}), { now: Date.now, signal })
    assert.deepEqual(
      findings.map(({ state }) => state),
      ['fails'],
    )
    const genesisHash = `0x${'00'.repeat(32)}`
    const other = await lookAtChain(await settingsOf({ chain: [chain.url], genesisHash }), { now: Date.now, signal })
    assert.equal(other.findings[0]?.state, 'fails')
  })

  it('is whether others may write to the store', async () => {
    const folder = join(scratch, 'open')
    await mkdir(folder)
    await chmod(folder, 0o777)
    assert.equal((await lookAtDisk(folder)).find(({ about }) => about === 'permissions')?.state, 'warns')
    await chmod(folder, 0o755)
    assert.equal(
      (await lookAtDisk(folder)).find(({ about }) => about === 'permissions'),
      undefined,
    )
    const [disk] = await lookAtDisk(join(folder, 'below', 'store'))
    assert.match(disk?.seen ?? '', new RegExp(`in ${folder},`))
  })

  it('is whether others can reach it', async () => {
    const reach = async (mesh: { listen: string[]; announce?: string[] }) =>
      (await lookAtPorts(await settingsOf(mesh), true)).find(({ about }) => about === 'reach')?.state
    assert.equal(await reach({ listen: ['/ip4/127.0.0.1/tcp/0'] }), 'fails')
    assert.equal(await reach({ listen: ['/ip4/127.0.0.1/tcp/0'], announce: ['/dns4/a.example/tcp/4001'] }), 'well')
    assert.equal(await reach({ listen: ['/ip4/10.1.2.3/tcp/0', '/ip6/fd00::1/tcp/0'] }), 'fails')
    assert.equal(await reach({ listen: ['/ip4/8.8.8.8/tcp/4001'] }), 'well')
    const [port] = await lookAtPorts(await settingsOf({ listen: ['/ip4/192.0.2.7/tcp/4001'] }), false)
    assert.match(port?.mend ?? '', /This machine has no such address/)
  })

  it('is what the node says itself, if it runs', async () => {
    const folder = join(scratch, 'running')
    const problem = { code: 'chain/no-funds', sentence: 'Send it some funds.' }
    const status = {
      version: '0.1.0',
      startedAt: 0,
      account: `0x${'a1'.repeat(32)}`,
      peerId: 'QmOwn',
      multiaddrs: [],
      state: 'running',
      finalisedBlock: 1,
      syncedBlock: 1,
      shares: { secret: 0, capsule: 0 },
      wantsOpen: 0,
      problems: [problem],
      peers: [],
      errors: [],
    }
    const found = async (answer: object) => {
      const asks = new Map([['status', { answer: async () => answer }]])
      const server = await serveControl({ path: controlSocketOf(folder), asks, logger: silentLogger })
      try {
        const { stdout } = await runHere('doctor', '--folder', folder, '--chain', chain.url, '--json')
        const findings: { about: string; seen: string; mend: string }[] = JSON.parse(stdout)
        return findings.filter(({ about }) => about === 'node')
      } finally {
        await server.close()
      }
    }
    assert.deepEqual(await found(status), [
      { about: 'node', state: 'warns', seen: problem.code, mend: problem.sentence },
    ])
    const [silent] = await found({})
    assert.match(silent?.seen ?? '', /^it does not answer \(/)
  })
})

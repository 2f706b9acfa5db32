import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { type Chain, connectChain } from '../../src/chain/index.js'
import { required, settingsOf } from '../../src/cli/settings.js'
import { folderOf, quoteSourceOf, sealingKeyOf, verificationOf } from '../../src/cli/tee.js'
import { accountSigner, toSs58 } from '../../src/crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../../src/devchain/index.js'
import { type AccountId, silentLogger } from '../../src/domain/index.js'
import { createMeshHost, type MeshHost } from '../../src/mesh/index.js'
import { createEnclaveNode, type EnclaveNode } from '../../src/node/index.js'
import { SHARE_PROTOCOL } from '../../src/share/index.js'
import { Actors } from '../../src/simulation/actors.js'
import { waitUntil } from '../../src/simulation/wait.js'
import { secret, want } from '../unit/share/fixture.js'
import { RawRequester } from '../unit/share/raw.js'
import { outcomeOf, runHere, spawnCli } from './cli.js'

const SLOT = 2

/** A node in a process of its own, as an operator has it; another one, and an enclave that the test plays itself. */
describe('a node among its slot peers', function () {
  this.timeout(300_000)
  const ending = new AbortController()
  const { signal } = ending
  let scratch: string
  let devchain: DevelopmentChain
  let chain: Chain
  let other: EnclaveNode
  let mine: MeshHost
  let config: string
  let address: string
  let child: ChildProcess | undefined
  const signer = accountSigner(randomBytes(32))

  async function made(name: string, ...flags: string[]): Promise<{ config: string; account: AccountId }> {
    const folder = join(scratch, name)
    const given = ['--chain', devchain.url, '--development-seed', '5e'.repeat(32), ...flags]
    const local = ['--listen', '/ip4/127.0.0.1/tcp/0', '--allow-private-addresses']
    const { stdout, stderr } = await runHere('init', folder, ...given, ...local)
    const [, account] = /^account {4}\S+ {2}(0x[0-9a-f]{64})$/m.exec(stdout) ?? []
    assert.ok(isAccount(account), stderr)
    return { config: join(folder, 'slotmesh.yaml'), account }
  }

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-peers-'))
    devchain = await startDevelopmentChain({ blockTime: 500 })
    chain = await connectChain({ endpoints: [devchain.url], logger: silentLogger })
    const theirs = await made('other')
    const settings = await settingsOf({ config: theirs.config })
    other = await createEnclaveNode({
      folder: folderOf(settings),
      chain: { endpoints: required(settings.chain.endpoints, 'chain.endpoints') },
      mesh: settings.mesh,
      attestation: { ...(await verificationOf(settings)), quoteSource: await quoteSourceOf(settings) },
      sealingKey: await sealingKeyOf(settings),
    })
    await other.start()
    const [bootstrap = ''] = (await other.status()).multiaddrs
    const own = await made('node', '--bootstrap', bootstrap)
    config = own.config
    mine = await createMeshHost({
      privateKey: new Uint8Array(randomBytes(32)),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: [],
      allowPrivateAddresses: true,
      genesisHash: chain.genesisHash,
      signer,
      registry: () => chain.registry(),
      logger: silentLogger,
    })
    await mine.start()

    const actors = await Actors.connect({ endpoint: devchain.url, committee: developmentSigner('Alice'), signal })
    try {
      const seats = [
        { account: own.account, operator: developmentSigner('Bob') },
        { account: theirs.account, operator: developmentSigner('Charlie') },
        { account: signer.account, operator: developmentSigner('Dave') },
      ]
      const clusters: number[] = []
      for (const _ of seats) clusters.push(await actors.createCluster())
      const apiUri = 'https://enclave.example'
      await actors.seat(seats.map((seat, at) => ({ ...seat, cluster: clusters[at] ?? 0, slot: SLOT, apiUri })))
    } finally {
      await actors.close()
    }
    await start()
  })

  after(async () => {
    child?.kill('SIGKILL')
    ending.abort(new Error('the tests are over'))
    await mine?.stop()
    await other?.stop()
    await chain?.close()
    await devchain?.stop()
    await rm(scratch, { recursive: true })
  })

  let outcome: ReturnType<typeof outcomeOf>

  async function start(): Promise<void> {
    const started = spawnCli('join', '--config', config)
    child = started
    outcome = outcomeOf(started)
    let printed = ''
    address = await new Promise<string>((resolve, reject) => {
      started.stdout?.on('data', (text: string) => {
        printed += text
        const [, listens] = /^listens {2}(\S+)$/m.exec(printed) ?? []
        if (listens !== undefined) resolve(listens)
      })
      outcome.then(({ stderr }) => reject(new Error(stderr)), reject)
    })
  }

  /** An exchange that has come as far as the node's Challenge. */
  async function underWay(): Promise<RawRequester> {
    const connection = await mine.libp2p.dial(multiaddr(address), { signal })
    const stream = await connection.newStream(SHARE_PROTOCOL, { signal })
    const quotes = await quoteSourceOf(await settingsOf({ config }))
    const peer = mine.peerId.toMultihash().bytes
    const attestation = {
      quote: (data: Uint8Array, options: { signal: AbortSignal }) => quotes.quote(data, options),
      verify: async () => ({ reportData: new Uint8Array(64) }),
    }
    const requester = new RawRequester({ signer, peer, chain, attestation }, stream, {
      requesterPeer: peer,
      providerPeer: connection.remotePeer.toMultihash().bytes,
    })
    await requester.hello()
    await requester.challenge()
    return requester
  }

  /** Waits until the node has heard that it is to stop: it answers no more then. */
  async function unasked(): Promise<void> {
    const isGone = () =>
      stat(join(config, '..', 'store.control')).then(
        () => undefined,
        () => true,
      )
    await waitUntil(isGone, { timeoutMs: 30_000, signal, what: () => 'the node to answer no more' })
  }

  it('shows them, and what one has shown of itself, by its account and by its address', async () => {
    const patience = { timeoutMs: 120_000, signal }
    const peer = await waitUntil(
      async () => {
        const { stdout } = await runHere('peers', '--config', config, '--json')
        const peers: { account: string; cluster: number; isConnected: boolean }[] = JSON.parse(stdout)
        return peers.find((each) => each.account === other.account && each.isConnected)
      },
      { ...patience, what: () => 'the node to be connected with its peer' },
    )
    assert.equal(peer.cluster, 1)
    const [at = ''] = (await other.status()).multiaddrs
    for (const who of [toSs58(other.account), at]) {
      const { stdout, stderr } = await runHere('attest', 'verify', '--peer', who, '--config', config)
      assert.match(stdout, new RegExp(`^enclave {6}${other.account}$`, 'm'), stderr)
      assert.match(stdout, new RegExp(`^peer {9}${other.peerId}$`, 'm'))
      assert.match(stdout, /^the node {5}would exchange shares with it$/m)
      assert.match(stdout, new RegExp(`^MRENCLAVE {4}0x${'de'.repeat(32)}$`, 'm'))
      assert.match(stdout, /^genuine {6}and the policy admits it$/m)
    }
    const { stdout } = await runHere('peers', '--config', config)
    assert.match(stdout, /^1 +5\w+ +connected +\d+ s ago +none$/m)
    const registry = await runHere('registry', '--chain', devchain.url)
    assert.match(registry.stdout, /^1 +public +empty +empty +5\w+…\w{4} +empty +empty$/m)

    const stranger = await runHere(
      'attest',
      'verify',
      '--peer',
      toSs58(developmentSigner('Eve').account),
      '--config',
      config,
    )
    assert.equal(stranger.exitCode, 1)
    assert.match(stranger.stderr, /^slotmesh: No valid record of enclave account/m)
  })

  it('lets an exchange under way come to its end when it is told to stop', async () => {
    const requester = await underWay()
    child?.kill('SIGTERM')
    await unasked()
    await requester.request([want(secret(7))])
    assert.ok((await requester.sealed()).batch)
    assert.equal((await requester.sealed()).end?.notHeldCount, 1)
    await requester.close()
    const { exitCode, stderr } = await outcome
    assert.equal(exitCode, 0, stderr)
    assert.match(stderr, /"message":"stopping, after the exchanges under way"/)
    assert.ok(!stderr.includes('cut short'), stderr)
  })

  it('stops at once when it is told to a second time', async () => {
    await start()
    await underWay()
    assert.ok(child)
    child.kill('SIGTERM')
    await unasked()
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [130, null])
  })
})

function isAccount(text: string | undefined): text is AccountId {
  return /^0x[0-9a-f]{64}$/.test(text ?? '')
}

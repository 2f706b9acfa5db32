import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { multiaddr } from '@multiformats/multiaddr'
import {
  createDevelopmentPki,
  type SimulatedPccs,
  startSimulatedPccs,
} from '../../../src/attestation/development/index.js'
import { createQuoteVerifier, type QuoteCollateral, staticCollateral } from '../../../src/attestation/index.js'
import { Service } from '../../../src/conformance/service.js'
import { MEASUREMENT, type Minted, SLOT, Stage } from '../../../src/conformance/stage.js'
import { targetOf } from '../../../src/conformance/target.js'
import { fromHex } from '../../../src/crypto/index.js'
import type { BlockNumber } from '../../../src/domain/index.js'
import { createMetrics } from '../../../src/metrics/index.js'
import {
  createEnclaveNode,
  type EnclaveNode,
  type EnclaveNodeConfig,
  type MeshMetrics,
} from '../../../src/node/index.js'
import { waitUntil } from '../../../src/simulation/wait.js'
import type { Store } from '../../../src/store/index.js'
import { PLACES, SMALL_PAYLOADS } from '../../../src/store/records.js'
import { Peer } from '../../independent/peer.js'
import { ofRound } from '../../support/rounds.js'
import { Folders, tamper } from '../store/fixture.js'

const PATIENCE_MS = 30_000
const YEAR_MS = 365 * 86_400_000

/** Of a later build; no enclave here is of it. */
const NEXT_BUILD = `0x${'6b'.repeat(32)}` as const

/** A share that both hold, and that the other lacks when it is to be fetched. */
interface Shared {
  readonly minted: Minted
  readonly version: BlockNumber
}

/** A node in a seat, and another enclave of its slot that holds what it needs and asks for it back. */
describe('a node and the enclaves of its slot', function () {
  this.timeout(120_000)
  const folders = new Folders()
  const stopping = new AbortController()
  const { signal } = stopping
  let stage: Stage
  let service: Service
  let independent: Peer
  let folder: string
  let node: EnclaveNode | undefined
  let pccs: SimulatedPccs | undefined

  before(async () => {
    stage = await Stage.open(signal)
    const { pki, cast } = stage
    const verifier = createQuoteVerifier({
      rootCertificate: pki.rootCertificate,
      collateral: staticCollateral(pki.collateral),
      policy: { allowedMeasurements: [{ mrEnclave: MEASUREMENT.mrEnclave }] },
    })
    service = await Service.start(stage, verifier)
    const seat = cast.origins[0]?.enclaves[SLOT]
    if (seat === undefined) assert.fail()
    const { cluster, signer } = seat
    const target = {
      ...targetOf(stage, service.urls, []),
      account: signer.account,
      accountSeed: '',
      cluster,
      slot: SLOT,
    }
    independent = await Peer.start(target, { account: fromHex(signer.account), sign: signer.sign })
    folder = await folders.make()
  })

  afterEach(async () => {
    await stop()
    await pccs?.stop()
    pccs = undefined
  })

  after(async () => {
    await independent.stop()
    await service.stop()
    stopping.abort()
    await stage.close()
    await folders.clear()
  })

  async function start(
    attestation: Partial<EnclaveNodeConfig['attestation']> = {},
    { isAlone = false, metrics }: { isAlone?: boolean; metrics?: MeshMetrics } = {},
  ): Promise<EnclaveNode> {
    const platform = stage.pki.platform({ machineId: 'under test', measurement: MEASUREMENT })
    const addresses = independent.libp2p.getMultiaddrs().map((address) => address.toString())
    node = await createEnclaveNode({
      folder,
      chain: { endpoints: [stage.chain.url] },
      mesh: {
        listen: ['/ip4/127.0.0.1/tcp/0'],
        bootstrap: isAlone ? [] : addresses,
        allowPrivateAddresses: true,
        ...(metrics && { metrics }),
      },
      attestation: {
        quoteSource: platform.quoteSource,
        rootCertificate: stage.pki.rootCertificate,
        collateral: staticCollateral(stage.pki.collateral),
        policy: { allowedMeasurements: [{ mrEnclave: MEASUREMENT.mrEnclave }] },
        ...attestation,
      },
      sealingKey: platform.sealingKey(),
      accountSeed: stage.cast.peerSeed,
    })
    await node.start()
    return node
  }

  /** As the node opens it. */
  function openFolder(): Promise<Store> {
    const platform = stage.pki.platform({ machineId: 'under test', measurement: MEASUREMENT })
    return folders.open(folder, new Uint8Array(platform.sealingKey()))
  }

  async function stop(): Promise<void> {
    await node?.stop()
    node = undefined
  }

  /** The other enclave vouches for a new share, and the node fetches it. */
  async function share(other: EnclaveNode): Promise<Shared> {
    const origin = stage.cast.origins[0]
    if (origin === undefined) assert.fail()
    const [minted] = await stage.mint('secret', origin, 1)
    if (minted === undefined) assert.fail()
    const version = await stage.sync([minted])
    independent.vouch({ kind: 'SECRET', nftId: minted.key.nftId, version, payload: new Uint8Array(600).fill(1) })
    await untilHeld(other, minted)
    return { minted, version }
  }

  function until(what: string, look: () => Promise<boolean>): Promise<boolean> {
    const looked = async () => (await look()) || undefined
    return waitUntil(looked, { what: () => what, timeoutMs: PATIENCE_MS, signal })
  }

  function untilHeld(by: EnclaveNode, { key }: Minted): Promise<boolean> {
    return until('the node to hold the share', async () => {
      for await (const held of by.heldShares()) if (held.nftId === key.nftId) return true
      return false
    })
  }

  /** The other enclave has lost the share, and asks the node for it. */
  async function fetchBack(
    { minted: { key, origin }, version }: Shared,
    ends = AbortSignal.timeout(PATIENCE_MS),
  ): Promise<void> {
    independent.store.remove('SECRET', key.nftId)
    const want = { kind: 'SECRET', nftId: key.nftId, minimumVersion: version, origin: origin.cluster } as const
    await independent.fetch(want, ends)
  }

  /** The other enclave asks for it until the node has been seen to refuse, and has not got it by then. */
  async function askInVain(shared: Shared, what: string, isRefused: () => Promise<boolean>): Promise<void> {
    const ended = new AbortController()
    const refused = assert.rejects(fetchBack(shared, ended.signal), { name: 'AbortError' })
    try {
      await until(what, isRefused)
    } finally {
      ended.abort()
    }
    await refused
  }

  const problems = async (of: EnclaveNode) => (await of.status()).problems.map(({ code }) => code)

  /** What it refuses the other enclave with. */
  function refusals(of: EnclaveNode): string[] {
    const codes: string[] = []
    of.subscribe((event) => {
      if (event.type === 'refusal-sent') codes.push(event.code)
    })
    return codes
  }

  it('tell in metrics, and of the peer, how exchanges in both roles go', async () => {
    const metrics = createMetrics()
    const running = await start({}, { metrics: metrics.mesh })
    metrics.watch(running)
    const roles: (string | undefined)[] = []
    running.subscribe((event) => {
      if (event.type === 'exchange-done' || event.type === 'exchange-served') roles.push(event.type)
    })
    const shared = await share(running)
    await fetchBack(shared)
    await until('the node to have served it', async () => roles.includes('exchange-served'))

    const [peer] = running.peers()
    assert.equal(peer?.account, stage.cast.origins[0]?.enclaves[SLOT]?.signer.account)
    assert.ok(peer?.isConnected && peer.attestedAt !== undefined)
    assert.deepEqual([peer.lastExchange?.role, peer.lastExchange?.code], ['provider', undefined])
    assert.equal(running.registry()?.seatOf(running.account)?.slot, SLOT)
    const text = await metrics.text()
    for (const role of ['requester', 'provider']) {
      assert.match(
        text,
        new RegExp(`^slotmesh_exchanges_total\\{role="${role}",outcome="done",code="none"\\} \\d+$`, 'm'),
      )
      assert.match(text, new RegExp(`^slotmesh_handshake_seconds_count\\{role="${role}"\\} [1-9]`, 'm'))
    }
    assert.match(text, /^slotmesh_quote_verification_seconds_count\{outcome="admitted"\} [1-9]/m)
    assert.match(text, /^slotmesh_triggers_total\{type="synced"\} [1-9]/m)
    assert.match(text, /^slotmesh_share_delay_seconds_count [1-9]/m)
    assert.match(text, /^libp2p_data_transfer_bytes_total\{protocol="\/ternoa\/share\/1",direction="sent"\} [1-9]/m)
  })

  it('take a build for as long as a rule has it, by the final block that the node is at', async () => {
    const untilBlock = stage.now + 60
    const allowedMeasurements = [{ mrEnclave: NEXT_BUILD }, { mrEnclave: MEASUREMENT.mrEnclave, untilBlock }]
    const running = await start({ policy: { allowedMeasurements } })
    const codes = refusals(running)
    const shared = await share(running)
    await fetchBack(shared)
    assert.ok((await running.status()).finalisedBlock <= untilBlock)
    assert.ok(!codes.includes('MEASUREMENT_NOT_ALLOWED'))

    await stage.sealBlocks(untilBlock + 1 - stage.now)
    await until('the node to see the block', async () => (await running.status()).finalisedBlock > untilBlock)
    await askInVain(shared, 'the old build to be refused', async () => codes.includes('MEASUREMENT_NOT_ALLOWED'))
  })

  it('judge quotes by the collateral of the folder when the node starts again and the service is gone', async () => {
    const { collateral, tdxCollateral: tdx } = stage.pki
    pccs = await startSimulatedPccs({ sgx: collateral, tdx })
    const { url } = pccs
    const shared = await share(await start({ collateral: { url } }))
    assert.ok(pccs.requests.length > 0)
    await stop()
    await pccs.stop()
    pccs = undefined

    const again = await start({ collateral: { url } })
    await fetchBack(shared)
    const [health] = (await again.status()).collateral
    assert.ok(health?.held !== undefined && health.lastFailure !== undefined)
  })

  it('judge by no older collateral than the node has seen before it was started again', async () => {
    const { collateral, tdxCollateral: tdx } = stage.pki
    const round = (number: number) => ofRound(stage.pkiSeed, collateral, number)
    pccs = await startSimulatedPccs({ sgx: round(20), tdx })
    const shared = await share(await start({ collateral: { url: pccs.url } }))
    await stop()
    await letCacheEnd()

    pccs.serve({ sgx: round(19), tdx })
    const again = await start({ collateral: { url: pccs.url } })
    await askInVain(shared, 'the older collateral to be refused', async () =>
      (await problems(again)).includes('attestation/collateral-older'),
    )
    await stop()

    pccs.serve({ sgx: round(21), tdx })
    await start({ collateral: { url: pccs.url } })
    await fetchBack(shared)
  })

  /** What is cached is from a year ago, as it is when a node was down for long: only the floors know what was seen. */
  async function letCacheEnd(): Promise<void> {
    const now = () => new Date(Date.now() - 2 * YEAR_MS)
    const old: QuoteCollateral = (await createDevelopmentPki({ seed: stage.pkiSeed, now })).collateral
    const { fmspc }: { fmspc: string } = JSON.parse(old.tcb_info)
    const key = `sgx/${fmspc.toLowerCase()}/0000/platform`
    const store = await openFolder()
    assert.ok(await store.collateral(key))
    await store.putCollateral(key, JSON.stringify(old), Date.now())
    await store.close()
  }

  it('say that the folder was altered until the node has fetched what is missing and is started again, and that its files are kept', async () => {
    const { minted } = await share(await start())
    await stop()
    await tamper(folder, async (raw) => {
      for (const [name] of await raw.iterator().all()) {
        if ([PLACES, SMALL_PAYLOADS].some(({ prefix }) => name[0] === prefix)) await raw.del(name)
      }
    })

    const altered = await start({}, { isAlone: true })
    assert.ok((await problems(altered)).includes('store/altered'))
    assert.deepEqual((await altered.status()).shares, { secret: 0, capsule: 0 })
    await meet(altered)
    await untilHeld(altered, minted)
    await stop()
    assert.deepEqual(await problems(await start()), ['store/damaged-files'])
    await stop()
    // As an operator does who has seen enough of the files as they were.
    await rm(`${folder}.damaged`, { recursive: true })
    assert.deepEqual(await problems(await start()), [])
  })

  it('say that something is missing that the chain lists, until it has been fetched again', async () => {
    const { minted } = await share(await start())
    const { cursor = 0 } = await (node ?? assert.fail()).status()
    await stop()
    // As if an endpoint had lied to it that the NFT was burned.
    const store = await openFolder()
    await stage.sealBlocks(1)
    await store.applyBlock(cursor + 1, [{ type: 'removed', key: minted.key }], () => assert.fail())
    await store.close()

    const lacking = await start({}, { isAlone: true })
    await until('the node to tell', async () => (await problems(lacking)).includes('store/incomplete'))
    await meet(lacking)
    await untilHeld(lacking, minted)
    await until('the node to be well', async () => (await problems(lacking)).length === 0)
  })

  async function meet(alone: EnclaveNode): Promise<void> {
    const [address = ''] = (await alone.status()).multiaddrs
    await independent.libp2p.dial(multiaddr(address), { signal: AbortSignal.timeout(PATIENCE_MS) })
  }
})

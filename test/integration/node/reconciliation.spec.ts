import assert from 'node:assert/strict'
import { createDevelopmentPki } from '../../../src/attestation/development/index.js'
import { staticCollateral } from '../../../src/attestation/index.js'
import { connectChain } from '../../../src/chain/index.js'
import { MEASUREMENT } from '../../../src/conformance/stage.js'
import { type AccountSigner, accountSigner } from '../../../src/crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../../../src/devchain/index.js'
import { type ShareKey, silentLogger } from '../../../src/domain/index.js'
import { createEnclaveNode, type EnclaveNode, type NodeEvent } from '../../../src/node/index.js'
import { ownerStoreRequest } from '../../../src/owner/index.js'
import { Actors } from '../../../src/simulation/actors.js'
import { waitUntil } from '../../../src/simulation/wait.js'
import { Folders } from '../store/fixture.js'

const PATIENCE_MS = 30_000
const SLOT = 0
const signerOf = (seed: number) => accountSigner(new Uint8Array(32).fill(seed))

/** Two nodes of one slot on a development chain; the other seats of the first cluster only confirm. */
describe('reconciliation between nodes', function () {
  this.timeout(90_000)
  const folders = new Folders()
  const { signal } = new AbortController()
  const owner = signerOf(81)
  const others = [1, 2, 3, 4].map((slot) => ({ slot, signer: signerOf(90 + slot), operator: signerOf(110 + slot) }))
  const operators = [signerOf(101), signerOf(102)] as const
  let chain: DevelopmentChain
  let actors: Actors
  let first: EnclaveNode
  let second: EnclaveNode
  const events: NodeEvent[] = []

  before(async () => {
    const endowed = [owner, ...operators, ...others.flatMap(({ signer, operator }) => [signer, operator])]
    chain = await startDevelopmentChain({ blockTime: 200, endowed: endowed.map(({ account }) => account) })
    actors = await Actors.connect({
      endpoint: chain.url,
      committee: developmentSigner('Alice'),
      signal: AbortSignal.timeout(80_000),
    })
    first = await start(1, [])
    second = await start(2, (await first.status()).multiaddrs)
    second.subscribe((event) => events.push(event))
  })

  after(async () => {
    await second?.stop()
    await first?.stop()
    await actors.close()
    await chain.stop()
    await folders.clear()
  })

  const pki = createDevelopmentPki({ seed: new Uint8Array(32).fill(5) })

  async function start(machine: number, bootstrap: readonly string[]): Promise<EnclaveNode> {
    const platform = (await pki).platform({ machineId: `machine ${machine}`, measurement: MEASUREMENT })
    const node = await createEnclaveNode({
      folder: await folders.make(),
      chain: { endpoints: [chain.url] },
      mesh: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap, allowPrivateAddresses: true },
      attestation: {
        quoteSource: platform.quoteSource,
        rootCertificate: (await pki).rootCertificate,
        collateral: staticCollateral((await pki).collateral),
        policy: { allowedMeasurements: [{ mrEnclave: MEASUREMENT.mrEnclave }] },
      },
      sealingKey: platform.sealingKey(),
    })
    await node.start()
    return node
  }

  const until = (what: string, isSo: () => Promise<boolean>) =>
    waitUntil(async () => (await isSo()) || undefined, { what: () => what, signal, timeoutMs: PATIENCE_MS })
  const running = (node: EnclaveNode) => until('running', async () => (await node.status()).state === 'running')

  it('is refused on demand before there is a setup', async () => {
    await assert.rejects(second.reconcile({ signal }), { code: 'node/not-set-up' })
  })

  it('says on demand how a node stands beside its peers and the chain, and in its status and events', async () => {
    const seatOf = (account: AccountSigner['account'], operator: AccountSigner, cluster: number, slot: number) => ({
      account,
      operator,
      cluster,
      slot,
      apiUri: 'https://enclave.invalid',
    })
    const [one, two] = [await actors.createCluster(), await actors.createCluster()]
    await actors.seat([
      seatOf(first.account, operators[0], one, SLOT),
      ...others.map(({ slot, signer, operator }) => seatOf(signer.account, operator, one, slot)),
      seatOf(second.account, operators[1], two, SLOT),
    ])
    await running(first)
    await running(second)

    const minted = await actors.mint(owner, 'secret')
    const key: ShareKey = { kind: 'secret', nftId: minted.nftId }
    const block = (await first.status()).finalisedBlock
    const request = ownerStoreRequest({ owner, temporarySigner: signerOf(83), key, share: 'one share of five', block })
    await until('seen', async () => (await first.status()).finalisedBlock >= minted.block)
    await first.storeShare('secret', request, { signal })
    const read = await connectChain({ endpoints: [chain.url], logger: silentLogger })
    try {
      await Promise.all(others.map(({ signer }) => read.confirm(signer, key, { signal })))
    } finally {
      await read.close()
    }
    await until('fetched', async () => (await second.status()).shares.secret === 1)

    const { chain: beside, peers } = await second.reconcile({ signal })
    assert.deepEqual([beside.listed, beside.missing, beside.erased], [1, 0, 0])
    assert.deepEqual(
      peers.map(({ peer, causes, isComplete }) => [peer, causes, isComplete]),
      [[first.account, [], true]],
    )
    const { reconciliation, comparison, problems } = await second.status()
    assert.deepEqual(reconciliation.sessions, { requested: 1, served: 0, failed: 0 })
    assert.deepEqual([reconciliation.gaps, reconciliation.last?.peer], [0, first.account])
    assert.deepEqual([comparison, problems], [beside, []])
    const types = events.map(({ type }) => type).filter((type) => type === 'reconciled' || type === 'compared')
    assert.deepEqual([...types].sort(), ['compared', 'reconciled'])
    await until('served', async () => (await first.status()).reconciliation.sessions.served === 1)
  })
})

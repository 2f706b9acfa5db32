import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { createDevelopmentPki, type DevelopmentPki } from '../../../src/attestation/development/index.js'
import { staticCollateral } from '../../../src/attestation/index.js'
import { accountSigner, utf8 } from '../../../src/crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../../../src/devchain/index.js'
import type { ShareKey } from '../../../src/domain/index.js'
import { createEnclaveNode, type EnclaveNode, type EnclaveNodeConfig, type NodeEvent } from '../../../src/node/index.js'
import { ownerStoreRequest } from '../../../src/owner/index.js'
import { Actors } from '../../../src/simulation/index.js'
import { MadeArrays } from '../../support/made-arrays.js'
import { Wire } from '../chain/wire.js'
import { ChainUser } from '../devchain/chain-user.js'
import { enclave, Folders, failOnce, sealingKey, secret, wantOf } from '../store/fixture.js'

const BUILD = {
  tee: 'sgx',
  mrEnclave: `0x${'11'.repeat(32)}`,
  mrSigner: `0x${'22'.repeat(32)}`,
  productId: 1,
  securityVersion: 1,
} as const

describe('a node and its chain', () => {
  const folders = new Folders()
  let pki: DevelopmentPki
  let chain: DevelopmentChain

  before(async () => {
    pki = await createDevelopmentPki({ seed: new Uint8Array(32).fill(9) })
  })

  beforeEach(async () => {
    chain = await startDevelopmentChain({ blockTime: 'manual', finalityLag: 0 })
  })

  afterEach(async () => {
    await chain.stop()
    await folders.clear()
  })

  const nodeIn = (folder: string, config: Partial<EnclaveNodeConfig> = {}): Promise<EnclaveNode> => {
    const platform = pki.platform({ machineId: folder, measurement: BUILD })
    return createEnclaveNode({
      folder,
      chain: { endpoints: [chain.url] },
      mesh: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: [], allowPrivateAddresses: true },
      attestation: {
        quoteSource: platform.quoteSource,
        rootCertificate: pki.rootCertificate,
        collateral: staticCollateral(pki.collateral),
        policy: { allowedMeasurements: [{ mrEnclave: BUILD.mrEnclave }] },
      },
      sealingKey,
      ...config,
    })
  }

  it('exchanges shares in the suites that its operator allows, of which there must be one', async () => {
    const none = await nodeIn(await folders.make(), { share: { suites: [] } })
    await assert.rejects(none.start(), { code: 'share/suites' })
    const quantumProof = await nodeIn(await folders.make(), { share: { suites: [2] } })
    await quantumProof.start()
    await quantumProof.stop()
  })

  it('is not begun where clients would be answered in the clear', async () => {
    const api = { listen: '0.0.0.0:0' }
    await assert.rejects(async () => nodeIn(await folders.make(), { api }), { code: 'api/no-tls' })
  })

  describe('that may be a real one', () => {
    let wire: Wire
    let type: unknown

    beforeEach(async () => {
      wire = await Wire.start(chain.url)
      type = 'Live'
      wire.tamper = (result, { method }) => (method === 'system_chainType' ? type : result)
    })

    afterEach(() => wire.stop())

    const refused = async (config: Partial<EnclaveNodeConfig> = {}) => {
      const node = await nodeIn(await folders.make(), { chain: { endpoints: [wire.url] }, ...config })
      await assert.rejects(node.start(), { code: 'node/simulated-quotes' })
    }

    it('starts with no simulated quotes there', async () => {
      for (type of ['Live', { Custom: 'Development' }]) await refused()
      type = 'Local'
      const node = await nodeIn(await folders.make(), { chain: { endpoints: [wire.url] } })
      await node.start()
      await node.stop()
    })

    it('starts with a hardware source there only when it trusts Intel’s root', async () => {
      const { quoteSource } = pki.platform({ machineId: 'any', measurement: BUILD })
      const hardware = { kind: 'sgx', quote: quoteSource.quote } as const
      const { collateral } = pki
      const trust = {
        quoteSource: hardware,
        collateral: staticCollateral(collateral),
        policy: { allowedMeasurements: [{ mrEnclave: BUILD.mrEnclave }] },
      }
      await refused({ attestation: { ...trust, rootCertificate: pki.rootCertificate } })
      await refused({ attestation: { ...trust, quoteSource } })
      const node = await nodeIn(await folders.make(), { chain: { endpoints: [wire.url] }, attestation: trust })
      await node.start()
      await node.stop()
    })

    it('is taken for a real one when it does not say', async () => {
      wire.intercept = ({ method }) =>
        method === 'system_chainType' ? { error: { code: -32601, message: 'Method not found' } } : undefined
      await refused()
    })
  })

  it('refuses another chain than the one that its folder is of, and keeps what it has', async () => {
    const folder = await folders.make()
    const store = await folders.open(folder)
    const { identity } = enclave(1, 0)
    await store.beginSetup(identity, 40, [wantOf(secret(3))])
    await store.close()
    const node = await nodeIn(folder)
    await assert.rejects(node.start(), { code: 'chain/wrong-genesis' })
    const kept = await folders.open(folder)
    assert.deepEqual(await kept.identity(), identity)
    assert.equal(kept.counts().wants, 1)
  })

  it('says how its seat stands, and how the connection is', async () => {
    const node = await nodeIn(await folders.make())
    const events: NodeEvent[] = []
    const seen = new Promise<void>((resolve) => {
      node.subscribe((event) => {
        events.push(event)
        if (event.type === 'seat') resolve()
      })
    })
    await node.start()
    try {
      await seen
      const [change] = events.flatMap((event) => (event.type === 'seat' ? [event.change] : []))
      assert.equal(change?.type, 'unregistered')
      const { chain: connection, problems, crawl } = await node.status()
      assert.equal(connection?.endpoint, chain.url)
      assert.equal(connection?.state, 'connected')
      assert.deepEqual([problems, crawl], [[], undefined])
    } finally {
      await node.stop()
    }
  })

  it('leaves no bytes of a share that its owner hands over, whether it takes it or not', async () => {
    const { signal } = new AbortController()
    const [owner, operator] = [accountSigner(new Uint8Array(32).fill(81)), accountSigner(new Uint8Array(32).fill(82))]
    const endowed = [owner.account, operator.account]
    const quick = await startDevelopmentChain({ blockTime: 100, endowed })
    const committee = developmentSigner('Alice')
    const actors = await Actors.connect({ endpoint: quick.url, committee, signal: AbortSignal.timeout(19_000) })
    const node = await nodeIn(await folders.make(), { chain: { endpoints: [quick.url] } })
    const share = 'a share that nobody else may read'

    async function handOver(): Promise<string> {
      const block = (await node.status()).finalisedBlock
      const temporarySigner = accountSigner(new Uint8Array(32).fill(83))
      const request = ownerStoreRequest({ owner, temporarySigner, key, share, block })
      const made = new MadeArrays()
      const [outcome] = await made.during(() => Promise.allSettled([node.storeShare('secret', request, { signal })]))
      assert.ok(made.count > 0)
      assert.deepEqual(made.holding(utf8(share)), [])
      return outcome.status === 'fulfilled' ? 'taken' : outcome.reason.outcome
    }

    let key: ShareKey = { kind: 'secret', nftId: 0 }
    try {
      await node.start()
      const minted = await actors.mint(owner, 'secret')
      key = { kind: 'secret', nftId: minted.nftId }
      while ((await node.status()).finalisedBlock < minted.block) await pause(50)
      assert.equal(await handOver(), 'not-registered')
      const cluster = await actors.createCluster()
      await actors.seat([{ account: node.account, operator, cluster, slot: 0, apiUri: 'https://enclave.invalid' }])
      while ((await handOver()) !== 'taken') await pause(50)
    } finally {
      await node.stop()
      await actors.close()
      await quick.stop()
    }
  })

  it('stops when its disk refuses a write, and can be created anew then', async () => {
    const user = await ChainUser.start()
    const folder = await folders.make()
    const create = () => nodeIn(folder, { chain: { endpoints: [user.chain.url] } })
    let node = await create()
    try {
      await user.succeed(user.governed(user.tx('tee.createCluster', 'Public')), user.alice)
      await user.succeed(user.tx('tee.registerEnclave', node.account, 'https://enclave.example'), user.bob)
      const stopped = new Promise<void>((resolve) => {
        node.subscribe((event) => {
          if (event.type === 'state' && event.state === 'stopped') resolve()
        })
      })
      await node.start()
      failOnce('batch')
      await user.succeed(user.governed(user.tx('tee.assignEnclave', user.bob.address, 0, 0)), user.alice)
      await stopped
      assert.equal(node.failed.reason.code, 'store/failed')
      const { state, problems } = await node.status()
      assert.equal(state, 'stopped')
      assert.deepEqual(problems[0]?.code, 'store/failed')
      const { account } = node
      node = await create()
      assert.equal(node.account, account)
      assert.equal((await node.status()).integrity.state, 'whole')
    } finally {
      await node.stop()
      await user.stop()
    }
  })
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Chain } from '../../../src/chain/chain.js'
import { toSs58 } from '../../../src/crypto/index.js'
import type { BlockNumber, BlockRef, ShareKey } from '../../../src/domain/index.js'
import type { EnclaveNode } from '../../../src/node/index.js'
import { ownerStoreRequest, retrieveRequest } from '../../../src/owner/index.js'
import { Store } from '../../../src/store/store.js'
import { createNode } from '../../crash/node.js'
import { account, ChainWorld, enclaveOf, enclaveSeedOf, operatorOf, owner, signal } from '../chain/fixture.js'
import { Folders, holdWrites } from '../store/fixture.js'

const [FIRST, SECOND] = ['the first version that there is', 'the version that came after it']
const [HOME, ELSEWHERE] = [0, 1]
const recipient = operatorOf(ELSEWHERE, 4)

/** A node in the first slot of the first cluster; those in the other seats only confirm. */
describe('a node and the owners of shares', () => {
  const folders = new Folders()
  let world: ChainWorld
  let folder: string
  let node: EnclaveNode
  let key: ShareKey
  let release: () => void

  before(async () => {
    world = await ChainWorld.start(2, 2)
    folder = await folders.make()
    await start(world.server.url)
    await until(async () => (await node.status()).state === 'running')
  })

  after(async () => {
    await node.stop()
    await world.stop()
    await folders.clear()
  })

  beforeEach(async () => {
    key = { kind: 'capsule', nftId: await world.mint('capsule') }
    release = () => undefined
    await until(async () => (await node.status()).finalisedBlock >= world.chain.finalised().number)
    await Promise.all([
      store(FIRST),
      ...[1, 2, 3, 4].map((slot) => world.chain.confirm(enclaveOf(HOME, slot), key, { signal })),
    ])
    await until(() =>
      retrieve().then(
        (given) => given === FIRST,
        () => false,
      ),
    )
  })

  afterEach(() => release())

  async function start(chainUrl: string): Promise<void> {
    node = await createNode({ folder, chainUrl, bootstrap: [], accountSeed: enclaveSeedOf(HOME, 0) })
    await node.start()
  }

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await pause(20)
  }

  async function store(share: string): Promise<unknown> {
    const { finalisedBlock: block } = await node.status()
    const request = ownerStoreRequest({ owner, temporarySigner: account(9_900), key, share, block, validity: 20 })
    return node.storeShare(key.kind, request, { signal })
  }

  async function retrieve(ends = signal): Promise<string> {
    const { finalisedBlock: block } = await node.status()
    const request = retrieveRequest({ requester: owner, role: 'OWNER', key, block, validity: 20 })
    return Buffer.from(await node.retrieveShare(key.kind, request, { signal: ends })).toString()
  }

  /** The node takes in nothing more of the chain until it is let go. */
  function holdBlocks(): void {
    release = holdWrites()
  }

  /** @returns a way to let the node take in blocks up to another one; all of them once it is let go. */
  function holdBlocksAfter(number: BlockNumber): (upTo: BlockNumber) => void {
    const { applyBlock } = Store.prototype
    let [allowed, woken] = [number, new AbortController()]
    const pass = (upTo: BlockNumber) => {
      allowed = upTo
      woken.abort()
      woken = new AbortController()
    }
    Store.prototype.applyBlock = async function (...given) {
      while (given[0] > allowed) await once(woken.signal, 'abort')
      return applyBlock.apply(this, given)
    }
    release = () => {
      Store.prototype.applyBlock = applyBlock
      pass(Number.POSITIVE_INFINITY)
    }
    return pass
  }

  /** Writes are held from when the node begins to write down who is given a share. */
  function untilNoted(): Promise<void> {
    const { putView } = Store.prototype
    return new Promise((resolve) => {
      Store.prototype.putView = function (...given) {
        Store.prototype.putView = putView
        holdBlocks()
        // It has had its turn by then.
        setImmediate(resolve)
        return putView.apply(this, given)
      }
    })
  }

  const seen = (block: number) => until(async () => (await node.status()).finalisedBlock >= block)
  const transfer = () => world.send(owner, 'nft', 'transferNft', [key.nftId, toSs58(recipient.account)])

  it('tells nobody that a version is kept that another one has replaced, though that block is not taken in', async () => {
    holdBlocks()
    await world.send(owner, 'nft', 'notifyEnclaveKeyUpdate', [key.nftId])
    await world.sync(key.kind, key.nftId, ELSEWHERE)
    await seen(world.chain.finalised().number)
    const storing = store(FIRST)
    release()
    await assert.rejects(storing, { status: 'NOTSYNCING' })
  })

  it('takes for no round what was handed over again before that has begun', async () => {
    holdBlocks()
    await seen(world.chain.finalised().number + 1)
    const { newest } = Store.prototype
    const compared = new Promise<void>((resolve) => {
      Store.prototype.newest = function (...given) {
        resolve()
        return newest.apply(this, given)
      }
    })
    const storing = store(FIRST)
    await compared
    Store.prototype.newest = newest
    const { block } = await world.send(owner, 'nft', 'notifyEnclaveKeyUpdate', [key.nftId])
    await seen(block.number)
    release()
    await storing
    await store(SECOND)
  })

  it('gives a share to nobody who has parted with it while the block that says so is taken in', async () => {
    holdBlocks()
    await seen(world.chain.finalised().number + 1)
    const retrieving = retrieve()
    retrieving.catch(() => undefined)
    const { block } = await transfer()
    await seen(block.number)
    release()
    await assert.rejects(retrieving, { status: 'REQUESTERVERIFICATIONFAILED' })
  })

  it('gives a share to nobody who has parted with it while that was written down', async () => {
    const noted = untilNoted()
    const retrieving = retrieve()
    retrieving.catch(() => undefined)
    await noted
    const { block } = await transfer()
    await seen(block.number)
    release()
    await assert.rejects(retrieving, { status: 'REQUESTERVERIFICATIONFAILED' })
  })

  it('gives nobody a version that another one has replaced by the block at which the NFT was looked at', async () => {
    const passUpTo = holdBlocksAfter(world.chain.finalised().number)
    await seen(world.chain.finalised().number + 1)
    const retrieving = retrieve()
    retrieving.catch(() => undefined)
    const { block } = await world.send(owner, 'nft', 'notifyEnclaveKeyUpdate', [key.nftId])
    await world.sync(key.kind, key.nftId, ELSEWHERE)
    await seen(world.chain.finalised().number)
    passUpTo(block.number - 1)
    await until(async () => (await node.status()).cursor === block.number - 1)
    release()
    await assert.rejects(retrieving, { status: 'KEYNOTEXIST' })
  })

  it('gives a share to nobody when what it knows of the chain has grown old while that was written down', async () => {
    const noted = untilNoted()
    const retrieving = retrieve()
    retrieving.catch(() => undefined)
    await noted
    const { finalised, finalisedAgeMs } = Chain.prototype
    const last = new Map<Chain, BlockRef>()
    Chain.prototype.finalised = function () {
      const block = last.get(this) ?? finalised.call(this)
      last.set(this, block)
      return block
    }
    Chain.prototype.finalisedAgeMs = () => 121_000
    try {
      release()
      await assert.rejects(retrieving, { code: 'node/stale-view' })
    } finally {
      Object.assign(Chain.prototype, { finalised, finalisedAgeMs })
    }
  })

  it('waits for the writers of its store no longer than who asks', async () => {
    const noted = untilNoted()
    const asking = new AbortController()
    const retrieving = retrieve(asking.signal)
    retrieving.catch(() => undefined)
    await noted
    asking.abort(new Error('who asked has left'))
    await assert.rejects(retrieving, /has left/)
  })

  it('begins nothing more as soon as it is told to stop, and stops whatever comes of its status', async () => {
    const { cursor } = Store.prototype
    Store.prototype.cursor = () => Promise.reject(new Error('the disk is gone'))
    try {
      const stopping = node.stop()
      await assert.rejects(node.reconcile({ signal }), { code: 'node/not-running' })
      await stopping
    } finally {
      Store.prototype.cursor = cursor
    }
    await start(world.server.url)
  })

  it('gives a share to nobody while its chain is behind what it had taken in: it may have another owner since', async () => {
    const before = world.chain.finalised().number
    const { block } = await transfer()
    await until(async () => ((await node.status()).cursor ?? 0) >= block.number)
    await node.stop()
    const endpoint = await world.server.openEndpoint()
    endpoint.faults.showUpTo = before
    await start(endpoint.url)
    await assert.rejects(retrieve(), { code: 'node/stale-view' })
    await assert.rejects(store(SECOND), { code: 'node/stale-view' })
    await until(async () => (await node.status()).problems.some(({ code }) => code === 'chain/behind'))
    endpoint.faults.showUpTo = undefined
    await seen(block.number)
    await assert.rejects(retrieve(), { status: 'REQUESTERVERIFICATIONFAILED' })
  })
})

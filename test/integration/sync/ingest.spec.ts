import assert from 'node:assert/strict'
import type { Store } from '../../../src/store/index.js'
import { Ingest, type IngestParts, type SyncChain } from '../../../src/sync/index.js'
import { capsule, Folders, logger, payloadOf, seal, secret, signal, wantOf } from '../store/fixture.js'
import { own, peerA } from './fixture.js'

type Outcome = Awaited<ReturnType<SyncChain['confirm']>>['outcome']

const cluster = own.identity.seat.cluster
const anotherCluster = peerA.identity.seat.cluster

describe('taking shares from owners', () => {
  const folders = new Folders()
  let store: Store
  let asked: number

  beforeEach(async () => {
    store = await folders.open(await folders.make())
    await store.beginSetup(own.identity, 0, [])
    asked = 0
  })

  afterEach(() => folders.clear())

  function ingestWith(outcome: Outcome, parts: Partial<IngestParts> = {}): Ingest {
    const confirm = async () => {
      asked += 1
      return { outcome }
    }
    return new Ingest({
      signer: own.signer,
      chain: { confirm },
      store,
      caughtUp: async () => undefined,
      logger,
      ...parts,
    })
  }

  const applySynced = (block: number, key: ReturnType<typeof secret>, origin: number) =>
    store.applyBlock(block, [{ type: 'synced', want: wantOf(key, { minimumVersion: block, origin }) }], own.signHead)

  it('keeps a share that is synced already, until the block that says so is taken in', async () => {
    // Its confirmation was sent, the host ended the process, and meanwhile all five were final.
    const key = secret(1)
    await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    let isBehind = true
    const caughtUp = async () => {
      if (asked === 0) return
      if (isBehind) assert.deepEqual((await applySynced(1, key, cluster)).missingOwn, [])
      isBehind = false
    }
    await ingestWith('already-synced', { caughtUp }).resume({ signal })
    assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
    assert.equal(store.counts().pending, 0)
  })

  it('drops a share whose round has ended', async () => {
    const key = capsule(1)
    await seal(store, own, 1, [key])
    const taking = ingestWith('already-synced').take(key, payloadOf(key, 1), { signal })
    await assert.rejects(taking, { outcome: 'already-synced' })
    assert.equal(store.counts().pending, 0)
    assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
  })

  for (const outcome of ['no-funds', 'not-registered'] as const) {
    it(`keeps a share that may be confirmed already when the answer is ${outcome}`, async () => {
      const key = secret(1)
      await assert.rejects(ingestWith(outcome).take(key, payloadOf(key), { signal }), { outcome })
      assert.deepEqual((await applySynced(1, key, cluster)).missingOwn, [])
      assert.deepEqual((await store.share(key))?.payload, payloadOf(key))
    })
  }

  for (const outcome of ['wrong-cluster', 'unknown-nft', 'wrong-kind'] as const) {
    it(`drops a share that can never be confirmed: ${outcome}`, async () => {
      await assert.rejects(ingestWith(outcome).take(secret(1), payloadOf(secret(1)), { signal }), { outcome })
      assert.equal(store.counts().pending, 0)
    })
  }

  it('does not confirm a share of a round that another cluster has ended', async () => {
    const key = capsule(1)
    await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    const caughtUp = async () => {
      await applySynced(1, key, anotherCluster)
    }
    await ingestWith('confirmed', { caughtUp }).resume({ signal })
    assert.equal(asked, 0)
    assert.equal(store.counts().pending, 0)
  })

  it('takes one of two different shares that are handed over at once', async () => {
    const key = secret(1)
    const ingest = ingestWith('confirmed')
    const results = await Promise.allSettled(
      [0, 1].map((edition) => ingest.take(key, payloadOf(key, edition), { signal })),
    )
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.equal(asked, 1)
    assert.deepEqual((await store.pending(key))?.payload, payloadOf(key, 0))
  })
})

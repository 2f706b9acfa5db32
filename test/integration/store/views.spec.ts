import assert from 'node:assert/strict'
import { SealedDatabase } from '../../../src/store/database.js'
import type { View } from '../../../src/store/index.js'
import { PLACES, SMALL_PAYLOADS, VIEWS } from '../../../src/store/records.js'
import {
  enclave,
  Folders,
  holdWrites,
  payloadOf,
  type RawDatabase,
  seal,
  sealingKey,
  secret,
  signal,
  tamper,
  wantOf,
} from './fixture.js'

const origin = enclave(1, 0)
const elsewhere = 2

function view(block: number, event: View['event'] = 'VIEW'): View {
  return { at: 1_700_000_000_000 + block, block, account: `0x${'ab'.repeat(32)}`, role: 'RENTEE', event }
}

describe('the log of who was given a share', () => {
  const folders = new Folders()

  afterEach(() => folders.clear())

  const opened = async () => {
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.beginSetup(origin.identity, 10, [])
    return { folder, store }
  }

  it('is kept across restarts', async () => {
    const { folder, store } = await opened()
    await seal(store, origin, 11, [secret(1)])
    assert.deepEqual(await store.views(secret(1)), [])
    await store.putView(secret(1), view(11, 'STORE'), { signal })
    await store.putView(secret(1), view(12), { signal })
    const again = await folders.reopen(store, folder)
    assert.deepEqual(await again.views(secret(1)), [view(11, 'STORE'), view(12)])
  })

  it('keeps the latest of many', async () => {
    const { store } = await opened()
    await seal(store, origin, 11, [secret(1)])
    for (let block = 1; block <= 70; block += 1) await store.putView(secret(1), view(block), { signal })
    const views = await store.views(secret(1))
    assert.deepEqual(
      views.map(({ block }) => block),
      Array.from({ length: 64 }, (_, at) => at + 7),
    )
  })

  it('goes with the share', async () => {
    const { store } = await opened()
    await seal(store, origin, 11, [secret(1)])
    await store.putView(secret(1), view(11), { signal })
    await store.applyBlock(12, [{ type: 'removed', key: secret(1) }], origin.signHead)
    assert.deepEqual(await store.views(secret(1)), [])
  })

  it('is not begun again by one who was about to be given a share that is gone', async () => {
    const { store } = await opened()
    await seal(store, origin, 11, [secret(1)])
    await store.applyBlock(12, [{ type: 'removed', key: secret(1) }], origin.signHead)
    assert.equal(await store.putView(secret(1), view(12), { signal }), false)
    assert.deepEqual(await store.views(secret(1)), [])
  })

  it('is begun in the write that keeps what is handed over, and goes with that', async () => {
    const { store } = await opened()
    const pending = { key: secret(1), payload: payloadOf(secret(1)), confirmed: false }
    await store.putPending(pending, view(11, 'STORE'))
    assert.deepEqual(await store.views(secret(1)), [view(11, 'STORE')])
    await store.dropPending(secret(1))
    assert.deepEqual(await store.views(secret(1)), [])
  })

  it('stays while the share is on its way from others, and goes when it is wanted no more', async () => {
    const { store } = await opened()
    const pending = { key: secret(1), payload: payloadOf(secret(1)), confirmed: false }
    await store.putPending(pending, view(10, 'STORE'))
    const want = wantOf(secret(1), { minimumVersion: 11, origin: elsewhere })
    await store.applyBlock(11, [{ type: 'synced', want }], origin.signHead)
    assert.equal(store.counts().pending, 0)
    assert.equal((await store.views(secret(1))).length, 1)
    // The NFT was burned in blocks that no setup goes through.
    await store.beginSetup(origin.identity, 20, [])
    assert.deepEqual(await store.views(secret(1)), [])
  })

  it('waits for other writes no longer than who asks, and has nothing of who has left', async () => {
    const { store } = await opened()
    await seal(store, origin, 11, [secret(1)])
    const release = holdWrites()
    try {
      const first = store.putView(secret(1), view(12), { signal })
      const left = new AbortController()
      const second = store.putView(secret(1), view(13), { signal: left.signal })
      left.abort(new Error('who asked has left'))
      await assert.rejects(second, /has left/)
      release()
      await first
    } finally {
      release()
    }
    await store.putView(secret(1), view(14), { signal })
    assert.deepEqual(
      (await store.views(secret(1))).map(({ block }) => block),
      [12, 14],
    )
  })

  it('stays when what the chain removed is older than what is held', async () => {
    const { store } = await opened()
    await seal(store, origin, 12, [secret(1)])
    await store.putView(secret(1), view(12), { signal })
    await store.eraseShares(11, [secret(1)])
    assert.equal((await store.views(secret(1))).length, 1)
  })

  describe('in a folder that the host has damaged', () => {
    /** Where a share was held that was given out. */
    async function damaged(work: (raw: RawDatabase) => Promise<void>) {
      const { folder, store } = await opened()
      await seal(store, origin, 11, [secret(1)])
      await store.putView(secret(1), view(11), { signal })
      await store.close()
      await tamper(folder, work)
      const again = await folders.open(folder)
      assert.equal(again.integrity().state, 'altered')
      assert.equal((await again.views(secret(1))).length, 1)
      return again
    }

    const withoutPlace = () => damaged((raw) => raw.del(PLACES.encodePage(secret(1))))

    it('goes with a block that removes what the host has taken away already', async () => {
      const store = await withoutPlace()
      await store.applyBlock(12, [{ type: 'removed', key: secret(1) }], origin.signHead)
      assert.deepEqual(await store.views(secret(1)), [])
    })

    it('goes when the setup does not ask for what the host has taken away', async () => {
      const store = await withoutPlace()
      await store.beginSetup(origin.identity, 20, [])
      assert.deepEqual(await store.views(secret(1)), [])
    })

    it('stays where the setup asks again for what the host has damaged', async () => {
      const store = await damaged((raw) => raw.put(SMALL_PAYLOADS.encodePage(secret(1)), new Uint8Array(80)))
      assert.equal(store.counts().shares.secret, 0)
      await store.beginSetup(origin.identity, 20, [wantOf(secret(1))])
      assert.deepEqual(await store.views(secret(1)), [view(11)])
    })
  })

  it('goes of any number at the next setup that are of nothing, and of no other', async () => {
    const { folder, store } = await opened()
    await seal(store, origin, 11, [secret(1)])
    await store.putPending({ key: secret(2), payload: payloadOf(secret(2)), confirmed: false }, view(11))
    await store.openWants([wantOf(secret(3)), wantOf(secret(4))])
    await store.close()
    const database = await SealedDatabase.open(folder, sealingKey)
    await database.transact(async (transaction) => {
      for (let nftId = 1; nftId <= 2_500; nftId += 1) transaction.put(VIEWS, secret(nftId), [view(11)])
    })
    await database.close()
    const again = await folders.open(folder)
    await again.beginSetup(origin.identity, 20, [wantOf(secret(3))])
    const left: number[] = []
    for (let nftId = 1; nftId <= 2_500; nftId += 1) if ((await again.views(secret(nftId))).length > 0) left.push(nftId)
    assert.deepEqual(left, [1, 2, 3])
  })

  it('is not begun before there is a seat', async () => {
    const store = await folders.open(await folders.make())
    await assert.rejects(store.putView(secret(1), view(1), { signal }), { code: 'store/no-seat' })
  })

  it('does not show on the disk who it was', async () => {
    const { folder, store } = await opened()
    await store.putPending({ key: secret(1), payload: payloadOf(secret(1)), confirmed: true })
    await store.putView(secret(1), view(11), { signal })
    await store.close()
    await tamper(folder, async (raw) => {
      for await (const [, value] of raw.iterator())
        assert.equal(Buffer.from(value).includes('ab'.repeat(8), 0, 'hex'), false)
    })
  })
})

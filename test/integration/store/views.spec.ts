import assert from 'node:assert/strict'
import type { View } from '../../../src/store/index.js'
import { enclave, Folders, payloadOf, seal, secret, tamper } from './fixture.js'

const origin = enclave(1, 0)

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
    await store.putView(secret(1), view(11, 'STORE'))
    await store.putView(secret(1), view(12))
    const again = await folders.reopen(store, folder)
    assert.deepEqual(await again.views(secret(1)), [view(11, 'STORE'), view(12)])
  })

  it('keeps the latest of many', async () => {
    const { store } = await opened()
    await seal(store, origin, 11, [secret(1)])
    for (let block = 1; block <= 70; block += 1) await store.putView(secret(1), view(block))
    const views = await store.views(secret(1))
    assert.deepEqual(
      views.map(({ block }) => block),
      Array.from({ length: 64 }, (_, at) => at + 7),
    )
  })

  it('goes with the share', async () => {
    const { store } = await opened()
    await seal(store, origin, 11, [secret(1)])
    await store.putView(secret(1), view(11))
    await store.applyBlock(12, [{ type: 'removed', key: secret(1) }], origin.signHead)
    assert.deepEqual(await store.views(secret(1)), [])
  })

  it('stays when what the chain removed is older than what is held', async () => {
    const { store } = await opened()
    await seal(store, origin, 12, [secret(1)])
    await store.putView(secret(1), view(12))
    await store.eraseShares(11, [secret(1)])
    assert.equal((await store.views(secret(1))).length, 1)
  })

  it('is not begun before there is a seat', async () => {
    const store = await folders.open(await folders.make())
    await assert.rejects(store.putView(secret(1), view(1)), { code: 'store/no-seat' })
  })

  it('does not show on the disk who it was', async () => {
    const { folder, store } = await opened()
    await store.putPending({ key: secret(1), payload: payloadOf(secret(1)), confirmed: true })
    await store.putView(secret(1), view(11))
    await store.close()
    await tamper(folder, async (raw) => {
      for await (const [, value] of raw.iterator())
        assert.equal(Buffer.from(value).includes('ab'.repeat(8), 0, 'hex'), false)
    })
  })
})

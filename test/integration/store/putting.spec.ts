import assert from 'node:assert/strict'
import { Level } from 'level'
import { accountSigner, toHex } from '../../../src/crypto/index.js'
import { OriginLog } from '../../../src/provenance/index.js'
import type { BlockChange, Store, Want } from '../../../src/store/index.js'
import { WANTS } from '../../../src/store/records.js'
import {
  capsule,
  collect,
  enclave,
  Folders,
  fetchRuns,
  genesisHash,
  payloadOf,
  SLOT,
  seal,
  secret,
  verify,
  wantOf,
} from './fixture.js'

const provider = { newestAsOf: 1_000_000 }

describe('runs that are put', () => {
  const folders = new Folders()
  const origin = enclave(1, 1)
  const replica = enclave(2, 2)

  afterEach(() => folders.clear())

  async function begun(of = origin, wants: readonly Want[] = []): Promise<{ folder: string; store: Store }> {
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.beginSetup(of.identity, 10, wants)
    return { folder, store }
  }

  for (const further of [[], [secret(4), secret(5)]]) {
    for (const isAtOnce of [false, true]) {
      const how = `${isAtOnce ? 'at once' : 'one by one'}, ${further.length === 0 ? 'of one size' : 'of two sizes'}`
      it(`show that their log was forked, ${how}`, async () => {
        const [{ store: one }, { store: other }] = [await begun(), await begun()]
        await seal(one, origin, 11, [secret(1), secret(2)])
        await seal(other, origin, 11, [secret(1), secret(3), ...further])
        const { store } = await begun(replica, [wantOf(secret(1)), wantOf(secret(3))])
        const runs = [...(await fetchRuns(one, [secret(1)])).runs, ...(await fetchRuns(other, [secret(3)])).runs]
        const puts: Promise<unknown>[] = []
        for (const run of runs) {
          puts.push(store.putRun(run, provider))
          if (!isAtOnce) await Promise.allSettled(puts)
        }
        const outcomes = await Promise.allSettled(puts)
        assert.deepEqual(
          outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'put')),
          ['put', 'store/fork'],
        )
        assert.equal(store.forks().length, 1)
      })
    }
  }

  it('fail each by itself where a page of one of them is missing', async () => {
    const { store: one } = await begun()
    const keys = [secret(0), secret(1_000), secret(2_000)]
    await seal(one, origin, 11, [secret(0), secret(1), secret(1_000), secret(1_001), secret(2_000)])
    const { store, folder } = await begun(
      replica,
      keys.map((key) => wantOf(key)),
    )
    const again = await folders.reopen(store, folder)
    const hidden = toHex(WANTS.encodePage(secret(1_000)))
    const getMany = Level.prototype.getMany
    Object.defineProperty(Level.prototype, 'getMany', {
      configurable: true,
      async value(names: Uint8Array[], options: object) {
        const found: unknown[] = await getMany.call(this, names, options)
        return found.map((value, at) => (toHex(names[at] ?? new Uint8Array(0)) === hidden ? undefined : value))
      },
    })
    try {
      const { runs } = await fetchRuns(one, keys)
      assert.equal(runs.length, 3)
      const outcomes = await Promise.allSettled(runs.map((run) => again.putRun(run, provider)))
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : outcome.value.stored.length)),
        [1, 'store/tampered', 1],
      )
    } finally {
      Reflect.deleteProperty(Level.prototype, 'getMany')
    }
  })

  it('are put in one write together, and in several where their shares are far from one another', async () => {
    const log = new OriginLog(genesisHash, accountSigner(new Uint8Array(32).fill(1)), { cluster: 1, slot: SLOT })
    const keys = [
      ...Array.from({ length: 40 }, (_, at) => secret(at)),
      ...Array.from({ length: 600 }, (_, at) => secret(10_000 + 64 * at)),
    ]
    for (const key of keys) log.append(key, 9, payloadOf(key))
    const { store, folder } = await begun(
      replica,
      keys.map((key) => wantOf(key)),
    )
    const put = async (from: number, count: number) => verify(await log.run(from, count))
    const before = store.integrity().sequence
    const near = [await put(0, 10), await put(10, 10), await put(20, 10), await put(30, 10)]
    await Promise.all(near.map((run) => store.putRun(run, provider)))
    assert.ok(store.integrity().sequence - before <= 2, 'the first by itself, and what has gathered by then')

    const between = store.integrity().sequence
    const { stored, closed } = await store.putRun(await put(40, 600), provider)
    assert.deepEqual(stored, keys.slice(40))
    assert.equal(closed.length, 600)
    const writes = store.integrity().sequence - between
    assert.ok(writes > 1 && writes < 10, `${writes} writes`)
    assert.deepEqual(store.counts(), { shares: { secret: 640, capsule: 0 }, wants: 0, pending: 0 })

    const again = await folders.reopen(store, folder)
    assert.equal(again.counts().shares.secret, 640)
    const { runs } = await fetchRuns(again, keys)
    assert.equal(
      runs.reduce((sum, { shares }) => sum + shares.length, 0),
      640,
    )
  })

  it('of a block of very many changes are wanted in several writes, and the block counts with the last', async () => {
    const { store, folder } = await begun()
    await store.putPending({ key: secret(1), payload: payloadOf(secret(1)), confirmed: true })
    const synced = (key: Want['key'], cluster: number): BlockChange => {
      return { type: 'synced', want: wantOf(key, { minimumVersion: 11, asOf: 11, origin: cluster }) }
    }
    const others = Array.from({ length: 600 }, (_, at) => synced(capsule(64 * at), 2))
    const removed = others.slice(0, 5).map(({ type, ...change }): BlockChange => {
      return { type: 'removed', key: 'want' in change ? change.want.key : secret(0) }
    })
    const changes = [...others, synced(secret(1), 1), ...removed]
    const before = store.integrity().sequence
    const lost = () => {
      throw new Error('the signer was lost')
    }
    await assert.rejects(store.applyBlock(11, changes, lost), /the signer was lost/)
    assert.equal(await store.cursor(), 10)
    assert.equal(store.counts().wants, 595)

    const again = await folders.reopen(store, folder)
    assert.deepEqual(await again.applyBlock(11, changes, origin.signHead), { missingOwn: [] })
    assert.equal(await again.cursor(), 11)
    assert.deepEqual(again.counts(), { shares: { secret: 1, capsule: 0 }, wants: 595, pending: 0 })
    assert.deepEqual(
      (await collect(again.wants())).map(({ key }) => key),
      others.slice(5).map((_, at) => capsule(64 * (at + 5))),
    )
    assert.ok(again.integrity().sequence - before > 4)
    await assert.rejects(again.applyBlock(11, changes, origin.signHead), { code: 'store/cursor' })
  })
})

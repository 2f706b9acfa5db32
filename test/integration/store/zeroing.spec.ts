import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { ShareKey } from '../../../src/domain/index.js'
import { SealedDatabase } from '../../../src/store/database.js'
import { resealStore } from '../../../src/store/index.js'
import { decodePage, WorkingPage } from '../../../src/store/page.js'
import { PENDING, SECRETS, SMALL_PAYLOADS } from '../../../src/store/records.js'
import { Sealer } from '../../../src/store/sealing.js'
import { Transaction } from '../../../src/store/transaction.js'
import { BelowTransaction } from '../../support/below-transaction.js'
import { MadeArrays } from '../../support/made-arrays.js'
import {
  capsule,
  enclave,
  Folders,
  largePayloadOf,
  payloadOf,
  seal,
  sealingKey,
  secret,
  signal,
  tamper,
  wantOf,
} from './fixture.js'

const NEW_KEY = new Uint8Array(32).fill(0xa7)
const SEED = new Uint8Array(32).map((_, at) => 200 - at)

/** Of what the store seals and opens, whatever is not handed over is zeroed. */
describe('store and the bytes that it is done with', function () {
  this.timeout(60_000)
  const folders = new Folders()
  afterEach(() => folders.clear())
  const origin = enclave(1, 1)
  const keys = [secret(1), capsule(2), capsule(3)]
  const pending = [secret(80), secret(81)]
  /** Two are sealed by the page, one by itself; what begins all of them is looked for. */
  const textOf = (key: ShareKey, edition = 0) => (key.nftId === 3 ? largePayloadOf : payloadOf)(key, edition)

  /** Whatever of the seed and the payloads is left in the arrays that were made. */
  function left(made: MadeArrays, but: readonly Uint8Array[] = []): Uint8Array[] {
    assert.ok(made.count > 0)
    const texts = [...keys, ...pending].flatMap((key) => [0, 1].map((edition) => payloadOf(key, edition)))
    return [SEED, ...texts].flatMap((text) => made.holding(text, but))
  }

  async function filled(): Promise<string> {
    const location = join(await folders.make(), 'store')
    const store = await folders.open(location)
    await store.putSecret('account-seed', SEED)
    await store.beginSetup(origin.identity, 10, [wantOf(secret(70))])
    await seal(store, origin, 11, keys, 0, textOf)
    for (const key of pending) await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    await store.close()
    return location
  }

  it('leaves none of a transaction, also where sealing fails', () => {
    for (const fails of [false, true]) {
      const sealer = new Sealer(sealingKey, new Uint8Array(16))
      if (fails) sealer.seal = () => assert.fail('no memory')
      const transaction = new Transaction(new BelowTransaction(sealer), sealer)
      const encoded: Uint8Array[] = []
      const table = {
        ...SECRETS,
        encode: (value: Uint8Array) => {
          const plain = SECRETS.encode(value)
          encoded.push(plain)
          return plain
        },
      }
      const put = () => transaction.put(table, 'account-seed', SEED)
      if (fails) assert.throws(put, /no memory/)
      else put()
      assert.deepEqual(encoded, [new Uint8Array(SEED.length)])
    }
  })

  it('leaves none of the pages that a transaction reads, changes and seals, also where sealing fails', async () => {
    const [kept, replaced, deleted, added] = [secret(1), secret(2), secret(3), secret(4)]
    const before = new Map([kept, replaced, deleted].map((key) => [SMALL_PAYLOADS.entryOf(key), payloadOf(key)]))
    const after = new Map([kept, replaced, added].map((key) => [key.nftId, payloadOf(key, key === kept ? 0 : 1)]))
    const name = SMALL_PAYLOADS.encodePage(kept)
    for (const fails of [false, true]) {
      const sealer = new Sealer(sealingKey, new Uint8Array(16))
      const page = new WorkingPage(name)
      for (const [entry, value] of before) page.set(entry, value.slice())
      const sealed = sealer.seal(name, page.encode() ?? assert.fail())
      const given = [replaced, added].map((key) => payloadOf(key, 1))
      const made = new MadeArrays()
      await made.during(async () => {
        const transaction = new Transaction(new BelowTransaction(sealer, [[name, sealed]]), sealer)
        for (const [at, key] of [replaced, added].entries()) {
          transaction.put(SMALL_PAYLOADS, key, given[at] ?? assert.fail())
        }
        transaction.delete(SMALL_PAYLOADS, deleted)
        given.push((await transaction.get(SMALL_PAYLOADS, kept)) ?? assert.fail())
        assert.equal(transaction.has(SMALL_PAYLOADS, deleted), false)
        transaction.put(SMALL_PAYLOADS, added, given[1] ?? assert.fail())
        if (fails) {
          sealer.seal = () => assert.fail('no memory')
          await assert.rejects(transaction.changes(), /no memory/)
        } else {
          const [change, ...others] = await transaction.changes()
          assert.deepEqual([change?.name, change?.before, others], [name, sealed, []])
          const plain = sealer.open(name, change?.after ?? assert.fail()) ?? assert.fail()
          assert.deepEqual(decodePage(plain), after)
          plain.fill(0)
        }
        transaction.clear()
      })
      assert.ok(made.count > 0)
      for (const key of [kept, replaced, deleted, added]) assert.deepEqual(made.holding(payloadOf(key), given), [])
      for (const key of [replaced, added]) assert.deepEqual(made.holding(payloadOf(key, 1), given), [])
    }
  })

  it('leaves none of the pages that it reads, whichever way they are read', async () => {
    const location = await filled()
    const database = await SealedDatabase.open(location, sealingKey)
    const made = new MadeArrays()
    const small = [secret(1), capsule(2)]
    const readings: ((given: (Uint8Array | undefined)[]) => Promise<unknown>)[] = [
      async (given) => given.push(...(await database.getMany(SMALL_PAYLOADS, small))),
      (given) =>
        database.snapshot(async (reads) => {
          for (const key of small) given.push(await reads.get(SMALL_PAYLOADS, key))
          given.push(...(await reads.getMany(SMALL_PAYLOADS, [...small, secret(5)])))
        }),
      (given) =>
        assert.rejects(
          database.snapshot(async (reads) => {
            given.push(...(await reads.getMany(SMALL_PAYLOADS, small)))
            assert.fail('no memory')
          }),
          /no memory/,
        ),
      async (given) => {
        for await (const [, value] of database.entries(SMALL_PAYLOADS)) given.push(value)
      },
      async () => {
        for await (const _ of database.keys(SMALL_PAYLOADS));
        for await (const _ of database.keys(SMALL_PAYLOADS, secret(1))) break
      },
    ]
    try {
      for (const [at, read] of readings.entries()) {
        const given: (Uint8Array | undefined)[] = []
        await made.during(async () => {
          await read(given)
        })
        const texts = given.filter((each) => each !== undefined)
        assert.equal(texts.length, [2, 4, 2, 2, 0][at])
        assert.deepEqual(left(made, texts), [], `${at}`)
        for (const text of texts) text.fill(0)
      }
    } finally {
      await database.close()
    }
  })

  it('leaves none of what it is given', async () => {
    const store = await folders.open(await filled())
    const given = keys.map((key) => textOf(key, 1))
    const made = new MadeArrays()
    await made.during(async () => {
      await store.putSecret('account-seed', SEED)
      for (const [at, key] of keys.entries()) {
        await store.putPending({ key, payload: given[at] ?? assert.fail(), confirmed: false })
        await store.markConfirmed(key)
      }
      await store.dropPending(secret(80))
      const synced = keys.map(
        (key) => ({ type: 'synced', want: wantOf(key, { minimumVersion: 12, origin: 1 }) }) as const,
      )
      await store.applyBlock(12, synced, origin.signHead)
    })
    // Before they are read: what is given then may lie in memory that was made above.
    assert.deepEqual(left(made, given), [])
    for (const key of keys) assert.deepEqual((await store.share(key))?.payload, textOf(key, 1))
  })

  it('leaves none of what it opens at a start, of a folder that is whole or altered', async () => {
    const location = await filled()
    for (const isAltered of [false, true]) {
      if (isAltered) await tamper(location, (raw) => raw.del(PENDING.encodeKey(secret(80))))
      const made = new MadeArrays()
      const store = await made.during(() => folders.open(location))
      assert.equal(store.integrity().doubtful, isAltered ? 1 : 0)
      assert.deepEqual(left(made), [])
      await store.close()
    }
  })

  it('leaves none of what it gives, but for that', async () => {
    const store = await folders.open(await filled())
    const made = new MadeArrays()
    const given = await made.during(async () => {
      const payloads = [await store.secret('account-seed'), (await store.share(secret(1)))?.payload]
      const wanted = [capsule(2), capsule(3)].map((key) => ({ key, minimumVersion: 0 }))
      const stream = store.runs(wanted, { maximumBytes: 16_384, signal })
      const run = (await stream.next()).value
      payloads.push(...('shares' in run ? run.shares.map(({ payload }) => payload) : []))
      await stream.return({ notHeld: [] })
      for await (const _ of store.pendingShares());
      return payloads.filter((payload) => payload !== undefined)
    })
    assert.equal(given.length, 4)
    assert.deepEqual(left(made, given), [])
  })

  it('leaves none of what it seals anew, also where that fails', async () => {
    const location = await filled()
    const made = new MadeArrays()
    await made.during(() => resealStore({ location, from: sealingKey, to: NEW_KEY, signal }))
    assert.deepEqual(left(made), [])

    const source = await SealedDatabase.open(location, NEW_KEY)
    const target = await SealedDatabase.open(join(await folders.make(), 'target'), sealingKey)
    const { seal: real } = Sealer.prototype
    Sealer.prototype.seal = () => assert.fail('no memory')
    try {
      await made.during(() => assert.rejects(source.copyTo(target, signal), /no memory/))
    } finally {
      Sealer.prototype.seal = real
    }
    assert.deepEqual(left(made), [])
    await source.close()
    await target.close()
  })
})

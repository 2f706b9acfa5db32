import assert from 'node:assert/strict'
import { join } from 'node:path'
import { SealedDatabase } from '../../../src/store/database.js'
import { resealStore } from '../../../src/store/index.js'
import { PENDING, SECRETS } from '../../../src/store/records.js'
import { Sealer } from '../../../src/store/sealing.js'
import { Transaction } from '../../../src/store/transaction.js'
import { MadeArrays } from '../../support/made-arrays.js'
import { capsule, enclave, Folders, payloadOf, seal, sealingKey, secret, signal, tamper, wantOf } from './fixture.js'

const NEW_KEY = new Uint8Array(32).fill(0xa7)
const SEED = new Uint8Array(32).map((_, at) => 200 - at)

/** Of what the store seals and opens, whatever is not handed over is zeroed. */
describe('store and the bytes that it is done with', function () {
  this.timeout(60_000)
  const folders = new Folders()
  afterEach(() => folders.clear())
  const origin = enclave(1, 1)
  const keys = [secret(1), capsule(2)]
  const pending = [secret(80), secret(81)]

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
    await seal(store, origin, 11, keys)
    for (const key of pending) await store.putPending({ key, payload: payloadOf(key), confirmed: false })
    await store.close()
    return location
  }

  it('leaves none of a transaction, also where sealing fails', () => {
    for (const fails of [false, true]) {
      const sealer = new Sealer(sealingKey, new Uint8Array(16))
      if (fails) sealer.seal = () => assert.fail('no memory')
      const nothing = { sealed: async () => [], open: () => assert.fail(), tampered: () => assert.fail() }
      const transaction = new Transaction(nothing, sealer)
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

  it('leaves none of what it is given', async () => {
    const store = await folders.open(await filled())
    const given = keys.map((key) => payloadOf(key, 1))
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
    assert.deepEqual((await store.share(capsule(2)))?.payload, payloadOf(capsule(2), 1))
    assert.deepEqual(left(made, given), [])
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
      const stream = store.runs([{ key: capsule(2), minimumVersion: 0 }], { maximumBytes: 1_000, signal })
      const run = (await stream.next()).value
      payloads.push('shares' in run ? run.shares[0]?.payload : undefined)
      await stream.return({ notHeld: [] })
      for await (const _ of store.pendingShares());
      return payloads.filter((payload) => payload !== undefined)
    })
    assert.equal(given.length, 3)
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

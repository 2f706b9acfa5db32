import assert from 'node:assert/strict'
import type { ShareKey } from '../../../src/domain/index.js'
import { decodePage } from '../../../src/store/page.js'
import { NODES, PENDING, SMALL_PAYLOADS, VIEWS } from '../../../src/store/records.js'
import { Sealer } from '../../../src/store/sealing.js'
import { Transaction } from '../../../src/store/transaction.js'
import { BelowTransaction } from '../../support/below-transaction.js'

const text = (value: string) => new Uint8Array(Buffer.from(value))
const secret = (nftId: number): ShareKey => ({ kind: 'secret', nftId })
const pending = (payload: string) => ({ confirmed: true, after: 1, isDoubtful: false, payload: text(payload) })

describe('a transaction', () => {
  const sealer = new Sealer(new Uint8Array(32).fill(1), new Uint8Array(16).fill(2))

  /** On a database with two small payloads on one page, and something pending. */
  async function begun() {
    const writing = new Transaction(new BelowTransaction(sealer), sealer)
    for (const nftId of [1, 2]) writing.put(SMALL_PAYLOADS, secret(nftId), text(`payload ${nftId}`))
    writing.put(PENDING, secret(5), pending('handed over'))
    const records = (await writing.changes()).map(({ name, after }): [Uint8Array, Uint8Array] => [
      name,
      after ?? assert.fail(),
    ])
    assert.equal(records.length, 2)
    const below = new BelowTransaction(sealer, records)
    return { below, transaction: new Transaction(below, sealer), records }
  }

  it('says of nothing that it did not read whether it is there', async () => {
    const { below, transaction } = await begun()
    for (const ask of [
      () => transaction.known(SMALL_PAYLOADS, secret(1)),
      () => transaction.has(SMALL_PAYLOADS, secret(1)),
      () => transaction.known(PENDING, secret(5)),
      () => transaction.has(PENDING, secret(5)),
    ]) {
      assert.throws(ask, { name: 'RangeError', message: /^The record (share\/secret\/1|pending\/secret\/5) is to be/ })
    }
    assert.equal(below.asked, 0)
  })

  it('knows what it has read in one go, with all that is on the same pages', async () => {
    const { below, transaction } = await begun()
    await transaction.preload(SMALL_PAYLOADS, [secret(1), secret(63)])
    await transaction.preload(PENDING, [secret(5), secret(6)])
    assert.equal(below.asked, 3)
    assert.deepEqual(transaction.known(SMALL_PAYLOADS, secret(2)), text('payload 2'))
    assert.deepEqual(
      [1, 2, 3, 63].map((nftId) => transaction.has(SMALL_PAYLOADS, secret(nftId))),
      [true, true, false, false],
    )
    assert.throws(() => transaction.has(SMALL_PAYLOADS, secret(64)), RangeError)
    assert.deepEqual(transaction.known(PENDING, secret(5)), pending('handed over'))
    assert.equal(transaction.has(PENDING, secret(6)), false)
    assert.throws(() => transaction.has(PENDING, secret(7)), RangeError)
    assert.equal(below.asked, 3)
  })

  it('knows without reading what it has put or deleted, and that a table is empty', async () => {
    const { below, transaction } = await begun()
    transaction.put(SMALL_PAYLOADS, secret(1), text('other'))
    transaction.delete(SMALL_PAYLOADS, secret(2))
    transaction.delete(PENDING, secret(5))
    assert.deepEqual(transaction.known(SMALL_PAYLOADS, secret(1)), text('other'))
    assert.deepEqual([transaction.has(SMALL_PAYLOADS, secret(2)), transaction.has(PENDING, secret(5))], [false, false])
    assert.equal(transaction.known(PENDING, secret(5)), undefined)
    assert.throws(() => transaction.has(SMALL_PAYLOADS, secret(3)), RangeError)
    await transaction.preload(VIEWS, [secret(1)])
    assert.deepEqual([transaction.has(VIEWS, secret(1)), transaction.known(VIEWS, secret(9))], [false, undefined])
    assert.equal(below.asked, 0)
  })

  it('reads a page once, whatever is asked of it, and shows its own changes', async () => {
    const { below, transaction } = await begun()
    transaction.delete(SMALL_PAYLOADS, secret(2))
    assert.deepEqual(await transaction.get(SMALL_PAYLOADS, secret(1)), text('payload 1'))
    assert.equal(await transaction.get(SMALL_PAYLOADS, secret(2)), undefined)
    transaction.put(SMALL_PAYLOADS, secret(3), text('new'))
    const many = await transaction.getMany(SMALL_PAYLOADS, [3, 2, 1].map(secret))
    assert.deepEqual(many, [text('new'), undefined, text('payload 1')])
    assert.equal(below.asked, 1)
  })

  it('writes of a page all that was on it before and was not changed, though it was not read', async () => {
    const { transaction, records } = await begun()
    transaction.put(SMALL_PAYLOADS, secret(3), text('new'))
    transaction.delete(SMALL_PAYLOADS, secret(1))
    const [change, ...others] = await transaction.changes()
    assert.deepEqual(others, [])
    const [name, sealed] = records.find(([each]) => each[0] === SMALL_PAYLOADS.prefix) ?? assert.fail()
    assert.deepEqual([change?.name, change?.before], [name, sealed])
    const plain = sealer.open(name, change?.after ?? assert.fail()) ?? assert.fail()
    assert.deepEqual(
      [...decodePage(plain)],
      [
        [2, text('payload 2')],
        [3, text('new')],
      ],
    )
  })

  it('takes a page away with the last that is on it, and writes none that it has only read', async () => {
    const { transaction, records } = await begun()
    const log = { account: `0x${'aa'.repeat(32)}`, incarnation: `0x${'bb'.repeat(16)}` } as const
    await transaction.preload(SMALL_PAYLOADS, [secret(1)])
    await transaction.preload(NODES, [{ log, at: { level: 0, index: 0 } }])
    assert.deepEqual(await transaction.changes(), [])
    for (const nftId of [1, 2]) transaction.delete(SMALL_PAYLOADS, secret(nftId))
    const [name, before] = records.find(([each]) => each[0] === SMALL_PAYLOADS.prefix) ?? assert.fail()
    assert.deepEqual(await transaction.changes(), [{ name, before, after: undefined }])
  })
})

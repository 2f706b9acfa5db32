import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mock } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { accountSigner, toHex } from '../../../src/crypto/index.js'
import { Registry, systemClock } from '../../../src/domain/index.js'
import { KnownRecords } from '../../../src/mesh/known-records.js'
import { LIMITS } from '../../../src/mesh/limits.js'
import { RecordPublisher } from '../../../src/mesh/publisher.js'
import { recordKey, signRecord } from '../../../src/mesh/record.js'

const { shortestGapMs, gapGrowth, longestGapMs } = LIMITS.publish
const signer = accountSigner(randomBytes(32))
const genesisHash = toHex(randomBytes(32))
const seat = { cluster: 1, slot: 2 }
const ignore = () => undefined

/** Lets everything run that waits for nothing but promises. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the publisher of the own record', () => {
  let addresses: Multiaddr[]
  let puts: { at: number; value: Uint8Array }[]
  let answers: (boolean | Error)[]
  let hasPeers: boolean
  let clock: number
  let known: KnownRecords
  let publisher: RecordPublisher

  beforeEach(async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    clock = 1_790_000_000_000
    addresses = [multiaddr('/ip4/192.0.2.7/tcp/4001')]
    puts = []
    answers = []
    hasPeers = true
    known = new KnownRecords({
      genesisHash,
      registry: () =>
        new Registry([
          {
            id: 1,
            type: 'public',
            seats: [{ account: signer.account, operator: signer.account, ...seat, apiUri: '' }],
          },
        ]),
      clock: { ...systemClock, now: () => clock },
      onNews: async () => undefined,
    })
    publisher = new RecordPublisher({
      genesisHash,
      signer,
      privateKey: await generateKeyPair('Ed25519'),
      addresses: () => addresses,
      known,
      put: async (key, value) => {
        assert.deepEqual(key, recordKey(signer.account))
        puts.push({ at: clock, value })
        const answer = answers.shift() ?? true
        if (answer instanceof Error) throw answer
        return answer
      },
      hasPeers: () => hasPeers,
      clock: { ...systemClock, now: () => clock },
      logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    })
  })
  afterEach(async () => {
    mock.timers.reset()
    await publisher.stop()
  })

  async function pass(ms: number): Promise<void> {
    clock += ms
    mock.timers.tick(ms)
    await settled()
  }

  it('offers a refused record again, ever more rarely', async () => {
    answers = [false, new Error('cut'), ...Array.from({ length: 4 }, () => false)]
    await publisher.publish(seat)
    const start = clock
    let [due, gap] = [start, shortestGapMs]
    for (let count = 1; count <= 7; count++) {
      due += gap
      await pass(gap)
      assert.deepEqual(puts.at(-1)?.at, due)
      assert.equal(puts.length, count)
      gap = Math.min(gapGrowth * gap, longestGapMs)
    }
    await pass(gap)
    assert.equal(puts.length, 7)
  })

  it('waits for a peer when alone, and puts again for those that come later', async () => {
    hasPeers = false
    await publisher.publish(seat)
    await pass(10 * shortestGapMs)
    assert.equal(puts.length, 0)
    hasPeers = true
    publisher.peerArrived({ alone: true })
    await pass(shortestGapMs)
    assert.equal(puts.length, 1)
    publisher.peerArrived({ alone: false })
    await pass(gapGrowth * shortestGapMs)
    assert.equal(puts.length, 2)
  })

  it('renews the record well before it expires', async () => {
    await publisher.publish(seat)
    const first = publisher.record
    await pass(shortestGapMs)
    await pass(0.9 * LIMITS.record.renewalMs - shortestGapMs - 1)
    assert.equal(publisher.record, first)
    await pass(0.2 * LIMITS.record.renewalMs + 1)
    assert.ok(publisher.record && first && publisher.record.sequence > first.sequence)
    assert.deepEqual(puts.at(-1)?.value, publisher.record.bytes)
  })

  it('signs a new record when the addresses change, and only then', async () => {
    await publisher.publish(seat)
    await pass(shortestGapMs)
    const first = publisher.record
    publisher.addressesChanged()
    await pass(longestGapMs)
    assert.equal(publisher.record, first)
    addresses = []
    publisher.addressesChanged()
    await pass(longestGapMs)
    assert.equal(publisher.record, first)
    addresses = [multiaddr('/ip4/192.0.2.8/tcp/4001')]
    publisher.addressesChanged()
    await pass(longestGapMs)
    assert.deepEqual(publisher.record?.multiaddrs, addresses)
  })

  it('counts on from a former life, and when the clock is set back', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    const former = { genesisHash, ...seat, multiaddrs: addresses, sequence: clock + 5000, expiresAt: clock + 9000 }
    await publisher.publish(seat)
    await known.accept((await signRecord(former, signer, privateKey)).bytes, { key: recordKey(signer.account) })
    publisher.outbid()
    await pass(longestGapMs)
    assert.equal(publisher.record?.sequence, Math.max(clock, former.sequence + 1))
    clock -= 1_000_000
    const before = publisher.record?.sequence ?? 0
    await publisher.publish(seat)
    assert.equal(publisher.record?.sequence, before + 1)
  })

  it('puts and renews it though the clock is set back by a day', async () => {
    answers = [false]
    await publisher.publish(seat)
    const first = publisher.record
    clock -= 86_400_000
    await pass(shortestGapMs)
    assert.equal(puts.length, 1)
    // Others take no record that ends more than a day from now.
    assert.ok(publisher.record && first && publisher.record.expiresAt <= clock + LIMITS.record.lifetimeMs)
    assert.ok(publisher.record.sequence > first.sequence)
    await pass(gapGrowth * shortestGapMs)
    assert.equal(puts.length, 2)
    assert.deepEqual(puts[1]?.value, publisher.record.bytes)
  })

  it('renews it soon when the clock is set forward past its end, or back', async () => {
    await publisher.publish(seat)
    await pass(shortestGapMs)
    for (const jump of [21_600_000, -21_600_000]) {
      const first = publisher.record
      clock += jump
      await pass(longestGapMs)
      assert.ok(publisher.record && first && publisher.record.sequence > first.sequence)
      assert.ok(publisher.record.expiresAt > clock && publisher.record.expiresAt <= clock + LIMITS.record.lifetimeMs)
      assert.deepEqual(puts.at(-1)?.value, publisher.record.bytes)
    }
  })

  it('publishes nothing that nobody could dial', async () => {
    addresses = []
    await assert.rejects(publisher.publish(seat), { code: 'mesh/no-address' })
  })
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { accountSigner, toHex } from '../../../src/crypto/index.js'
import { Registry, silentLogger, systemClock } from '../../../src/domain/index.js'
import { KnownRecords } from '../../../src/mesh/known-records.js'
import { LIMITS } from '../../../src/mesh/limits.js'
import { signRecord } from '../../../src/mesh/record.js'
import { Resolver } from '../../../src/mesh/resolver.js'

/** No peers that could be asked. */
const nobody = { seek: async () => undefined, confirm: async () => false }

describe('the resolver', () => {
  const signer = accountSigner(randomBytes(32))
  const seat = { cluster: 1, slot: 2 }
  const { signal } = new AbortController()

  it('believes a record without a look for so long and no longer, also when the clock is set back', async () => {
    const time = { now: 1_790_000_000_000 }
    const clock = { ...systemClock, now: () => time.now }
    const genesisHash = toHex(randomBytes(32))
    const { account } = signer
    const known = new KnownRecords({
      genesisHash,
      registry: () =>
        new Registry([{ id: 1, type: 'public', seats: [{ account, operator: account, ...seat, apiUri: '' }] }]),
      clock,
      onNews: async () => undefined,
    })
    let lookups = 0
    const resolver = new Resolver({
      libp2p: { getConnections: () => [], peerStore: { merge: async () => Promise.reject(new Error('not reached')) } },
      dht: {
        get: async function* () {
          lookups += 1
          yield* []
        },
      },
      directory: nobody,
      patienceMs: () => 0,
      known,
      dialRegistered: () => Promise.reject(new Error('nobody is there')),
      clock,
      logger: silentLogger,
    })
    const resolve = async () => {
      const before = lookups
      await resolver.resolve(account, signal).catch(() => undefined)
      return lookups - before
    }
    const content = {
      genesisHash,
      ...seat,
      multiaddrs: [multiaddr('/ip4/192.0.2.7/tcp/4001')],
      sequence: time.now,
      expiresAt: time.now + LIMITS.record.lifetimeMs,
    }
    await known.remember(await signRecord(content, signer, await generateKeyPair('Ed25519')))
    assert.equal(await resolve(), 0)
    time.now += LIMITS.resolve.freshMs
    assert.equal(await resolve(), 1)
    time.now -= 3_600_000
    assert.equal(await resolve(), 1)
  })

  it('dials by the chain whom the table does not have, once a minute, and leaves nobody waiting for what did not come', async () => {
    const time = { now: 1_790_000_000_000 }
    // Pauses are over at once.
    const clock = {
      now: () => time.now,
      after: (ms: number, callback: () => void) => {
        if (ms < LIMITS.resolve.attemptMs) setImmediate(callback)
        return () => undefined
      },
    }
    const known = new KnownRecords({
      genesisHash: toHex(randomBytes(32)),
      registry: () => new Registry([]),
      clock,
      onNews: async () => undefined,
    })
    let dials = 0
    const resolver = new Resolver({
      libp2p: { getConnections: () => [], peerStore: { merge: async () => Promise.reject(new Error('not reached')) } },
      dht: {
        get: async function* () {
          yield* []
        },
      },
      directory: nobody,
      patienceMs: () => 0,
      known,
      dialRegistered: async () => {
        dials += 1
        throw new Error('nobody is there')
      },
      clock,
      logger: silentLogger,
    })
    const { account } = signer
    const looked = async () => {
      await assert.rejects(resolver.resolve(account, signal), { code: 'mesh/enclave-not-found' })
      return [dials, known.news.listenerCount(account)]
    }
    assert.deepEqual(await looked(), [1, 0])
    assert.deepEqual(await looked(), [1, 0])
    time.now += LIMITS.resolve.dialAgainMs
    assert.deepEqual(await looked(), [2, 0])
    time.now -= 3_600_000
    assert.deepEqual(await looked(), [3, 0])
  })

  it('believes a record of which connected peers know no newer one, but only once', async () => {
    const time = { now: 1_790_000_000_000 }
    const clock = { ...systemClock, now: () => time.now }
    const genesisHash = toHex(randomBytes(32))
    const { account } = signer
    const seats = [{ account, operator: account, ...seat, apiUri: '' }]
    const known = new KnownRecords({
      genesisHash,
      registry: () => new Registry([{ id: 1, type: 'public', seats }]),
      clock,
      onNews: async () => undefined,
    })
    const key = await generateKeyPair('Ed25519')
    const recordFrom = (sequence: number) =>
      signRecord(
        {
          genesisHash,
          ...seat,
          multiaddrs: [multiaddr('/ip4/192.0.2.7/tcp/4001')],
          sequence,
          expiresAt: time.now + LIMITS.record.lifetimeMs,
        },
        signer,
        key,
      )
    const asked: string[] = []
    let newer: number | undefined
    const resolver = new Resolver({
      libp2p: { getConnections: () => [], peerStore: { merge: async () => ({}) as never } },
      dht: {
        get: async function* () {
          asked.push('dht')
          yield* []
        },
      },
      directory: {
        seek: async () => {
          asked.push('seek')
        },
        confirm: async () => {
          asked.push('confirm')
          if (newer !== undefined) await known.remember(await recordFrom(newer))
          return true
        },
      },
      patienceMs: () => 0,
      known,
      dialRegistered: () => Promise.reject(new Error('nobody is there')),
      clock,
      logger: silentLogger,
    })
    const resolve = async () => {
      asked.splice(0)
      await resolver.resolve(account, signal)
      return asked
    }
    await known.remember(await recordFrom(1))
    time.now += LIMITS.resolve.freshMs
    assert.deepEqual(await resolve(), ['confirm'])
    // It was not there, or nobody would look for it again.
    assert.deepEqual(await resolve(), ['dht'])
    // It was met since.
    await known.remember(known.current(account)?.record ?? assert.fail())
    time.now += LIMITS.resolve.freshMs
    newer = 2
    assert.deepEqual(await resolve(), ['confirm'])
    assert.equal(known.current(account)?.record.sequence, 2)
  })

  it('asks the DHT for whom connected peers do not know, when it has waited for them', async () => {
    const { account } = signer
    const asked: string[] = []
    const resolver = new Resolver({
      libp2p: { getConnections: () => [], peerStore: { merge: async () => ({}) as never } },
      dht: {
        get: async function* () {
          asked.push('dht')
          yield* []
        },
      },
      directory: {
        seek: async (_, { patienceMs }) => {
          asked.push(`seek for ${patienceMs} ms`)
        },
        confirm: async () => false,
      },
      patienceMs: () => 1_234,
      known: new KnownRecords({
        genesisHash: toHex(randomBytes(32)),
        registry: () => new Registry([]),
        clock: systemClock,
        onNews: async () => undefined,
      }),
      dialRegistered: () => Promise.reject(new Error('nobody is there')),
      clock: systemClock,
      logger: silentLogger,
    })
    await assert.rejects(resolver.resolve(account, signal), { code: 'mesh/enclave-not-found' })
    assert.deepEqual(asked.slice(0, 2), ['seek for 1234 ms', 'dht'])
  })
})

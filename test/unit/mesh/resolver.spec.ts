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
})

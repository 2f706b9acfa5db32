import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { type AccountSigner, accountSigner, DOMAIN, fromHex, taggedHash, toHex } from '../../../src/crypto/index.js'
import { type AccountId, Registry, systemClock } from '../../../src/domain/index.js'
import { KnownRecords } from '../../../src/mesh/known-records.js'
import { LIMITS } from '../../../src/mesh/limits.js'
import { type RecordContent, recordAddresses, recordKey, selectRecord, signRecord } from '../../../src/mesh/record.js'
import { EnclaveRecord, EnclaveRecordBody } from '../../../src/mesh/wire/record.js'

const genesisHash = toHex(randomBytes(32))
const now = 1_750_000_000_000
const seat = { cluster: 3, slot: 2 }

function registryOf(account: AccountId, { cluster, slot } = seat): Registry {
  return new Registry([
    { id: cluster, type: 'public', seats: [{ account, operator: account, cluster, slot, apiUri: '' }] },
  ])
}

describe('an enclave record', () => {
  const signer = accountSigner(randomBytes(32))
  const content: RecordContent = {
    genesisHash,
    ...seat,
    multiaddrs: [multiaddr('/ip4/10.0.0.7/tcp/4001'), multiaddr('/dns4/enclave.example/tcp/4001')],
    sequence: now,
    expiresAt: now + LIMITS.record.lifetimeMs,
  }
  let privateKey: Ed25519PrivateKey
  let registry: Registry
  let time: number
  let known: KnownRecords

  before(async () => {
    privateKey = await generateKeyPair('Ed25519')
  })
  beforeEach(() => {
    registry = registryOf(signer.account)
    time = now
    known = new KnownRecords({
      genesisHash,
      registry: () => registry,
      clock: { ...systemClock, now: () => time },
      onNews: async () => undefined,
    })
  })

  const sign = (changes: Partial<RecordContent> = {}, by: AccountSigner = signer, key = privateKey) =>
    signRecord({ ...content, ...changes }, by, key)
  const source = () => ({ key: recordKey(signer.account) })
  const refused = (bytes: Uint8Array, flaw: string, from: Parameters<KnownRecords['accept']>[1] = source()) =>
    assert.rejects(known.accept(bytes, from), { code: `mesh/record-${flaw}` })

  /** A record whose body is made by hand and signed by both keys. */
  async function forge(
    changes: Partial<EnclaveRecordBody>,
    envelope: Partial<EnclaveRecord> = {},
    suffix: number[] = [],
  ): Promise<Uint8Array> {
    const { bytes } = await sign()
    const fields = { ...EnclaveRecordBody.decode(EnclaveRecord.decode(bytes).body), ...changes }
    const body = Uint8Array.of(...EnclaveRecordBody.encode(fields), ...suffix)
    const digest = taggedHash(DOMAIN.enclaveRecord, body)
    return EnclaveRecord.encode({
      body,
      accountSignature: signer.sign(digest),
      peerSignature: await privateKey.sign(digest),
      ...envelope,
    })
  }

  it('comes out as it went in', async () => {
    const { bytes } = await sign()
    const record = await known.accept(bytes, source())
    assert.equal(record.account, signer.account)
    assert.ok(record.peerId.equals(peerIdFromPrivateKey(privateKey)))
    assert.deepEqual(record.multiaddrs.map(String), content.multiaddrs.map(String))
    assert.deepEqual(
      { cluster: record.cluster, slot: record.slot, sequence: record.sequence, expiresAt: record.expiresAt },
      { ...seat, sequence: now, expiresAt: content.expiresAt },
    )
    assert.equal(known.current(signer.account)?.record, record)
  })

  it('is at home under the hexadecimal digits of its account', () => {
    assert.equal(Buffer.from(recordKey(`0x${'ab'.repeat(32)}`)).toString(), `/ternoa-enclave/${'ab'.repeat(32)}`)
  })

  it('with everything at its limit fits the size limit', async () => {
    const name = 'a'.repeat(LIMITS.record.multiaddrBytes - 5)
    const widest = multiaddr(`/dns4/${name}/tcp/65535`)
    assert.equal(widest.bytes.length, LIMITS.record.multiaddrBytes)
    const multiaddrs = Array.from({ length: LIMITS.record.multiaddrs }, () => widest)
    const { bytes } = await sign({ multiaddrs, expiresAt: time + LIMITS.record.maximumLifetimeMs })
    await known.accept(bytes, source())
  })

  describe('is dropped when', () => {
    it('it is larger than the limit', async () => {
      await refused(new Uint8Array(LIMITS.record.bytes + 1), 'malformed')
    })
    it('it is no protobuf', () => refused(new Uint8Array(randomBytes(100).fill(0xff)), 'malformed'))
    it('it is empty', () => refused(new Uint8Array(0), 'malformed'))
    it('a field has the wrong size', async () => {
      await refused(await forge({ account: fromHex(signer.account).subarray(1) }), 'malformed')
      await refused(await forge({ genesisHash: new Uint8Array(33) }), 'malformed')
      await refused(await forge({ peerKey: new Uint8Array(33) }), 'malformed')
      await refused(await forge({}, { peerSignature: new Uint8Array(63) }), 'malformed')
      await refused(await forge({}, { accountSignature: new Uint8Array(0) }), 'malformed')
    })
    it('it is the same record, written in another way', async () => {
      const { bytes } = await sign()
      await refused(Uint8Array.of(...bytes, 0x20, 1), 'malformed')
      const { body, accountSignature, peerSignature } = EnclaveRecord.decode(bytes)
      const fields = [{ peerSignature }, { body }, { accountSignature }].map((field) => EnclaveRecord.encode(field))
      await refused(Uint8Array.of(...fields.flatMap((field) => [...field])), 'malformed')
    })
    it('its numbers are beyond 2^53', async () => {
      const varint = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]
      await refused(await forge({}, {}, [7 << 3, ...varint]), 'malformed')
      await refused(await forge({}, {}, [8 << 3, ...varint]), 'malformed')
    })
    it('it has no address, or too many', async () => {
      const [address] = content.multiaddrs
      assert.ok(address)
      await refused((await sign({ multiaddrs: [] })).bytes, 'malformed')
      await refused((await sign({ multiaddrs: Array.from({ length: 9 }, () => address) })).bytes, 'malformed')
    })
    it('an address is no multiaddr', async () => {
      await refused(await forge({ multiaddrs: [Uint8Array.of(0xff, 1, 2)] }), 'address')
    })
    for (const address of [
      '/ip4/10.0.0.7/udp/4001/quic-v1',
      '/ip4/10.0.0.7/tcp/4001/ws',
      '/ip4/10.0.0.7/tcp/0',
      '/ip4/0.0.0.0/tcp/4001',
      '/ip6/::/tcp/4001',
      '/ip4/10.0.0.7',
      `/dns4/${'a'.repeat(124)}/tcp/4001`,
      '/dnsaddr/enclave.example',
    ]) {
      it(`an address is ${address.slice(0, 40)}`, async () => {
        await refused((await sign({ multiaddrs: [multiaddr(address)] })).bytes, 'address')
      })
    }
    it('it is of another chain', async () => {
      await refused((await sign({ genesisHash: toHex(randomBytes(32)) })).bytes, 'wrong-chain')
    })
    it('it is stored under the key of another account', async () => {
      await refused((await sign()).bytes, 'wrong-key', { key: recordKey(`0x${'00'.repeat(32)}`) })
      await refused((await sign()).bytes, 'wrong-key', { key: new Uint8Array(0) })
    })
    it('a peer hands it over that it does not name', async () => {
      const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      await refused((await sign()).bytes, 'wrong-peer', { peer })
    })
    it('it has expired', async () => {
      await refused((await sign({ expiresAt: time })).bytes, 'expired')
    })
    it('it is valid for longer than a day', async () => {
      await refused((await sign({ expiresAt: time + LIMITS.record.maximumLifetimeMs + 1 })).bytes, 'lifetime')
    })
    it('its account has no seat', async () => {
      registry = new Registry([])
      await refused((await sign()).bytes, 'not-registered')
    })
    it('its account has another seat', async () => {
      await refused((await sign({ cluster: 4 })).bytes, 'wrong-seat')
      await refused((await sign({ slot: 4 })).bytes, 'wrong-seat')
    })
    it('another account signed it', async () => {
      const stranger = accountSigner(randomBytes(32))
      await refused(await forge({}, { accountSignature: stranger.sign(randomBytes(32)) }), 'account-signature')
      const { accountSignature } = EnclaveRecord.decode((await sign({ sequence: now + 1 })).bytes)
      await refused(await forge({}, { accountSignature }), 'account-signature')
    })
    it('it names the PeerId of another', async () => {
      const victim = await generateKeyPair('Ed25519')
      await refused(await forge({ peerKey: victim.publicKey.raw }), 'peer-signature')
      await refused(await forge({ peerKey: new Uint8Array(32).fill(0xff) }), 'peer-signature')
    })
    it('any byte of it is another', async () => {
      const { bytes } = await sign()
      for (const at of bytes.keys()) {
        const altered = bytes.slice()
        altered[at] = (altered[at] ?? 0) ^ 1
        await assert.rejects(
          known.accept(altered, source()),
          { name: 'SlotmeshError' },
          `byte ${at} of ${bytes.length}`,
        )
      }
    })
    it('a newer one is known, or another as new', async () => {
      const old = await sign()
      await known.accept((await sign({ sequence: now + 1 })).bytes, source())
      await refused(old.bytes, 'stale')
      await refused((await sign({ sequence: now + 1, slot: 2 })).bytes, 'stale')
    })
  })

  it('replaces an older one, and is news once', async () => {
    let news = 0
    known.news.on(signer.account, () => {
      news += 1
    })
    await known.accept((await sign()).bytes, source())
    const newer = await sign({ sequence: now + 1 })
    await known.accept(newer.bytes, source())
    await known.accept(newer.bytes.slice(), { peer: newer.peerId })
    assert.equal(known.current(signer.account)?.record.sequence, now + 1)
    assert.equal(news, 2)
  })

  it('is no longer current once it expires or the seat changes, though its sequence is remembered', async () => {
    const record = await sign()
    await known.accept(record.bytes, source())
    registry = registryOf(signer.account, { cluster: 3, slot: 1 })
    assert.equal(known.current(signer.account), undefined)
    registry = registryOf(signer.account)
    assert.ok(known.current(signer.account))
    time = record.expiresAt
    assert.equal(known.current(signer.account), undefined)
    await refused(record.bytes, 'expired')
    assert.equal(known.sequenceOf(signer.account), now)
  })

  it('is selected by the highest sequence', async () => {
    const records = await Promise.all([now, now + 2, now + 1].map((sequence) => sign({ sequence })))
    assert.equal(selectRecord(records.map(({ bytes }) => bytes)), 1)
  })

  it('lists the TCP addresses of a host, private ones only where that is wanted', () => {
    const own = [
      '/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWJKCv2tBWjdqDaA1hYdvBKDkNFLC8wW1N2yNLpoe91mLh',
      '/ip4/8.8.8.8/tcp/4001',
      '/ip4/8.8.8.8/udp/4001/quic-v1',
    ].map((address) => multiaddr(address))
    assert.deepEqual(recordAddresses(own, true).map(String), ['/ip4/127.0.0.1/tcp/4001', '/ip4/8.8.8.8/tcp/4001'])
    assert.deepEqual(recordAddresses(own, false).map(String), ['/ip4/8.8.8.8/tcp/4001'])
  })
})

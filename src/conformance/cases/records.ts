import { randomBytes } from 'node:crypto'
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, Stream } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import {
  type AccountSigner,
  DOMAIN,
  equalBytes,
  fromHex,
  taggedHash,
  toHex,
  utf8,
  verifySignature,
} from '../../crypto/index.js'
import { EnclaveRecordBody, recordKey, SignedEnclaveRecord } from '../../mesh/raw/index.js'
import type { CaseBench } from '../bench.js'
import { type CaseInit, type ConformanceCase, conformanceCase } from '../case.js'
import { Deviation, demand, NotJudged } from '../deviation.js'
import { demandEnded } from '../ended.js'
import { KadClient } from '../kad.js'
import { createHost } from '../members.js'
import { pause } from '../pause.js'
import type { Seated } from '../stage.js'
import { unsuitable } from './values.js'

const DROPPED = 'A receiver MUST drop a record unless all of this holds'
const HAND_OVER = '/ternoa/enclave-record/1'
const HOUR_MS = 3_600_000
const ADDRESS = multiaddr('/ip4/127.0.0.1/tcp/4001').bytes

/** What a record of the suite's says otherwise than it should. */
interface RecordLies {
  readonly body?: (seat: Seated) => Partial<EnclaveRecordBody>
  readonly encoded?: (body: Uint8Array) => Uint8Array
  readonly record?: (record: SignedEnclaveRecord) => Partial<SignedEnclaveRecord>
  readonly trailer?: Uint8Array
  readonly accountSigner?: AccountSigner
  readonly peerSigner?: Ed25519PrivateKey
  /** Whose record it is, by its signature; another seat's by default each time. */
  readonly signer?: (bench: CaseBench) => AccountSigner
}

function newPeerKey(): Promise<Ed25519PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', new Uint8Array(randomBytes(32)))
}

let sequence = Date.now()

/** A record in which nothing is wrong but for the lies. */
export async function signed(
  bench: CaseBench,
  seat: Seated,
  lies: RecordLies = {},
  ownKey?: Ed25519PrivateKey,
): Promise<Uint8Array> {
  const peerKey = ownKey ?? (await newPeerKey())
  const signer = lies.signer?.(bench) ?? seat.signer
  sequence += 1
  const right = EnclaveRecordBody.encode({
    genesisHash: fromHex(bench.stage.view.genesisHash),
    account: fromHex(signer.account),
    peerKey: peerKey.publicKey.raw,
    multiaddrs: [ADDRESS],
    cluster: seat.cluster,
    slot: seat.slot,
    sequence,
    expiresAt: Date.now() + HOUR_MS,
    ...lies.body?.(seat),
  })
  const body = lies.encoded?.(right) ?? right
  const digest = taggedHash(DOMAIN.enclaveRecord, body)
  const record = {
    body,
    accountSignature: (lies.accountSigner ?? signer).sign(digest),
    peerSignature: await (lies.peerSigner ?? peerKey).sign(digest),
  }
  const bytes = SignedEnclaveRecord.encode({ ...record, ...lies.record?.(record) })
  return new Uint8Array([...bytes, ...(lies.trailer ?? [])])
}

/** Somebody with a seat, of whom no record is known yet. */
export function nextSeat({ stage, bench }: CaseBench): Seated {
  const seats = stage.cast.origins.flatMap(({ enclaves }) =>
    enclaves.filter(({ slot }) => slot !== stage.cast.peer.slot),
  )
  const seat = seats[bench.takeNumber() % seats.length]
  if (seat === undefined) throw new Error('There are no seats.')
  return seat
}

export function dhtOf(bench: CaseBench): KadClient {
  const { members } = bench.bench
  return new KadClient(bench.stage.view.genesisHash, members.next(), members.peer, bench.signal)
}

/** A case of the specification of records. */
export function record(init: Omit<CaseInit, 'spec' | 'role'>): ConformanceCase {
  return conformanceCase({ ...init, spec: 'enclave-record', role: 'peer' })
}

function dropped(
  id: string,
  sent: string,
  lies: RecordLies,
  key?: (seat: Seated, bench: CaseBench) => Uint8Array,
): ConformanceCase {
  return record({
    id,
    clause: '4',
    quote: DROPPED,
    sent: `PUT_VALUE of a record ${sent}`,
    expected: 'that GET_VALUE does not give it afterwards',
    run: async (bench) => {
      const seat = nextSeat(bench)
      const dht = dhtOf(bench)
      const bytes = await signed(bench, seat, lies)
      const where = key?.(seat, bench) ?? recordKey((lies.signer?.(bench) ?? seat.signer).account)
      await dht.put(where, bytes)
      const found = await dht.get(where)
      demand(found === undefined || !equalBytes(found, bytes), 'it gives that record')
    },
  })
}

const longAddress = (bytes: number) => multiaddr(`/dns4/${'a'.repeat(60)}.${'b'.repeat(bytes - 68)}.c/tcp/4001`).bytes

const dhtCases: readonly ConformanceCase[] = [
  record({
    id: 'RECORD-01',
    clause: '6',
    quote: 'Both `PUT_VALUE` requests and values found are judged by it',
    sent: 'PUT_VALUE of a record in which nothing is wrong',
    expected: 'that GET_VALUE gives it afterwards',
    run: async (bench) => {
      const seat = nextSeat(bench)
      const dht = dhtOf(bench)
      const bytes = await signed(bench, seat)
      const key = recordKey(seat.signer.account)
      await dht.put(key, bytes)
      const found = await dht.get(key)
      demand(found !== undefined && equalBytes(found, bytes), 'it does not give that record')
    },
  }),
  dropped('RECORD-02', 'of more than 2048 bytes', {
    encoded: (body) => new Uint8Array([...body, 0x7a, 0x80, 0x10, ...unsuitable(2048)]),
  }),
  dropped('RECORD-03', 'with a field that nobody knows behind its own', { trailer: Uint8Array.of(0x70, 1) }),
  dropped('RECORD-04', 'for another chain', { body: () => ({ genesisHash: unsuitable(32) }) }),
  dropped('RECORD-05', 'with a genesis hash of 31 bytes', { body: () => ({ genesisHash: unsuitable(31) }) }),
  dropped('RECORD-06', 'with an account signature of 63 bytes', {
    record: ({ accountSignature }) => ({ accountSignature: accountSignature.subarray(1) }),
  }),
  dropped('RECORD-07', 'with a peer signature of 65 bytes', {
    record: ({ peerSignature }) => ({ peerSignature: new Uint8Array([...peerSignature, 0]) }),
  }),
  dropped('RECORD-08', 'without addresses', { body: () => ({ multiaddrs: [] }) }),
  dropped('RECORD-09', 'with nine addresses', { body: () => ({ multiaddrs: Array<Uint8Array>(9).fill(ADDRESS) }) }),
  dropped('RECORD-10', 'with an address of 129 bytes', { body: () => ({ multiaddrs: [longAddress(129)] }) }),
  dropped('RECORD-11', 'with the address 0.0.0.0', {
    body: () => ({ multiaddrs: [multiaddr('/ip4/0.0.0.0/tcp/4001').bytes] }),
  }),
  dropped('RECORD-12', 'with port 0', { body: () => ({ multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/0').bytes] }) }),
  dropped('RECORD-13', 'with an address of UDP', {
    body: () => ({ multiaddrs: [multiaddr('/ip4/127.0.0.1/udp/4001').bytes] }),
  }),
  dropped('RECORD-14', 'with an address that goes on behind its port', {
    body: () => ({ multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/4001/ws').bytes] }),
  }),
  dropped('RECORD-15', 'with an address that is no multiaddr', {
    body: () => ({ multiaddrs: [unsuitable(9).fill(0xff)] }),
  }),
  dropped('RECORD-16', 'that has expired', { body: () => ({ expiresAt: Date.now() - 1000 }) }),
  dropped('RECORD-17', 'that is valid for 25 hours', { body: () => ({ expiresAt: Date.now() + 25 * HOUR_MS }) }),
  dropped('RECORD-18', 'of an account without a seat', { signer: ({ stage }) => stage.cast.stranger }),
  dropped('RECORD-19', 'that names another cluster', { body: ({ cluster }) => ({ cluster: cluster + 1 }) }),
  dropped('RECORD-20', 'that names another slot', { body: ({ slot }) => ({ slot: slot + 1 }) }),
  dropped('RECORD-21', 'under the key of another account', {}, (_, bench) =>
    recordKey(bench.stage.cast.hidden.signer.account),
  ),
  {
    ...dropped('RECORD-22', 'that another account has signed', {}),
    run: async (bench) => {
      const seat = nextSeat(bench)
      const bytes = await signed(bench, seat, { accountSigner: bench.stage.cast.stranger })
      await demandDropped(bench, seat, bytes)
    },
  },
  {
    ...dropped('RECORD-23', 'that another PeerId has signed', {}),
    run: async (bench) => {
      const seat = nextSeat(bench)
      const bytes = await signed(bench, seat, { peerSigner: await newPeerKey() })
      await demandDropped(bench, seat, bytes)
    },
  },
  record({
    id: 'RECORD-24',
    clause: '4',
    quote: DROPPED,
    sent: 'PUT_VALUE of a record, and of an older one of the same account',
    expected: 'that GET_VALUE gives the newer one',
    run: async (bench) => {
      const seat = nextSeat(bench)
      const [older, newer] = [await signed(bench, seat), await signed(bench, seat)]
      const dht = dhtOf(bench)
      const key = recordKey(seat.signer.account)
      await dht.put(key, newer)
      await dht.put(key, older)
      const found = await dht.get(key)
      demand(found !== undefined && equalBytes(found, newer), 'it does not give the newer record')
    },
  }),
  record({
    id: 'RECORD-25',
    clause: '3',
    quote: '`sequence` orders the records of one account: the higher replaces the lower',
    sent: 'PUT_VALUE of a record, and of a newer one of the same account',
    expected: 'that GET_VALUE gives the newer one',
    run: async (bench) => {
      const seat = nextSeat(bench)
      const [older, newer] = [await signed(bench, seat), await signed(bench, seat)]
      const dht = dhtOf(bench)
      const key = recordKey(seat.signer.account)
      await dht.put(key, older)
      await dht.put(key, newer)
      const found = await dht.get(key)
      demand(found !== undefined && equalBytes(found, newer), 'it does not give the newer record')
    },
  }),
  record({
    id: 'RECORD-26',
    clause: '4',
    quote: 'Rules 6 and 7 MUST be checked again whenever a record is used or served',
    sent: 'PUT_VALUE of a record that expires within two seconds, and GET_VALUE after that',
    expected: 'that GET_VALUE does not give it any more',
    run: async (bench) => {
      const seat = nextSeat(bench)
      const expiresAt = Date.now() + 2_000
      const bytes = await signed(bench, seat, { body: () => ({ expiresAt }) })
      const dht = dhtOf(bench)
      const key = recordKey(seat.signer.account)
      await dht.put(key, bytes)
      const before = await dht.get(key)
      if (before === undefined || !equalBytes(before, bytes)) throw new NotJudged('it did not take the record')
      await pause(expiresAt + 200 - Date.now(), bench.signal)
      const after = await dht.get(key)
      demand(after === undefined || !equalBytes(after, bytes), 'it gives a record that has expired')
    },
  }),
  ...(
    [
      ['RECORD-27', '/pk/', 'of the public keys that libp2p knows'],
      ['RECORD-28', '/conformance/', 'that nobody knows'],
    ] as const
  ).map(([id, namespace, what]) =>
    record({
      id,
      clause: '6',
      quote: 'Other namespaces MUST be refused',
      sent: `PUT_VALUE of a value in a namespace ${what}`,
      expected: 'that GET_VALUE does not give it afterwards',
      run: async (bench) => {
        const { publicKey } = await newPeerKey()
        const key = new Uint8Array([...utf8(namespace), ...peerIdFromPublicKey(publicKey).toMultihash().bytes])
        const dht = dhtOf(bench)
        const value = new Uint8Array([8, 1, 18, 32, ...publicKey.raw])
        await dht.put(key, value)
        const found = await dht.get(key).catch((thrown: unknown) => {
          // One that resets the stream does not give it either.
          if (thrown instanceof Deviation) return undefined
          throw thrown
        })
        demand(found === undefined || !equalBytes(found, value), 'it gives that value')
      },
    }),
  ),
]

async function demandDropped(bench: CaseBench, seat: Seated, bytes: Uint8Array): Promise<void> {
  const dht = dhtOf(bench)
  const key = recordKey(seat.signer.account)
  await dht.put(key, bytes)
  const found = await dht.get(key)
  demand(found === undefined || !equalBytes(found, bytes), 'it gives that record')
}

/** Has a new host connect to the peer, and answer it by hand when it asks for a record. */
async function handedOver<T>(
  bench: CaseBench,
  answer: (stream: Stream, key: Ed25519PrivateKey) => Promise<T>,
): Promise<T> {
  const { members } = bench.bench
  const seed = new Uint8Array(randomBytes(32))
  const host = await createHost(bench.stage, bench.stage.cast.stranger, seed.slice())
  const key = await generateKeyPairFromSeed('Ed25519', seed)
  try {
    await host.start()
    await host.libp2p.unhandle(HAND_OVER)
    const asked = new Promise<T>((resolve, reject) => {
      const giveUp = () => reject(new NotJudged('the peer did not ask for the record of a host that connected'))
      bench.signal.addEventListener('abort', giveUp, { once: true })
      host.libp2p
        .handle(HAND_OVER, (stream) => {
          answer(stream, key).then(resolve, reject)
        })
        .catch(reject)
    })
    await host.libp2p.dial([...members.peer.addresses], { signal: bench.signal })
    return await asked
  } finally {
    await host.stop()
  }
}

const handOverCases: readonly ConformanceCase[] = [
  record({
    id: 'HANDOVER-01',
    clause: '5',
    quote: 'A peer MUST NOT hand over the record of another',
    sent: `a stream of ${HAND_OVER}`,
    expected: 'one record, of its account and PeerId, that every rule allows, and the end of its side',
    run: async (bench) => {
      const { mesh } = bench.bench.members.next()
      const { peer } = bench.bench.members
      const stream = await mesh.libp2p.dialProtocol(peer.id, HAND_OVER, { signal: bench.signal })
      const bytes = (await lpStream(stream, { maxDataLength: 2048 }).read({ signal: bench.signal })).subarray()
      stream.abort(new Error('the case is over'))
      const envelope = SignedEnclaveRecord.decode(bytes)
      const body = EnclaveRecordBody.decode(envelope.body)
      const { signer, cluster, slot } = bench.stage.cast.peer
      demand(toHex(body.account) === signer.account, 'its record is of another account')
      demand(peerIdFromPublicKey(publicKeyFromRaw(body.peerKey)).equals(peer.id), 'its record is of another PeerId')
      demand(toHex(body.genesisHash) === bench.stage.view.genesisHash, 'its record is for another chain')
      demand(body.cluster === cluster && body.slot === slot, 'its record names another seat')
      demand(
        body.expiresAt > Date.now() && body.expiresAt <= Date.now() + 24 * HOUR_MS,
        'its record is not valid now, or for too long',
      )
      demand(
        body.multiaddrs.length >= 1 && body.multiaddrs.length <= 8,
        `its record has ${body.multiaddrs.length} addresses`,
      )
      demand(equalBytes(SignedEnclaveRecord.encode(envelope), bytes), 'its record is not canonical')
      const digest = taggedHash(DOMAIN.enclaveRecord, envelope.body)
      demand(verifySignature(signer.account, digest, envelope.accountSignature), 'its account has not signed it')
      const isByPeer = await publicKeyFromRaw(body.peerKey).verify(digest, envelope.peerSignature)
      demand(isByPeer, 'its PeerId has not signed it')
    },
  }),
  record({
    id: 'HANDOVER-02',
    clause: '5',
    quote:
      'A reader MUST refuse a length above 2048, and a length prefix of more than two bytes, before it allocates or waits for more',
    sent: 'to the peer that asks for a record: the length 2049, and none of the bytes',
    expected: 'the end of the stream within 5 s',
    run: (bench) =>
      handedOver(bench, async (stream) => {
        stream.send(Uint8Array.of(0x81, 0x10))
        await demandEnded(stream, 5_000, bench)
      }),
  }),
  record({
    id: 'HANDOVER-03',
    clause: '5',
    quote:
      'A reader MUST refuse a length above 2048, and a length prefix of more than two bytes, before it allocates or waits for more',
    sent: 'to the peer that asks for a record: a length of three bytes',
    expected: 'the end of the stream within 5 s',
    run: (bench) =>
      handedOver(bench, async (stream) => {
        stream.send(Uint8Array.of(0x80, 0x80, 0x01))
        await demandEnded(stream, 5_000, bench)
      }),
  }),
  record({
    id: 'HANDOVER-04',
    clause: '5',
    quote: 'Either side MUST give up within 10 seconds',
    slow: true,
    sent: 'to the peer that asks for a record: nothing',
    expected: 'the end of the stream within 11 s',
    run: (bench) => handedOver(bench, (stream) => demandEnded(stream, 11_000, bench)),
  }),
  record({
    id: 'HANDOVER-05',
    clause: '4',
    quote: DROPPED,
    sent: 'to the peer that asks for a record: a good one, of another PeerId',
    expected: 'that GET_VALUE does not give it afterwards',
    run: async (bench) => {
      const seat = nextSeat(bench)
      const bytes = await signed(bench, seat)
      await handedOver(bench, async (stream) => {
        await lpStream(stream).write(bytes, { signal: bench.signal })
        await stream.close({ signal: bench.signal })
      })
      const found = await dhtOf(bench).get(recordKey(seat.signer.account))
      demand(found === undefined || !equalBytes(found, bytes), 'it gives that record')
    },
  }),
]

/** Enclave records, as far as they are seen from outside. */
export const recordCases: readonly ConformanceCase[] = [...dhtCases, ...handOverCases]

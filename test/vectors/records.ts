import { createPrivateKey, createPublicKey, sign as signEd25519 } from 'node:crypto'
import { base58 } from '@scure/base'
import { type Actor, actor, altered, ascii, concat, H, hex, made } from './tools.js'
import { bytes, nested, uint, varint } from './wire.js'
import { genesisHash } from './world.js'

const NOW = 1_790_000_000_000
const HOUR = 3_600_000
const SEAT = { cluster: 3, slot: 2 }

// ---- Multiaddrs -----------------------------------------------------------------------------------------------------

const ip4 = (...numbers: readonly number[]) => Uint8Array.of(0x04, ...numbers)
const ip6 = (digits: string) => concat(Uint8Array.of(0x29), new Uint8Array(Buffer.from(digits, 'hex')))
const named = (code: number) => (name: string) => concat(varint(code), varint(name.length), ascii(name))
const [dns, dns4, dns6, dnsaddr] = [0x35, 0x36, 0x37, 0x38].map(named) as [Named, Named, Named, Named]
const port = (code: number) => (number: number) => concat(varint(code), Uint8Array.of(number >> 8, number & 255))
const [tcp, udp] = [port(0x06), port(0x0111)]
const [quic, ws] = [varint(0x01cd), varint(0x01dd)]
const p2p = (peer: Uint8Array) => concat(varint(0x01a5), varint(peer.length), peer)

type Named = (name: string) => Uint8Array

const HOST = ip4(192, 0, 2, 7)
const ADDRESS = concat(HOST, tcp(4001))

// ---- Peers ----------------------------------------------------------------------------------------------------------

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A libp2p key pair. */
class PeerKey {
  readonly seed: Uint8Array
  readonly publicKey: Uint8Array
  readonly id: string
  readonly #privateKey

  constructor(name: string) {
    this.seed = made(`peer key ${name}`)
    this.#privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, this.seed]), format: 'der', type: 'pkcs8' })
    this.publicKey = new Uint8Array(
      createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' }).subarray(-32),
    )
    this.id = base58.encode(concat(Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20), this.publicKey))
  }

  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(signEd25519(null, message, this.#privateKey))
  }
}

// ---- Records --------------------------------------------------------------------------------------------------------

interface Body {
  readonly genesisHash: Uint8Array
  readonly account: Uint8Array
  readonly peerKey: Uint8Array
  readonly multiaddrs: readonly Uint8Array[]
  readonly cluster: number
  readonly slot: number
  readonly sequence: number
  readonly expiresAt: number
}

function encodeBody(body: Body): Uint8Array {
  return concat(
    bytes(1, body.genesisHash),
    bytes(2, body.account),
    bytes(3, body.peerKey),
    ...body.multiaddrs.map((address) => nested(4, address)),
    uint(5, body.cluster),
    uint(6, body.slot),
    uint(7, body.sequence),
    uint(8, body.expiresAt),
  )
}

function encodeRecord(body: Uint8Array, accountSignature: Uint8Array, peerSignature: Uint8Array): Uint8Array {
  return concat(bytes(1, body), bytes(2, accountSignature), bytes(3, peerSignature))
}

function digest(body: Uint8Array): Uint8Array {
  return H('ternoa/enclave-record/1', body)
}

/** The flaws as the errors of this project's code name them. */
type Flaw =
  | 'malformed'
  | 'wrong-chain'
  | 'address'
  | 'wrong-key'
  | 'wrong-peer'
  | 'expired'
  | 'lifetime'
  | 'not-registered'
  | 'wrong-seat'
  | 'stale'
  | 'peer-signature'
  | 'account-signature'

/** What a receiver knows besides, where it differs from the file's. */
interface World {
  readonly now?: number
  readonly seat?: typeof SEAT | null
  readonly dhtKey?: string
  readonly handedOverBy?: string
  /** Records that it has taken before. */
  readonly known?: readonly Uint8Array[]
}

/** Enclave records, and whether a receiver takes them. */
export function recordVectors() {
  const [account, other] = [actor('enclave with a record'), actor('another enclave')]
  const [peer, otherPeer] = [new PeerKey('of the enclave'), new PeerKey('of another')]
  const fields: Body = {
    genesisHash,
    account: account.account,
    peerKey: peer.publicKey,
    multiaddrs: [ADDRESS, concat(dns4('enclave.example'), tcp(4001))],
    ...SEAT,
    sequence: NOW,
    expiresAt: NOW + 2 * HOUR,
  }
  const signed = (body: Uint8Array, by: Actor = account, peerBy = peer) =>
    encodeRecord(body, by.sign(digest(body)), peerBy.sign(digest(body)))
  const record = (changes: Partial<Body> = {}) => signed(encodeBody({ ...fields, ...changes }))
  const dhtKey = (of: Actor) => `/ternoa-enclave/${hex(of.account).slice(2)}`
  const judged = (rule: number, name: string, flaw: Flaw | null, encoded: Uint8Array, world: World = {}) => ({
    name,
    rule,
    ...world,
    record: encoded,
    flaw,
  })
  const address = (name: string, ...multiaddrs: readonly Uint8Array[]) =>
    judged(4, name, 'address', record({ multiaddrs }))
  const good = (rule: number, name: string, changes: Partial<Body> = {}, world: World = {}) =>
    judged(rule, name, null, record(changes), world)

  const right = record()
  const body = encodeBody(fields)
  const [accountSignature, peerSignature] = [account.sign(digest(body)), peer.sign(digest(body))]
  const longest = concat(dns4('a'.repeat(123)), tcp(65_535))
  const beyond = concat(new Uint8Array(7).fill(0x80), Uint8Array.of(0x10))
  const newer = record({ sequence: NOW + 1 })
  return {
    about:
      'Clause 4: records as they are judged by a receiver whose registry has only this account, at this seat (null: at none), whose clock shows `now` (Unix ms), which found them in the DHT under `dhtKey` and knows no other; a case that has some of these of its own has them in place of these, or was `handedOverBy` a peer, or knows the records `known`. `flaw` is null for a valid record; else why it is dropped, and `rule` the number of the rule that it breaks (of a valid one, that it is about).',
    genesisHash,
    account: account.account,
    accountSeed: account.seed,
    peerSeed: peer.seed,
    peerId: peer.id,
    seat: SEAT,
    now: NOW,
    dhtKey: dhtKey(account),
    dhtProtocol: `/ternoa/${hex(genesisHash).slice(2, 10)}/kad/1.0.0`,
    valid: {
      body,
      digest: digest(body),
      multiaddrs: ['/ip4/192.0.2.7/tcp/4001', '/dns4/enclave.example/tcp/4001'],
      sequence: fields.sequence,
      expiresAt: fields.expiresAt,
    },
    records: [
      judged(1, 'valid', null, right),
      good(4, 'valid, with one IPv6 address', { multiaddrs: [concat(ip6(`20010db8${'0'.repeat(23)}7`), tcp(4001))] }),
      good(4, 'valid, with hosts of each kind', {
        multiaddrs: [
          concat(dns('enclave.example'), tcp(1)),
          concat(dns6('enclave.example'), tcp(65_535)),
          concat(ip4(10, 0, 0, 7), tcp(4001)),
        ],
      }),
      good(4, 'valid, with eight addresses of 128 bytes', { multiaddrs: Array.from({ length: 8 }, () => longest) }),
      good(2, 'valid, of the highest sequence there can be', { sequence: Number.MAX_SAFE_INTEGER }),
      good(2, 'valid, of sequence 1, by a clock at 0', { sequence: 1, expiresAt: HOUR }, { now: 0 }),
      good(8, 'valid, the first there can be', { sequence: 0 }),
      good(6, 'valid for a day', { expiresAt: NOW + 24 * HOUR }),
      good(6, 'valid for one more millisecond', { expiresAt: NOW + 1 }),
      good(7, 'valid, at cluster 0 and slot 0', { cluster: 0, slot: 0 }, { seat: { cluster: 0, slot: 0 } }),
      good(5, 'valid, handed over by its peer', {}, { handedOverBy: peer.id }),
      good(8, 'valid, newer than the one known', { sequence: NOW + 2 }, { known: [right, newer] }),
      judged(8, 'valid, and known', null, right, { known: [right] }),

      judged(1, 'nothing', 'malformed', new Uint8Array()),
      judged(1, 'no protocol buffers', 'malformed', ascii('{"multiaddrs":["/ip4/192.0.2.7/tcp/4001"]}')),
      judged(1, 'an unknown field behind', 'malformed', concat(right, uint(4, 1))),
      judged(1, 'cut by one byte', 'malformed', right.subarray(0, -1)),
      judged(
        1,
        'its fields in another order',
        'malformed',
        concat(bytes(3, peerSignature), bytes(1, body), bytes(2, accountSignature)),
      ),
      judged(1, 'its body twice', 'malformed', concat(bytes(1, body), right)),
      judged(
        1,
        'a length longer than need be',
        'malformed',
        concat(bytes(1, body), Uint8Array.of(0x12, 0xc0, 0x00), accountSignature, bytes(3, peerSignature)),
      ),
      judged(1, 'larger than 2048 bytes', 'malformed', signed(concat(body, nested(90, new Uint8Array(2_000))))),
      judged(2, 'a genesis hash of 31 bytes', 'malformed', record({ genesisHash: genesisHash.subarray(1) })),
      judged(2, 'an account of 33 bytes', 'malformed', record({ account: concat(account.account, Uint8Array.of(0)) })),
      judged(2, 'a peer key of 36 bytes', 'malformed', record({ peerKey: concat(ascii('key:'), peer.publicKey) })),
      judged(2, 'no peer key', 'malformed', record({ peerKey: new Uint8Array() })),
      judged(
        2,
        'an account signature of 63 bytes',
        'malformed',
        encodeRecord(body, accountSignature.subarray(1), peerSignature),
      ),
      judged(2, 'no account signature', 'malformed', encodeRecord(body, new Uint8Array(), peerSignature)),
      judged(2, 'no peer signature', 'malformed', encodeRecord(body, accountSignature, new Uint8Array())),
      judged(
        2,
        'a sequence of 2^53',
        'malformed',
        signed(concat(encodeBody({ ...fields, sequence: 0 }), varint(7 * 8), beyond)),
      ),
      judged(
        2,
        'an expiry of 2^53',
        'malformed',
        signed(concat(encodeBody({ ...fields, expiresAt: 0 }), varint(8 * 8), beyond)),
      ),
      judged(4, 'no addresses', 'malformed', record({ multiaddrs: [] })),
      judged(4, 'nine addresses', 'malformed', record({ multiaddrs: Array.from({ length: 9 }, () => ADDRESS) })),
      judged(3, 'of another chain', 'wrong-chain', record({ genesisHash: made('another genesis') })),
      address('an address without TCP', concat(HOST, udp(4001), quic)),
      address('an address without a port', HOST),
      address('a port without a host', tcp(4001)),
      address('port 0', concat(HOST, tcp(0))),
      address('0.0.0.0', concat(ip4(0, 0, 0, 0), tcp(4001))),
      address('::', concat(ip6('0'.repeat(32)), tcp(4001))),
      address('an address with more behind the port', concat(ADDRESS, ws)),
      address(
        'an address with its peer',
        concat(ADDRESS, p2p(concat(Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20), peer.publicKey))),
      ),
      address('a /dnsaddr', concat(dnsaddr('enclave.example'), tcp(4001))),
      address('an address of 129 bytes', concat(dns4('a'.repeat(124)), tcp(4001))),
      address('an address that is none', Uint8Array.of(0xff, 0x01, 0x02)),
      address('an empty address', new Uint8Array()),
      address('an address that is none behind one', ADDRESS, Uint8Array.of(0xff, 0x01, 0x02)),
      judged(
        5,
        'of another account, under the key of the first',
        'wrong-key',
        signed(encodeBody({ ...fields, account: other.account }), other),
      ),
      judged(5, 'under the key of another account', 'wrong-key', right, { dhtKey: dhtKey(other) }),
      judged(5, 'under its key in capital letters', 'wrong-key', right, { dhtKey: dhtKey(account).toUpperCase() }),
      judged(5, 'under its account alone', 'wrong-key', right, { dhtKey: dhtKey(account).split('/').at(-1) }),
      judged(5, 'handed over by another peer', 'wrong-peer', right, { handedOverBy: otherPeer.id }),
      judged(6, 'expired', 'expired', record({ sequence: NOW - HOUR, expiresAt: NOW - 1 })),
      judged(6, 'expired just now', 'expired', record({ expiresAt: NOW })),
      judged(6, 'without an expiry', 'expired', record({ expiresAt: 0 })),
      judged(6, 'valid for a day and a millisecond', 'lifetime', record({ expiresAt: NOW + 24 * HOUR + 1 })),
      judged(7, 'without a seat', 'not-registered', right, { seat: null }),
      judged(7, 'of another slot', 'wrong-seat', record({ slot: 1 })),
      judged(7, 'of another cluster', 'wrong-seat', record({ cluster: 4 })),
      judged(7, 'without cluster and slot', 'wrong-seat', record({ cluster: 0, slot: 0 })),
      judged(8, 'older than the one known', 'stale', right, { known: [newer] }),
      judged(8, 'another of the same sequence', 'stale', record({ multiaddrs: [ADDRESS] }), { known: [right] }),
      judged(9, 'peer signature by another key', 'peer-signature', signed(body, account, otherPeer)),
      judged(9, 'the PeerId of another', 'peer-signature', record({ peerKey: otherPeer.publicKey })),
      judged(
        9,
        'peer signature of the body itself, not of its hash',
        'peer-signature',
        encodeRecord(body, accountSignature, peer.sign(body)),
      ),
      judged(
        9,
        'peer signature with one bit altered',
        'peer-signature',
        encodeRecord(body, accountSignature, altered(peerSignature, 5)),
      ),
      judged(10, 'account signature by another account', 'account-signature', signed(body, other)),
      judged(
        10,
        'account signature of the body itself, not of its hash',
        'account-signature',
        encodeRecord(body, account.sign(body), peerSignature),
      ),
      judged(
        10,
        'account signature of another record',
        'account-signature',
        encodeRecord(body, account.sign(digest(encodeBody({ ...fields, sequence: NOW - 1 }))), peerSignature),
      ),
      judged(
        10,
        'account signature wrapped as wallets do',
        'account-signature',
        encodeRecord(body, account.sign(concat(ascii('<Bytes>'), digest(body), ascii('</Bytes>'))), peerSignature),
      ),
      judged(
        10,
        'account signature by the peer key',
        'account-signature',
        encodeRecord(body, peer.sign(digest(body)), peerSignature),
      ),
    ],
    selections: [
      {
        name: 'the highest sequence, in the middle',
        records: [right, record({ sequence: NOW + 2 }), newer],
        selected: 1,
      },
      { name: 'the highest sequence, first', records: [newer, right], selected: 0 },
      { name: 'one', records: [right], selected: 0 },
    ],
  }
}

import { createHash, createHmac, randomBytes } from 'node:crypto'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Stream } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { pEvent } from 'p-event'
import { type AccountSigner, accountSigner, equalBytes, toHex, utf8 } from '../../../src/crypto/index.js'
import {
  type BlockHash,
  type BlockNumber,
  type BlockRef,
  type ClusterType,
  type Hex,
  Registry,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
} from '../../../src/domain/index.js'
import {
  CompactRange,
  type LogHead,
  leafHash,
  proveRange,
  type ShareRun,
  signHead,
  type VerifiedRun,
  type VouchedShare,
} from '../../../src/provenance/index.js'
import type { Attestation, ChainView, Party } from '../../../src/share/party.js'
import type { Knowledge, ShareSource } from '../../../src/share/source.js'
import type { WantedShare } from '../../../src/share/wants.js'

export const GENESIS: BlockHash = hashOf('genesis')
export const SLOT = 3

function hashOf(text: string): Hex {
  return toHex(new Uint8Array(createHash('sha256').update(text).digest()))
}

/** A chain as one enclave sees it: the test moves its finalised block and its registry. */
export class FakeChain implements ChainView {
  readonly genesisHash: BlockHash
  number: BlockNumber
  finalisedAge = 0
  readonly calls = { blockHash: 0, registryAt: 0 }
  readonly #registries: { readonly from: BlockNumber; readonly registry: Registry }[]

  constructor(registry: Registry, init: { number?: BlockNumber; genesisHash?: BlockHash } = {}) {
    this.genesisHash = init.genesisHash ?? GENESIS
    this.number = init.number ?? 100
    this.#registries = [{ from: 0, registry }]
  }

  /** The registry from this block on. */
  change(registry: Registry, from: BlockNumber = this.number): void {
    this.#registries.push({ from, registry })
  }

  finalised(): BlockRef {
    return { number: this.number, hash: this.hashAt(this.number) }
  }

  finalisedAgeMs(): number {
    return this.finalisedAge
  }

  hashAt(number: BlockNumber): BlockHash {
    return hashOf(`${this.genesisHash}/${number}`)
  }

  async blockHash(number: BlockNumber): Promise<BlockHash> {
    this.calls.blockHash += 1
    return this.hashAt(number)
  }

  registry(): Registry {
    return this.#at(this.number)
  }

  async registryAt(block: BlockRef): Promise<Registry> {
    this.calls.registryAt += 1
    return this.#at(block.number)
  }

  #at(number: BlockNumber): Registry {
    const found = this.#registries.findLast(({ from }) => from <= number)
    return found?.registry ?? new Registry([])
  }
}

/** What a fake quote says of the enclave that made it; each flavour but the first fails in its own way. */
export type Flavour = 'genuine' | 'low-tcb' | 'other-measurement' | 'debug' | 'unknown-platform' | 'broken-verifier'

const FLAVOURS: readonly Flavour[] = [
  'genuine',
  'low-tcb',
  'other-measurement',
  'debug',
  'unknown-platform',
  'broken-verifier',
]

const FAILURES: Partial<Record<Flavour, string>> = {
  'low-tcb': 'attestation/tcb-below-policy',
  'other-measurement': 'attestation/measurement-not-allowed',
  debug: 'attestation/debug-enclave',
  'unknown-platform': 'attestation/collateral-unavailable',
}

/** Quotes are flavour, report data and a MAC under a key that stands for the manufacturer's root. */
export class FakeAttestation implements Attestation {
  flavour: Flavour
  readonly calls = { quote: 0, verify: 0 }

  constructor(flavour: Flavour = 'genuine') {
    this.flavour = flavour
  }

  async quote(reportData: Uint8Array): Promise<Uint8Array> {
    this.calls.quote += 1
    return fakeQuote(reportData, this.flavour)
  }

  async verify(quote: Uint8Array): Promise<{ reportData: Uint8Array }> {
    this.calls.verify += 1
    if (quote.length !== 97 || !equalBytes(quote.subarray(65), mac(quote.subarray(0, 65)))) {
      throw new SlotmeshError('attestation/quote-invalid', 'The quote is not genuine.')
    }
    const flavour = FLAVOURS[quote[0] ?? -1] ?? 'genuine'
    if (flavour === 'broken-verifier') throw new TypeError('the verifier itself fails')
    const code = FAILURES[flavour]
    if (code !== undefined) throw new SlotmeshError(code, `The quote is ${flavour}.`)
    return { reportData: quote.slice(1, 65) }
  }
}

export function fakeQuote(reportData: Uint8Array, flavour: Flavour = 'genuine'): Uint8Array {
  const body = Uint8Array.of(FLAVOURS.indexOf(flavour), ...reportData)
  return Uint8Array.of(...body, ...mac(body))
}

function mac(body: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', 'root').update(body).digest())
}

/** An enclave with its own view of the chain. */
export interface TestParty extends Party {
  readonly chain: FakeChain
  readonly attestation: FakeAttestation
}

/** Account, PeerId multihash and quotes of the enclave called `name`; the same name is the same enclave. */
export function party(name: string, chain: FakeChain): TestParty {
  return { signer: account(name), peer: peerOf(name), chain, attestation: new FakeAttestation() }
}

export function account(name: string): AccountSigner {
  const known = accounts.get(name) ?? accountSigner(new Uint8Array(createHash('sha256').update(name).digest()))
  accounts.set(name, known)
  return known
}

const accounts = new Map<string, AccountSigner>()

export function peerOf(name: string): Uint8Array {
  return Uint8Array.of(0x12, 0x20, ...createHash('sha256').update(`peer of ${name}`).digest())
}

export interface SeatInit {
  readonly name: string
  readonly cluster: number
  readonly slot?: number
}

/** A registry of the named enclaves; clusters are public unless told otherwise. */
export function registryOf(seats: readonly SeatInit[], types: Record<number, ClusterType> = {}): Registry {
  const ids = [...new Set(seats.map(({ cluster }) => cluster))]
  return new Registry(
    ids.map((id) => ({
      id,
      type: types[id] ?? 'public',
      seats: seats
        .filter(({ cluster }) => cluster === id)
        .map(({ name, slot }) => ({
          account: account(name).account,
          operator: hashOf(`operator of ${name}`),
          cluster: id,
          slot: slot ?? SLOT,
          apiUri: '',
        })),
    })),
  )
}

/** The log of one origin enclave, and all that is in it. */
export class OriginLog {
  readonly #signer: AccountSigner
  readonly #seat: { readonly cluster: number; readonly slot: number }
  readonly #incarnation = toHex(new Uint8Array(randomBytes(16)))
  readonly #range = new CompactRange()
  readonly #nodes = new Map<string, Uint8Array>()
  readonly shares: VouchedShare[] = []

  constructor(signer: AccountSigner, seat: { cluster: number; slot?: number }) {
    this.#signer = signer
    this.#seat = { cluster: seat.cluster, slot: seat.slot ?? SLOT }
  }

  append(key: ShareKey, version: BlockNumber, payload: Uint8Array = payloadOf(key)): this {
    const payloadHash = new Uint8Array(createHash('sha256').update(payload).digest())
    const leaf = { ...key, version, payloadHash }
    this.shares.push({ leaf, payload })
    for (const node of this.#range.append(0, leafHash(leaf))) {
      this.#nodes.set(`${node.level}/${node.index}`, node.hash)
    }
    return this
  }

  head(change: Partial<LogHead> = {}): LogHead {
    const size = this.shares.length
    const head = { incarnation: this.#incarnation, ...this.#seat, size, root: this.#range.root(), ...change }
    return { ...signHead(this.#signer, GENESIS, head), ...change }
  }

  /** Shares [first, first + count) with fresh copies of their payloads, as the provider zeroes what it has sent. */
  async run(first = 0, count = this.shares.length - first, head = this.head()): Promise<ShareRun> {
    const proof = await proveRange(async ({ level, index }) => this.#nodes.get(`${level}/${index}`), {
      first,
      count,
      size: this.shares.length,
    })
    if (proof === undefined) throw new Error('the test log has no such range')
    const shares = this.shares
      .slice(first, first + count)
      .map(({ leaf, payload }) => ({ leaf, payload: payload.slice() }))
    return { head, first, shares, proof }
  }
}

/** A payload that tells its share; of the given length when one is given. */
export function payloadOf(key: ShareKey, length?: number): Uint8Array {
  const text = utf8(`share of ${shareKeyText(key)}, kept safe`)
  if (length === undefined) return text
  const payload = new Uint8Array(length)
  payload.set(text.subarray(0, length))
  return payload
}

export function secret(nftId: number): ShareKey {
  return { kind: 'secret', nftId }
}

export function capsule(nftId: number): ShareKey {
  return { kind: 'capsule', nftId }
}

export function want(key: ShareKey, minimumVersion = 0): WantedShare {
  return { key, minimumVersion }
}

/** Holds the shares of some logs in memory. */
export class MemoryShares implements ShareSource {
  readonly #logs: readonly OriginLog[]
  readonly known: Knowledge
  readonly calls = { knowledge: 0, runs: 0, runsEnded: 0 }
  /** Called before each run is handed out, with the number of those before it. */
  onRun: ((given: number) => void) | undefined
  /** The most shares that `runs` was ever called for. */
  largestAsked = 0
  /** Every payload handed out. */
  readonly given: Uint8Array[] = []

  constructor(logs: readonly OriginLog[], newestAsOf: BlockNumber = 90, takenIn: BlockNumber = 95) {
    this.#logs = logs
    this.known = { newestAsOf, takenIn }
  }

  async knowledge(): Promise<Knowledge> {
    this.calls.knowledge += 1
    return this.known
  }

  async heldFrom(from: ShareKey, limit: number): Promise<number[]> {
    const shares = this.#logs.flatMap((log) => log.shares)
    const ids = shares.filter(({ leaf }) => leaf.kind === from.kind).map(({ leaf }) => leaf.nftId)
    return [...new Set(ids)]
      .filter((nftId) => nftId >= from.nftId)
      .sort((one, other) => one - other)
      .slice(0, limit)
  }

  async *runs(
    wanted: readonly WantedShare[],
    { maximumBytes }: { maximumBytes: number },
  ): AsyncGenerator<ShareRun, { notHeld: readonly ShareKey[] }> {
    this.calls.runs += 1
    this.largestAsked = Math.max(this.largestAsked, wanted.length)
    const open = new Map(wanted.map((each) => [shareKeyText(each.key), each]))
    let given = 0
    try {
      for (const log of this.#logs) {
        for (const [first, count] of ranges(log, open, maximumBytes)) {
          this.onRun?.(given)
          const run = await log.run(first, count)
          this.given.push(...run.shares.map(({ payload }) => payload))
          yield run
          given += 1
          for (const { leaf } of run.shares) open.delete(shareKeyText(leaf))
        }
      }
      return { notHeld: [...open.values()].map(({ key }) => key) }
    } finally {
      this.calls.runsEnded += 1
    }
  }
}

/** The contiguous ranges of a log that are wanted, each of at most so many payload bytes. */
function ranges(log: OriginLog, open: ReadonlyMap<string, WantedShare>, maximumBytes: number): [number, number][] {
  const found: [number, number][] = []
  let bytes = 0
  for (const [index, { leaf, payload }] of log.shares.entries()) {
    const wanted = open.get(shareKeyText(leaf))
    if (wanted === undefined || leaf.version < wanted.minimumVersion) continue
    const last = found.at(-1)
    if (last !== undefined && last[0] + last[1] === index && bytes + payload.length <= maximumBytes) {
      last[1] += 1
      bytes += payload.length
    } else {
      found.push([index, 1])
      bytes = payload.length
    }
  }
  return found
}

/** What an exchange handed over, copied out, since payloads are zeroed afterwards. */
export class Received {
  readonly runs: VerifiedRun[] = []
  readonly shares = new Map<string, Uint8Array>()
  readonly told: Knowledge[] = []
  readonly notHeld: ShareKey[] = []

  readonly onNotHeld = (key: ShareKey): void => {
    this.notHeld.push(key)
  }

  readonly onRun = async (run: VerifiedRun, provider: Knowledge): Promise<void> => {
    this.runs.push(run)
    this.told.push(provider)
    for (const { leaf, payload } of run.shares) this.shares.set(shareKeyText(leaf), payload.slice())
  }
}

/** Two ends of a stream as libp2p gives them: Yamux, with its flow control, over an in-memory connection. */
export async function connectedStreams(): Promise<[Stream, Stream]> {
  // Said, since the pairs count ports by themselves, and there are only so many.
  const [inbound, outbound] = [
    { remoteAddr: multiaddr('/ip4/127.0.0.1/tcp/1') },
    { remoteAddr: multiaddr('/ip4/127.0.0.1/tcp/2') },
  ]
  const [near, far] = multiaddrConnectionPair({ delay: 0, inbound, outbound })
  const [nearMuxer, farMuxer] = [near, far].map((connection) =>
    yamux({ enableKeepAlive: false })().createStreamMuxer(connection),
  )
  if (nearMuxer === undefined || farMuxer === undefined) throw new Error('no muxer')
  const arrival = pEvent<'stream', CustomEvent<Stream>>(farMuxer, 'stream')
  const nearStream = await nearMuxer.createStream()
  return [nearStream, (await arrival).detail]
}

export function soon(ms = 10_000): AbortSignal {
  return AbortSignal.timeout(ms)
}

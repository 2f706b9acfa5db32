import { fromHex, pooledCopy, toHex, u32Bytes, utf8, zero } from '../crypto/index.js'
import {
  type BlockNumber,
  type ClusterId,
  type ShareKey,
  type ShareKind,
  SlotmeshError,
  shareKeyText,
} from '../domain/index.js'
import type { Branch, ForkEvidence, LogHead, LogId, NodePosition } from '../provenance/index.js'
import { formError } from './form-error.js'
import type { Manifest, Part, PartSum } from './manifest.js'
import type { Identity, PendingShare, SecretName, SharePlace, View, Want } from './types.js'

interface AnyTable<Key, Value> {
  /** The first byte of every name. */
  readonly prefix: number
  /** The value's name in error messages. */
  describe(key: Key): string
  /** Always a fresh copy, which the database zeroes once it is sealed. */
  encode(value: Value): Uint8Array
}

/**
 * One kind of record, each sealed by itself: how its keys and values become bytes. A key begins with the table's own byte
 * and orders as its parts do (numbers big-endian).
 */
export interface RecordTable<Key, Value> extends AnyTable<Key, Value> {
  encodeKey(key: Key): Uint8Array
  decodeKey(bytes: Uint8Array): Key
  decode(bytes: Uint8Array): Value
}

/**
 * One kind of value of which neighbours are sealed together, some dozens to a record (a page): what a record costs to name,
 * to seal, to sum up and to know for the newest is more than what such a value takes.
 */
export interface PagedTable<Key, Value> extends AnyTable<Key, Value> {
  /** The same for keys of one page, and for no others of this table. */
  pageOf(key: Key): string | number
  /** Which value of its page, 0 to 255. */
  entryOf(key: Key): number
  /** The page's name in the database; in a page, and from page to page, order is that of the keys' parts. */
  encodePage(key: Key): Uint8Array
  decodeKey(page: Uint8Array, entry: number): Key
  describePage(page: Uint8Array): string
  /** Keeps nothing of `bytes`, which are zeroed. */
  decode(bytes: Uint8Array): Value
}

/** A table as far as its pages are concerned, whatever is in them. */
export type Pages = Pick<PagedTable<never, unknown>, 'prefix' | 'describePage'>

export type Table<Key, Value> = RecordTable<Key, Value> | PagedTable<Key, Value>

export function isPaged<Key, Value>(table: Table<Key, Value>): table is PagedTable<Key, Value> {
  return 'encodePage' in table
}

/** NFT ids that stand together: few, since a change of one writes them all. */
const SHARES_PER_PAGE = 64

/** What sorts below the first, or from the second on, outlives the seat: the header, the secrets, collateral, and what others have done wrong. */
const [FIRST_SEAT_PREFIX, SECRETS_COPY_PREFIX, LAST_PREFIX] = [0x10, 0xfe, 0xff]

/** The names of all records of the seat. */
export const SEAT_RECORDS = { gte: Uint8Array.of(FIRST_SEAT_PREFIX), lt: Uint8Array.of(SECRETS_COPY_PREFIX) }

/** Which part of the manifest counts a record. @param prefix the first byte of its name. */
export function partOf(prefix: number): Part {
  if (prefix < FIRST_SEAT_PREFIX || prefix >= SECRETS_COPY_PREFIX) return 'lasting'
  return prefix === PENDING.prefix ? 'pending' : 'seat'
}

/** Names one version of a share; the version is in the key so that the sealing covers it. */
interface PayloadKey {
  readonly key: ShareKey
  readonly version: BlockNumber
}

/** A pending share under its key. */
interface PendingValue extends Omit<PendingShare, 'key'> {
  /** How far the chain was taken in when the share was handed over: what syncs it comes after that block. */
  readonly after: BlockNumber
  /** Whether it may be an older one that was brought back: the folder was altered among what is pending. */
  readonly isDoubtful: boolean
}

const ID_VALUE: Pick<RecordTable<undefined, Uint8Array>, 'encode' | 'decode'> = {
  encode: (id) => id.slice(),
  decode: (id) => id,
}

/** The database's own id, without which nothing opens. */
export const HEADER = singleton(0x00, 'header', ID_VALUE)

/**
 * At the other end of the database, so that no damage to one spot takes both: neighbours stand in one block, the second
 * one's name as what it adds to the first one's.
 */
export const HEADER_COPY = singleton(LAST_PREFIX, 'header-copy', ID_VALUE)

/** What had the header's place in the formats before this one. */
export const FORMER_HEADERS: readonly Uint8Array[] = [Uint8Array.of(0x00, 0), Uint8Array.of(0x00, 1)]

export const SECRETS = secretTable(0x01, 'secret')

/** Nobody else has the seeds: they are kept again at the other end of the database. */
export const SECRETS_COPY = secretTable(SECRETS_COPY_PREFIX, 'secret-copy')

/** One piece of evidence for each log that its origin has forked. */
export const FORKS: RecordTable<LogId, ForkEvidence> = {
  prefix: 0x03,
  encodeKey: (log) => writeLog(new Writer().u8(0x03), log).finish(),
  decodeKey: (bytes) => {
    const reader = new Reader(bytes.subarray(1))
    return reader.end(readLog(reader))
  },
  describe: (log) => `fork/${logText(log)}`,
  encode: ({ branches, position }) => {
    const writer = new Writer().u8(position === undefined ? 0 : 1)
    writer.u8(position?.level ?? 0).u32(position?.index ?? 0)
    for (const branch of branches) writeBranch(writer, branch)
    return writer.finish()
  },
  decode: (bytes) => {
    const reader = new Reader(bytes)
    const hasPosition = reader.u8() === 1
    const position = { level: reader.u8(), index: reader.u32() }
    const branches = [readBranch(reader), readBranch(reader)] as const
    return reader.end({ branches, position: hasPosition ? position : undefined })
  },
}

/**
 * Attestation collateral, as the JSON of its parts, by the kind of platform that it is for, or by what is the newest in it;
 * `keptAt` is Unix ms.
 */
export const COLLATERAL: RecordTable<string, { readonly text: string; readonly keptAt: number }> = {
  prefix: 0x04,
  encodeKey: (name) => new Writer().u8(0x04).bytes(utf8(name)).finish(),
  decodeKey: (bytes) => Buffer.from(bytes.subarray(1)).toString('utf8'),
  describe: (name) => `collateral/${name}`,
  encode: ({ text, keptAt }) => new Writer().f64(keptAt).bytes(utf8(text)).finish(),
  decode: (bytes) => ({
    keptAt: new Reader(bytes).f64(),
    text: Buffer.from(bytes.subarray(8)).toString('utf8'),
  }),
}

/** How new the attestation collateral was that has been seen, as JSON. */
export const COLLATERAL_FLOORS = singleton<string>(0x08, 'collateral-floors', {
  encode: (text) => utf8(text),
  decode: (bytes) => Buffer.from(bytes).toString('utf8'),
})

/**
 * 16 random bytes that name the time in one seat. What is sealed in that time opens in no other, so that shares of a
 * former slot cannot be brought back into the folder after they were erased.
 */
export const SEAT_TIME = singleton(0x06, 'seat-time', ID_VALUE)

/** Without it nothing of the seat opens: it is kept again, with other records in between. */
export const SEAT_TIME_COPY = singleton(0x0f, 'seat-time-copy', ID_VALUE)

/** What else there is; all records are counted in it but itself and the headers. */
export const MANIFEST = singleton<Manifest>(0x05, 'manifest', {
  encode: ({ sequence, lasting, pending, seat }) => {
    const writer = new Writer().f64(sequence)
    for (const { count, sum } of [lasting, pending, seat]) writer.f64(count).bytes(sum)
    return writer.finish()
  },
  decode: (bytes) => {
    const reader = new Reader(bytes)
    const part = (): PartSum => ({ count: reader.f64(), sum: reader.bytes(32) })
    return reader.end({ sequence: reader.f64(), lasting: part(), pending: part(), seat: part() })
  },
})

/**
 * Stands while the seat's records are being erased, so that an erasure cut short is ended at the next start. It says
 * which time in a seat it ends: one that is brought back later ends none.
 */
export const ERASING = singleton<Uint8Array>(0x02, 'erasing', {
  encode: (seatTime) => seatTime.slice(),
  decode: (seatTime) => seatTime,
})

/** How many writes there were at least; it stands in a file of its own, and never in the database. */
export const WATERMARK = singleton<number>(0x09, 'watermark', {
  encode: (sequence) => new Writer().f64(sequence).finish(),
  decode: (bytes) => new Reader(bytes).f64(),
})

/** Stands from when the folder was found altered until the setup has begun anew; an erased seat does not end it. */
export const ALTERED = singleton<Alteration>(0x07, 'altered', {
  encode: ({ pendingIsDoubtful }) => Uint8Array.of(pendingIsDoubtful ? 1 : 0),
  decode: (bytes) => ({ pendingIsDoubtful: bytes[0] === 1 }),
})

interface Alteration {
  /** Whether what is pending is still to be marked so. */
  readonly pendingIsDoubtful: boolean
}

const IDENTITY_VALUE: Pick<RecordTable<undefined, Identity>, 'encode' | 'decode'> = {
  encode: ({ genesisHash, account, seat, incarnation }) =>
    new Writer().hex(genesisHash).hex(account).hex(incarnation).u32(seat.cluster).u32(seat.slot).finish(),
  decode: (bytes) => {
    const reader = new Reader(bytes)
    const genesisHash = reader.hex(32)
    const log = readLog(reader)
    return reader.end({ genesisHash, ...log, seat: { cluster: reader.u32(), slot: reader.u32() } })
  },
}

export const IDENTITY = singleton<Identity>(0x10, 'identity', IDENTITY_VALUE)

/** Without the identity nobody could say whose the shares are: it is kept again at the other end of the database. */
export const IDENTITY_COPY = singleton<Identity>(0x3f, 'identity-copy', IDENTITY_VALUE)

/**
 * How far the chain is taken in, and the size of the own log at that point. The size is kept here as well as with the
 * log, so that the log cannot be made to begin again (a fork) by taking records of it away.
 */
export const PROGRESS = singleton<{ cursor: BlockNumber; logSize: number }>(0x11, 'progress', {
  encode: ({ cursor, logSize }) => new Writer().u32(cursor).u32(logSize).finish(),
  decode: (bytes) => {
    const reader = new Reader(bytes)
    return reader.end({ cursor: reader.u32(), logSize: reader.u32() })
  },
})

export const SETUP_DONE = flag(0x12, 'setup-done')

export const WANTS: PagedTable<ShareKey, Omit<Want, 'key'>> = {
  ...sharePages(0x20, 'want'),
  encode: ({ minimumVersion, asOf, origin, since }) =>
    new Writer()
      .u32(minimumVersion)
      .u32(asOf)
      .u8(origin === undefined ? 0 : 1)
      .u32(origin ?? 0)
      .f64(since)
      .finish(),
  decode: (bytes) => {
    const reader = new Reader(bytes)
    const minimumVersion = reader.u32()
    const asOf = reader.u32()
    const originIsKnown = reader.u8() === 1
    const cluster: ClusterId = reader.u32()
    return reader.end({ minimumVersion, asOf, origin: originIsKnown ? cluster : undefined, since: reader.f64() })
  },
}

export const PENDING: RecordTable<ShareKey, PendingValue> = {
  ...shareTable(0x21, 'pending'),
  encode: ({ confirmed, after, isDoubtful, payload }) =>
    new Writer()
      .u8(confirmed ? 1 : 0)
      .u8(isDoubtful ? 1 : 0)
      .u32(after)
      .bytes(payload)
      .finish(),
  decode: (bytes) => {
    const reader = new Reader(bytes)
    const [confirmed, isDoubtful] = [reader.u8() === 1, reader.u8() === 1]
    return { confirmed, isDoubtful, after: reader.u32(), payload: reader.rest() }
  },
}

export const PLACES: PagedTable<ShareKey, SharePlace> = {
  ...sharePages(0x22, 'place'),
  encode: ({ version, origin, log, index, size, payloadHash, bytes }) =>
    writeLog(new Writer().u32(version).u32(origin), log).u32(index).u32(size).u32(bytes).bytes(payloadHash).finish(),
  decode: (record) => {
    const reader = new Reader(record)
    const version = reader.u32()
    const origin = reader.u32()
    const log = readLog(reader)
    const index = reader.u32()
    const size = reader.u32()
    const bytes = reader.u32()
    return reader.end({ version, origin, log, index, size, payloadHash: reader.bytes(32), bytes })
  },
}

export const PAYLOADS: RecordTable<PayloadKey, Uint8Array> = {
  prefix: 0x23,
  encodeKey: ({ key, version }) => writeShareKey(new Writer().u8(0x23), key).u32(version).finish(),
  decodeKey: (bytes) => {
    const reader = new Reader(bytes.subarray(1))
    const key = readShareKey(reader)
    return reader.end({ key, version: reader.u32() })
  },
  describe: ({ key, version }) => `share/${shareKeyText(key)}/${version}`,
  encode: (payload) => payload.slice(),
  decode: (payload) => payload,
}

const PAYLOAD_VALUE: Pick<PagedTable<ShareKey, Uint8Array>, 'encode' | 'decode'> = {
  encode: pooledCopy,
  decode: pooledCopy,
}

/** Under the share alone, as its version is in its place, with the hash. */
export const SMALL_PAYLOADS: PagedTable<ShareKey, Uint8Array> = { ...sharePages(0x25, 'share'), ...PAYLOAD_VALUE }

/** So few that a change of one does not write too much. */
export const MEDIUM_PAYLOADS: PagedTable<ShareKey, Uint8Array> = { ...sharePages(0x26, 'share', 8), ...PAYLOAD_VALUE }

/** The largest shares of these tables; bytes. */
const [SMALL_BYTES, MEDIUM_BYTES] = [512, 4_096]

/** Where a share's payload is sealed together with others; undefined where it is by itself, in {@link PAYLOADS}. */
export function payloadPagesOf({ bytes }: Pick<SharePlace, 'bytes'>): PagedTable<ShareKey, Uint8Array> | undefined {
  if (bytes <= SMALL_BYTES) return SMALL_PAYLOADS
  return bytes <= MEDIUM_BYTES ? MEDIUM_PAYLOADS : undefined
}

const [VIEW_ROLES, VIEW_EVENTS] = [['OWNER', 'DELEGATEE', 'RENTEE'] as const, ['STORE', 'VIEW'] as const]

/** Who has handed over a share and who was given it, the latest last. */
export const VIEWS: RecordTable<ShareKey, readonly View[]> = {
  ...shareTable(0x24, 'views'),
  encode: (views) => {
    const writer = new Writer().u8(views.length)
    for (const { at, block, account, role, event } of views) {
      writer.f64(at).u32(block).hex(account).u8(VIEW_ROLES.indexOf(role)).u8(VIEW_EVENTS.indexOf(event))
    }
    return writer.finish()
  },
  decode: (bytes) => {
    const reader = new Reader(bytes)
    const views = Array.from({ length: reader.u8() }, (): View => {
      const [at, block, account] = [reader.f64(), reader.u32(), reader.hex(32)]
      return { at, block, account, role: named(VIEW_ROLES, reader.u8()), event: named(VIEW_EVENTS, reader.u8()) }
    })
    return reader.end(views)
  },
}

function named<Name>(names: readonly Name[], index: number): Name {
  const name = names[index]
  if (name === undefined) throw formError()
  return name
}

/** Levels of a log's tree that a page of its nodes has: 64 nodes of the lowest. */
const PAGE_LEVELS = 6

/**
 * Of a log's tree: pages are subtrees, whose nodes are numbered as those of a heap, 1 being the root; that one is of the page
 * above, among its lowest.
 */
export const NODES: PagedTable<{ log: LogId; at: NodePosition }, Uint8Array> = {
  prefix: 0x30,
  pageOf: ({ log, at }) => {
    const { level, index } = subtreeOf(at)
    if (lastPage.log === log && lastPage.level === level && lastPage.index === index) return lastPage.id
    lastPage = { log, level, index, id: `${logText(log)}/${level}/${index}` }
    return lastPage.id
  },
  entryOf: ({ at }) => subtreeOf(at).entry,
  encodePage: ({ log, at }) => {
    const { level, index } = subtreeOf(at)
    return writeLog(new Writer().u8(0x30), log).u8(level).u32(index).finish()
  },
  decodeKey: (bytes, entry) => {
    const reader = new Reader(bytes.subarray(1))
    const log = readLog(reader)
    const [level, index] = [reader.u8(), reader.u32()]
    const below = 31 - Math.clz32(entry)
    const at = { level: (level + 1) * PAGE_LEVELS - below, index: index * 2 ** below + entry - 2 ** below }
    return reader.end({ log, at })
  },
  describe: ({ log, at }) => `node/${logText(log)}/${at.level}/${at.index}`,
  describePage: (page) => `nodes below ${NODES.describe(NODES.decodeKey(page, 1))}`,
  encode: pooledCopy,
  decode: pooledCopy,
}

/** Nodes come in order as a rule. */
let lastPage: { log: LogId | undefined; level: number; index: number; id: string } = {
  log: undefined,
  level: 0,
  index: 0,
  id: '',
}

/** The page of a node: which layer of pages, the how manieth in it, and where in its heap. */
function subtreeOf({ level, index }: NodePosition): { level: number; index: number; entry: number } {
  const below = PAGE_LEVELS - (level % PAGE_LEVELS)
  // Of each share's nodes this is asked some times, and a power takes longer than all else.
  const width = 1 << below
  return { level: Math.floor(level / PAGE_LEVELS), index: Math.floor(index / width), entry: width + (index % width) }
}

export const HEADS: RecordTable<{ log: LogId; size: number }, Omit<LogHead, keyof LogId | 'size'>> = {
  prefix: 0x31,
  encodeKey: ({ log, size }) => writeLog(new Writer().u8(0x31), log).u32(size).finish(),
  decodeKey: (bytes) => {
    const reader = new Reader(bytes.subarray(1))
    const log = readLog(reader)
    return reader.end({ log, size: reader.u32() })
  },
  describe: ({ log, size }) => `head/${logText(log)}/${size}`,
  encode: ({ cluster, slot, root, signature }) =>
    new Writer().u32(cluster).u32(slot).bytes(root).bytes(signature).finish(),
  decode: (bytes) => {
    const reader = new Reader(bytes)
    const cluster = reader.u32()
    const slot = reader.u32()
    return reader.end({ cluster, slot, root: reader.bytes(32), signature: reader.bytes(64) })
  },
}

/** The size of the newest head of each log. */
export const NEWEST: RecordTable<LogId, number> = {
  prefix: 0x32,
  encodeKey: (log) => writeLog(new Writer().u8(0x32), log).finish(),
  decodeKey: (bytes) => {
    const reader = new Reader(bytes.subarray(1))
    return reader.end(readLog(reader))
  },
  describe: (log) => `newest-head/${logText(log)}`,
  encode: (size) => u32Bytes(size),
  decode: (bytes) => {
    const reader = new Reader(bytes)
    return reader.end(reader.u32())
  },
}

/**
 * Tables of which no record need be known to be the newest, by their prefixes: the headers never change and open
 * everything else, the manifest is read once and compared. What is in the others is written once under one name and
 * never otherwise: of a payload the hash is in the share's place; of a log, the head of a size is signed by its origin.
 */
export const VOUCHED_FOR: ReadonlySet<number> = new Set(
  [HEADER, HEADER_COPY, MANIFEST, PAYLOADS, HEADS].map(({ prefix }) => prefix),
)

/** A record's name as a person would write it; of what no table has, the bytes. */
export function describeName(name: Uint8Array): string {
  try {
    return DESCRIBERS.get(name[0] ?? 0)?.(name) ?? `unknown/${toHex(name)}`
  } catch (thrown) {
    if (thrown instanceof SlotmeshError) return `unknown/${toHex(name)}`
    throw thrown
  }
}

const DESCRIBERS: ReadonlyMap<number, (name: Uint8Array) => string> = new Map([
  describer(HEADER),
  describer(HEADER_COPY),
  describer(SECRETS),
  describer(SECRETS_COPY),
  describer(ERASING),
  describer(FORKS),
  describer(COLLATERAL),
  describer(COLLATERAL_FLOORS),
  describer(MANIFEST),
  describer(SEAT_TIME),
  describer(SEAT_TIME_COPY),
  describer(ALTERED),
  describer(WATERMARK),
  describer(IDENTITY),
  describer(IDENTITY_COPY),
  describer(PROGRESS),
  describer(SETUP_DONE),
  pageDescriber(WANTS),
  describer(PENDING),
  pageDescriber(PLACES),
  describer(PAYLOADS),
  pageDescriber(SMALL_PAYLOADS),
  pageDescriber(MEDIUM_PAYLOADS),
  describer(VIEWS),
  pageDescriber(NODES),
  describer(HEADS),
  describer(NEWEST),
])

function describer<Key>(table: RecordTable<Key, unknown>): [number, (name: Uint8Array) => string] {
  return [table.prefix, (name) => table.describe(table.decodeKey(name))]
}

function pageDescriber({ prefix, describePage }: Pages): [number, (page: Uint8Array) => string] {
  return [prefix, describePage]
}

/** A log as text, to tell logs apart in maps and messages. */
export function logText(log: LogId): string {
  return `${log.account}/${log.incarnation}`
}

function secretTable(prefix: number, text: string): RecordTable<SecretName, Uint8Array> {
  return {
    prefix,
    encodeKey: (name) => new Writer().u8(prefix).bytes(utf8(name)).finish(),
    decodeKey: (bytes) => (bytes.length === utf8('account-seed').length + 1 ? 'account-seed' : 'peer-key-seed'),
    describe: (name) => `${text}/${name}`,
    encode: (value) => value.slice(),
    decode: (value) => value,
  }
}

const KIND_BYTES: Record<ShareKind, number> = { secret: 1, capsule: 2 }

function sharePages(
  prefix: number,
  name: string,
  perPage = SHARES_PER_PAGE,
): Omit<PagedTable<ShareKey, unknown>, 'encode' | 'decode'> {
  return {
    prefix,
    pageOf: ({ kind, nftId }) => KIND_BYTES[kind] * 2 ** 32 + Math.floor(nftId / perPage),
    entryOf: ({ nftId }) => nftId % perPage,
    encodePage: ({ kind, nftId }) =>
      writeShareKey(new Writer().u8(prefix), { kind, nftId: Math.floor(nftId / perPage) }).finish(),
    decodeKey: (page, entry) => readSharePage(page, entry, perPage),
    describe: (key) => `${name}/${shareKeyText(key)}`,
    describePage: (page) => {
      const first = readSharePage(page, 0, perPage)
      return `${name}/${shareKeyText(first)} to ${first.nftId + perPage - 1}`
    },
  }
}

function readSharePage(page: Uint8Array, entry: number, perPage: number): ShareKey {
  const reader = new Reader(page.subarray(1))
  const { kind, nftId } = reader.end(readShareKey(reader))
  return { kind, nftId: nftId * perPage + entry }
}

function shareTable(prefix: number, name: string): Pick<RecordTable<ShareKey, unknown>, KeyPart> & { prefix: number } {
  return {
    prefix,
    encodeKey: (key) => writeShareKey(new Writer().u8(prefix), key).finish(),
    decodeKey: (bytes) => {
      const reader = new Reader(bytes.subarray(1))
      return reader.end(readShareKey(reader))
    },
    describe: (key) => `${name}/${shareKeyText(key)}`,
  }
}

type KeyPart = 'encodeKey' | 'decodeKey' | 'describe'

/** A table of one record. */
function singleton<Value>(
  prefix: number,
  name: string,
  value: Pick<RecordTable<undefined, Value>, 'encode' | 'decode'>,
): RecordTable<undefined, Value> {
  return {
    prefix,
    encodeKey: () => Uint8Array.of(prefix),
    decodeKey: () => undefined,
    describe: () => name,
    ...value,
  }
}

/** A record that stands or is absent. */
function flag(prefix: number, name: string): RecordTable<undefined, true> {
  return singleton<true>(prefix, name, { encode: () => new Uint8Array(0), decode: () => true })
}

function writeShareKey(writer: Writer, key: ShareKey): Writer {
  return writer.u8(KIND_BYTES[key.kind]).u32(key.nftId)
}

function readShareKey(reader: Reader): ShareKey {
  const kind = reader.u8() === KIND_BYTES.secret ? 'secret' : 'capsule'
  return { kind, nftId: reader.u32() }
}

const [ACCOUNT_BYTES, INCARNATION_BYTES] = [32, 16]

/** Nearly all places and nodes are of few logs: their names are kept, as bytes by text and as text by bytes. */
const [LOG_BYTES, LOGS] = [new Map<string, Uint8Array>(), new Map<string, LogId>()]
const LOGS_REMEMBERED = 1_024

/** What is written together is mostly of one log. */
let lastLog: { readonly log: LogId; readonly bytes: Uint8Array } | undefined

function writeLog(writer: Writer, log: LogId): Writer {
  if (lastLog?.log !== log) {
    const text = logText(log)
    lastLog = { log, bytes: LOG_BYTES.get(text) ?? remember(LOG_BYTES, text, logBytes(log)) }
  }
  return writer.bytes(lastLog.bytes)
}

function logBytes({ account, incarnation }: LogId): Uint8Array {
  return new Writer().hex(account).hex(incarnation).finish()
}

function readLog(reader: Reader): LogId {
  const bytes = reader.view(ACCOUNT_BYTES + INCARNATION_BYTES)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  return LOGS.get(text) ?? remember(LOGS, text, logOf(bytes))
}

function logOf(bytes: Uint8Array): LogId {
  return { account: toHex(bytes.subarray(0, ACCOUNT_BYTES)), incarnation: toHex(bytes.subarray(ACCOUNT_BYTES)) }
}

function remember<Value>(known: Map<string, Value>, text: string, value: Value): Value {
  if (known.size >= LOGS_REMEMBERED) known.clear()
  known.set(text, value)
  return value
}

function writeBranch(writer: Writer, { head, subtree }: Branch): void {
  writeLog(writer, head).u32(head.cluster).u32(head.slot).u32(head.size).bytes(head.root).bytes(head.signature)
  writer.u8(subtree === undefined ? 0 : 1)
  if (subtree === undefined) return
  writer.bytes(subtree.hash)
  for (const side of [subtree.proof.left, subtree.proof.right]) {
    writer.u8(side.length)
    for (const hash of side) writer.bytes(hash)
  }
}

function readBranch(reader: Reader): Branch {
  const log = readLog(reader)
  const seat = { cluster: reader.u32(), slot: reader.u32() }
  const head = { ...log, ...seat, size: reader.u32(), root: reader.bytes(32), signature: reader.bytes(64) }
  if (reader.u8() === 0) return { head, subtree: undefined }
  const hash = reader.bytes(32)
  const side = () => Array.from({ length: reader.u8() }, () => reader.bytes(32))
  return { head, subtree: { hash, proof: { left: side(), right: side() } } }
}

/** Names, and all records but payloads and evidence, fit. */
const SCRATCH_BYTES = 1_024

/** What the next writer writes to, so that not each of millions makes a buffer; zeroed when one is done with it. */
let scratch: Uint8Array | undefined

/** One number on its way to bytes or back. */
const numberBytes = new Uint8Array(8)
const number = new DataView(numberBytes.buffer)

class Writer {
  #buffer: Uint8Array
  #length = 0

  constructor() {
    this.#buffer = scratch ?? new Uint8Array(SCRATCH_BYTES)
    // Of two that write at the same time, the second has its own.
    scratch = undefined
  }

  u8(value: number): this {
    // First, since the buffer may be another one after it.
    const at = this.#take(1)
    this.#buffer[at] = value
    return this
  }

  u32(value: number): this {
    const at = this.#take(4)
    const buffer = this.#buffer
    buffer[at] = value >>> 24
    buffer[at + 1] = value >>> 16
    buffer[at + 2] = value >>> 8
    buffer[at + 3] = value
    return this
  }

  /** Unix ms fit a double exactly. */
  f64(value: number): this {
    const at = this.#take(8)
    number.setFloat64(0, value)
    this.#buffer.set(numberBytes, at)
    return this
  }

  hex(value: string): this {
    return this.bytes(fromHex(value))
  }

  bytes(value: Uint8Array): this {
    const at = this.#take(value.length)
    this.#buffer.set(value, at)
    return this
  }

  /** A copy; what was written may be secret, and stays nowhere else. */
  finish(): Uint8Array {
    const used = this.#buffer.subarray(0, this.#length)
    const written = pooledCopy(used)
    zero(used)
    if (this.#buffer.length === SCRATCH_BYTES) scratch = this.#buffer
    return written
  }

  /** @returns where the next bytes go. */
  #take(length: number): number {
    const at = this.#length
    this.#length += length
    if (this.#length > this.#buffer.length) {
      const grown = new Uint8Array(2 * this.#length)
      grown.set(this.#buffer)
      zero(this.#buffer)
      this.#buffer = grown
    }
    return at
  }
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  u8(): number {
    return this.#bytes[this.#take(1)] ?? 0
  }

  u32(): number {
    const at = this.#take(4)
    const bytes = this.#bytes
    const [high, low] = [
      ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0),
      ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0),
    ]
    return high * 65_536 + low
  }

  f64(): number {
    const at = this.#take(8)
    for (let byte = 0; byte < 8; byte += 1) numberBytes[byte] = this.#bytes[at + byte] ?? 0
    return number.getFloat64(0)
  }

  hex(length: number): `0x${string}` {
    return toHex(this.view(length))
  }

  /** Not copied. */
  view(length: number): Uint8Array {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  bytes(length: number): Uint8Array {
    return pooledCopy(this.view(length))
  }

  /** Everything that is left, not copied. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }

  /** Hands `value` through when nothing is left over. */
  end<Value>(value: Value): Value {
    if (this.#at !== this.#bytes.length) throw formError()
    return value
  }

  /** @returns where the next bytes stand. */
  #take(length: number): number {
    const at = this.#at
    if (at + length > this.#bytes.length) throw formError()
    this.#at = at + length
    return at
  }
}

import { ascii, concat, H, made, u32be } from './tools.js'
import { bytes, nested, uint, varint } from './wire.js'

/*
 * Reconciliation, `protocols/reconcile/1/SPEC.md`, from its text alone.
 */

const U32_MAX = 0xffff_ffff
const CAPSULES = 2 ** 32

/** A share by its number (4.1), in a version. */
export interface HeldShare {
  readonly share: number
  readonly version: number
}

export interface PrefixName {
  readonly level: number
  readonly first: number
}

/** 4.2 */
function element({ share, version }: HeldShare): Uint8Array {
  const isCapsule = share >= CAPSULES
  const nftId = isCapsule ? share - CAPSULES : share
  return H('ternoa/reconcile/1/element', concat(Uint8Array.of(isCapsule ? 2 : 1), u32be(nftId), u32be(version)))
}

function number(digest: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(digest).toString('hex')}`)
}

function big(value: bigint, length: number): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex'))
}

function sumOf(held: readonly HeldShare[]): bigint {
  return held.reduce((sum, each) => sum + number(element(each)), 0n) % 2n ** 256n
}

/** 4.2; nothing has none. */
function fingerprintOf(held: readonly HeldShare[]): Uint8Array {
  if (held.length === 0) return new Uint8Array()
  const counted = concat(big(BigInt(held.length), 8), big(sumOf(held), 32))
  return H('ternoa/reconcile/1/fingerprint', counted).subarray(0, 16)
}

/** 4.1: how many numbers a prefix has. */
function sizeOf(level: number): number {
  return level === 0 ? 2 ** 33 : 2 ** (32 - 4 * (level - 1))
}

function within(held: readonly HeldShare[], { level, first }: PrefixName): HeldShare[] {
  return held
    .filter(({ share }) => share >= first && share < first + sizeOf(level))
    .sort((one, other) => one.share - other.share)
}

function childrenOf({ level, first }: PrefixName): PrefixName[] {
  const fanOut = level === 0 ? 2 : 16
  return Array.from({ length: fanOut }, (_, at) => ({ level: level + 1, first: first + at * sizeOf(level + 1) }))
}

/** 4.3 */
function prefixBytes({ level, first }: PrefixName): Uint8Array {
  return concat(big(BigInt(first), 5), Uint8Array.of(level))
}

function itemBytes(held: readonly HeldShare[], first: number): Uint8Array {
  let next = first
  const rows = held.map(({ share, version }) => {
    const row = concat(varint(share - next), varint(version))
    next = share + 1
    return row
  })
  return concat(...rows)
}

interface WirePart {
  readonly present?: number
  readonly fingerprints?: Uint8Array
  readonly items?: Uint8Array
}

function encodePart({ present = 0, fingerprints = ascii(''), items = ascii('') }: WirePart): Uint8Array {
  return concat(uint(1, present), bytes(2, fingerprints), bytes(3, items))
}

function partOf(held: readonly HeldShare[], prefix: PrefixName): WirePart {
  const all = within(held, prefix)
  if (all.length <= 32) return { items: itemBytes(all, prefix.first) }
  const children = childrenOf(prefix).map((child) => fingerprintOf(within(held, child)))
  const present = children.reduce((bits, child, at) => (child.length > 0 ? bits + 2 ** at : bits), 0)
  return { present, fingerprints: concat(...children) }
}

const encodeQuestion = (prefixes: Uint8Array) => nested(2, bytes(1, prefixes))
const encodeAnswer = (parts: readonly WirePart[]) =>
  nested(2, concat(...parts.map((part) => nested(1, encodePart(part)))))

/** Some secrets in a row, one here and there, and capsules. */
const HELD: readonly HeldShare[] = [
  ...Array.from({ length: 70 }, (_, at) => ({ share: at, version: 1_000 + 3 * at })),
  ...[100, 4_095, 4_096, 70_000, 1_000_000, U32_MAX].map((share) => ({ share, version: 5_000 })),
  ...Array.from({ length: 33 }, (_, at) => ({ share: CAPSULES + 17 * at, version: 9_000_000 + at })),
  { share: CAPSULES + U32_MAX, version: U32_MAX },
]

export function fingerprintVectors() {
  const of = (name: string, held: readonly HeldShare[]) => ({
    name,
    held: [...held],
    sum: big(sumOf(held), 32),
    fingerprint: fingerprintOf(held),
  })
  const one = { share: 7, version: 12 }
  return {
    about:
      'Clauses 4.1 and 4.2: elements, and what some shares are known by. A share is given by its number: of a secret the NFT id, of a capsule that and 2^32. `sum` is in 32 big-endian bytes.',
    elements: [
      { name: 'a secret', ...one, element: element(one) },
      { name: 'a capsule', share: CAPSULES + 7, version: 12, element: element({ share: CAPSULES + 7, version: 12 }) },
      { name: 'the first secret, of block 0', share: 0, version: 0, element: element({ share: 0, version: 0 }) },
      {
        name: 'the last capsule there can be, of the last block',
        share: CAPSULES + U32_MAX,
        version: U32_MAX,
        element: element({ share: CAPSULES + U32_MAX, version: U32_MAX }),
      },
    ],
    sets: [
      of('nothing', []),
      of('one secret', [one]),
      of('the same in another version', [{ share: 7, version: 13 }]),
      of('a secret and the capsule of one NFT', [one, { share: CAPSULES + 7, version: 12 }]),
      of('as many as make the sum wrap', HELD.slice(0, 9)),
      of('all that the sessions are about', HELD),
    ],
  }
}

export function sessionVectors() {
  const asked = (name: string, prefixes: readonly PrefixName[]) => ({
    name,
    prefixes: [...prefixes],
    question: encodeQuestion(concat(...prefixes.map(prefixBytes))),
    answer: encodeAnswer(prefixes.map((prefix) => partOf(HELD, prefix))),
    outcome: 'accepted' as const,
  })
  const bad = (name: string, prefixes: Uint8Array) => ({
    name,
    question: encodeQuestion(prefixes),
    outcome: 'MALFORMED' as const,
  })
  const root = { level: 0, first: 0 }
  const path = Array.from({ length: 9 }, (_, level) => ({ level, first: 0 }))
  const deepest = Array.from({ length: 256 }, (_, at) => ({ level: 8, first: 16 * at }))
  return {
    about:
      'Clause 4.3: RequesterMessages with a Question, and the ProviderMessages that answer them where `held` is held; Questions that are none. Prefixes are given by level and first number.',
    held: [...HELD],
    summary: {
      takenInBlock: 9_000_100,
      message: nested(1, concat(uint(1, 9_000_100), uint(2, HELD.length), bytes(3, fingerprintOf(HELD)))),
    },
    questions: [
      asked('all', [root]),
      asked('all levels down to the first shares', path),
      asked('both kinds', [
        { level: 1, first: 0 },
        { level: 1, first: CAPSULES },
      ]),
      asked('where nothing is held', [{ level: 4, first: 2 ** 20 * 5 }]),
      asked('the last capsules there can be', [{ level: 8, first: 2 ** 33 - 16 }]),
      asked('as many as may be asked for', deepest),
      bad('nothing', ascii('')),
      bad('a prefix that is cut', prefixBytes(root).subarray(1)),
      bad('one too many', concat(...deepest.map(prefixBytes), prefixBytes({ level: 8, first: 4_096 }))),
      bad('one twice', concat(prefixBytes(root), prefixBytes(root))),
      bad('a part before what it is a part of', concat(prefixBytes({ level: 8, first: 0 }), prefixBytes(root))),
      bad('out of order', concat(prefixBytes({ level: 8, first: 32 }), prefixBytes({ level: 8, first: 16 }))),
      bad('a single share', prefixBytes({ level: 9, first: 0 })),
      bad('a number within a prefix', prefixBytes({ level: 8, first: 8 })),
      bad('a number that is none', prefixBytes({ level: 1, first: 2 ** 33 })),
      bad('garbage', made('a question', 60)),
    ],
  }
}

export function answerVectors() {
  const all = { level: 0, first: 0 }
  const sixteen = { level: 8, first: 2 ** 32 }
  const judged = (name: string, prefix: PrefixName, part: WirePart, outcome: 'accepted' | 'reset') => ({
    name,
    prefix,
    answer: encodeAnswer([part]),
    outcome,
  })
  const raw = (digits: string) => new Uint8Array(Buffer.from(digits.replaceAll(' ', ''), 'hex'))
  const few = HELD.slice(0, 32)
  return {
    about: 'Clause 4.3: ProviderMessages with an Answer to a Question of one prefix, and what a requester does.',
    cases: [
      judged('nothing', all, {}, 'accepted'),
      judged('32 items', all, { items: itemBytes(few, 0) }, 'accepted'),
      judged('33 items', all, { items: itemBytes(HELD.slice(0, 33), 0) }, 'reset'),
      judged('one child', all, { present: 1, fingerprints: made('one').subarray(0, 16) }, 'accepted'),
      judged('both children', all, { present: 3, fingerprints: made('both') }, 'accepted'),
      judged('a third child', all, { present: 4, fingerprints: made('third').subarray(0, 16) }, 'reset'),
      judged(
        'a seventeenth child',
        { level: 1, first: 0 },
        { present: 2 ** 16, fingerprints: made('17').subarray(0, 16) },
        'reset',
      ),
      judged(
        'a child without its fingerprint',
        all,
        { present: 3, fingerprints: made('lacks').subarray(0, 16) },
        'reset',
      ),
      judged('a fingerprint without its child', all, { present: 1, fingerprints: made('more') }, 'reset'),
      judged('a fingerprint that is cut', all, { present: 1, fingerprints: made('cut').subarray(0, 15) }, 'reset'),
      judged('fingerprints of no child', all, { fingerprints: made('none').subarray(0, 16) }, 'reset'),
      judged(
        'children and items',
        all,
        { present: 1, fingerprints: made('x').subarray(0, 16), items: raw('00 01') },
        'reset',
      ),
      judged('children of single shares', sixteen, { present: 1, fingerprints: made('y').subarray(0, 16) }, 'reset'),
      judged('the last of sixteen', sixteen, { items: raw('0f 01') }, 'accepted'),
      judged('one beyond the last', sixteen, { items: raw('10 01') }, 'reset'),
      judged('two, the second beyond the last', sixteen, { items: raw('0f 01 00 01') }, 'reset'),
      judged('the last version there can be', sixteen, { items: raw('00 ff ff ff ff 0f') }, 'accepted'),
      judged('a version of 2^32', sixteen, { items: raw('00 80 80 80 80 10') }, 'reset'),
      judged('an item without its version', sixteen, { items: raw('00') }, 'reset'),
      judged('a varint without its end', sixteen, { items: raw('00 80') }, 'reset'),
      judged('a varint that is longer than need be', sixteen, { items: raw('80 00 01') }, 'reset'),
    ],
    counts: [
      { name: 'no Part for a prefix', prefix: all, answer: encodeAnswer([]), outcome: 'reset' as const },
      { name: 'two Parts for a prefix', prefix: all, answer: encodeAnswer([{}, {}]), outcome: 'reset' as const },
    ],
  }
}

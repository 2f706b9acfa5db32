import { idList, type Range, row } from './lists.js'
import { Log, leafHash } from './provenance.js'
import { actor, altered, ascii, concat, made } from './tools.js'
import {
  type Batch,
  type End,
  encodeBatch,
  encodeEnd,
  type Kind,
  type LogHead,
  nested,
  type Run,
  type Share,
  uint,
} from './wire.js'
import { type Cluster, NOW, origin, registry, requester, SLOT, stranger } from './world.js'

/** Held cluster 6's seat below block 900; `origin`'s seat is of cluster 5 from block 200 on. */
const former = actor('former origin')
const successor = actor('successor')
const another = actor('another origin')
const elsewhere = actor('origin of another slot')

const CLUSTER_7: Cluster = {
  cluster: 7,
  type: 'public',
  seats: [
    { account: another.account, slot: SLOT },
    { account: elsewhere.account, slot: 4 },
  ],
}

function withSixOf(account: Uint8Array): readonly Cluster[] {
  return [...registry, { cluster: 6, type: 'public', seats: [{ account, slot: SLOT }] }, CLUSTER_7]
}

/** The registry from a block on. */
const REGISTRIES = [
  { from: 0, registry: [registry[0], registry[1]].filter((cluster) => cluster !== undefined) },
  { from: 200, registry: withSixOf(former.account) },
  { from: 900, registry: withSixOf(successor.account) },
]

function secret(nftId: number, version = 500, length = 24): Share {
  return { kind: 'SECRET', nftId, version, payload: made(`secret ${nftId} of ${version}`, length) }
}

function capsule(nftId: number, version = 500): Share {
  return { ...secret(nftId, version), kind: 'CAPSULE', payload: made(`capsule ${nftId} of ${version}`, 24) }
}

/** Shares with the log that they stand in. */
class Origin {
  readonly #shares: readonly Share[]
  readonly #log: Log
  readonly #fields: Partial<LogHead>

  constructor(shares: readonly Share[], fields: Partial<LogHead> = {}, by = origin) {
    this.#shares = shares
    this.#log = new Log(shares.map(leafHash), made('incarnation', 16), by)
    this.#fields = fields
  }

  run(first = 0, count = this.#shares.length - first, size = this.#shares.length): Run {
    return {
      head: this.#log.head(size, this.#fields),
      firstIndex: first,
      shares: this.#shares.slice(first, first + count),
      ...this.#log.proof(first, count, size),
    }
  }
}

interface Case {
  readonly clause: string
  readonly name: string
  readonly asked: { readonly secrets?: readonly Range[]; readonly capsules?: readonly Range[] }
  /** What the requester knows from the chain of where shares come from. */
  readonly origins?: readonly { readonly kind: Kind; readonly nftId: number; readonly cluster: number }[]
  /** The registry at the requester's now and before, where it is not the file's. */
  readonly registries?: typeof REGISTRIES
  readonly contents: readonly Uint8Array[]
  /** What is good of what was received. */
  readonly kept?: readonly Share[]
  readonly outcome: 'finished' | 'unfinished' | 'MALFORMED' | 'reset'
}

function ids(first: number, length = 1, minimumVersion = 0): Range {
  return { first, length, minimumVersion }
}

function batch(of: Partial<Batch>): Uint8Array {
  return encodeBatch({ runs: [], secretsNotHeld: new Uint8Array(), capsulesNotHeld: new Uint8Array(), ...of })
}

function end(shareCount: number, notHeldCount = 0, unfinished = false): Uint8Array {
  return encodeEnd({ shareCount, notHeldCount, unfinished } satisfies End)
}

function notHeld(...ranges: readonly (readonly [number, number])[]): Uint8Array {
  return idList(ranges.map(([first, length]) => ({ first, length })))
}

const TEN = secret(10)
const ALONE = new Origin([TEN])

/** What comes when secret 10 alone was asked for. */
function ten(clause: string, name: string, outcome: Case['outcome'], run: Run, more: Partial<Case> = {}): Case {
  const contents = [batch({ runs: [run] }), end(1)]
  return {
    clause,
    name,
    asked: { secrets: [ids(10)] },
    contents,
    outcome,
    kept: outcome === 'finished' ? run.shares : [],
    ...more,
  }
}

/** As in {@link ten}, of a version that is asked for from 500 on. */
function ofVersion(
  clause: string,
  name: string,
  outcome: Case['outcome'],
  version: number,
  by = origin,
  fields: Partial<LogHead> = {},
): Case {
  const share = secret(10, version)
  return ten(clause, name, outcome, new Origin([share], fields, by).run(), { asked: { secrets: [ids(10, 1, 500)] } })
}

function good(): Case[] {
  const shares = [secret(10), secret(30), capsule(20), secret(11), capsule(9), secret(50), secret(12), secret(13)]
  const log = new Origin(shares)
  const small = new Origin([secret(5, 500, 16), secret(6, 500, 3_000)])
  const others = new Origin([secret(40), secret(41)], { cluster: 7 }, another)
  const capsuleOfSeven = new Origin([capsule(20, 700)], { cluster: 7 }, another)
  const eleven = ids(10, 4)
  return [
    ten('6.3', 'one share, alone in its log', 'finished', ALONE.run()),
    {
      clause: '6.2',
      name: 'a whole log in one run, not in the order of ids',
      asked: { secrets: [eleven, ids(30), ids(50)], capsules: [ids(9), ids(20)] },
      contents: [batch({ runs: [log.run()] }), end(8)],
      kept: shares,
      outcome: 'finished',
    },
    {
      clause: '6.3',
      name: 'two runs around an erased leaf',
      asked: { secrets: [eleven, ids(30), ids(50)], capsules: [ids(9), ids(20)] },
      contents: [
        batch({ runs: [log.run(0, 3), log.run(4, 4)] }),
        batch({ secretsNotHeld: notHeld([11, 1]) }),
        end(7, 1),
      ],
      kept: shares.toSpliced(3, 1),
      outcome: 'finished',
    },
    {
      clause: '6.3',
      name: 'runs of two origins, and of one log under two heads',
      asked: { secrets: [ids(10), ids(30), ids(40, 2)] },
      contents: [batch({ runs: [log.run(0, 1, 5), others.run()] }), batch({ runs: [log.run(1, 1)] }), end(4)],
      kept: [secret(10), secret(40), secret(41), secret(30)],
      outcome: 'finished',
    },
    {
      clause: '6.2',
      name: 'what is not held, of both kinds, in two batches',
      asked: { secrets: [ids(10), ids(100, 50)], capsules: [ids(7, 2), ids(9)] },
      contents: [
        batch({ runs: [ALONE.run()], secretsNotHeld: notHeld([100, 20], [121, 29]) }),
        batch({ secretsNotHeld: notHeld([120, 1]), capsulesNotHeld: notHeld([7, 3]) }),
        end(1, 53),
      ],
      kept: [TEN],
      outcome: 'finished',
    },
    {
      clause: '6.2',
      name: 'nothing held',
      asked: { secrets: [ids(10)] },
      contents: [batch({ secretsNotHeld: notHeld([10, 1]) }), end(0, 1)],
      outcome: 'finished',
    },
    {
      clause: '6.2',
      name: 'cursors that go on, stay, and go from secrets to capsules',
      asked: { secrets: [ids(10), ids(300, 0)], capsules: [ids(0, 0)] },
      contents: [
        batch({ runs: [ALONE.run()], cursor: { kind: 'SECRET', nftId: 11 } }),
        batch({ cursor: { kind: 'SECRET', nftId: 5_000 } }),
        batch({ cursor: { kind: 'SECRET', nftId: 5_000 } }),
        batch({ cursor: { kind: 'CAPSULE', nftId: 0 } }),
        end(1),
      ],
      kept: [TEN],
      outcome: 'finished',
    },
    {
      clause: '6.1',
      name: 'all of an open range, of which nothing need be said that is not held',
      asked: { secrets: [ids(10, 0, 400)] },
      contents: [batch({ runs: [log.run(0, 2), log.run(5, 3)] }), end(5)],
      kept: [...shares.slice(0, 2), ...shares.slice(5)],
      outcome: 'finished',
    },
    {
      clause: '6.1',
      name: 'an open range of nothing',
      asked: { capsules: [ids(0, 0)] },
      contents: [end(0)],
      outcome: 'finished',
    },
    {
      clause: '8.2',
      name: 'payloads of 16 and of 3000 bytes',
      asked: { secrets: [ids(5, 2)] },
      contents: [batch({ runs: [small.run()] }), end(2)],
      kept: small.run().shares,
      outcome: 'finished',
    },
    {
      clause: '3',
      name: 'unknown fields',
      asked: { secrets: [ids(10)] },
      contents: [concat(batch({ runs: [ALONE.run()] }), uint(90, 1)), concat(end(1), nested(91, ascii('later')))],
      kept: [TEN],
      outcome: 'finished',
    },
    {
      clause: '4.7',
      name: 'the provider stops early',
      asked: { secrets: [ids(10, 4)] },
      contents: [batch({ runs: [ALONE.run()], cursor: { kind: 'SECRET', nftId: 11 } }), end(1, 0, true)],
      kept: [TEN],
      outcome: 'unfinished',
    },
    {
      clause: '4.7',
      name: 'the provider stops at once',
      asked: { secrets: [ids(10)] },
      contents: [end(0, 0, true)],
      outcome: 'unfinished',
    },
    {
      clause: '4.7',
      name: 'the provider stops behind the last share',
      asked: { secrets: [ids(10)] },
      contents: [batch({ runs: [ALONE.run()] }), end(1, 0, true)],
      kept: [TEN],
      outcome: 'unfinished',
    },
    ofVersion('6.3, 1', 'the least version asked for', 'finished', 500),
    ofVersion('6.3, 1', 'a later version', 'finished', 999),
    ofVersion('6.3, 1', 'a version two blocks ahead', 'finished', NOW + 2),
    ten('6.3, 2', 'a secret of the cluster that the chain names', 'finished', ALONE.run(), {
      origins: [{ kind: 'SECRET', nftId: 10, cluster: 5 }],
    }),
    {
      clause: '6.3, 2',
      name: 'a capsule of a later version, of another cluster than the chain has named',
      asked: { capsules: [ids(20, 1, 500)] },
      origins: [{ kind: 'CAPSULE', nftId: 20, cluster: 5 }],
      contents: [batch({ runs: [capsuleOfSeven.run()] }), end(1)],
      kept: [capsule(20, 700)],
      outcome: 'finished',
    },
    ofVersion('6.3, 4', 'of an account that had the seat at that version, and has lost it', 'finished', 899, former, {
      cluster: 6,
    }),
    ofVersion(
      '6.3, 4',
      'of an account that has the seat now, and had it not at that version',
      'finished',
      600,
      successor,
      { cluster: 6 },
    ),
  ]
}

function malformed(): Case[] {
  const right = ALONE.run()
  const { head } = right
  if (head === undefined) throw new Error('the run has a head')
  const wrong = (clause: string, name: string, ...contents: readonly Uint8Array[]): Case => ({
    clause,
    name,
    asked: { secrets: [ids(10), ids(12, 5)], capsules: [ids(7), ids(100, 0)] },
    contents,
    outcome: 'MALFORMED',
  })
  const run = (clause: string, name: string, changes: Partial<Run>) =>
    wrong(clause, name, batch({ runs: [{ ...right, ...changes }] }))
  const of = (share: Share) => new Origin([share]).run()
  const names = (secrets: Uint8Array, capsules: Uint8Array = new Uint8Array()) =>
    batch({ secretsNotHeld: secrets, capsulesNotHeld: capsules })
  const cursor = (kind: Kind, nftId: number) => batch({ cursor: { kind, nftId } })
  const kept = (after: Case): Case => ({ ...after, kept: [TEN] })
  return [
    wrong('3', 'neither a Batch nor an End', new Uint8Array()),
    wrong('3', 'no protocol buffers', ascii('What only the two enclaves may read.')),
    wrong('3', 'a Batch cut short', batch({ runs: [right] }).subarray(0, -1)),
    wrong('6.2', 'a Batch of nothing', batch({})),
    run('6.2', 'a Run without a head', { head: undefined }),
    run('6.2', 'a Run without shares', { shares: [] }),
    wrong('6.2', 'a payload of 15 bytes', batch({ runs: [of(secret(10, 500, 15))] })),
    wrong('6.2', 'a payload of 3001 bytes', batch({ runs: [of(secret(10, 500, 3_001))] })),
    wrong('6.2', 'no payload', batch({ runs: [of(secret(10, 500, 0))] })),
    run('3', 'an account of 31 bytes', { head: { ...head, account: head.account.subarray(1) } }),
    run('3', 'an incarnation of 15 bytes', { head: { ...head, incarnation: head.incarnation.subarray(1) } }),
    run('3', 'a root of 31 bytes', { head: { ...head, root: head.root.subarray(1) } }),
    run('3', 'a signature of 63 bytes', { head: { ...head, signature: head.signature.subarray(1) } }),
    wrong('3', 'a share of no kind', batch({ runs: [right] }).map(unkinded(batch({ runs: [right] })))),
    wrong('6.2', 'not held: no list', names(row(10))),
    wrong('6.2', 'not held: an empty range', names(row(10, 0))),
    wrong('6.2', 'not held: neighbours that could be one range', names(row(12, 1, 0, 1))),
    wrong('6.2', 'not held: an id that was not asked for', names(notHeld([11, 1]))),
    wrong('6.2', 'not held: one id too many', names(notHeld([12, 6]))),
    wrong('6.2', 'not held: an id of the other kind', names(new Uint8Array(), notHeld([10, 1]))),
    wrong('6.2', 'not held: an id of an open range', names(new Uint8Array(), notHeld([100, 1]))),
    wrong('6.2', 'not held: the same id again', names(notHeld([12, 1])), names(notHeld([12, 1]))),
    kept(wrong('6.2', 'not held: an id that was received', batch({ runs: [right] }), names(notHeld([10, 1])))),
    wrong(
      '6.2',
      'not held: an id that is in the same Batch',
      batch({ runs: [right], secretsNotHeld: notHeld([10, 1]) }),
    ),
    wrong('6.2', 'a cursor that goes back', cursor('SECRET', 12), cursor('SECRET', 11)),
    wrong('6.2', 'a cursor that goes back to secrets', cursor('CAPSULE', 0), cursor('SECRET', 17)),
    wrong('3', 'a cursor of no kind', nested(1, nested(4, uint(2, 12)))),
    wrong('3', 'a cursor of an unknown kind', nested(1, nested(4, concat(uint(1, 3), uint(2, 12))))),
  ]
}

/** Sets the kind of the only secret in a message to 0: the two bytes that say so come before its id. */
function unkinded(message: Uint8Array): (byte: number, at: number) => number {
  const id = concat(uint(1, 1), uint(2, 10))
  const found = Buffer.from(message).indexOf(id)
  return (byte, at) => (at === found + 1 ? 0 : byte)
}

function reset(): Case[] {
  const shares = [TEN, secret(11), capsule(12)]
  const log = new Origin(shares)
  const right = ALONE.run()
  const { head } = right
  if (head === undefined) throw new Error('the run has a head')
  const twice = new Origin([TEN, secret(10, 600)])
  const asked = { secrets: [ids(10, 2)], capsules: [ids(12)] }
  const wrong = (clause: string, name: string, contents: readonly Uint8Array[], more: Partial<Case> = {}): Case => ({
    clause,
    name,
    asked,
    contents,
    outcome: 'reset',
    ...more,
  })
  const run = (clause: string, name: string, changes: Partial<Run>) =>
    wrong(clause, name, [batch({ runs: [{ ...log.run(), ...changes }] })])
  const whole = batch({ runs: [log.run()] })
  const noSeat = REGISTRIES.map(({ from, registry: then }) => ({ from, registry: then.slice(1) }))
  return [
    wrong('6.3, 1', 'an id that was not asked for', [whole], { asked: { secrets: [ids(10)], capsules: [ids(12)] } }),
    wrong('6.3, 1', 'of the other kind', [whole], { asked: { secrets: [ids(10, 3)] } }),
    wrong('6.3, 1', 'an id below an open range', [whole], { asked: { secrets: [ids(11, 0)], capsules: [ids(0, 0)] } }),
    wrong('6.3, 1', 'one share twice in a run', [batch({ runs: [twice.run()] })]),
    wrong('6.3, 1', 'one share twice in a batch', [batch({ runs: [log.run(0, 1), log.run(0, 1)] })]),
    wrong('6.3, 1', 'one share again', [batch({ runs: [log.run(0, 2)] }), batch({ runs: [log.run(1, 1)] })], {
      kept: shares.slice(0, 2),
    }),
    wrong(
      '6.3, 1',
      'one share of an open range again',
      [batch({ runs: [log.run(0, 2)] }), batch({ runs: [log.run(1, 1)] })],
      {
        asked: { secrets: [ids(0, 0)] },
        kept: shares.slice(0, 2),
      },
    ),
    ofVersion('6.3, 1', 'an earlier version than the least asked for', 'reset', 499),
    ofVersion('6.3, 1', 'a version three blocks ahead', 'reset', NOW + 3),
    ofVersion('6.3, 1', 'the last version there can be', 'reset', 0xffff_ffff),
    wrong('6.3, 1', 'an earlier version than an open range asks for', [batch({ runs: [log.run(0, 2)] })], {
      asked: { secrets: [ids(0, 0, 501)] },
    }),
    ten('6.3, 2', 'a secret of another cluster than the chain names', 'reset', right, {
      origins: [{ kind: 'SECRET', nftId: 10, cluster: 7 }],
    }),
    wrong('6.3, 2', 'a capsule of the version and another cluster than the chain names', [whole], {
      asked: { secrets: [ids(10, 2)], capsules: [ids(12, 1, 500)] },
      origins: [{ kind: 'CAPSULE', nftId: 12, cluster: 7 }],
    }),
    ten('6.3, 3', 'of another slot', 'reset', new Origin([TEN], { cluster: 7, slot: 4 }, elsewhere).run()),
    ten(
      '6.3, 4',
      'of an account that has the seat of another slot',
      'reset',
      new Origin([TEN], { cluster: 7 }, elsewhere).run(),
    ),
    ten('6.3, 3', 'the requester has lost its seat', 'reset', right, { registries: noSeat }),
    ten('6.3, 4', 'of an account that never had a seat', 'reset', new Origin([TEN], {}, stranger).run()),
    ten('6.3, 4', 'of an account that has the seat of another cluster', 'reset', new Origin([TEN], {}, another).run()),
    ten('6.3, 4', 'of the requester itself, for another cluster', 'reset', new Origin([TEN], {}, requester).run()),
    ofVersion('6.3, 4', 'of an account that had lost the seat at that version', 'reset', 900, former, { cluster: 6 }),
    wrong('6.3, 4', 'of an account that did not have the seat yet', [
      batch({ runs: [new Origin([secret(10, 199)], { cluster: 6 }, former).run()] }),
    ]),
    ofVersion('6.3, 4', 'of an account that had lost the seat, of a version ahead', 'reset', NOW + 1, former, {
      cluster: 6,
    }),
    wrong('6.3, 4', 'one of two versions before the seat', [
      batch({ runs: [new Origin([TEN, secret(11, 900)], { cluster: 6 }, former).run()] }),
    ]),
    run('6.3, 5', 'a head that was not signed', { head: { ...head, size: 3, signature: new Uint8Array(64) } }),
    run('6.3, 5', 'the signature of another head', {
      head: { ...log.run().head, signature: head.signature } as LogHead,
    }),
    run('6.3, 5', 'a head signed by another', {
      head: { ...new Origin(shares, {}, stranger).run().head, account: origin.account } as LogHead,
    }),
    run('6.3, 6', 'one byte of a payload altered', {
      shares: shares.map((share, at) => (at === 1 ? { ...share, payload: altered(share.payload) } : share)),
    }),
    run('6.3, 6', 'payloads exchanged', {
      shares: shares.map((share, at) =>
        at < 2 ? { ...share, payload: shares[1 - at]?.payload ?? share.payload } : share,
      ),
    }),
    run('6.3, 6', 'an old share under a later version', {
      shares: shares.map((share) => ({ ...share, version: 501 })),
    }),
    run('6.3, 6', 'ids exchanged', {
      shares: shares.map((share, at) => (at < 2 ? { ...share, nftId: 21 - share.nftId } : share)),
    }),
    run('6.3, 6', 'at another index', { ...log.run(0, 2), firstIndex: 1 }),
    run('6.3, 6', 'a hash too few', { ...log.run(0, 2), right: [] }),
    run('6.3, 6', 'a hash too many', { right: [made('a hash')] }),
    run('6.3, 6', 'under the head of another log', { head: ALONE.run().head }),
    wrong('4.7', 'an End that counts one share too many', [whole, end(4)], { kept: shares }),
    wrong('4.7', 'an End that counts one share too few', [whole, end(2)], { kept: shares }),
    wrong('4.7', 'an End that counts what is not held, where nothing was named', [whole, end(3, 1)], { kept: shares }),
    wrong('4.7', 'an End that does not count what is not held', [
      batch({ secretsNotHeld: notHeld([10, 2]), capsulesNotHeld: notHeld([12, 1]) }),
      end(0, 2),
    ]),
    wrong('4.7', 'an End before all was dealt with', [batch({ runs: [log.run(0, 2)] }), end(2)], {
      kept: shares.slice(0, 2),
    }),
    wrong('4.7', 'an End at once', [end(0)]),
    wrong('4.7', 'an early End with a wrong count', [batch({ runs: [log.run(0, 2)] }), end(1, 0, true)], {
      kept: shares.slice(0, 2),
    }),
    wrong('4.7', 'an End at once that counts what never came', [end(3)]),
    wrong('4.7', 'no End', [whole], { kept: shares }),
    wrong('4.7', 'nothing', []),
  ]
}

/** What a provider may seal, and what a requester makes of it. */
export function receivingVectors() {
  return {
    about:
      'Clauses 4.7, 6.2 and 6.3: what the requester makes of `contents`, each a serialised SealedContent that opened, when it has asked for `asked` (`length` 0 is an open range), and knows from the chain of the `origins`. The stream ends behind them. `registries` are those of its chain, each from a block on, of which `now` is the latest; a case that has some of its own has them in place of these. `outcome` is `finished`, `unfinished` (the End says so), the refusal that is sent, or `reset` (the stream is reset without a word, or was cut). `kept` are the shares that are good in any case: those of the contents before the one at fault. A requester that verifies more of a Batch at a time than one Run keeps nothing of the Batch at fault; one that does not may keep the Runs before the Run at fault.',
    genesisHash: made('genesis'),
    requesterAccount: requester.account,
    now: NOW,
    registries: REGISTRIES,
    cases: [...good(), ...malformed(), ...reset()].map(
      ({ name, clause, asked, origins = [], registries, contents, kept = [], outcome }) => ({
        name,
        clause,
        asked: { secrets: asked.secrets ?? [], capsules: asked.capsules ?? [] },
        origins,
        registries,
        contents,
        outcome,
        kept: kept.map(({ kind, nftId, version, payload }) => ({ kind, nftId, version, payload })),
      }),
    ),
  }
}

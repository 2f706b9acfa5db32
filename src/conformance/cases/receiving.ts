import { randomBytes } from 'node:crypto'
import { type AccountSigner, toHex } from '../../crypto/index.js'
import { type LogHead, OriginLog, type ShareRun, signHead } from '../../provenance/index.js'
import { type Batch, type Run, toWireRun, WireKind } from '../../share/raw/index.js'
import { batchOf, type CaseBench, demandRefusal, demandReset, endFor, type Lured } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { demand, NotJudged } from '../deviation.js'
import type { KnownShare } from '../library.js'
import { describeAnswer } from '../raw.js'
import { SLOT } from '../stage.js'
import { idList, listsFor } from '../wants.js'
import { unsuitable } from './values.js'

const MALFORMED_BATCH =
  'The requester MUST refuse with MALFORMED a batch that breaks these rules, or that names an id as not held that was not asked for in a closed range, has been received in this exchange, or was named before'
const HOLDS_ONE =
  'It MUST hold at least one of these, and its id lists and `cursor`s MUST be in keeping with that order'
const WHOLE = 'The requester MUST verify each Run whole (section 6.3) before it uses anything of it'
const CHECKED = 'For each Run the requester MUST check the following'
const NOTHING = 'If one fails it MUST use nothing of the Run and end the exchange'
const ROOT = 'What remains at the end, joined from right to left by node hashes, MUST be `root`'
const SHAPE =
  '`left` and `right` MUST have exactly as many hashes as the decompositions, each of 32 bytes, and _f_ + _n_ MUST NOT exceed _s_'
const SEAT =
  "In the registry at the requester's _now_ the seat (`cluster`, `slot`) is `account`'s; or, for each version in the Run"
const CUT =
  'The requester MUST treat the exchange as cut (it failed, though what came before is good) unless both counts are those of what it has received'
const OPENS = 'A requester that cannot open a message MUST end the exchange and reset the stream'

interface ReceivingInit {
  readonly clause: string
  readonly quote: string
  readonly level?: 'should'
  /** Shares that are synced together for it; 1 by default. */
  readonly count?: number
  /** Whether they are to be of the cluster that the former enclave has left. */
  readonly ofFormer?: boolean
}

/** The peer asks for shares and is given something else than it should be. */
function receiving(
  id: string,
  sent: string,
  expected: string,
  { count = 1, ofFormer = false, ...init }: ReceivingInit,
  play: (lured: Lured, bench: CaseBench) => Promise<void>,
): ConformanceCase {
  return conformanceCase({
    id,
    ...init,
    role: 'requester',
    sent,
    expected,
    run: async (bench) => {
      const lured = async (found: Lured) => {
        await play(found, bench)
        return found.shares.map(({ key }) => key)
      }
      const { cluster } = bench.stage.cast.former
      const keys = await bench.lureFor(count, lured, ofFormer ? { originOf: cluster } : {})
      await bench.demandUnspoilt(keys)
    },
  })
}

function only<T>([first]: readonly T[]): T {
  if (first === undefined) throw new Error('Nothing was planted.')
  return first
}

async function runOf({ key, log }: KnownShare): Promise<Run> {
  return toWireRun(await log.run(log.indexOf(key), 1))
}

/** A Batch that is not what it should be. */
function malformed(
  id: string,
  sent: string,
  quote: string,
  lie: (lured: Lured, run: Run) => Batch | readonly Batch[],
): ConformanceCase {
  return receiving(id, `a Batch ${sent}`, 'Refusal MALFORMED', { clause: '6.2', quote }, async (lured) => {
    const { side } = lured
    const batches = [lie(lured, await runOf(only(lured.shares)))].flat()
    await side.grant()
    for (const batch of batches) await side.sendSealed({ batch })
    demandRefusal(await side.answer(), 'MALFORMED')
  })
}

/** The same share with some of its fields changed, and nothing else. */
function withShare(run: Run, change: Partial<Run['shares'][number]>): Batch {
  return batchOf({ runs: [{ ...run, shares: run.shares.map((share) => ({ ...share, ...change })) }] })
}

function withHead(run: Run, change: Partial<NonNullable<Run['head']>>): Batch {
  const head = run.head ?? {
    account: new Uint8Array(),
    incarnation: new Uint8Array(),
    cluster: 0,
    slot: 0,
    size: 0,
    root: new Uint8Array(),
    signature: new Uint8Array(),
  }
  return batchOf({ runs: [{ ...run, head: { ...head, ...change } }] })
}

const FIXED = 'Fields given with a fixed length MUST have that length'

const batchCases: readonly ConformanceCase[] = [
  malformed('BATCH-01', 'that holds nothing', HOLDS_ONE, () => batchOf({})),
  malformed('BATCH-02', 'that names an id as not held that was not asked for', MALFORMED_BATCH, () =>
    batchOf({ secretsNotHeld: idList([0xfff0_0000]) }),
  ),
  malformed(
    'BATCH-03',
    'that names a capsule as not held where a secret was asked for',
    MALFORMED_BATCH,
    ({ shares }) => batchOf({ capsulesNotHeld: idList([only(shares).key.nftId]) }),
  ),
  malformed('BATCH-04', 'that names an id as not held that came before', MALFORMED_BATCH, ({ shares }, run) => [
    batchOf({ runs: [run] }),
    batchOf({ secretsNotHeld: idList([only(shares).key.nftId]) }),
  ]),
  malformed('BATCH-05', 'that names an id as not held a second time', MALFORMED_BATCH, ({ shares }) => [
    batchOf({ secretsNotHeld: idList([only(shares).key.nftId]) }),
    batchOf({ secretsNotHeld: idList([only(shares).key.nftId]) }),
  ]),
  malformed('BATCH-06', 'whose id list is not canonical', MALFORMED_BATCH, ({ shares: [share] }) => {
    const list = idList([share?.key.nftId ?? 0])
    return batchOf({ secretsNotHeld: new Uint8Array([...list.subarray(0, -1), 0x81, 0]) })
  }),
  malformed('BATCH-07', 'whose cursor is below an earlier one', HOLDS_ONE, () => [
    batchOf({ cursor: { kind: WireKind.SECRET, nftId: 2 } }),
    batchOf({ cursor: { kind: WireKind.SECRET, nftId: 1 } }),
  ]),
  malformed('BATCH-08', 'whose cursor goes from capsules back to secrets', HOLDS_ONE, () => [
    batchOf({ cursor: { kind: WireKind.CAPSULE, nftId: 0 } }),
    batchOf({ cursor: { kind: WireKind.SECRET, nftId: 5 } }),
  ]),
  malformed('BATCH-09', 'whose cursor is of no kind', MALFORMED_BATCH, () =>
    batchOf({ cursor: { kind: WireKind.SHARE_KIND_UNSPECIFIED, nftId: 1 } }),
  ),
  malformed('BATCH-10', 'with a payload of 15 bytes', MALFORMED_BATCH, (_, run) =>
    withShare(run, { payload: unsuitable(15) }),
  ),
  malformed('BATCH-11', 'with a payload of 3001 bytes', MALFORMED_BATCH, (_, run) =>
    withShare(run, { payload: unsuitable(3001) }),
  ),
  malformed('BATCH-12', 'with a Run of no shares', MALFORMED_BATCH, (_, run) =>
    batchOf({ runs: [{ ...run, shares: [] }] }),
  ),
  malformed('BATCH-13', 'with a Run that has no head', MALFORMED_BATCH, (_, run) =>
    batchOf({ runs: [{ ...run, head: undefined }] }),
  ),
  malformed('BATCH-14', 'with a share of no kind', MALFORMED_BATCH, (_, run) =>
    withShare(run, { kind: WireKind.SHARE_KIND_UNSPECIFIED }),
  ),
  ...(
    [
      ['BATCH-15', 'an account of 31 bytes', { account: unsuitable(31) }],
      ['BATCH-16', 'an incarnation of 15 bytes', { incarnation: unsuitable(15) }],
      ['BATCH-17', 'a root of 33 bytes', { root: unsuitable(33) }],
      ['BATCH-18', 'a signature of 63 bytes', { signature: unsuitable(63) }],
    ] as const
  ).map(([id, what, change]) => ({
    ...malformed(id, `with a head that has ${what}`, FIXED, (_, run) => withHead(run, change)),
    clause: '3',
  })),
  receiving(
    'BATCH-19',
    'a Sealed message that holds neither a Batch nor an End',
    'Refusal MALFORMED',
    { clause: '3', quote: 'holds none or another than the one expected here' },
    async ({ side }) => {
      await side.grant()
      await side.sendSealed(new Uint8Array())
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  ),
]

/** A Run that must not be believed: the peer resets, and keeps nothing of it. */
function unbelievable(
  id: string,
  sent: string,
  init: Omit<ReceivingInit, 'clause'> & { readonly clause?: string },
  lie: (lured: Lured, bench: CaseBench) => Promise<Run | readonly Run[]>,
): ConformanceCase {
  return receiving(id, sent, 'a reset, and nothing of it is kept', { clause: '6.3', ...init }, async (lured, bench) => {
    const { side } = lured
    const runs = [await lie(lured, bench)].flat()
    await side.grant()
    await side.sendSealed({ batch: batchOf({ runs }) })
    demandReset(await side.answer())
  })
}

/** A log of the same origin in another incarnation, or of another signer, with one share of it. */
function logWith(
  { stage }: CaseBench,
  { key, version, payload, log }: KnownShare,
  change: {
    version?: number
    payload?: Uint8Array
    signer?: AccountSigner
    seat?: { cluster: number; slot: number }
  } = {},
): OriginLog {
  const own = new OriginLog(stage.view.genesisHash, change.signer ?? log.signer, change.seat ?? log.seat)
  own.append(key, change.version ?? version, change.payload ?? payload)
  return own
}

async function lastRun(log: OriginLog): Promise<Run> {
  return toWireRun(await log.run(log.shares.length - 1, 1))
}

async function changed(share: KnownShare, change: (run: ShareRun) => Partial<ShareRun>): Promise<Run> {
  const run = await share.log.run(share.log.indexOf(share.key), 1)
  return toWireRun({ ...run, ...change(run) })
}

/** A head that says something else and is signed for it. */
function resigned({ head }: ShareRun, { log }: KnownShare, bench: CaseBench, lies: Partial<LogHead>): LogHead {
  const { signature: _, account: __, ...rest } = { ...head, ...lies }
  return signHead(log.signer, bench.stage.view.genesisHash, rest)
}

const provenanceCases: readonly ConformanceCase[] = [
  unbelievable('PROV-01', 'a share that was not asked for', { quote: CHECKED }, async ({ shares }, bench) => {
    const { log } = only(shares)
    const own = new OriginLog(bench.stage.view.genesisHash, log.signer, log.seat)
    own.append({ kind: 'secret', nftId: 0xfff0_0001 }, bench.stage.now, unsuitable(40))
    return lastRun(own)
  }),
  unbelievable('PROV-02', 'the same share twice', { quote: CHECKED }, async ({ shares }) => {
    const run = await runOf(only(shares))
    return [run, run]
  }),
  unbelievable('PROV-03', 'the same share twice in one Run', { quote: CHECKED }, async ({ shares }, bench) => {
    const share = only(shares)
    const own = logWith(bench, share)
    own.append(share.key, share.version, share.payload)
    return toWireRun(await own.run(0, 2))
  }),
  unbelievable('PROV-04', 'a share of a version 100 blocks ahead', { quote: CHECKED }, async ({ shares }, bench) =>
    lastRun(logWith(bench, only(shares), { version: bench.stage.now + 100 })),
  ),
  unbelievable(
    'PROV-05',
    'a share of an earlier version than was asked for',
    { quote: CHECKED },
    async ({ shares, asked }, bench) => {
      const share = only(shares)
      const range = asked.ranges.find(
        ({ first, length, kind }) =>
          kind === share.key.kind && share.key.nftId >= first && (length === 0 || share.key.nftId < first + length),
      )
      if (range === undefined || range.minimumVersion === 0) throw new NotJudged('the peer takes it in any version')
      return lastRun(logWith(bench, share, { version: range.minimumVersion - 1 }))
    },
  ),
  unbelievable(
    'PROV-06',
    "a share under the log of another cluster's enclave, which has its seat",
    {
      quote:
        "Where the requester knows from the chain which cluster the share comes from, the head's `cluster` is that one",
      // Who does not follow events does not know.
      level: 'should',
    },
    async ({ shares }, bench) => {
      const share = only(shares)
      const other = bench.bench.logs.find((each) => each !== share.log)
      if (other === undefined) throw new Error('There is one origin only.')
      return lastRun(logWith(bench, share, { signer: other.signer, seat: other.seat }))
    },
  ),
  unbelievable(
    'PROV-07',
    'a share under a head for another slot',
    { quote: "The requester has a seat at its _now_, and the head's `slot` is that of its seat" },
    async ({ shares }, bench) => {
      const share = only(shares)
      return changed(share, (run) => ({ head: resigned(run, share, bench, { slot: SLOT + 1 }) }))
    },
  ),
  unbelievable(
    'PROV-08',
    'a share under the log of the enclave that sits in another slot of that cluster',
    { quote: "The requester has a seat at its _now_, and the head's `slot` is that of its seat" },
    async ({ shares }, bench) => {
      const share = only(shares)
      const origin = bench.stage.cast.origins.find(({ cluster }) => cluster === share.log.seat.cluster)
      const neighbour = origin?.enclaves[SLOT + 1]
      if (neighbour === undefined) throw new Error('A cluster has five seats.')
      return lastRun(logWith(bench, share, { signer: neighbour.signer, seat: neighbour }))
    },
  ),
  unbelievable(
    'PROV-09',
    'a share under the log of an account without a seat',
    { quote: SEAT },
    async ({ shares }, bench) => lastRun(logWith(bench, only(shares), { signer: bench.stage.cast.stranger })),
  ),
  unbelievable(
    'PROV-10',
    'a share that was synced now under the log of an enclave that has lost the seat before',
    { quote: SEAT, ofFormer: true },
    async ({ shares }, bench) => {
      const { former } = bench.stage.cast
      return lastRun(logWith(bench, only(shares), { signer: former.signer, seat: former }))
    },
  ),
  unbelievable(
    'PROV-11',
    'a head that another account has signed',
    { quote: "The head's signature" },
    async ({ shares }, bench) => {
      const share = only(shares)
      return changed(share, ({ head }) => {
        const { signature } = signHead(bench.stage.cast.stranger, bench.stage.view.genesisHash, head)
        return { head: { ...head, signature } }
      })
    },
  ),
  unbelievable(
    'PROV-12',
    'a head that was signed for another chain',
    { quote: "The head's signature" },
    async ({ shares }) => {
      const share = only(shares)
      return changed(share, ({ head }) => ({ head: signHead(share.log.signer, toHex(unsuitable(32)), head) }))
    },
  ),
  unbelievable(
    'PROV-13',
    'a head whose size was changed after it was signed',
    { quote: "The head's signature" },
    async ({ shares }) => changed(only(shares), ({ head }) => ({ head: { ...head, size: head.size + 1 } })),
  ),
  unbelievable('PROV-14', 'another payload than the leaf is of', { quote: WHOLE, clause: '6.2' }, async ({ shares }) =>
    changed(only(shares), ({ shares: [own] }) => ({
      shares: own === undefined ? [] : [{ ...own, payload: new Uint8Array(randomBytes(40)) }],
    })),
  ),
  unbelievable(
    'PROV-15',
    'another version than the leaf is of',
    { quote: 'The range proof, over leaf hashes that the requester computes from the payloads that it has received' },
    async ({ shares }) =>
      changed(only(shares), ({ shares: [own] }) => ({
        shares: own === undefined ? [] : [{ ...own, leaf: { ...own.leaf, version: own.leaf.version + 1 } }],
      })),
  ),
  unbelievable(
    'PROV-16',
    'a root that the proof does not lead to, signed',
    { quote: ROOT },
    async ({ shares }, bench) => {
      const share = only(shares)
      return changed(share, (run) => ({ head: resigned(run, share, bench, { root: unsuitable(32) }) }))
    },
  ),
  unbelievable('PROV-17', 'a share at another index than its own', { quote: ROOT }, async ({ shares }) =>
    changed(only(shares), ({ first }) => ({ first: first === 0 ? 1 : first - 1 })),
  ),
  unbelievable('PROV-18', 'a proof that lacks a hash', { quote: SHAPE }, async ({ shares }) =>
    changed(only(shares), ({ proof: { left, right } }) => ({
      proof: left.length > 0 ? { left: left.slice(1), right } : { left, right: right.slice(1) },
    })),
  ),
  unbelievable('PROV-19', 'a proof with a hash too many', { quote: SHAPE }, async ({ shares }) =>
    changed(only(shares), ({ proof: { left, right } }) => ({ proof: { left, right: [...right, unsuitable(32)] } })),
  ),
  unbelievable('PROV-20', 'a proof with a hash of 31 bytes', { quote: SHAPE }, async ({ shares }) =>
    changed(only(shares), ({ proof: { left, right } }) => ({
      proof:
        left.length > 0
          ? { left: [unsuitable(31), ...left.slice(1)], right }
          : { left, right: [...right.slice(1), unsuitable(31)] },
    })),
  ),
  unbelievable(
    'PROV-21',
    'a Run that goes on behind the end of the log',
    { quote: SHAPE },
    async ({ shares }, bench) => {
      const share = only(shares)
      return changed(share, (run) => ({ head: resigned(run, share, bench, { size: run.first }) }))
    },
  ),
  unbelievable('PROV-22', 'two shares in the wrong order', { quote: ROOT, count: 2 }, async ({ shares }) => {
    const share = only(shares)
    const run = await share.log.run(share.log.indexOf(share.key), 2)
    return toWireRun({ ...run, shares: [...run.shares].reverse() })
  }),
  unbelievable(
    'PROV-23',
    'two shares of which the second has another payload',
    { quote: NOTHING, count: 2 },
    async ({ shares }) => {
      const share = only(shares)
      const run = await share.log.run(share.log.indexOf(share.key), 2)
      const [first, second] = run.shares
      if (first === undefined || second === undefined) throw new Error('Too few were planted.')
      return toWireRun({ ...run, shares: [first, { ...second, payload: new Uint8Array(randomBytes(40)) }] })
    },
  ),
  believable('PROV-31', 'a share in the middle of a log, under its newest head', {}, async ({ shares }) => {
    const share = only(shares)
    share.log.append({ kind: 'capsule', nftId: 0xfff0_0002 }, share.version, unsuitable(40))
    return [await runOf(share)]
  }),
  believable('PROV-32', 'a share under a head of an earlier size than the newest', {}, async ({ shares }) => {
    const share = only(shares)
    const at = share.log.indexOf(share.key)
    share.log.append({ kind: 'capsule', nftId: 0xfff0_0003 }, share.version, unsuitable(40))
    return [toWireRun(await share.log.run(at, 1, share.log.head({ size: at + 1 })))]
  }),
  believable('PROV-33', 'three shares in three Runs under one head', { count: 3 }, async ({ shares }) => {
    const runs = await Promise.all(shares.map(({ key, log }) => log.run(log.indexOf(key), 1)))
    const head = runs[0]?.head
    return runs.map((run) => toWireRun({ ...run, head: head ?? run.head }))
  }),
  believable('PROV-34', 'three shares in one Run', { count: 3 }, async ({ shares }) => {
    const share = only(shares)
    return [toWireRun(await share.log.run(share.log.indexOf(share.key), 3))]
  }),
  believable('PROV-35', 'a share of 3000 bytes', { size: 3000 }, async ({ shares }) => [await runOf(only(shares))]),
  believable('PROV-36', 'a share of 16 bytes', { size: 16 }, async ({ shares }) => [await runOf(only(shares))]),
  believable('PROV-37', 'a share under another incarnation of its origin', {}, async ({ shares }, bench) => [
    await lastRun(logWith(bench, only(shares))),
  ]),
  conformanceCase({
    id: 'PROV-38',
    clause: '6.3',
    quote: 'It MUST NOT take the shares of such a Run',
    role: 'requester',
    sent: 'a share under a good head of a log, then one under a head of the same log in which the first stands otherwise',
    expected: 'that it gives the second, if at all, under another incarnation',
    run: async (bench) => {
      const fork = await bench.lureFor(1, async (lured) => {
        const honest = logWith(bench, only(lured.shares))
        await give(lured, [await lastRun(honest)])
        await lured.side.answer()
        return honest
      })
      await bench.untilHeld(...fork.shares.map(({ leaf }) => leaf))
      const second = await bench.lureFor(
        1,
        async (lured) => {
          const share = only(lured.shares)
          // The second history of the same incarnation.
          const other = new OriginLog(bench.stage.view.genesisHash, fork.signer, fork.seat, fork.incarnation)
          if (share.log.signer.account !== fork.signer.account) throw new NotJudged('the two shares are of two origins')
          other.append({ kind: 'secret', nftId: 0xfff0_0004 }, share.version, unsuitable(40))
          other.append(share.key, share.version, share.payload)
          await give(lured, [await lastRun(other)])
          await lured.side.answer()
          return share
        },
        { originOf: fork.seat.cluster },
      )
      const { heads } = await bench.fetch(listsFor([second.key]))
      demand(
        heads.every(({ incarnation }) => incarnation !== fork.incarnation),
        'it has taken a share of a log that it knew to be forked',
      )
    },
  }),
]

/** Runs that are good in an uncommon way: the exchange goes on to its end. */
function believable(
  id: string,
  sent: string,
  { count = 1, size }: { count?: number; size?: number },
  make: (lured: Lured, bench: CaseBench) => Promise<readonly Run[]>,
): ConformanceCase {
  return conformanceCase({
    id,
    clause: '6.3',
    quote: 'For each Run the requester MUST check the following',
    role: 'requester',
    sent,
    expected: 'that it takes it: the end of its side after the End',
    run: async (bench) => {
      const keys = await bench.lureFor(
        count,
        async (lured) => {
          await give(lured, await make(lured, bench))
          const answer = await lured.side.answer()
          demand(answer.type === 'closed', `${describeAnswer(answer)} came after the End`)
          return lured.shares.map(({ key }) => key)
        },
        size === undefined ? {} : { size },
      )
      await bench.untilHeld(...keys)
    },
  })
}

async function give({ side, asked }: Lured, runs: readonly Run[]): Promise<void> {
  await side.grant()
  await side.sendSealed({ batch: batchOf({ runs: [...runs] }) })
  const count = runs.reduce((sum, { shares }) => sum + shares.length, 0)
  await side.sendSealed({ end: endFor(asked, count) })
  await side.close()
}

/** What was cut must be asked for again, and what came before is good. */
function cut(id: string, sent: string, play: (lured: Lured, runs: readonly Run[]) => Promise<void>): ConformanceCase {
  return conformanceCase({
    id,
    clause: '4.7',
    quote: CUT,
    role: 'requester',
    sent,
    expected: 'a reset, or the end of a stream that was cut; it asks again for what it lacks',
    run: async (bench) => {
      const keys = await bench.lureFor(2, async (lured) => {
        const runs = await Promise.all(lured.shares.map(runOf))
        await lured.side.grant()
        await play(lured, runs)
        return lured.shares.map(({ key }) => key)
      })
      await bench.untilHeld(...keys)
    },
  })
}

const endCases: readonly ConformanceCase[] = [
  cut('END-01', 'all that was asked for, and an End that counts one share more', async ({ side, asked }, runs) => {
    await side.sendSealed({ batch: batchOf({ runs: [...runs] }) })
    await side.sendSealed({ end: endFor(asked, runs.length + 1) })
    await side.close()
    demandReset(await side.answer())
  }),
  cut(
    'END-02',
    'all that was asked for, and an End that counts one that is not held',
    async ({ side, asked }, runs) => {
      await side.sendSealed({ batch: batchOf({ runs: [...runs] }) })
      await side.sendSealed({ end: { ...endFor(asked, runs.length), notHeldCount: 1 } })
      await side.close()
      demandReset(await side.answer())
    },
  ),
  cut('END-03', 'one share of two, and an End without unfinished', async ({ side }, [run]) => {
    if (run !== undefined) await side.sendSealed({ batch: batchOf({ runs: [run] }) })
    await side.sendSealed({ end: { shareCount: 1, notHeldCount: 0, unfinished: false } })
    await side.close()
    demandReset(await side.answer())
  }),
  cut('END-04', 'an End at once, without unfinished', async ({ side }) => {
    await side.sendSealed({ end: { shareCount: 0, notHeldCount: 0, unfinished: false } })
    await side.close()
    demandReset(await side.answer())
  }),
  cut('END-05', 'one share of two, and the end of the stream', async ({ side }, [run]) => {
    if (run !== undefined) await side.sendSealed({ batch: batchOf({ runs: [run] }) })
    await side.close()
    const answer = await side.answer()
    demand(answer.type === 'reset' || answer.type === 'closed', `${describeAnswer(answer)} came`)
  }),
  cut('END-06', 'one share of two, and a reset', async ({ side }, [run]) => {
    if (run !== undefined) await side.sendSealed({ batch: batchOf({ runs: [run] }) })
    side.abort()
  }),
  conformanceCase({
    id: 'END-07',
    clause: '4.7',
    quote: 'After an End with `unfinished`, or a cut, a requester asks again in a new exchange for what it still lacks',
    role: 'requester',
    sent: 'one share of two, and an End with unfinished',
    expected: 'the end of its side; it asks again for the other share, and not for the one that it has',
    run: async (bench) => {
      const [first, second] = await bench.lureFor(2, async ({ side, shares }) => {
        const [share] = shares
        if (share === undefined) throw new Error('Nothing was planted.')
        await side.grant()
        await side.sendSealed({ batch: batchOf({ runs: [await runOf(share)] }) })
        await side.sendSealed({ end: { shareCount: 1, notHeldCount: 0, unfinished: true } })
        await side.close()
        const answer = await side.answer()
        demand(answer.type === 'closed', `${describeAnswer(answer)} came after the End`)
        return shares
      })
      if (first === undefined || second === undefined) throw new Error('Too few were planted.')
      await bench.atRequest(second.key, async (side, asked) => {
        bench.expect(!asked.includes(first.key), 'it asks again for what it has been given')
        await bench.bench.members.serveHonestly(side, asked.request.body)
      })
      await bench.untilHeld(first.key, second.key)
    },
  }),
  conformanceCase({
    id: 'END-08',
    clause: '9',
    quote: 'a requester SHOULD ask another provider for what one does not hold',
    role: 'requester',
    level: 'should',
    sent: 'the word that the share is not held',
    expected: 'the end of its side; it asks for it again, somewhere',
    run: async (bench) => {
      const share = await bench.lureFor(1, async ({ side, asked, shares }) => {
        const { key } = only(shares)
        await side.grant()
        await side.sendSealed({ batch: batchOf({ secretsNotHeld: idList([key.nftId]) }) })
        await side.sendSealed({ end: endFor(asked, 0, 1) })
        await side.close()
        const answer = await side.answer()
        demand(answer.type === 'closed', `${describeAnswer(answer)} came after the End`)
        return only(shares)
      })
      await bench.untilHeld(share.key)
    },
  }),
]

function sealing(id: string, sent: string, play: (lured: Lured, run: Run) => Promise<void>): ConformanceCase {
  return receiving(id, sent, 'a reset, and nothing of it is kept', { clause: '5.3', quote: OPENS }, async (lured) => {
    await play(lured, await runOf(only(lured.shares)))
    demandReset(await lured.side.answer())
  })
}

const sealingCases: readonly ConformanceCase[] = [
  sealing('SEAL-01', 'a Batch that is not sealed', async ({ side }, run) => {
    await side.grant()
    await side.sendPlain({ batch: batchOf({ runs: [run] }) })
  }),
  sealing('SEAL-02', 'a Batch that somebody sealed who does not know the pre-shared key', async ({ side }, run) => {
    await side.grant({ preSharedKey: new Uint8Array(32).fill(1) })
    await side.sendSealed({ batch: batchOf({ runs: [run] }) })
  }),
  sealing('SEAL-03', 'a sealed Batch in which a bit was changed', async ({ side }, run) => {
    await side.grant()
    const message = await side.seal({ batch: batchOf({ runs: [run] }) })
    message[message.length - 1] = (message[message.length - 1] ?? 0) ^ 1
    await side.send(message)
  }),
  sealing('SEAL-04', 'the second of two sealed messages first', async ({ side, asked }, run) => {
    await side.grant()
    const first = await side.seal({ batch: batchOf({ runs: [run] }) })
    const second = await side.seal({ end: endFor(asked, 1) })
    await side.send(second)
    await side.send(first)
  }),
  sealing('SEAL-05', 'one sealed message twice', async ({ side }) => {
    await side.grant()
    const message = await side.seal({ batch: batchOf({ cursor: { kind: WireKind.SECRET, nftId: 0 } }) })
    await side.send(message)
    await side.send(message)
  }),
  sealing('SEAL-06', 'an End that is not sealed', async ({ side }) => {
    await side.grant()
    await side.sendPlain({ end: { shareCount: 0, notHeldCount: 0, unfinished: true } })
  }),
  receiving(
    'SEAL-07',
    'a Grant whose key has 31 bytes',
    'Refusal MALFORMED',
    { clause: '5.3', quote: 'A key that is none is MALFORMED' },
    async ({ side }) => {
      await side.sendGrant(unsuitable(31))
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  ),
  receiving(
    'SEAL-08',
    'a Grant whose key is of zeroes, with which the shared secret is all zeroes',
    'Refusal MALFORMED',
    { clause: '5.1', quote: 'In suite 1, shared secrets of all zeroes MUST be refused (RFC 9180, 7.1.4)' },
    async ({ side }) => {
      await side.sendGrant(new Uint8Array(32))
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  ),
]

/** What comes from the Grant on. */
export const receivingCases: readonly ConformanceCase[] = [
  ...sealingCases,
  ...batchCases,
  ...provenanceCases,
  ...endCases,
]

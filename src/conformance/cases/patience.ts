import { type CaseBench, demandRefusal } from '../bench.js'
import { type CaseInit, type ConformanceCase, conformanceCase } from '../case.js'
import { demand, NotJudged } from '../deviation.js'
import { pause } from '../pause.js'
import type { Answer } from '../raw.js'
import { describeAnswer } from '../raw.js'

const WAITS =
  'A side that waits longer than this, also for the other to take what it writes (60 s per `Sealed`), resets the stream'
const STALE =
  'A side that has not seen a new final block for 120 s (20 blocks of 6 s) MUST NOT begin an exchange, MUST refuse a Hello with NOT_READY, and MUST end what it serves as if the token had expired'

/** What a busy machine may add. */
const GRACE_MS = 4_000
const OLDEST_VIEW_MS = 120_000
/** How long a peer with an old view is watched; it would come sooner than that otherwise. */
const WATCH_MS = 20_000
const HANDSHAKE_MS = 25_000

function slow(init: Omit<CaseInit, 'slow'>): ConformanceCase {
  return conformanceCase({ ...init, slow: true })
}

async function demandResetWithin(
  side: { answer(ms: number): Promise<Answer<object>> },
  seconds: number,
): Promise<void> {
  const answer = await side.answer(seconds * 1_000 + GRACE_MS)
  const isOver = answer.type === 'reset' || answer.type === 'closed'
  demand(isOver, `${describeAnswer(answer)} came within ${seconds} s`)
}

/** Lets no block come until the peer's view is too old, and does this meanwhile. */
async function withOldView(bench: CaseBench, before: number, work: () => Promise<void>): Promise<void> {
  await bench.stage.still(async () => {
    bench.stage.sealBlock()
    await bench.settle()
    await pause(OLDEST_VIEW_MS - before, bench.signal)
    await work()
  })
}

/** Cases that wait for what a peer does not do. */
export const patienceCases: readonly ConformanceCase[] = [
  slow({
    id: 'TIME-01',
    clause: '4.8',
    quote: WAITS,
    role: 'provider',
    sent: 'a stream, and no Hello',
    expected: 'a reset within 10 s',
    run: async (bench) => {
      const side = await bench.open()
      // Else the other side may not hear of the stream at all.
      side.sendBytes(Uint8Array.of(0x80))
      await demandResetWithin(side, 10)
    },
  }),
  slow({
    id: 'TIME-02',
    clause: '4.8',
    quote: WAITS,
    role: 'provider',
    sent: 'Hello, and no Request',
    expected: 'a reset within 30 s',
    run: async (bench) => {
      const { side } = await bench.challenged()
      await demandResetWithin(side, 30)
    },
  }),
  slow({
    id: 'TIME-03',
    clause: '4.8',
    quote: WAITS,
    role: 'requester',
    sent: 'no Challenge',
    expected: 'a reset within 30 s',
    run: (bench) =>
      bench.lure(async (side) => {
        await side.hello()
        await demandResetWithin(side, 30)
      }),
  }),
  slow({
    id: 'TIME-04',
    clause: '4.8',
    quote: WAITS,
    role: 'requester',
    sent: 'Challenge, and no Grant',
    expected: 'a reset within 30 s',
    run: (bench) => bench.lureFor(1, ({ side }) => demandResetWithin(side, 30)),
  }),
  slow({
    id: 'TIME-05',
    clause: '4.8',
    quote: WAITS,
    role: 'requester',
    sent: 'Grant, and no Sealed',
    expected: 'a reset within 60 s',
    run: (bench) =>
      bench.lureFor(1, async ({ side }) => {
        await side.grant()
        await demandResetWithin(side, 60)
      }),
  }),
  slow({
    id: 'VIEW-01',
    clause: '4.2',
    quote: STALE,
    role: 'provider',
    sent: 'Hello when no block has come for 121 s',
    expected: 'Refusal NOT_READY',
    run: (bench) =>
      withOldView(bench, -1_000, async () => {
        const side = await bench.open()
        await side.hello()
        demandRefusal(await side.answer(), 'NOT_READY')
      }),
  }),
  slow({
    id: 'VIEW-02',
    clause: '4.2',
    quote: STALE,
    role: 'provider',
    needsShares: true,
    sent: 'Hello when no block has come for 97 s, and the Request 25 s later',
    expected: 'no Batch, but an End with unfinished',
    run: (bench) =>
      withOldView(bench, HANDSHAKE_MS - 2_000, async () => {
        const { side } = await bench.challenged()
        await pause(HANDSHAKE_MS, bench.signal)
        const lists = bench.listsFor(bench.bench.baseline.slice(0, 3))
        await side.request(lists)
        const { shares, end } = await bench.receive(side, lists)
        demand(shares.size === 0, `it sent ${shares.size} shares`)
        demand(end.unfinished, 'its End does not say that it stopped early')
      }),
  }),
  slow({
    id: 'VIEW-03',
    clause: '4.2',
    quote: STALE,
    role: 'requester',
    sent: 'Refusal NOT_READY whenever it asks for a share, until no block has come for 121 s',
    expected: 'no Hello from then on, and that it asks again after a block',
    run: async (bench) => {
      const { members } = bench.bench
      const door = members.refuseAll('NOT_READY')
      try {
        const { key } = await bench.bench.plant()
        await withOldView(bench, -1_000, async () => {
          if (door.refused === 0) throw new NotJudged('the peer did not come to ask for what had been synced')
          const before = door.refused
          await pause(WATCH_MS, bench.signal)
          demand(door.refused === before, `it came ${door.refused - before} times`)
        })
        door.open()
        bench.stage.sealBlock()
        await bench.until(async () => {
          const side = await bench.open()
          await side.hello()
          const answer = await side.answer()
          side.abort()
          return answer.type === 'message'
        }, 'it goes on refusing after a block')
        await bench.untilHeld(key)
      } finally {
        door.open()
      }
    },
  }),
]

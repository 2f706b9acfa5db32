import { type CaseBench, demandRefusal } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { demand } from '../deviation.js'
import { pause } from '../pause.js'
import { describeAnswer } from '../raw.js'
import { unsuitable } from './values.js'

const BOUND =
  'A provider MUST bound the exchanges that it serves at once, in all, per peer and per account, and the Hellos whose signature it checks, per peer and in all'
const PLACE =
  "A place is taken, or waited for, only when the Hello's signature has been checked, so that no one can take places in another's name"

/** A Challenge that has not come by now waits for a place. */
const PROMPT_MS = 4_000

/**
 * Opens exchanges up to their Challenge, all at once, and leaves them so.
 * @returns how many were granted until one was refused or had to wait.
 */
async function hold(
  bench: CaseBench,
  openings: readonly (() => ReturnType<CaseBench['open']>)[],
): Promise<{ held: number; isBounded: boolean }> {
  let held = 0
  const refused = new AbortController()
  const answers = openings.map(async (open) => {
    const side = await open()
    await side.hello()
    const answer = await side.answer()
    if (answer.type === 'message') {
      held += 1
      return
    }
    refused.abort()
    // Streams of one connection may also be bounded by the multiplexer.
    if (answer.type === 'reset') return
    demand(answer.type === 'refusal' && answer.code === 'BUSY', `${describeAnswer(answer)} came instead of BUSY`)
    bench.expect(answer.retryAfterMs > 0, 'its BUSY does not say when to come back')
  })
  const all = Promise.all(answers)
  const late = pause(PROMPT_MS, AbortSignal.any([bench.signal, refused.signal])).catch(() => undefined)
  await Promise.race([all, late])
  // The case is over before those that wait are answered.
  all.catch(() => undefined)
  return { held, isBounded: refused.signal.aborted || held < openings.length }
}

export const limitCases: readonly ConformanceCase[] = [
  conformanceCase({
    id: 'LIMIT-01',
    clause: '8.3',
    quote: BOUND,
    role: 'provider',
    sent: '24 Hellos of one account from all members, each left at its Challenge',
    expected: 'Refusal BUSY of some, or that they wait',
    run: async (bench) => {
      const { members } = bench.bench
      const as = members.next().seat.signer
      const openings = [...members.all, ...members.all].map((member) => () => bench.open({ member, as }))
      const { held, isBounded } = await hold(bench, openings)
      demand(isBounded, `it serves ${held} exchanges of one account at once`)
    },
  }),
  conformanceCase({
    id: 'LIMIT-02',
    clause: '8.3',
    quote: BOUND,
    role: 'provider',
    sent: '24 Hellos of all accounts from one PeerId, each left at its Challenge',
    expected: 'Refusal BUSY of some, or that they wait, or a reset by the multiplexer',
    run: async (bench) => {
      const { members } = bench.bench
      const member = members.next()
      const openings = [...members.all, ...members.all].map(
        ({ seat }) =>
          () =>
            bench.open({ member, as: seat.signer }),
      )
      const { held, isBounded } = await hold(bench, openings)
      demand(isBounded, `it serves ${held} exchanges of one PeerId at once`)
    },
  }),
  conformanceCase({
    id: 'LIMIT-03',
    clause: '8.3',
    quote: BOUND,
    role: 'provider',
    level: 'should',
    sent: 'two Hellos of every member, each left at its Challenge: 24',
    expected: 'Refusal BUSY of some, or that they wait',
    run: async (bench) => {
      const { members } = bench.bench
      const openings = [...members.all, ...members.all].map((member) => () => bench.open({ member }))
      const { held, isBounded } = await hold(bench, openings)
      demand(isBounded, `it serves ${held} exchanges at once, more than the suite can hold`)
    },
  }),
  conformanceCase({
    id: 'LIMIT-04',
    clause: '8.3',
    quote: PLACE,
    role: 'provider',
    sent: "Hellos in a member's name with bad signatures, from its own PeerId, then its own",
    expected: 'Challenge to its own',
    run: async (bench) => {
      const member = bench.bench.members.next()
      for (let tries = 0; tries < 6; tries += 1) {
        const side = await bench.open({ member })
        await side.hello({ proof: () => unsuitable(64) })
        demandRefusal(await side.answer(), 'BAD_SIGNATURE')
        side.abort()
      }
      await bench.challenged({ member })
    },
  }),
  conformanceCase({
    id: 'LIMIT-05',
    clause: '8.3',
    quote: BOUND,
    role: 'provider',
    sent: '400 Hellos with bad signatures from one PeerId, as fast as they are answered',
    expected: 'Refusal BUSY, with its signature unchecked, of some',
    run: async (bench) => {
      const [member] = bench.bench.members.all
      for (let tries = 0; tries < 400; tries += 1) {
        const side = await bench.open(member && { member })
        await side.hello({ proof: () => unsuitable(64) })
        const answer = await side.answer()
        side.abort()
        if (answer.type === 'refusal' && answer.code === 'BUSY') return
        demandRefusal(answer, 'BAD_SIGNATURE')
      }
      demand(false, 'it checked the signatures of 400 Hellos of one PeerId within this time')
    },
  }),
]

import { bytes, count, duration } from '../../web/page/words.js'
import { type Allowance, CONSTANT, LINEAR, LOGARITHMIC } from '../view/plot/allowance.js'
import type { Phase } from './phases.js'

/** A cost of a phase that is followed from size to size. */
export interface Measure {
  readonly title: string
  readonly text: (value: number) => string
  readonly of: (phase: Phase) => number
  readonly allowed: Allowance
}

const STEPS: Allowance = { exponent: 0.25, because: 'a share passes through a logarithm of steps' }
const SERVED: Allowance = {
  exponent: 0,
  because: 'at most eight ask one enclave, whoever holds the share; who asks a moment too early asks again',
}
const ENTERING: Allowance = { exponent: 0, because: 'it asks its own slot’s peers for the shares, a part each' }

const perEnclave = (pick: (phase: Phase) => number) => (phase: Phase) => pick(phase) / phase.enclaves
const perShare = (pick: (phase: Phase) => number) => (phase: Phase) => pick(phase) / Math.max(1, phase.shares)
const perFetched = (pick: (phase: Phase) => number) => (phase: Phase) => pick(phase) / Math.max(1, phase.fetched)

const dhtMessagesPerLookup: Measure = {
  title: 'DHT messages per look-up',
  text: count,
  of: ({ totals }) => totals.dhtMessages / Math.max(1, totals.dhtLookups),
  allowed: LOGARITHMIC,
}

/** What the beginning costs: every enclave enters the DHT and puts its record there. */
export const AT_THE_BEGINNING: readonly Measure[] = [
  {
    title: 'DHT look-ups per enclave',
    text: count,
    of: perEnclave(({ totals }) => totals.dhtLookups),
    allowed: CONSTANT,
  },
  dhtMessagesPerLookup,
]

/** What shares cost that are synced. */
export const FOR_SHARES: readonly Measure[] = [
  {
    title: 'Until the last replica holds the last share',
    text: duration,
    of: ({ coverageMs }) => coverageMs,
    allowed: STEPS,
  },
  {
    title: 'Exchanges for each share fetched',
    text: count,
    of: perFetched(({ totals }) => totals.exchanges),
    allowed: CONSTANT,
  },
  { title: 'Handshakes per trigger', text: count, of: perShare(({ totals }) => totals.attestations), allowed: LINEAR },
  {
    title: 'Messages for each share fetched',
    text: count,
    of: perFetched(({ totals }) => totals.messages),
    allowed: CONSTANT,
  },
  {
    title: 'Bytes for each share fetched',
    text: bytes,
    of: perFetched(({ totals }) => totals.bytes),
    allowed: CONSTANT,
  },
  {
    title: 'DHT look-ups per enclave',
    text: count,
    of: perEnclave(({ totals }) => totals.dhtLookups),
    allowed: CONSTANT,
  },
  dhtMessagesPerLookup,
  { title: 'Exchanges that the busiest provider served', text: count, of: ({ busiest }) => busiest, allowed: SERVED },
  {
    title: 'Asked too early, of 100 exchanges',
    text: count,
    of: ({ inVain, totals }) => (100 * inVain) / Math.max(1, totals.exchanges),
    allowed: CONSTANT,
  },
  { title: 'Refused or failed, of 100 exchanges', text: count, of: failures, allowed: CONSTANT },
]

/** What it costs that a cluster joins. */
export const FOR_A_CLUSTER: readonly Measure[] = [
  {
    title: 'Until the last enclave holds everything',
    text: duration,
    of: ({ catchUpMs }) => catchUpMs,
    allowed: LOGARITHMIC,
  },
  { title: 'Exchanges per new enclave', text: count, of: perNew(({ totals }) => totals.exchanges), allowed: ENTERING },
  {
    title: 'Bytes of exchanges per new enclave',
    text: bytes,
    of: perNew(({ totals }) => totals.bytes),
    allowed: ENTERING,
  },
  { title: 'DHT look-ups, of all', text: count, of: ({ totals }) => totals.dhtLookups, allowed: LINEAR },
  { title: 'DHT messages, of all', text: count, of: ({ totals }) => totals.dhtMessages, allowed: LINEAR },
  { title: 'Exchanges that the busiest provider served', text: count, of: ({ busiest }) => busiest, allowed: SERVED },
]

function failures({ totals: { exchanges, failedExchanges } }: Phase): number {
  return (100 * failedExchanges) / Math.max(1, exchanges + failedExchanges)
}

function perNew(pick: (phase: Phase) => number): (phase: Phase) => number {
  return (phase) => pick(phase) / Math.max(1, phase.totals.enclaves)
}

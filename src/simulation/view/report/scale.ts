import { bytes, count, duration } from '../../../web/page/words.js'
import {
  type Allowance,
  CONSTANT,
  exponentText,
  type Growth,
  growthOf,
  LINEAR,
  LOGARITHMIC,
} from '../plot/allowance.js'
import type { PowerLaw } from '../plot/fit.js'
import { figure, plainTable } from '../plot/frame.js'
import { growth } from '../plot/growth.js'
import { html, type Markup } from '../plot/markup.js'
import type { EndedRun } from './run.js'

interface Measure {
  readonly title: string
  readonly label: string
  readonly text: (value: number) => string
  readonly of: (run: EndedRun) => number
  readonly allowed: Allowance
}

const perNode = (pick: (totals: EndedRun['outcome']['totals']) => number) => {
  return ({ outcome: { totals } }: EndedRun) => pick(totals) / totals.enclaves / Math.max(1, totals.triggers)
}

const MEASURES: readonly Measure[] = [
  {
    title: 'Replication, median',
    label: 'time',
    text: duration,
    of: ({ outcome }) => outcome.distributions.replication.p50,
    allowed: LOGARITHMIC,
  },
  {
    title: 'Replication, 99 %',
    label: 'time',
    text: duration,
    of: ({ outcome }) => outcome.distributions.replication.p99,
    allowed: LOGARITHMIC,
  },
  {
    title: 'Messages per enclave and share',
    label: 'messages',
    text: count,
    of: perNode(({ messages }) => messages),
    allowed: CONSTANT,
  },
  {
    title: 'Bytes per enclave and share',
    label: 'bytes',
    text: bytes,
    of: perNode((totals) => totals.bytes),
    allowed: CONSTANT,
  },
  {
    title: 'DHT look-ups per enclave',
    label: 'look-ups',
    text: count,
    of: ({ outcome: { totals } }) => totals.dhtLookups / totals.enclaves,
    allowed: { exponent: 1, because: 'an enclave looks up each peer of its slot at most once' },
  },
  {
    title: 'DHT messages per look-up',
    label: 'messages',
    text: count,
    of: ({ outcome: { totals } }) => totals.dhtMessages / Math.max(1, totals.dhtLookups),
    allowed: LOGARITHMIC,
  },
  {
    title: 'Handshakes per trigger',
    label: 'handshakes',
    text: count,
    of: ({ outcome: { totals } }) => totals.attestations / Math.max(1, totals.triggers),
    allowed: LINEAR,
  },
  {
    title: 'Served by the busiest, per trigger',
    label: 'exchanges',
    text: count,
    of: ({ outcome: { totals } }) => totals.busiestServed / Math.max(1, totals.triggers),
    allowed: { exponent: 0, because: 'an origin takes turns, and replicas that hold a share serve others' },
  },
]

/** How costs grow with the number of clusters. */
export function costsGrowth(runs: readonly EndedRun[]): (Growth & { readonly title: string })[] {
  return MEASURES.map(({ title, of, allowed }) => {
    const points = runs.map((run) => ({ x: run.header.clusters, y: of(run) }))
    return { title, ...growthOf(points, allowed) }
  })
}

/** Costs by the number of clusters; empty unless there are runs of different sizes. */
export function costs(runs: readonly EndedRun[]): Markup {
  if (new Set(runs.map(({ header }) => header.clusters)).size < 2) return html``
  const grown = costsGrowth(runs)
  const tooFast = grown.filter(({ isTooFast }) => isTooFast)
  const verdict =
    tooFast.length === 0
      ? 'Nothing grows faster than it should.'
      : `Grows faster than it should: ${tooFast.map(({ title }) => title).join('; ')}.`
  return html`<h2>Cost by number of clusters</h2>
<p class="why">${verdict}</p><br>
<div class="grid">${MEASURES.map((measure, index) => plotOf(measure, grown[index]?.law, runs))}</div>
<h2>How it grows</h2><div class="card scroll">${plainTable({
    caption: 'How costs grow with the number of clusters',
    head: ['', 'exponent', 'at most', 'since'],
    rows: MEASURES.map(({ title, allowed }, index) => [
      title,
      exponentText(grown[index]?.law),
      `${allowed.exponent}${grown[index]?.isTooFast ? ' – exceeded' : ''}`,
      allowed.because,
    ]),
  })}</div>`
}

function plotOf(
  { title, label, text, of, allowed }: Measure,
  law: PowerLaw | undefined,
  runs: readonly EndedRun[],
): Markup {
  const points = runs
    .map((run) => ({ x: run.header.clusters, y: of(run), name: `${run.header.clusters} clusters` }))
    .filter(({ y }) => y > 0)
    .sort((one, other) => one.x - other.x)
  if (points.length === 0)
    return html`<figure><figcaption><h3>${title}</h3><p>There was none.</p></figcaption></figure>`
  const told =
    law === undefined
      ? 'Too few sizes to tell how it grows.'
      : `Grows as clusters^${exponentText(law)}; up to ${allowed.exponent} is to be expected: ${allowed.because}.`
  return figure({
    title,
    note: told,
    plot: growth({ title, label, points, law, text }),
    table: {
      caption: title,
      head: ['clusters', label],
      rows: points.map(({ x, y }) => [count(x), text(y)]),
    },
  })
}

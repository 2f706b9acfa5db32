import { markdownTable } from '../../domain/index.js'
import { FAN_OUT } from '../../sync/index.js'
import { count } from '../../web/page/words.js'
import { exponentText, growthOf } from '../view/plot/allowance.js'
import { AT_THE_BEGINNING, FOR_A_CLUSTER, FOR_SHARES, type Measure } from './measures.js'
import type { Phase } from './phases.js'
import type { SizeResult } from './study.js'

interface Part {
  readonly title: string
  readonly about: string
  readonly measures: readonly Measure[]
  readonly phase: (result: SizeResult) => Phase
}

const PARTS: readonly Part[] = [
  {
    title: 'The beginning',
    about: 'All enclaves start at once, take their seats and enter the DHT.',
    measures: AT_THE_BEGINNING,
    phase: ({ beginning }) => beginning,
  },
  {
    title: 'One share',
    about: 'One secret NFT is synced, the first that there is: nobody knows anybody yet.',
    measures: FOR_SHARES,
    phase: ({ one }) => one,
  },
  {
    title: 'Twenty shares in one block',
    about: 'Twenty secret NFTs of twenty owners are synced at once, four by each of five clusters.',
    measures: FOR_SHARES,
    phase: ({ many }) => many,
  },
  {
    title: 'A cluster joins',
    about: 'Five new enclaves register, find the others and fetch everything.',
    measures: FOR_A_CLUSTER,
    phase: ({ joining }) => joining,
  },
]

/** What is told of a study, as Markdown: a table for each part, what grows too fast, and the slots side by side. */
export function formatScale(results: readonly SizeResult[]): string {
  const tooFast = PARTS.flatMap((part) =>
    part.measures
      .filter((measure) => growthOf(pointsOf(part, measure, alike(results)), measure.allowed).isTooFast)
      .map(({ title }) => `${part.title}: ${title}`),
  )
  const verdict =
    tooFast.length === 0
      ? 'Nothing grows faster than it should.'
      : `Faster than it should grows:\n\n${tooFast.map((each) => `- ${each}`).join('\n')}`
  return [verdict, ...PARTS.map((part) => formatPart(part, results)), formatSlots(results)].join('\n\n')
}

function formatPart(part: Part, results: readonly SizeResult[]): string {
  const rows = part.measures.map((measure) => {
    const points = pointsOf(part, measure, results)
    const { law, isTooFast } = growthOf(pointsOf(part, measure, alike(results)), measure.allowed)
    const values = points.map(({ y }) => measure.text(rounded(y)))
    return [measure.title, ...values, exponentText(law), `${measure.allowed.exponent}${isTooFast ? ', exceeded' : ''}`]
  })
  const head = ['clusters', ...results.map(({ clusters }) => count(clusters)), 'exponent', 'at most']
  const reasons = [...new Set(part.measures.map(({ allowed }) => `${allowed.exponent}: ${allowed.because}`))]
  const because = `At most ${reasons.join('; ')}.`
  return [`## ${part.title}`, part.about, markdownTable(head, rows).trimEnd(), because].join('\n\n')
}

/** Slots have nothing to do with one another, so a mesh costs as many times what one slot costs as it has slots. */
function formatSlots(results: readonly SizeResult[]): string {
  const rows = results.map(({ clusters, many }) => [count(clusters), ...many.bySlot.map(count)])
  const slots = Math.max(0, ...results.map(({ many }) => many.bySlot.length))
  const head = ['clusters', ...Array.from({ length: slots }, (_, slot) => `slot ${slot}`)]
  const about =
    'Exchanges by slot, of the twenty shares. No enclave ever asks one of another slot, so a mesh costs as many times what one slot costs as there are slots.'
  return ['## Slots', about, markdownTable(head, rows).trimEnd()].join('\n\n')
}

/** Those in which shares go from one replica to the next, when there are two such: in the others all ask the origin. */
function alike(results: readonly SizeResult[]): readonly SizeResult[] {
  const relaying = results.filter(({ clusters }) => clusters > FAN_OUT)
  return relaying.length < 2 ? results : relaying
}

function pointsOf({ phase }: Part, { of }: Measure, results: readonly SizeResult[]): { x: number; y: number }[] {
  return results.map((result) => ({ x: result.clusters, y: of(phase(result)) }))
}

function rounded(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}

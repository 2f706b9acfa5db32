import { markdownTable } from '../../src/domain/index.js'
import { judged, type Results } from './results.js'
import { TARGETS, type Target, type TargetId } from './targets.js'
import { boundText, machineText, measuredText, runsText } from './text.js'

const [BEGIN, END] = [
  '<!-- begin of the table of targets: npm run bench -- table README.md -->',
  '<!-- end of the table -->',
]

/**
 * Puts the table of targets between its two marks.
 * @param all where one target is in several, the last one counts.
 * @throws Error when the marks are not there.
 */
export function withTable(page: string, all: readonly Results[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`The page has no place for the table: "${BEGIN}", and then "${END}".`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${targetTable(all)}\n${page.slice(end)}`
}

/** All targets, those that were not measured as well. */
function targetTable(all: readonly Results[]): string {
  const verdicts = new Map(
    all.flatMap((results) => judged(results).map((each) => [each.verdict.id, { each, results }] as const)),
  )
  const used = all.filter((results) => [...verdicts.values()].some((each) => each.results === results))
  const rows = (Object.keys(TARGETS) as TargetId[]).map((id) => {
    const { what, against = '–' }: Target = TARGETS[id]
    const each = verdicts.get(id)?.each
    const cells =
      each === undefined ? ['not measured', '–'] : [measuredText(each), each.verdict.isMet ? 'yes' : '**no**']
    return [what, against, boundText(id), ...cells]
  })
  const notes = used.map(
    (results) => `${results.at.slice(0, 10)}, ${runsText(results.contests)} on ${machineText(results.machine)}.`,
  )
  return `${markdownTable(['what', 'against', 'asked for', 'measured', 'met'], rows)}\nMedians (least to most). ${notes.join(' ')}\n`
}

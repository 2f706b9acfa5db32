import { alignedLines } from '../../domain/index.js'
import type { RunHeader } from '../record/index.js'
import type { ComparedRow, Comparison } from './compare.js'
import { html } from './plot/markup.js'
import { document } from './report/document.js'
import { MODES } from './report/run.js'

const HEAD = ['', 'first', 'second', 'ratio', 'may differ', ''] as const

/** Lines for a terminal; the last one says whether they agree. */
export function formatComparison(comparison: Comparison): string {
  const { headers, remarks, rows, agrees } = comparison
  const table = [HEAD, ...rows.map(cellsOf)]
  const lines = alignedLines(table, { right: [1, 2, 3] })
  return [
    headers.map((header, index) => `${['first ', 'second'][index]}  ${describe(header)}`).join('\n'),
    ...(remarks.length > 0 ? [remarks.join('\n')] : []),
    lines.join('\n'),
    verdictOf(comparison),
    agrees ? 'AGREE' : 'DIFFER',
  ].join('\n\n')
}

/** The same as a page that needs nothing else. */
export function formatHtmlComparison(comparison: Comparison): string {
  const { headers, remarks, rows, agrees } = comparison
  const content = html`<p class="verdict ${agrees ? 'passed' : 'failed'}">${agrees ? 'They agree' : 'They differ'}</p>
<h1>${headers[0].title}</h1><p class="why">${verdictOf(comparison)}</p>
${headers.map((header, index) => html`<p class="small"><b>${['First', 'Second'][index] ?? ''}</b>: ${describe(header)}</p>`)}
${remarks.map((remark) => html`<p class="small">${remark}</p>`)}
<h2>Side by side</h2><div class="card scroll"><table><caption>The two runs side by side</caption>
<thead><tr>${HEAD.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map((row) => {
    const [name = '', ...cells] = cellsOf(row)
    return html`<tr class="${row.agrees ? '' : 'differs'}"><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`
  })}</tbody></table></div>`
  return document({ title: `Comparison: ${headers[0].title}`, content: [content] })
}

function cellsOf({ name, one, other, ratio, allowed, agrees }: ComparedRow): string[] {
  const verdict = allowed === undefined ? '' : agrees ? 'ok' : 'DIFFERS'
  return [
    name,
    one,
    other,
    ratio === undefined ? '' : `×${Number(ratio.toPrecision(3))}`,
    allowed ?? 'not judged',
    verdict,
  ]
}

function verdictOf({ rows, agrees }: Comparison): string {
  if (agrees) return 'The two runs agree in everything that is judged.'
  const names = rows.filter((row) => !row.agrees).map(({ name }) => name)
  return `The two runs differ by more than may be in: ${names.join('; ')}.`
}

function describe({ scenario, mode, clusters, seed, startedAt }: RunHeader): string {
  return `${scenario}, ${MODES[mode]}, ${clusters} clusters, seed ${seed.slice(0, 10)}…, started ${startedAt}`
}

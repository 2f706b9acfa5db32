import type { Machine } from '../../src/cli/bench/machine.js'
import { exponentText } from '../../src/simulation/view/plot/allowance.js'
import { fitPowerLaw } from '../../src/simulation/view/plot/fit.js'
import { growth } from '../../src/simulation/view/plot/growth.js'
import { STYLE } from '../../src/simulation/view/report/style.js'
import { count } from '../../src/web/page/words.js'
import type { Growth, Part } from './growing.js'

/** Where plots are, seen from the page. */
export const PLOTS = 'growth'

const SIZE = { width: 640, height: 240 }

/** All parts, as Markdown, with a plot beside each table. */
export function growthPage(parts: readonly Part[], command: string, machine: Machine & { commit: string }): string {
  const { processor, cores, node, commit } = machine
  const preface = `# How costs grow

Made by the command below, and never by hand but for the sentences that say why. One run of each size; ${processor}, ${cores} cores,
Node ${node}, commit ${commit}.

\`\`\`sh
${command}
\`\`\`

An exponent _b_ is that of \`cost = a × size^b\`, fitted to all sizes, and beside it the one between the last two: where they differ, the
curve bends. How costs grow with the mesh alone, up to a thousand clusters, is in [scale.md](scale.md).`
  return `${[preface, ...parts.map(partText)].join('\n\n')}\n`
}

function partText({ title, of, about, growths }: Part): string {
  const sizes = growths[0]?.points.map(({ x }) => count(x)) ?? []
  const head = [of, ...sizes, 'exponent', 'of the last two']
  const rows = growths.map(({ title, unit, points }) => [
    `${title}, ${unit}`,
    ...points.map(({ y }) => amount(y)),
    exponentText(fitPowerLaw(points)),
    exponentText(fitPowerLaw(points.slice(-2))),
  ])
  const whys = growths.map(({ id, title, why }) => `**${title}.** ${why}\n\n![${title}, by ${of}](${PLOTS}/${id}.svg)`)
  return [`## ${title}`, about, table(head, rows), ...whys].join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** A file of its own, which needs nothing else. */
export function growthPlot({ title, unit, points }: Growth, of: string): string {
  // On logarithmic scales there is no place for nothing.
  const some = points.filter(({ y }) => y > 0)
  const law = fitPowerLaw(some)
  const named = some.map(({ x, y }) => ({ x, y, name: `${count(x)} ${of}` }))
  const { text } = growth({ title, label: unit, points: named, law, text: amount, of })
  const opening = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE.width}" height="${SIZE.height}" `
  return `${text.replace('<svg ', opening).replace('>', `><style>${STYLE}svg { background: var(--card); }</style>`)}\n`
}

/** With three digits. */
function amount(value: number): string {
  return count(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
}

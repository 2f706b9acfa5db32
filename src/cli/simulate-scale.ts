import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { seed } from './arguments.js'
import { untilInterrupted } from './interruption.js'
import { showProgress } from './progress.js'

/** What is played in a minute or two; a thousand clusters take some eight. */
const SIZES = '5,50,200'
/** Without one the page would be another each time. */
const SEED = `0x${'05'.repeat(32)}` as const

interface ScaleFlags {
  readonly clusters: readonly number[]
  readonly seed: ReturnType<typeof seed>
  readonly runs: string
  readonly out?: string
}

/** How costs grow with the number of clusters, as a command. */
export function addScale(simulate: Command): void {
  simulate
    .command('scale')
    .description('Play one scenario in several sizes under a computed clock, and tell how its costs grow.')
    .option('--clusters <numbers>', 'sizes of the mesh', sizes, sizes(SIZES))
    .option('--seed <hex>', 'other choices than those of the page in the docs', seed, SEED)
    .option('--out <file>', 'write what is told to a Markdown file, too')
    .option('--runs <folder>', 'where the runs and a page about them are written', 'slotmesh-runs')
    .action(tell)
}

async function tell({ clusters, seed, runs, out }: ScaleFlags): Promise<void> {
  const { formatScale, readRun, reportFileOf, studyScale, writePage, writeReport } = await import(
    '../simulation/index.js'
  )
  const progress = showProgress(process.stderr, process.env)
  const results = await untilInterrupted((signal) =>
    studyScale({ sizes: clusters, seed, runs, signal, progress: progress.show }),
  ).finally(progress.end)
  const files = results.flatMap(({ file }) => file ?? [])
  const report = reportFileOf(files.at(-1) ?? '')
  await writeReport(report, await Promise.all(files.map(readRun)))
  const command = `npx slotmesh simulate scale --clusters ${clusters.join(',')} --seed ${seed}`
  const told = `${formatScale(results)}\n`
  process.stdout.write(`\n${told}`)
  if (out !== undefined) await writePage(out, `${preface(command)}\n${told}`)
  process.stdout.write(`\nThe page of plots is ${report}\n`)
}

function preface(command: string): string {
  return `# How costs grow with the mesh

Made by \`npm run scale\`, and never by hand. It plays [one scenario](../examples/scenarios/growth.yaml) in several sizes under a
computed clock ([what that shows and what not](decisions/0014-discrete-simulation.md)), with links of 20 ms one way, and comes to the same
figures each time:

\`\`\`sh
${command}
\`\`\`

An exponent _b_ is that of \`cost = a × clusters^b\`, fitted to the sizes of more than eight clusters where there are two such: in
fewer clusters all ask the origin, in more the share goes from one to the next.
`
}

/** @returns whole numbers of clusters, ascending. */
function sizes(text: string): readonly number[] {
  const numbers = text.split(',').map((each) => (/^\d{1,4}$/.test(each.trim()) ? Number(each) : Number.NaN))
  if (numbers.every((each) => each >= 2 && each <= 5_000))
    return [...new Set(numbers)].sort((one, other) => one - other)
  throw new InvalidArgumentError('Sizes are numbers of clusters from 2 to 5000 with commas between them, such as 5,50.')
}

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { machineAndCommit } from '../harness/machine.js'
import { grown, type Part, type Sizes } from './growing.js'
import { growthPage, growthPlot, PLOTS } from './page.js'

const DEFAULTS = {
  shares: '10000,100000,1000000',
  bytes: '16,64,300,1000,3000',
  triggers: '1,10,100,1000',
  clusters: '5,20,50,100',
  peers: '10,15,25',
}

const sizesIn = (text: string): number[] => text.split(',').map(Number)

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'docs/growth.md' },
    shares: { type: 'string', default: DEFAULTS.shares },
    bytes: { type: 'string', default: DEFAULTS.bytes },
    triggers: { type: 'string', default: DEFAULTS.triggers },
    clusters: { type: 'string', default: DEFAULTS.clusters },
    peers: { type: 'string', default: DEFAULTS.peers },
  },
})
const { out, ...given } = values
const sizes: Sizes = {
  shares: sizesIn(given.shares),
  bytes: sizesIn(given.bytes),
  triggers: sizesIn(given.triggers),
  clusters: sizesIn(given.clusters),
  peers: sizesIn(given.peers),
}
if (
  !Object.values(sizes)
    .flat()
    .every((size) => Number.isInteger(size) && size > 0)
) {
  const flags = Object.keys(DEFAULTS).map((name) => `[--${name} <numbers, by commas>]`)
  process.stderr.write(`growth ${flags.join(' ')} [--out <file.md>]\n`)
  process.exit(2)
}

const flags = Object.entries(given).map(([name, text]) => `--${name} ${text}`)
const plots = join(dirname(out), PLOTS)
await mkdir(plots, { recursive: true })
const parts: Part[] = []
for await (const part of grown(sizes)) {
  parts.push(part)
  process.stdout.write(`${part.title}\n`)
  for (const growth of part.growths) {
    process.stdout.write(
      `  ${growth.title}, ${growth.unit}: ${growth.points.map(({ x, y }) => `${x}: ${y}`).join(', ')}\n`,
    )
    await writeFile(join(plots, `${growth.id}.svg`), growthPlot(growth, part.of))
  }
}
await writeFile(out, growthPage(parts, `npm run growth -- ${flags.join(' ')}`, machineAndCommit()))
process.stdout.write(`${out}\n`)

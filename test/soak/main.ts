import { parseArgs } from 'node:util'
import { runSoak } from './soak.js'

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '10000' },
    seed: { type: 'string', default: `${Math.floor(Math.random() * 2 ** 31)}` },
  },
})
const [blocks, seed] = [Number(values.blocks), Number(values.seed)]
const tell = (line: string) => process.stdout.write(`${line}\n`)
tell(`${blocks} blocks, seed ${seed}`)
const { triggers, faults, restarts } = await runSoak({ blocks, seed, tell })
tell(`exactly the ${triggers} triggers that the chain emitted, across ${restarts} restarts and these faults:`)
for (const [name, count] of Object.entries(faults)) tell(`  ${name.padEnd(10)} ${count}`)

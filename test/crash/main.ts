import { parseArgs } from 'node:util'
import { runCrash } from './crash.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: `0x${Math.floor(Math.random() * 2 ** 31).toString(16)}` },
  },
})
const [kills, seed] = [Number(values.kills), Number(values.seed)]
const tell = (line: string) => process.stdout.write(`${line}\n`)
tell(`${kills} kills, seed ${values.seed}`)
const begun = performance.now()
const result = await runCrash({ kills, seed, tell })
const seconds = Math.round((performance.now() - begun) / 1000)
tell(`nothing lost, nothing corrupt, no confirmation twice, no want gone; ${seconds} s`)
for (const [phase, count] of Object.entries(result.kills)) tell(`  killed in ${phase.padEnd(10)} ${count}`)
tell(`  of these at a write   ${result.atWrites}`)
tell(`  while confirming      ${result.confirming}`)
tell(`  shares minted         ${result.shares}`)
tell(`  confirmations sent    ${result.confirmations}`)
tell(`  setups begun anew     ${result.setups}`)
tell(`  compactions           ${result.compactions}`)

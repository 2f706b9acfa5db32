import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { attestation } from './attestation/attestation.js'
import { bootstrap } from './bootstrap/bootstrap.js'
import { crawl } from './crawl/crawl.js'
import type { ContestResult } from './harness/contest.js'
import { machineAndCommit } from './harness/machine.js'
import { contestText } from './harness/text.js'
import { idle } from './idle/idle.js'
import { live } from './live/live.js'
import { reconciliation } from './reconciliation/reconciliation.js'
import { snapshot } from './snapshot/snapshot.js'

const BENCHES: Readonly<Record<string, (runs: number) => Promise<ContestResult[]>>> = {
  attestation,
  bootstrap,
  crawl,
  idle,
  live,
  reconciliation,
  snapshot,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '5' }, json: { type: 'string' } },
})
const runs = Number(values.runs)
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES)
const unknown = names.find((name) => !Object.hasOwn(BENCHES, name))
if (unknown !== undefined || !Number.isInteger(runs) || runs < 1) {
  process.stderr.write(`bench [${Object.keys(BENCHES).join(' | ')} …] [--runs <number>] [--json <file>]\n`)
  process.exit(2)
}

const machine = machineAndCommit()
process.stdout.write(`${machine.processor}, ${machine.cores} cores, Node ${machine.node}, commit ${machine.commit}\n`)
process.stdout.write(`medians of ${runs} runs, each in a process of its own, in turn (minimum to maximum)\n\n`)
const results: ContestResult[] = []
for (const name of names) {
  const begun = performance.now()
  for (const result of (await BENCHES[name]?.(runs)) ?? []) {
    results.push(result)
    process.stdout.write(`${contestText(result)}\n`)
  }
  process.stdout.write(`${name} took ${((performance.now() - begun) / 1_000).toFixed(0)} s\n\n`)
}
if (values.json !== undefined) {
  await writeFile(values.json, `${JSON.stringify({ machine, runs, results }, undefined, 2)}\n`)
}

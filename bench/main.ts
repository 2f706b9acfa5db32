import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/domain/index.js'
import { attestation } from './attestation/attestation.js'
import { bootstrap } from './bootstrap/bootstrap.js'
import { crawl } from './crawl/crawl.js'
import { discovery } from './discovery/discovery.js'
import { exchange } from './exchange/exchange.js'
import { compare, comparisonText } from './harness/compare.js'
import type { ContestResult } from './harness/contest.js'
import { machineAndCommit } from './harness/machine.js'
import { type Results, readResults, writeResults, writeText } from './harness/results.js'
import { withTable } from './harness/table.js'
import { contestText, machineText } from './harness/text.js'
import { idle } from './idle/idle.js'
import { live } from './live/live.js'
import { benchPage } from './page/page.js'
import { profile } from './profile/profile.js'
import { reconciliation } from './reconciliation/reconciliation.js'
import { snapshot } from './snapshot/snapshot.js'
import { store } from './store/store.js'

const BENCHES: Readonly<Record<string, (runs: number) => Promise<ContestResult[]>>> = {
  attestation,
  bootstrap,
  crawl,
  discovery,
  exchange,
  idle,
  live,
  reconciliation,
  snapshot,
  store,
}

const USAGE = `bench [${Object.keys(BENCHES).join(' | ')} …] [--runs <1 to 50>] [--json <file>] [--html <file>]
bench compare <before.json> <after.json>
bench table <page.md> [<results.json> …]
bench profile [--shares <numbers, by commas>] [--bytes <as many numbers>] [--out <folder>]
`
const [MOST_RUNS, JSON_FILE, HTML_FILE] = [50, 'build/bench/results.json', 'build/bench/results.html']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    json: { type: 'string', default: JSON_FILE },
    html: { type: 'string', default: HTML_FILE },
    shares: { type: 'string', default: '100000,20000' },
    bytes: { type: 'string', default: '64,3000' },
    out: { type: 'string', default: 'docs/profile' },
  },
})
const [command = '', ...operands] = positionals
const COMMANDS = new Map([
  ['compare', runCompare],
  ['table', runTable],
  ['profile', runProfile],
])
try {
  process.exitCode = await (COMMANDS.get(command)?.(operands) ?? runBenches(positionals))
} catch (thrown) {
  process.stderr.write(`${messageOf(thrown)}\n`)
  process.exitCode = 2
}

function refuse(): number {
  process.stderr.write(USAGE)
  return 2
}

async function runCompare([before, after, ...more]: readonly string[]): Promise<number> {
  if (before === undefined || after === undefined || more.length > 0) return refuse()
  const [one, other] = [await readResults(before), await readResults(after)]
  const comparison = compare(one, other)
  process.stdout.write(`${comparisonText(one, other, comparison)}\n`)
  if (comparison.figures.length === 0) return 2
  return comparison.isWorse ? 1 : 0
}

async function runTable([page, ...files]: readonly string[]): Promise<number> {
  if (page === undefined) return refuse()
  const all: Results[] = []
  for (const file of files.length > 0 ? files : [JSON_FILE]) all.push(await readResults(file))
  await writeFile(page, withTable(await readFile(page, 'utf8'), all))
  process.stdout.write(`The table of targets is in ${page}.\n`)
  return 0
}

/** A size without its number of shares, or the other way round, is refused. */
async function runProfile(operands: readonly string[]): Promise<number> {
  const [shares, bytes] = [numbersIn(values.shares), numbersIn(values.bytes)]
  const isWhole = [...shares, ...bytes].every((number) => Number.isInteger(number) && number > 0)
  if (operands.length > 0 || !isWhole || shares.length !== bytes.length) return refuse()
  await profile(
    shares.map((count, index) => ({ shares: count, bytes: bytes[index] ?? 0 })),
    values.out,
  )
  return 0
}

function numbersIn(text: string): number[] {
  return text.split(',').map(Number)
}

/** What one bench throws keeps the others from nothing. */
async function runBenches(asked: readonly string[]): Promise<number> {
  const runs = Number(values.runs)
  const names = asked.length > 0 ? asked : Object.keys(BENCHES)
  const isKnown = names.every((name) => Object.hasOwn(BENCHES, name))
  if (!isKnown || !Number.isInteger(runs) || runs < 1 || runs > MOST_RUNS) return refuse()
  const head = { at: new Date().toISOString(), machine: machineAndCommit() }
  process.stdout.write(`${machineText(head.machine)}\n`)
  process.stdout.write(
    `medians of ${runs} runs (least to most), each in processes of its own, all of a contest in turn\n\n`,
  )
  const contests: ContestResult[] = []
  const seconds: Record<string, number> = {}
  const failed: string[] = []
  for (const name of names) {
    process.stderr.write(`${name} …\n`)
    const begun = performance.now()
    try {
      for (const result of (await BENCHES[name]?.(runs)) ?? []) {
        contests.push(result)
        process.stdout.write(`${contestText(result)}\n`)
      }
    } catch (thrown) {
      failed.push(name)
      process.stderr.write(`${name} failed: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : thrown}\n`)
    }
    seconds[name] = (performance.now() - begun) / 1_000
    process.stdout.write(`${name} took ${seconds[name].toFixed(0)} s\n\n`)
    const results = { ...head, seconds, contests }
    await writeResults(values.json, results)
    await writeText(values.html, benchPage(results))
  }
  const sum = Object.values(seconds).reduce((total, each) => total + each, 0)
  process.stdout.write(`${sum.toFixed(0)} s in all; written to ${values.json} and ${values.html}\n`)
  if (failed.length > 0) process.stderr.write(`failed: ${failed.join(', ')}\n`)
  return failed.length > 0 ? 1 : 0
}

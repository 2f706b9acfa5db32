import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLUSTER_SIZE } from '../../src/domain/index.js'
import { readRun, type SimulationReport } from '../../src/simulation/index.js'
import { waitUntil } from '../../src/simulation/wait.js'
import { outcomeOf, runCli, spawnCli } from './cli.js'

const SEED = `0x${'0123456789abcdef'.repeat(4)}`

/** Starting processes is what costs: `npm run stories` plays the power cut of two clusters. */
const SMALL_POWER_CUT = `
title: An enclave of one cluster loses power
why: Whether what is in a process of its own falls and comes again as what is not.
clusters: 1
chain: { blockTime: 500 ms }
timeline:
  - do: { type: mint, secrets: 1 }
  - do: { type: kill, enclave: c0-s2 }
  - do: { type: restart, enclave: c0-s2 }
  - when: settled
    do: { type: mint, capsules: 1 }
expect: [{ type: complete }]
`

/** What the story of the README tells, on the smallest mesh that it can be told of: `npm start` plays that one. */
const SMALL_STORY = `
title: The life of a share, on a small mesh
why: Whether a run is told on the output, in its report, in its file and on its page, with all that can happen in it.
clusters: 1
chain: { blockTime: 300 ms }
timeline:
  - do: { type: mint, secrets: 1, capsules: 1 }
  - when: settled
    do: { type: add-cluster }
  - when: settled
    do: { type: convert-to-hybrid }
  - when: settled
    do: { type: kill, enclave: c0-s2 }
  - do: { type: mint, secrets: 1, capsules: 1, without: 0 }
  - when: settled
    do: { type: restart, enclave: c0-s2 }
  - when: settled
    do: { type: impostor, slot: 0 }
  - do: { type: stranger }
expect:
  - { type: complete }
  - { type: recovery }
  - { type: outsiders-get-nothing }
  - { type: resumed, enclave: c0-s2 }
  - { type: no-needless-refusals }
`

describe('slotmesh simulate', function () {
  this.timeout(300_000)
  let folder: string
  let powerCut: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-test-'))
    powerCut = join(folder, 'power-cut.yaml')
    await writeFile(powerCut, SMALL_POWER_CUT)
  })

  afterEach(() => rm(folder, { recursive: true }))

  const runs = () => join(folder, 'runs')

  it('plays the whole story and ends with PASS', async () => {
    const json = join(folder, 'report.json')
    const story = join(folder, 'story.yaml')
    await writeFile(story, SMALL_STORY)
    const { exitCode, stdout, stderr } = await runCli(
      ...['simulate', '--scenario', story, '--seed', SEED, '--json', json, '--runs', runs()],
    )
    const lines = stdout.trimEnd().split('\n')
    assert.equal(lines.at(-1), 'PASS', stdout + stderr)
    assert.equal(exitCode, 0)

    // A cluster from the start, a late one, and the impostor.
    const rows = lines.filter((line) => /^ +\d+ +\d( +\d+){8}/.test(line))
    assert.equal(rows.length, 2 * CLUSTER_SIZE + 1)
    for (const row of rows) {
      const [cluster, , secrets, capsules] = row.trim().split(/ +/).map(Number)
      // Two secret NFTs, two capsules, and the hybrid's capsule.
      assert.deepEqual([secrets, capsules], (cluster ?? 0) < 2 ? [2, 3] : [0, 0], row)
    }
    assert.ok(lines.some((line) => line.endsWith('killed, resumed')))
    assert.ok(lines.includes(`seed ${SEED}`))

    const report: SimulationReport = JSON.parse(await readFile(json, 'utf8'))
    assert.equal(report.passed, true)
    assert.ok(report.checks.every(({ passed }) => passed))
    assert.ok(report.timings.every(({ samples }) => samples.length > 0))

    const { file = '', report: page = '' } = report.run ?? {}
    const run = await readRun(file)
    assert.equal(run.outcome?.passed, true)
    assert.equal(run.outcome.coverage.at(-1)?.held, run.outcome.coverage.at(-1)?.due)
    assert.ok(run.outcome.totals.exchanges > 0)
    assert.match(await readFile(page, 'utf8'), /^<!doctype html>/i)
  })

  it('plays a power cut with each enclave in a process of its own', async () => {
    const { exitCode, stdout, stderr } = await runCli(
      ...['simulate', '--scenario', powerCut, '--mode', 'processes', '--seed', SEED, '--runs', runs()],
    )
    assert.equal(exitCode, 0, stdout + stderr)
    assert.ok(stdout.endsWith('\nPASS\n'), stdout)
    const processes = [...stderr.matchAll(/runs in a process of its own/g)].length
    assert.equal(processes, CLUSTER_SIZE + 1, stderr)
    assert.match(stdout, / killed, resumed$/m)
  })

  it('stops cleanly when it is interrupted, and leaves no folder', async () => {
    const before = await leftOvers()
    const simulation = spawnCli('simulate', '--scenario', powerCut, '--runs', runs())
    simulation.stderr?.on('data', (text: string) => {
      if (text.includes('] mint, secrets')) simulation.kill('SIGINT')
    })
    const { exitCode, stderr, stdout } = await outcomeOf(simulation)
    assert.equal(exitCode, 130, stderr)
    assert.match(stderr, /\nslotmesh: Interrupted\.\n$/)
    assert.equal(stdout, '')
    assert.deepEqual(await leftOvers(), before)
  })

  it('leaves no process behind when it is killed', async () => {
    // The first enclave is a process: what is up by then is soon killed.
    const stores = ['--folder', join(folder, 'stores'), '--runs', runs()]
    const simulation = spawnCli('simulate', '--scenario', powerCut, '--mode', 'processes', ...stores)
    let child: number | undefined
    simulation.stderr?.on('data', (text: string) => {
      const processId = /runs in a process of its own, (\d+)\n/.exec(text)?.[1]
      if (processId === undefined) return
      child = Number(processId)
      simulation.kill('SIGKILL')
    })
    await outcomeOf(simulation)
    const id = child
    assert.ok(id !== undefined)
    await waitUntil(async () => !isRunning(id) || undefined, {
      what: () => `process ${id} to end`,
      timeoutMs: 10_000,
      signal: new AbortController().signal,
    })
  })
})

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0)
  } catch {
    // There is no such process any more.
    return false
  }
}

async function leftOvers(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('slotmesh-simulation-'))
}

import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLUSTER_SIZE } from '../../src/domain/index.js'
import { readRun, type SimulationReport } from '../../src/simulation/index.js'
import { waitUntil } from '../../src/simulation/wait.js'
import { outcomeOf, runCli, spawnCli } from './cli.js'

const SEED = `0x${'0123456789abcdef'.repeat(4)}`

describe('slotmesh simulate', function () {
  this.timeout(300_000)
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-test-'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  const runs = () => join(folder, 'runs')

  for (const generation of [2, 1]) {
    it(`plays the whole story on a chain of generation ${generation} and ends with PASS`, async () => {
      const json = join(folder, 'report.json')
      const { exitCode, stdout, stderr } = await runCli(
        ...['simulate', '--clusters', '2', '--secrets', '4', '--capsules', '3', '--seed', SEED],
        ...['--generation', String(generation), '--json', json, '--runs', runs()],
      )
      const lines = stdout.trimEnd().split('\n')
      assert.equal(lines.at(-1), 'PASS', stdout + stderr)
      assert.equal(exitCode, 0)

      // Two clusters from the start, a late one, and the impostor.
      const rows = lines.filter((line) => /^ +\d+ +\d( +\d+){8}/.test(line))
      assert.equal(rows.length, 3 * CLUSTER_SIZE + 1)
      for (const row of rows) {
        const [cluster, , secrets, capsules] = row.trim().split(/ +/).map(Number)
        // Four secret NFTs, three capsules, and the hybrid's capsule.
        assert.deepEqual([secrets, capsules], (cluster ?? 0) < 3 ? [4, 4] : [0, 0], row)
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
  }

  for (const [name, mode] of [
    ['partition-and-heal', 'live'],
    ['slots-swapped', 'live'],
    ['power-cut', 'processes'],
  ] as const) {
    it(`plays ${name} in ${mode} mode and ends with PASS`, async () => {
      const { exitCode, stdout, stderr } = await runCli(
        'simulate',
        '--scenario',
        name,
        '--mode',
        mode,
        ...['--seed', SEED, '--runs', runs()],
      )
      assert.equal(exitCode, 0, stdout + stderr)
      assert.ok(stdout.endsWith('\nPASS\n'), stdout)
      const processes = [...stderr.matchAll(/runs in a process of its own/g)].length
      assert.ok(mode === 'live' ? processes === 0 : processes === 2 * CLUSTER_SIZE + 1, stderr)
    })
  }

  it('stops cleanly when it is interrupted, and leaves no folder', async () => {
    const before = await leftOvers()
    const simulation = spawnCli('simulate', '--clusters', '2', '--runs', runs())
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
    const simulation = spawnCli('simulate', '--clusters', '2', '--folder', join(folder, 'stores'), '--runs', runs())
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

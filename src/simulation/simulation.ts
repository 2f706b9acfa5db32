import { availableParallelism } from 'node:os'
import { messageOf, SlotmeshError } from '../domain/index.js'
import { Deeds } from './deeds.js'
import { Director } from './director.js'
import { openFolder } from './folder.js'
import { requireFeasible, type SimulationOptions, simulationOptions } from './options.js'
import { withOverrides } from './overrides.js'
import { PhaseTeller } from './phases.js'
import { SeededRandom } from './randomness.js'
import { createRecorder, type Recorder, type RunHeader, type RunRecorder } from './record/index.js'
import { isRecorded, RecordedAudit } from './recorded-audit.js'
import type { Check, SimulationReport } from './report.js'
import { runFileIn } from './run-file.js'
import { findScenario, type NamedScenario, type Scenario } from './scenario/index.js'
import type { Stage } from './stage.js'
import { createStage } from './stages.js'
import { Timings } from './timings.js'
import { type RunControls, reportFileOf, writeReport } from './view/index.js'

/**
 * Plays a scenario on this machine: a chain, enclaves with simulated quotes, owners, outsiders and faults; then looks
 * at whether what the scenario expects has come true.
 *
 * @returns a report, also when something does not hold: `passed` tells.
 * @throws SlotmeshError `simulation/bad-option`, `simulation/unknown-scenario` or `simulation/folder`; ConfigError of a
 * scenario file; the signal's reason, once everything has ended.
 */
export async function runSimulation(given: Partial<SimulationOptions> = {}): Promise<SimulationReport> {
  const options = simulationOptions(given)
  const { name, scenario: asWritten } = await scenarioOf(options)
  const scenario = withOverrides(asWritten, options)
  requireFeasible(options.mode, scenario.clusters)
  const startedAt = Date.now()
  const folder = await openFolder(options.folder)
  let keep = options.folder !== undefined || options.keepFolder
  try {
    const played = await play(options, { name, scenario }, folder.path)
    const passed = played.checks.every((check) => check.passed)
    keep ||= !passed
    return {
      passed,
      scenario: name,
      title: scenario.title,
      mode: options.mode,
      seed: options.seed,
      generation: scenario.chain.generation,
      ...played,
      wallTimeMs: Date.now() - startedAt,
      folder: keep ? folder.path : undefined,
    }
  } finally {
    if (!keep) await folder.remove()
  }
}

async function scenarioOf({ scenario }: SimulationOptions): Promise<NamedScenario> {
  return typeof scenario === 'string' ? findScenario(scenario) : scenario
}

type Played = Pick<SimulationReport, 'deeds' | 'enclaves' | 'timings' | 'checks' | 'nfts' | 'run'>

async function play(options: SimulationOptions, named: NamedScenario, folder: string): Promise<Played> {
  const header = headerOf(options, named)
  const file = options.runs === undefined ? undefined : await runFileIn(options.runs, header)
  const run = createRecorder(header, { ...(file !== undefined && { file }) })
  try {
    const played = await record(options, named, { run, folder })
    if (file === undefined) return { ...played, run: undefined }
    const report = reportFileOf(file)
    await writeReport(report, [run])
    return { ...played, run: { file, report } }
  } finally {
    run.close()
  }
}

async function record(
  options: SimulationOptions,
  named: NamedScenario,
  { run, folder }: { readonly run: RunRecorder; readonly folder: string },
): Promise<Omit<Played, 'run'>> {
  const { scenario } = named
  const { progress, signal, seed, processors, slower } = options
  const begun = Date.now()
  const phases = new PhaseTeller(scenario, progress)
  const timings = new Timings()
  const recorded = new RecordedAudit(scenario.expect)
  const deeds = new Deeds()
  const recorder = together(run, phases, timings, deeds, recorded)
  const random = new SeededRandom(seed)
  phases.begin('The chain and the first clusters start')
  const parts = { scenario, recorder, random, folder, processors, slower, signal, progress }
  const stage = await createStage(options.mode, parts)
  try {
    const director = new Director({ scenario, stage, recorder, random, signal })
    options.watch({ run, controls: controlsOf(stage, director) })
    const checks = await orFinding(() => director.play(), signal)
    if (checks.length === 0) {
      phases.begin('What came of it is compared with what was expected')
      checks.push(...(await auditAll(stage, scenario, recorded, signal)))
    }
    phases.end(checks.every(({ passed }) => passed))
    const totals = await stage.totals()
    // The last one at its interval may be from before the last shares.
    await stage.sample()
    run.finish({ checks, durationMs: director.elapsed, wallMs: Date.now() - begun, totals })
    const { all, nfts } = timings
    return { checks, timings: all, nfts, deeds: deeds.all, enclaves: await stage.rows() }
  } finally {
    await stage.close()
  }
}

/** What cannot be done is a finding, and the last one; anything else is a defect of the simulation itself. */
async function orFinding(work: () => Promise<readonly Check[]>, signal: AbortSignal): Promise<Check[]> {
  try {
    return [...(await work())]
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof SlotmeshError)) throw thrown
    return [{ name: 'Everything happened as the scenario says', passed: false, detail: messageOf(thrown) }]
  }
}

async function auditAll(
  stage: Stage,
  { expect }: Scenario,
  recorded: RecordedAudit,
  signal: AbortSignal,
): Promise<Check[]> {
  const checks: Check[] = []
  for (const expectation of expect) {
    if (isRecorded(expectation)) checks.push(recorded.check(expectation))
    else checks.push(...(await orFinding(() => stage.audit(expectation), signal)))
  }
  return checks
}

/** The first line of the run's file. */
function headerOf({ mode, seed }: SimulationOptions, { name, scenario }: NamedScenario): RunHeader {
  return {
    format: 'slotmesh-run/1',
    scenario: name,
    title: scenario.title,
    why: scenario.why,
    mode,
    seed,
    startedAt: new Date().toISOString(),
    clusters: scenario.clusters,
    blockTimeMs: scenario.chain.blockTime,
    machine: { node: process.version, processors: availableParallelism(), platform: process.platform },
  }
}

function controlsOf(stage: Stage, director: Director): RunControls {
  return {
    pause: () => stage.pause(),
    resume: () => stage.resume(),
    step: () => stage.step(),
    perform: (action) => director.perform(action),
    inspect: (enclave) => stage.inspect(enclave),
  }
}

/** Tells several at once. */
function together(...recorders: readonly Pick<Recorder, 'record'>[]): Recorder {
  return {
    record: (event) => {
      for (const recorder of recorders) recorder.record(event)
    },
  }
}

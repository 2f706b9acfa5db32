import { messageOf, SlotmeshError } from '../domain/index.js'
import { openFolder } from './folder.js'
import { type SimulationOptions, simulationOptions } from './options.js'
import { PHASES } from './phases.js'
import type { EnclaveRow, SimulationReport } from './report.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import { World } from './world.js'

/**
 * Runs the whole life of shares on this machine: a development chain, enclaves with simulated quotes on a real mesh,
 * owners, and outsiders who must get nothing; then compares everybody with the chain.
 *
 * @returns a report, also when something does not hold: `passed` tells.
 * @throws SlotmeshError `simulation/bad-option` or `simulation/folder`; the signal's reason, once everything has ended.
 */
export async function runSimulation(given: Partial<SimulationOptions> = {}): Promise<SimulationReport> {
  const options = simulationOptions(given)
  const startedAt = Date.now()
  const folder = await openFolder(options.folder)
  let keep = options.folder !== undefined || options.keepFolder
  try {
    const world = await World.create(options, folder.path)
    const enclaves = await perform(world).finally(() => world.close())
    const passed = world.checks.every((check) => check.passed)
    keep ||= !passed
    return {
      passed,
      seed: options.seed,
      generation: options.generation,
      nfts: { secrets: options.secrets, capsules: options.capsules },
      enclaves,
      timings: world.timings,
      checks: world.checks,
      wallTimeMs: Date.now() - startedAt,
      folder: keep ? folder.path : undefined,
    }
  } finally {
    if (!keep) await folder.remove()
  }
}

/** Plays one phase after the other; a phase that cannot be finished is a failed check, and the last one. */
async function perform(world: World): Promise<EnclaveRow[]> {
  const { progress, signal } = world.options
  for (const [index, { title, run }] of PHASES.entries()) {
    const startedAt = Date.now()
    const phase = index + 1
    const ended = (passed: boolean) =>
      progress({ type: 'phase-ended', phase, passed, durationMs: Date.now() - startedAt })
    progress({ type: 'phase-started', phase, of: PHASES.length, title })
    try {
      await run(world)
      ended(true)
    } catch (error) {
      ended(false)
      signal.throwIfAborted()
      // Anything else is a defect of the simulation itself, not a finding.
      if (!(error instanceof SlotmeshError)) throw error
      world.checks.push({ name: `Phase ${phase}: ${title}`, passed: false, detail: messageOf(error) })
      break
    }
  }
  return Promise.all([...world.officials, ...world.impostors].map(enclaveRow))
}

async function enclaveRow(enclave: SimulatedEnclave): Promise<EnclaveRow> {
  const { cluster, slot, notes } = enclave
  if (!enclave.isUp) return { cluster, slot, status: undefined, note: 'down' }
  return { cluster, slot, status: await enclave.status(), note: notes.join(', ') }
}

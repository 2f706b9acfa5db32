import { createHash } from 'node:crypto'
import type { Hex } from '../../../src/domain/index.js'
import { Director } from '../../../src/simulation/director.js'
import { createDiscreteStage } from '../../../src/simulation/discrete/index.js'
import { SeededRandom } from '../../../src/simulation/randomness.js'
import type { RunEvent, RunTotals } from '../../../src/simulation/record/index.js'
import type { Check, EnclaveRow } from '../../../src/simulation/report.js'
import { parseScenario, type Scenario } from '../../../src/simulation/scenario/index.js'
import type { AuditedExpectation, Stage, StageInit } from '../../../src/simulation/stage.js'

/** What came of a scenario in the discrete mode. */
export interface Played {
  readonly events: readonly RunEvent[]
  readonly checks: readonly Check[]
  readonly totals: RunTotals
  /** What the report's table says. */
  readonly rows: readonly EnclaveRow[]
  /** SHA-256 of all events. */
  readonly digest: string
}

export const SEED: Hex = `0x${'07'.repeat(32)}`

export function scenarioOf(text: string): Scenario {
  return parseScenario(`title: A test\nwhy: A test.\n${text}`, 'test.yaml')
}

export function play(scenario: Scenario, seed = SEED): Promise<Played> {
  return playOn(scenario, async (parts) => createDiscreteStage(parts), seed)
}

export async function playOn(
  scenario: Scenario,
  create: (parts: Pick<StageInit, 'scenario' | 'random' | 'recorder'>) => Promise<Stage>,
  seed = SEED,
): Promise<Played> {
  const events: RunEvent[] = []
  const recorder = { record: (event: RunEvent) => void events.push(event) }
  const random = new SeededRandom(seed)
  const stage = await create({ scenario, random, recorder })
  const { signal } = new AbortController()
  try {
    const checks = await new Director({ scenario, stage, recorder, random, signal }).play()
    for (const expectation of scenario.expect) {
      if (isAudited(expectation)) checks.push(...(await stage.audit(expectation)))
    }
    const totals = await stage.totals()
    await stage.sample()
    const rows = await stage.rows()
    const digest = createHash('sha256').update(JSON.stringify(events)).digest('hex')
    return { events, checks, totals, rows, digest }
  } finally {
    await stage.close()
  }
}

export function eventsOf<Type extends RunEvent['type']>(
  { events }: Played,
  type: Type,
): (RunEvent & { readonly type: Type })[] {
  return events.filter((event): event is RunEvent & { readonly type: Type } => event.type === type)
}

export function failed({ checks }: Played): string[] {
  return checks.filter(({ passed }) => !passed).map(({ name, detail }) => `${name}: ${detail}`)
}

function isAudited(expectation: Scenario['expect'][number]): expectation is AuditedExpectation {
  return !['replicated', 'caught-up', 'fan-out'].includes(expectation.type)
}

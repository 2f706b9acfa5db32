import { readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join } from 'node:path'
import { z } from 'zod'
import { parseYaml, readYaml } from '../../config/index.js'
import { SlotmeshError } from '../../domain/index.js'
import { type Scenario, ScenarioSchema } from './schema.js'

const SCENARIO = { noun: 'scenario', schema: ScenarioSchema }

/** Where the scenarios are that come with the package. */
const SHIPPED = join(dirname(createRequire(import.meta.url).resolve('slotmesh/package.json')), 'examples', 'scenarios')
const EXTENSION = '.yaml'

/** A scenario and what it is called. */
export interface NamedScenario {
  /** The file's name without its ending, by which a shipped one is asked for. */
  readonly name: string
  readonly scenario: Scenario
}

/**
 * @param nameOrPath of a shipped scenario, or of a file.
 * @throws ConfigError `config/unreadable`, `config/bad-value`; SlotmeshError `simulation/unknown-scenario`.
 */
export async function findScenario(nameOrPath: string): Promise<NamedScenario> {
  if (nameOrPath.includes('/') || extname(nameOrPath) !== '') {
    return { name: basename(nameOrPath, extname(nameOrPath)), scenario: await readYaml(nameOrPath, SCENARIO) }
  }
  const names = await shippedNames()
  if (!names.includes(nameOrPath)) {
    throw new SlotmeshError(
      'simulation/unknown-scenario',
      `No scenario "${nameOrPath}" comes with this package: choose one of ${names.join(', ')}, or give the path of a file.`,
    )
  }
  return shipped(nameOrPath)
}

/** What a scenario file may hold, as JSON Schema, by which editors help whoever writes one. */
export function scenarioSchema(): object {
  return z.toJSONSchema(ScenarioSchema, { io: 'input' })
}

/** All that come with the package, by name. */
export async function shippedScenarios(): Promise<NamedScenario[]> {
  return Promise.all((await shippedNames()).map(shipped))
}

/** @param path for messages. @throws ConfigError `config/bad-value` */
export function parseScenario(text: string, path: string): Scenario {
  return parseYaml(text, path, SCENARIO)
}

async function shipped(name: string): Promise<NamedScenario> {
  return { name, scenario: await readYaml(join(SHIPPED, `${name}${EXTENSION}`), SCENARIO) }
}

async function shippedNames(): Promise<string[]> {
  const files = await readdir(SHIPPED)
  return files
    .filter((file) => extname(file) === EXTENSION)
    .map((file) => basename(file, EXTENSION))
    .sort()
}

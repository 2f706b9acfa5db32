import { ConfigError } from './errors.js'
import { perhaps } from './nearest.js'
import { readSettings } from './read.js'
import { checked } from './schema.js'
import { flagName, isSetting, type Kind, ROWS, type Row, type Section, type Settings, TABLE } from './table/index.js'

/** Names the file, where no flag does. */
const FILE_VARIABLE = 'SLOTMESH_CONFIG'

/** Variables of the same beginning that are no settings: of owners, of debugging, and of this package's own tests. */
const OTHER_VARIABLES = [
  FILE_VARIABLE,
  'SLOTMESH_OWNER_SEED',
  'SLOTMESH_DEBUG',
  'SLOTMESH_CHROMIUM',
  'SLOTMESH_TESTS_ON_DISK',
]

/** What Kubernetes and linked containers set by themselves where a service is called slotmesh. */
const OF_ORCHESTRATORS = /^SLOTMESH_(SERVICE_(HOST|PORT)|PORT)(_|$)/

/** What says something about settings. */
export interface Given {
  /** The file that a flag names. */
  readonly file?: string | undefined
  /** By the setting's path: text, texts, or whether a flag without a value was there. */
  readonly flags?: ReadonlyMap<string, unknown>
  readonly environment?: NodeJS.ProcessEnv
}

/**
 * What a node is to do: by its flags, where they say nothing by variables, then by the file, then by the table. All of it
 * is checked; nothing is repeated of a value that is wrong, since it may be a secret in the wrong place.
 *
 * @throws ConfigError
 */
export async function resolveSettings({ file, flags = new Map(), environment = {} }: Given): Promise<Settings> {
  refuseUnknown(environment)
  const path = file ?? environment[FILE_VARIABLE]
  const said = path === undefined ? {} : await readSettings(path)
  const values = new Map<string, unknown>()
  for (const row of ROWS) {
    // What loses is checked as well: it would win on another day.
    const [flag, variable] = [fromFlag(row, flags.get(row.path)), fromVariable(row, environment)]
    values.set(row.path, flag ?? variable ?? valueIn(said, row.path) ?? row.fallback)
  }
  // The type is made from the same table.
  return treeOf(TABLE, [], values) as Settings
}

function refuseUnknown(environment: NodeJS.ProcessEnv): void {
  const settings = ROWS.flatMap(({ variable }) => variable ?? [])
  const known = [...settings, ...OTHER_VARIABLES]
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('SLOTMESH_') || known.includes(name) || OF_ORCHESTRATORS.test(name)) continue
    const meant = perhaps(name, [...settings, FILE_VARIABLE])
    const sentence = `There is no setting for the environment variable ${name}${meant}; correct it, or unset it.`
    throw new ConfigError('config/bad-variable', sentence)
  }
}

function fromVariable(row: Row, environment: NodeJS.ProcessEnv): unknown {
  const { variable, kind } = row
  const text = variable === undefined ? undefined : environment[variable]
  if (variable === undefined || text === undefined) return undefined
  const given = kind.is === 'list' ? text.split(/[\s,]+/).filter((part) => part !== '') : text
  const found = checked(row, meaningOf(kind, given))
  if ('value' in found) return found.value
  throw new ConfigError('config/bad-variable', `The environment variable ${variable} ${found.wrong}; correct it.`)
}

function fromFlag(row: Row, given: unknown): unknown {
  if (given === undefined) return undefined
  const found = checked(row, meaningOf(row.kind, given))
  if ('value' in found) return found.value
  throw new ConfigError('config/bad-option', `The flag ${flagName(row)} ${found.wrong}; correct it.`)
}

/** What a text means; what it cannot mean stays text, and is refused as that. */
function meaningOf(kind: Kind, given: unknown): unknown {
  if (Array.isArray(given)) return kind.is === 'list' ? given.map((each) => meaningOf(kind.of, each)) : given
  if (typeof given !== 'string') return given
  switch (kind.is) {
    case 'whole':
      return /^\d{1,15}$/.test(given) ? Number(given) : given
    case 'yes-or-no':
      return given === 'true' || given === 'false' ? given === 'true' : given
    case 'hex':
      return given.startsWith('0x') ? given : `0x${given}`
    default:
      return given
  }
}

function valueIn(said: unknown, path: string): unknown {
  return path.split('.').reduce((at, name) => (isTree(at) ? at[name] : undefined), said)
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** As the table is built; rows of which nothing is said are left out. */
function treeOf(section: Section, above: readonly string[], values: ReadonlyMap<string, unknown>): object {
  const entries = Object.entries(section).map(([name, entry]): [string, unknown] => {
    const path = [...above, name]
    return [name, isSetting(entry) ? values.get(path.join('.')) : treeOf(entry, path, values)]
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

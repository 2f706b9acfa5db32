import { type Command, Option } from 'commander'
import type { Settings } from '../config/index.js'
import { flagName, ROWS, type Row, rowAt } from '../config/table/index.js'
import { SlotmeshError } from '../domain/index.js'

/** What commander makes of a command line: what its flags say, by their names. */
export type SettingFlags = Readonly<Record<string, unknown>> & { readonly config?: string }

/**
 * Adds `--config`, and the flags of settings.
 *
 * @param paths of the settings, as in the file; all when left out.
 * @param options.fromFile whether there is a file to read.
 */
export function addSettings(
  command: Command,
  paths: readonly string[] = ROWS.map(({ path }) => path),
  { fromFile = true }: { readonly fromFile?: boolean } = {},
): Command {
  if (fromFile) command.option('--config <file>', 'the node’s YAML file (SLOTMESH_CONFIG); slotmesh config example')
  for (const path of paths) {
    const row = rowAt(path)
    const { flag, about } = row
    if (flag === undefined) continue
    command.addOption(new Option(flag, `${about}${otherwiseOf(row)}`))
    if (row.kind.is === 'yes-or-no') command.addOption(new Option(flag.replace(/^--/, '--no-')).hideHelp())
  }
  return command
}

/** What the flags say, by the settings' paths; undefined where there is none. */
export function flagsOf(flags: SettingFlags): ReadonlyMap<string, unknown> {
  return new Map(
    ROWS.flatMap((row): [string, unknown][] => {
      if (row.flag === undefined) return []
      return [[row.path, flags[new Option(row.flag).attributeName()]]]
    }),
  )
}

/**
 * What the flags say, over what the environment and the file say.
 *
 * @throws ConfigError
 */
export async function settingsOf(flags: SettingFlags, environment = process.env): Promise<Settings> {
  // Loaded only when it is needed, so that the help comes at once.
  const { resolveSettings } = await import('../config/index.js')
  return resolveSettings({ file: flags.config, flags: flagsOf(flags), environment })
}

/**
 * @param path of the setting.
 * @throws SlotmeshError `cli/bad-option` when nothing says it.
 */
export function required<T>(value: T | undefined, path: string): T {
  if (value !== undefined) return value
  throw missing(path)
}

/** @param flag that is to be named in place of the setting's own. */
export function missing(path: string, flag?: string): SlotmeshError {
  const row = rowAt(path)
  const ways = [flag ?? flagName(row), ...(row.variable === undefined ? [] : [row.variable])].filter(
    (way) => way !== '',
  )
  return new SlotmeshError('cli/bad-option', `Give ${ways.join(', ')}, or ${path} in the file that --config names.`)
}

function otherwiseOf({ otherwise, fallback, kind }: Row): string {
  if (kind.is === 'yes-or-no' || otherwise === 'has to be said') return ''
  const words = otherwise ?? (Array.isArray(fallback) ? fallback.join(' ') : String(fallback))
  return words === '' ? '' : ` (default: ${words})`
}

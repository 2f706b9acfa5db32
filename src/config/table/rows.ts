import { isSetting, type Section, type Setting } from './setting.js'
import { TABLE } from './table.js'

/** A setting in its place. */
export interface Row extends Setting {
  /** As in the file: `chain.endpoints`. */
  readonly path: string
  /** The environment variable; none where only the file can say it. */
  readonly variable: string | undefined
}

/** Every setting, in the order in which people read of them. */
export const ROWS: readonly Row[] = rowsOf(TABLE)

/** @throws RangeError when the table has no such row: a mistake in the program. */
export function rowAt(path: string): Row {
  const row = ROWS.find((each) => each.path === path)
  if (row === undefined) throw new RangeError(`There is no setting ${path}.`)
  return row
}

/** The flag without the word for its value: `--chain`. */
export function flagName({ flag = '' }: Setting): string {
  return flag.split(' ')[0] ?? ''
}

function rowsOf(section: Section, above: readonly string[] = []): Row[] {
  return Object.entries(section).flatMap(([name, entry]) => {
    const path = [...above, name]
    if (!isSetting(entry)) return rowsOf(entry, path)
    return [{ ...entry, path: path.join('.'), variable: entry.flag === undefined ? undefined : variableOf(path) }]
  })
}

/** `chain.genesisHash` is `SLOTMESH_CHAIN_GENESIS_HASH`. */
function variableOf(path: readonly string[]): string {
  const words = path.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase())
  return ['SLOTMESH', ...words].join('_')
}

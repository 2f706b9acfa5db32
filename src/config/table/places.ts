import { resolve } from 'node:path'
import { isSetting, type Section } from './setting.js'
import { TABLE } from './table.js'

/** Of a sealing key that is in a file, or made of what is in one. */
const FILE_SOURCE = /^(file|passphrase):(.+)$/s

/**
 * Settings in which every path is absolute.
 *
 * @param folder to which those are relative that are not.
 */
export function placedIn<Some extends object>(folder: string, settings: Some): Some {
  // Nothing but texts is changed.
  return placed(TABLE, settings, folder) as Some
}

function placed(section: Section, said: object, folder: string): object {
  const entries = Object.entries(said).map(([name, value]: [string, unknown]) => {
    const entry = section[name]
    if (entry === undefined) return [name, value]
    if (!isSetting(entry)) return [name, typeof value === 'object' && value ? placed(entry, value, folder) : value]
    if (typeof value !== 'string') return [name, value]
    if (entry.kind.is === 'path') return [name, resolve(folder, value)]
    const [, from, path] = (entry.kind.is === 'sealing-source' && FILE_SOURCE.exec(value)) || []
    return [name, path === undefined ? value : `${from}:${resolve(folder, path)}`]
  })
  return Object.fromEntries(entries)
}

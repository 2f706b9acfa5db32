import { dirname } from 'node:path'
import { SettingsSchema } from './schema.js'
import { type FileSettings, placedIn } from './table/index.js'
import { parseYaml, readYaml } from './yaml.js'

const CONFIGURATION = { noun: 'configuration file', schema: SettingsSchema }

/**
 * Reads the file of a node, to which the paths that it says are relative.
 *
 * @throws ConfigError
 */
export async function readSettings(path: string): Promise<FileSettings> {
  return placedIn(dirname(path), await readYaml(path, CONFIGURATION))
}

/**
 * @param path of the file, for messages.
 * @throws ConfigError `config/bad-value`
 */
export function parseSettings(text: string, path: string): FileSettings {
  return parseYaml(text, path, CONFIGURATION)
}

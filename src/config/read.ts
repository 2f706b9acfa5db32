import { dirname, resolve } from 'node:path'
import { SettingsSchema } from './schema.js'
import type { FileSettings } from './table/index.js'
import { parseYaml, readYaml } from './yaml.js'

const CONFIGURATION = { noun: 'configuration file', schema: SettingsSchema }

/**
 * Reads the file of a node.
 *
 * @throws ConfigError
 */
export async function readSettings(path: string): Promise<FileSettings> {
  const settings = await readYaml(path, CONFIGURATION)
  return settings.folder === undefined ? settings : { ...settings, folder: resolve(dirname(path), settings.folder) }
}

/**
 * @param path of the file, for messages.
 * @throws ConfigError `config/bad-value`
 */
export function parseSettings(text: string, path: string): FileSettings {
  return parseYaml(text, path, CONFIGURATION)
}

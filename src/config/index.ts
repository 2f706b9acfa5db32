export { ConfigError, type ConfigErrorCode } from './errors.js'
export { parseSettings, readSettings } from './read.js'
export type { Settings } from './settings.js'
export { type FileKind, parseYaml, readYaml } from './yaml.js'

import { SlotmeshError } from '../domain/index.js'

export type ConfigErrorCode =
  /** The file cannot be read. */
  | 'config/unreadable'
  /** The file is not YAML, or a value in it is not what it should be. */
  | 'config/bad-value'
  /** A value that a flag gives is not what it should be. */
  | 'config/bad-option'
  /** An environment variable is none of the settings', or its value is not what it should be. */
  | 'config/bad-variable'

/** What is wrong with what a node is told, and where. */
export class ConfigError extends SlotmeshError {
  override readonly name: string = 'ConfigError'
  declare readonly code: ConfigErrorCode

  constructor(code: ConfigErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

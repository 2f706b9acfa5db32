import type { Logger } from '../domain/index.js'

/** For a node that is embedded without a logger. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** Small values beside a log line; never key or share bytes. */
export type LogFields = Readonly<Record<string, string | number | boolean>>

/** What the parts of a node write their log to; the composition root decides where it goes. */
export interface Logger {
  /** For whoever looks for a defect. */
  debug(message: string, fields?: LogFields): void
  /** What happens in the ordinary course. */
  info(message: string, fields?: LogFields): void
  /** What an operator should look at, when it lasts. */
  warn(message: string, fields?: LogFields): void
  /** What an operator has to look at. */
  error(message: string, fields?: LogFields): void
}

/** For parts that are used without a logger. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

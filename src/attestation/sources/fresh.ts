import { setTimeout as delay } from 'node:timers/promises'
import { Quote } from '@phala/dcap-qvl'
import { equalBytes } from '../../crypto/index.js'
import { messageOf } from '../../domain/index.js'
import { withoutPadding } from '../quote.js'
import { QuoteSourceError } from './errors.js'

export const REPORT_DATA_BYTES = 64

/** Attempts at one quote; a device that others write to at the same time gives what was not asked for. */
const ATTEMPTS = 4

/** Whoever came between shall be done by then. */
const PAUSE_MS = 100

/** @throws RangeError when `reportData` has not 64 bytes. */
export function requireReportData(reportData: Uint8Array): void {
  if (reportData.length === REPORT_DATA_BYTES) return
  throw new RangeError(`Report data has ${REPORT_DATA_BYTES} bytes, not ${reportData.length}.`)
}

/**
 * Asks the device until the quote is over this report data; whoever shares the device may come between.
 *
 * @param options.pauseMs after the first attempt, longer after each further one.
 * @param options.isPassing whether what an attempt threw may be over by the next; no error is when absent.
 * @param attempt gives undefined when it saw that somebody came between.
 * @throws QuoteSourceError `quote-source/failed`; what the last attempt threw.
 */
export async function freshQuote(
  reportData: Uint8Array,
  options: {
    readonly signal: AbortSignal
    readonly pauseMs?: number | undefined
    readonly isPassing?: (thrown: unknown) => boolean
  },
  attempt: () => Promise<Uint8Array | undefined>,
): Promise<Uint8Array> {
  const { signal, pauseMs = PAUSE_MS, isPassing = () => false } = options
  let last: unknown
  for (let attempts = 0; attempts < ATTEMPTS; attempts += 1) {
    if (attempts > 0) await delay(pauseMs * attempts, undefined, { signal })
    signal.throwIfAborted()
    last = undefined
    try {
      const quote = await attempt()
      if (quote !== undefined && equalBytes(reportDataOf(quote), reportData)) return withoutPadding(quote)
    } catch (thrown) {
      if (!isPassing(thrown)) throw thrown
      last = thrown
    }
  }
  if (last !== undefined) throw last
  throw failed('it answers with quotes over other data: something else on this machine uses it as well')
}

function failed(reason: string, cause?: unknown): QuoteSourceError {
  return new QuoteSourceError('quote-source/failed', `The device that makes quotes failed: ${reason}.`, { cause })
}

/** @returns what to throw for something that the device, or the reading of its quote, has thrown. */
export function failure(thrown: unknown, signal: AbortSignal, hint: string): unknown {
  if (signal.aborted || thrown instanceof QuoteSourceError) return thrown
  return failed(`${messageOf(thrown).replace(/\.$/, '')}; ${hint}`, thrown)
}

function reportDataOf(quote: Uint8Array): Uint8Array {
  try {
    const { report } = Quote.parse(quote)
    return (report.asSgx() ?? report.asTd10())?.reportData ?? new Uint8Array()
  } catch (cause) {
    throw failed(`what it gave is no quote (${messageOf(cause)})`, cause)
  }
}

import { SlotmeshError } from '../../domain/index.js'

export type QuoteSourceErrorCode =
  /** The machine has no device that makes quotes, or this process may not use it. */
  | 'quote-source/none'
  /** The device is there and does not do what it should. */
  | 'quote-source/failed'
  /** More quotes are asked for than the device makes. */
  | 'quote-source/busy'

/** Why this machine gave no quote. */
export class QuoteSourceError extends SlotmeshError {
  override readonly name: string = 'QuoteSourceError'
  declare readonly code: QuoteSourceErrorCode

  constructor(code: QuoteSourceErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

export function errnoOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined
}

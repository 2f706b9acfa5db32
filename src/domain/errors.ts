/**
 * The base of every error that slotmesh throws on purpose.
 *
 * `code` is stable and meant for programs (`room/what`, for example `chain/unreachable`); `message` is one sentence
 * for a person that says what happened and what to do about it. Messages never contain key or share bytes.
 */
export class SlotmeshError extends Error {
  override readonly name: string = 'SlotmeshError'
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The message of anything that was thrown, for logs and for wrapping; never a stack trace. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** For a log: what lies behind an error, and the check that did not pass where the cause names one. */
export function causeOf(thrown: unknown): { readonly cause: string; readonly check: string } {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  return {
    cause: cause === undefined ? '' : messageOf(cause),
    check: cause instanceof Error && 'check' in cause ? String(cause.check) : '',
  }
}

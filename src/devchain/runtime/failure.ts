/** A dispatch that failed as the runtime says it may: it is rolled back and reported in an event. */
export class DispatchFailure extends Error {
  /** A `DispatchError` as an object, for example `{ BadOrigin: null }`. */
  readonly error: Readonly<Record<string, unknown>>

  constructor(error: Readonly<Record<string, unknown>>) {
    super(`The call failed: ${Object.keys(error).join()}.`)
    this.error = error
  }
}

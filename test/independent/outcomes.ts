import type { RefusalName } from '../vectors/wire.js'

/** This side refuses the exchange; the peer is told. */
export class Refused extends Error {
  readonly refusal: RefusalName
  readonly retryAfterMs: number

  constructor(refusal: RefusalName, retryAfterMs = 0) {
    super(`refusing with ${refusal}`)
    this.refusal = refusal
    this.retryAfterMs = retryAfterMs
  }
}

/** The peer has refused it. */
export class RefusedByPeer extends Error {
  readonly refusal: RefusalName
  readonly retryAfterMs: number

  constructor(refusal: RefusalName, retryAfterMs: number) {
    super(`refused with ${refusal}`)
    this.refusal = refusal
    this.retryAfterMs = retryAfterMs
  }
}

/** Everything else: the stream is reset, without a word. */
export class Broken extends Error {}

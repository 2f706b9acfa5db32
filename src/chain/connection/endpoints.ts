import { messageOf, SlotmeshError } from '../../domain/index.js'
import { codeOf } from '../errors.js'

/** Pauses before an endpoint that failed is used again, ms: doubled from the first to the last. */
const BACK_OFF = { first: 250, last: 15_000 }

/** Why an endpoint was left, or could not be used. */
export interface EndpointFailure {
  /** Stable, for example `chain/lagging`. */
  readonly code: string
  /** A sentence for a person. */
  readonly message: string
  /** Unix ms. */
  readonly at: number
}

/** One address of the chain, with its record. */
export class Endpoint {
  readonly url: string
  lastFailure: EndpointFailure | undefined
  #failures = 0
  #restsUntil = 0

  constructor(url: string) {
    this.url = url
  }

  /** How long it is still to be left alone, ms. */
  get pause(): number {
    return Math.max(0, this.#restsUntil - performance.now())
  }

  /** Each pause is shortened at random by up to half, so that nodes which lost it together do not return together. */
  failed(thrown: unknown): void {
    const longest = Math.min(BACK_OFF.first * 2 ** this.#failures, BACK_OFF.last)
    this.#failures += 1
    this.#restsUntil = performance.now() + longest * (1 - Math.random() / 2)
    this.lastFailure = { code: codeOf(thrown), message: messageOf(thrown), at: Date.now() }
  }

  /** It was of use for a while, so its next failure is a first one. */
  proved(): void {
    this.#failures = 0
  }
}

/** The addresses of the chain, in the order in which they are to be used. */
export class Endpoints {
  readonly all: readonly Endpoint[]
  #preferred: Endpoint | undefined

  /** @throws SlotmeshError `chain/bad-endpoint` */
  constructor(urls: readonly string[]) {
    if (urls.length === 0) throw badEndpoint('No address of a chain is given')
    for (const url of urls) {
      if (!isEndpoint(url)) throw badEndpoint(`"${url}" is no address of a chain`)
    }
    this.all = [...new Set(urls)].map((url) => new Endpoint(url))
  }

  /** The one to use next: the first that need not rest, or else the one that has rested soonest. */
  next(): Endpoint {
    const preferred = this.#preferred
    this.#preferred = undefined
    if (preferred?.pause === 0) return preferred
    return this.all.reduce((best, other) => (other.pause < best.pause ? other : best))
  }

  /** Puts an endpoint before all others, for once. */
  prefer(endpoint: Endpoint): void {
    this.#preferred = endpoint
  }
}

function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && /^wss?:$/.test(url.protocol) && url.hash === ''
}

function badEndpoint(what: string): SlotmeshError {
  return new SlotmeshError('chain/bad-endpoint', `${what}: give the ws:// or wss:// URL of one of its nodes.`)
}

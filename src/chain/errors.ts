import { SlotmeshError } from '../domain/index.js'

export function unreachable(endpoint: string, cause?: unknown): SlotmeshError {
  return new SlotmeshError(
    'chain/unreachable',
    `No chain answers at ${endpoint}: start one there, or correct the address.`,
    cause === undefined ? undefined : { cause },
  )
}

export function isUnreachable(thrown: unknown): boolean {
  return thrown instanceof SlotmeshError && thrown.code === 'chain/unreachable'
}

export function closed(): SlotmeshError {
  return new SlotmeshError('chain/closed', 'The connection to the chain was closed; connect again.')
}

/** @param item what of the block: an event or an entry of storage, by its name in the metadata */
export function unreadableBlock(block: number, item: string, reason: string): SlotmeshError {
  return new SlotmeshError(
    'chain/unreadable-block',
    `Block ${block} cannot be read at ${item}: ${reason}. Nothing after it is taken in; check that this version knows the chain.`,
  )
}

/** The endpoint's own refusal of a request (JSON-RPC 2.0, section 5.1). */
export class RequestRefused extends SlotmeshError {
  override readonly name = 'RequestRefused'
  readonly rpcCode: number
  /** What Substrate says beyond the code's general sentence, or that sentence when it says no more. */
  readonly detail: string

  constructor(method: string, { code, message, data }: { code: number; message: string; data?: unknown }) {
    const detail = brief(typeof data === 'string' ? data : data == null ? message : JSON.stringify(data))
    const general = brief(message)
    const reason = detail.startsWith(general) ? detail : `${general}: ${detail}`
    super('chain/request-refused', `The chain refused ${method} (${code}: ${reason}).`)
    this.rpcCode = code
    this.detail = detail
  }
}

/** An endpoint's words go into logs, so they are kept to a line. */
function brief(words: string): string {
  return words.replaceAll(/\s+/g, ' ').slice(0, 300)
}

/** A call was included in a finalised block and failed there. */
export class CallFailedError extends SlotmeshError {
  override readonly name = 'CallFailedError'
  /** The error's name in its pallet, for example `NFTNotFound`; or Substrate's own, for example `BadOrigin`. */
  readonly reason: string

  constructor(call: string, reason: string) {
    super('chain/call-failed', `The chain refused ${call}: ${reason}.`)
    this.reason = reason
  }
}

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
  /** What Substrate says beyond the code's general sentence. */
  readonly detail: string

  constructor(method: string, rpcCode: number, detail: string) {
    super('chain/request-refused', `The chain refused ${method} (${rpcCode}: ${detail}).`)
    this.rpcCode = rpcCode
    this.detail = detail
  }
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

import { type BlockNumber, messageOf, SlotmeshError } from '../domain/index.js'

export function unreachable(endpoints: readonly string[], cause?: unknown): SlotmeshError {
  return new SlotmeshError(
    'chain/unreachable',
    `No chain answers at ${endpoints.join(' or ')}: start one there, or correct the address.`,
    cause === undefined ? undefined : { cause },
  )
}

/** When each of several endpoints failed in its way. */
export function noneUsable(endpoints: readonly string[], failures: readonly unknown[]): unknown {
  const [code, ...others] = new Set(failures.map(codeOf))
  if (others.length === 0) return code === 'chain/unreachable' ? unreachable(endpoints, failures[0]) : failures[0]
  const reasons = failures.map((failure, index) => `${endpoints[index]}: ${messageOf(failure)}`)
  return new SlotmeshError('chain/unreachable', `No endpoint can be used. ${reasons.join(' ')}`)
}

/** Whether the chain, or a block of it that is known to be final, is out of reach for now. */
export function isUnreachable(thrown: unknown): boolean {
  return ['chain/unreachable', 'chain/block-unknown'].includes(codeOf(thrown))
}

/** Whether a socket ended without anything being wrong with what it brought. */
export function isBroken(thrown: unknown): boolean {
  return ['chain/disconnected', 'chain/silent', 'chain/closed'].includes(codeOf(thrown))
}

export function malformed(method: string, reason: string): SlotmeshError {
  return new SlotmeshError(
    'chain/malformed-answer',
    `The endpoint's answer to ${method} cannot be read (${reason}); use another endpoint.`,
  )
}

export function isMalformed(thrown: unknown): boolean {
  return codeOf(thrown) === 'chain/malformed-answer'
}

/** A mistake in this program must not pass for an outage, which is waited out. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof SlotmeshError ? thrown.code : 'chain/unexpected'
}

export function closed(): SlotmeshError {
  return new SlotmeshError('chain/closed', 'The connection to the chain was closed; connect again.')
}

/** A block that this version cannot make sense of. */
export class UnreadableBlock extends SlotmeshError {
  override readonly name = 'UnreadableBlock'
  readonly block: BlockNumber
  /** What of the block: an event or an entry of storage, by its name in the metadata. */
  readonly item: string

  constructor(block: BlockNumber, item: string, reason: string) {
    super(
      'chain/unreadable-block',
      `Block ${block} cannot be read at ${item}: ${reason}. Nothing after it is taken in; check that this version knows the chain.`,
    )
    this.block = block
    this.item = item
  }
}

export function unreadableBlock(block: BlockNumber, item: string, reason: string): SlotmeshError {
  return new UnreadableBlock(block, item, reason)
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

const DISCARDED = 'chain/state-discarded'

/** What a refusal means that says that a pruning node has thrown away what is asked for (`sp-blockchain`, `Error`). */
export function discardedState(thrown: unknown): unknown {
  if (!(thrown instanceof RequestRefused) || !/state already discarded/i.test(thrown.detail)) return thrown
  return new SlotmeshError(
    DISCARDED,
    'The endpoint has thrown away the state of an old block: use an archive node (--state-pruning archive)',
    { cause: thrown },
  )
}

/** Whether an endpoint refuses for not having a block at all, of which only final ones are asked for by their hash. */
export function isUnknownBlock(thrown: unknown): boolean {
  return thrown instanceof RequestRefused && /header was not found/i.test(thrown.detail)
}

export function isDiscarded(thrown: unknown): boolean {
  return codeOf(thrown) === DISCARDED
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

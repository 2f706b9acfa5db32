import type { DecodeOptions } from 'protons-runtime'
import { fromHex, toHex } from '../crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  SHARE_SIZE,
  type ShareKey,
  type ShareKind,
  SlotmeshError,
} from '../domain/index.js'
import { type Decodable, decodeFrugally, type Frames } from '../framing/index.js'
import type { LogHead, ShareRun } from '../provenance/index.js'
import { MESSAGE_BYTES, NUMBERS_READ, OFFERED_SUITES } from './protocol.js'
import { isRefusal, RefusalError, RefusedError } from './refusals.js'
import {
  type Cursor,
  HelloBody,
  ProviderMessage,
  type Refusal as RefusalMessage,
  RequesterMessage,
  type Run,
  SealedContent,
  type Token,
  ShareKind as WireKind,
  type LogHead as WireLogHead,
} from './wire/share.js'

type RequesterKind = Exclude<keyof RequesterMessage, 'refusal'>
type ProviderKind = Exclude<keyof ProviderMessage, 'refusal'>

/**
 * Reads the one message that may come now; a Refusal may come at any time.
 *
 * @throws RefusedError when the peer refuses, RefusalError MALFORMED for anything else but `kind`,
 * SlotmeshError `share/cut` when the stream ends.
 */
export async function readFromRequester<K extends RequesterKind>(
  frames: Frames,
  kind: K,
  options: { signal: AbortSignal },
): Promise<NonNullable<RequesterMessage[K]>> {
  return expected(decode(RequesterMessage, await readFrame(frames, kind, options)), kind)
}

export async function readFromProvider<K extends ProviderKind>(
  frames: Frames,
  kind: K,
  options: { signal: AbortSignal },
): Promise<NonNullable<ProviderMessage[K]>> {
  return expected(decode(ProviderMessage, await readFrame(frames, kind, options)), kind)
}

async function readFrame(
  frames: Frames,
  kind: RequesterKind | ProviderKind,
  options: { signal: AbortSignal },
): Promise<Uint8Array> {
  // The limit is the expected message's; a Refusal, which may come in its place, is smaller than any of them.
  const frame = await frames.read(MESSAGE_BYTES[kind], options)
  if (frame === undefined) throw new SlotmeshError('share/cut', 'The peer ended the exchange before it was complete.')
  return frame
}

function expected<M extends { refusal?: RefusalMessage }, K extends keyof M>(message: M, kind: K): NonNullable<M[K]> {
  if (message.refusal !== undefined) {
    const { code, retryAfterMs } = message.refusal
    if (!isRefusal(code)) throw new RefusalError('MALFORMED')
    throw new RefusedError(code, retryAfterMs)
  }
  return message[kind] ?? malformed()
}

/**
 * Decodes bytes from a peer; of more fields than any message but a batch has, so many only.
 * @throws RefusalError MALFORMED, also when a list is longer than `options.limits`.
 */
export function decode<T>(message: Decodable<T>, bytes: Uint8Array, options?: DecodeOptions<T>): T {
  try {
    return decodeFrugally(message, bytes, { ...options, numbers: NUMBERS_READ })
  } catch (cause) {
    throw new RefusalError('MALFORMED', { cause })
  }
}

/** Decodes what the attested provider alone can have sealed. @throws RefusalError MALFORMED */
export function decodeSealed(bytes: Uint8Array): SealedContent {
  try {
    return SealedContent.decode(bytes)
  } catch (cause) {
    throw new RefusalError('MALFORMED', { cause })
  }
}

export function malformed(): never {
  throw new RefusalError('MALFORMED')
}

/** @throws RefusalError MALFORMED unless exactly `length` bytes are there. */
export function sized(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.length === length ? bytes : malformed()
}

export function accountFrom(bytes: Uint8Array): AccountId {
  return toHex(sized(bytes, 32))
}

export function tokenFrom(token: Token | undefined): Token {
  if (token === undefined) return malformed()
  sized(token.blockHash, 32)
  return token
}

/** The Hello's body with its fixed sizes checked; suites are looked at later. */
export function helloFrom(bytes: Uint8Array): HelloBody & { token: Token } {
  const body = decode(HelloBody, bytes, { limits: { suites: OFFERED_SUITES } })
  sized(body.genesisHash, 32)
  sized(body.account, 32)
  sized(body.nonce, 32)
  const numbers = new Set(body.suites.map(({ suite }) => suite))
  if (numbers.size === 0 || numbers.size < body.suites.length) malformed()
  return { ...body, token: tokenFrom(body.token) }
}

const WIRE_KINDS: Record<ShareKind, WireKind> = { secret: WireKind.SECRET, capsule: WireKind.CAPSULE }

function kindFrom(kind: WireKind): ShareKind {
  if (kind === WireKind.SECRET) return 'secret'
  if (kind === WireKind.CAPSULE) return 'capsule'
  return malformed()
}

export function compareKeys(one: ShareKey, other: ShareKey): number {
  const kinds = one.kind === other.kind ? 0 : one.kind === 'secret' ? -1 : 1
  return kinds || one.nftId - other.nftId
}

export function toWireKey({ kind, nftId }: ShareKey): Cursor {
  return { kind: WIRE_KINDS[kind], nftId }
}

/** @throws RefusalError MALFORMED */
export function fromWireKey({ kind, nftId }: Cursor): ShareKey {
  return { kind: kindFrom(kind), nftId }
}

export function toWireHead(head: LogHead): WireLogHead {
  return { ...head, account: fromHex(head.account), incarnation: fromHex(head.incarnation) }
}

export function toWireRun(run: ShareRun): Run {
  return {
    head: toWireHead(run.head),
    firstIndex: run.first,
    shares: run.shares.map(({ leaf, payload }) => ({
      kind: WIRE_KINDS[leaf.kind],
      nftId: leaf.nftId,
      version: leaf.version,
      payload,
    })),
    left: [...run.proof.left],
    right: [...run.proof.right],
  }
}

/** A run as received: sizes are right, nothing is verified yet. @throws RefusalError MALFORMED */
export interface UnverifiedRun extends Omit<ShareRun, 'shares'> {
  readonly shares: readonly { readonly key: ShareKey; readonly version: BlockNumber; readonly payload: Uint8Array }[]
}

export function fromWireRun(run: Run): UnverifiedRun {
  const { head } = run
  if (head === undefined || run.shares.length === 0) return malformed()
  // Copied, since the message that holds them is zeroed with its payloads; these are public, and are kept.
  const logHead: LogHead = {
    ...head,
    account: accountFrom(head.account),
    incarnation: toHex(sized(head.incarnation, 16)),
    root: sized(head.root, 32).slice(),
    signature: sized(head.signature, 64).slice(),
  }
  const shares = run.shares.map(({ kind, nftId, version, payload }) => {
    if (payload.length < SHARE_SIZE.minimum || payload.length > SHARE_SIZE.maximum) malformed()
    return { key: { kind: kindFrom(kind), nftId }, version, payload }
  })
  return { head: logHead, first: run.firstIndex, shares, proof: { left: copies(run.left), right: copies(run.right) } }
}

function copies(hashes: readonly Uint8Array[]): Uint8Array[] {
  return hashes.map((hash) => hash.slice())
}

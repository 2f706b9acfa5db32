import { toHex } from '../crypto/index.js'
import { type AccountId, type BlockHash, type BlockNumber, SlotmeshError } from '../domain/index.js'
import { type Decodable, decodeFrugally, type Frames } from '../framing/index.js'
import { FINGERPRINT_BYTES, NUMBERS, type Prefix } from '../inventory/index.js'
import { type Part, partFrom } from './parts.js'
import { encodePrefixes } from './prefixes.js'
import { MESSAGE_BYTES, NUMBERS_READ, QUESTION_PREFIXES } from './protocol.js'
import { isRefusal, malformed, RefusedSessionError } from './refusals.js'
import { ProviderMessage, RequesterMessage } from './wire/reconcile.js'

interface Abortable {
  readonly signal: AbortSignal
}

/** What a provider says of all that it holds; unproved. */
export interface Overview {
  readonly takenIn: BlockNumber
  readonly count: number
  /** No bytes when nothing is held. */
  readonly fingerprint: Uint8Array
}

/** @throws RefusingError MALFORMED; SlotmeshError `reconcile/cut` when the stream ends. */
export async function readHello(
  frames: Frames,
  options: Abortable,
): Promise<{ readonly genesisHash: BlockHash; readonly account: AccountId }> {
  const frame = (await frames.read(MESSAGE_BYTES.hello, options)) ?? cut()
  const { hello } = decode(RequesterMessage, frame, { numbers: NUMBERS_READ.small })
  if (hello?.genesisHash.length !== 32 || hello.account.length !== 32) return malformed()
  return { genesisHash: toHex(hello.genesisHash), account: toHex(hello.account) }
}

/** @returns the bytes of the prefixes; undefined when the requester has ended its side. */
export async function readQuestion(frames: Frames, options: Abortable): Promise<Uint8Array | undefined> {
  const frame = await frames.read(MESSAGE_BYTES.question, options)
  if (frame === undefined) return undefined
  const { question } = decode(RequesterMessage, frame, { numbers: NUMBERS_READ.small })
  return question?.prefixes ?? malformed()
}

/** @throws RefusedSessionError, RefusingError MALFORMED. */
export async function readSummary(frames: Frames, options: Abortable): Promise<Overview> {
  const { summary } = await readFromProvider(frames, MESSAGE_BYTES.summary, NUMBERS_READ.small, options)
  if (summary === undefined) return malformed()
  const { takenInBlock, count, fingerprint } = summary
  if (count > NUMBERS || fingerprint.length !== (count === 0 ? 0 : FINGERPRINT_BYTES)) malformed()
  return { takenIn: takenInBlock, count, fingerprint }
}

/** @returns for each prefix what is held of it there. @throws RefusedSessionError, RefusingError MALFORMED. */
export async function readAnswer(
  frames: Frames,
  asked: readonly Prefix[],
  options: Abortable,
): Promise<{ readonly prefix: Prefix; readonly part: Part }[]> {
  const { answer } = await readFromProvider(frames, MESSAGE_BYTES.answer, NUMBERS_READ.answer, options)
  if (answer?.parts.length !== asked.length) return malformed()
  return asked.map((prefix, at) => ({ prefix, part: partFrom(answer.parts[at] ?? malformed(), prefix) }))
}

export function encodeQuestion(prefixes: readonly Prefix[]): Uint8Array {
  return RequesterMessage.encode({ question: { prefixes: encodePrefixes(prefixes) } })
}

async function readFromProvider(
  frames: Frames,
  maximumBytes: number,
  numbers: number,
  options: Abortable,
): Promise<ProviderMessage> {
  const frame = (await frames.read(maximumBytes, options)) ?? cut()
  const message = decode(ProviderMessage, frame, { numbers, limits: { answer$: { parts: QUESTION_PREFIXES } } })
  const { refusal } = message
  if (refusal === undefined) return message
  if (!isRefusal(refusal.code)) return malformed()
  throw new RefusedSessionError(refusal.code, refusal.retryAfterMs)
}

function decode<T>(message: Decodable<T>, bytes: Uint8Array, options: Parameters<typeof decodeFrugally<T>>[2]): T {
  try {
    return decodeFrugally(message, bytes, options)
  } catch (cause) {
    return malformed(cause)
  }
}

function cut(): never {
  throw new SlotmeshError('reconcile/cut', 'The peer ended the session before it was complete.')
}

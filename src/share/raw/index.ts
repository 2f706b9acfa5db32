/*
 * The room's second door, for those who must be able to lie: the protocol taken apart into its messages and formulas.
 * The conformance suite speaks it by hand through this door; nodes have no business here.
 */
export { Frames } from '../../framing/index.js'
export { ListReader, ListWriter } from '../id-lists.js'
export { fromWireRun, toWireRun } from '../messages.js'
export { SUITE_X25519, SUITES, type Suite } from '../protocol.js'
export { isRefusal } from '../refusals.js'
export {
  createOpener,
  createSealer,
  type EphemeralKeys,
  ephemeralKeys,
  type Opener,
  offerPreSharedKey,
  type Sealer,
  type SuiteKey,
  takePreSharedKey,
} from '../sealing.js'
export { Sending } from '../sending.js'
export { helloDigest, quoteDigest, Transcript } from '../transcript.js'
export type { WantLists } from '../wants.js'
export {
  type Batch,
  ChallengeBody,
  type Cursor,
  type End,
  HelloBody,
  ProviderMessage,
  RefusalCode,
  RequestBody,
  RequesterMessage,
  type Run,
  SealedContent,
  ShareKind as WireKind,
  type SuiteOffer,
  type Token,
} from '../wire/share.js'

import type { AccountId } from './identifiers.js'

/** What no honest peer does, or does but seldom. */
export type OffenceKind =
  /** A message that breaks the protocol's rules, or came out of turn. */
  | 'malformed'
  /** A message over its limit. */
  | 'oversized'
  /** A message in pieces of a few bytes. */
  | 'crumbs'
  | 'bad-signature'
  /** A quote that is not genuine, or was made for another exchange. */
  | 'bad-quote'
  /** A token that has expired, or is of another chain. */
  | 'bad-token'
  /** It asks for what the chain gives it no right to. */
  | 'no-right'
  /** It has opened a stream, and the time for what it had to say was up before it had shown who it is. */
  | 'silence'
  /** The same of one that asks, when it had shown that, so that it has cost a quote and held a place. */
  | 'stall'
  /** One that is asked has shown who it is, and then did not go on in time. */
  | 'slow'
  /** More exchanges a minute than anybody needs. */
  | 'flood'
  /** Shares that were not asked for, or in another version. */
  | 'unasked'
  /** Shares that it may have taken in good faith: they do not fit what the chain says as it is seen here. */
  | 'doubtful'
  /** Messages without end that bring nothing. */
  | 'endless'
  /** Shares that the enclave whose they are does not vouch for. */
  | 'bad-provenance'
  /** What it has sealed does not open. */
  | 'bad-seal'
  /** An End that does not account for what was asked for, and for what was sent. */
  | 'miscounted'

/** That a peer has done something that no honest one does. */
export interface Offence {
  readonly kind: OffenceKind
  /** The PeerId, which the connection has proved. */
  readonly peer: string
  /** Whose enclave it is, if it had proved that by then: never one that it only claimed to be. */
  readonly account?: AccountId | undefined
}

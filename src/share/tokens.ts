import { fromHex, toHex } from '../crypto/index.js'
import type { ChainView } from './party.js'
import { OLDEST_VIEW_MS, TOKEN } from './protocol.js'
import { RefusalError } from './refusals.js'
import type { Token } from './wire/share.js'

/** A token anchored in the newest block that this side sees final (SPEC 4.2). */
export function issueToken(chain: ChainView): Token {
  const { number, hash } = chain.finalised()
  return { blockNumber: number, blockHash: fromHex(hash), validity: TOKEN.validity }
}

/** @throws RefusalError unless the token is anchored in this chain and valid at the block that this side sees. */
export async function checkToken(token: Token, chain: ChainView, options: { signal: AbortSignal }): Promise<void> {
  const now = chain.finalised().number
  if (token.validity > TOKEN.validity) throw new RefusalError('MALFORMED')
  if (token.blockNumber > now + TOKEN.future) throw new RefusalError('TOKEN_IN_FUTURE')
  if (hasExpired(token, chain)) throw new RefusalError('TOKEN_EXPIRED')
  if (token.blockNumber > now) return
  const hash = await chain.blockHash(token.blockNumber, options)
  if (toHex(token.blockHash) !== hash) throw new RefusalError('UNKNOWN_CHAIN')
}

/**
 * Whether this side's own view still says who may exchange. Two sides that are cut off from the chain alike would
 * find each other's tokens in order for ever.
 */
export function hasFreshView(chain: ChainView): boolean {
  return chain.finalisedAgeMs() <= OLDEST_VIEW_MS
}

export function hasExpired(token: Token, chain: ChainView): boolean {
  return token.blockNumber + token.validity < chain.finalised().number
}

/** SPEC 4.7: an honest provider has ended the exchange by now, though it saw the last blocks late. */
export function isLongExpired(token: Token, chain: ChainView): boolean {
  return hasExpired({ ...token, validity: token.validity + TOKEN.grace }, chain)
}

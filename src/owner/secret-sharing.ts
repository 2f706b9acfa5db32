import { combine, split } from 'shamir-secret-sharing'
import { CLUSTER_SIZE } from '../domain/index.js'

/**
 * Splits a secret as an owner's wallet does: one share per slot, any `threshold` of which recover it. Shares travel as
 * hexadecimal text, since the owners' request format forbids `_`, which base64url has.
 */
export async function splitSecret(secret: Uint8Array, threshold: number): Promise<string[]> {
  const shares = await split(secret, CLUSTER_SIZE, threshold)
  return shares.map((share) => Buffer.from(share).toString('hex'))
}

/** Recovers a secret from exactly the threshold's number of shares; wrong shares give a wrong secret, not an error. */
export async function combineShares(shares: readonly string[]): Promise<Uint8Array> {
  return combine(shares.map((share) => new Uint8Array(Buffer.from(share, 'hex'))))
}

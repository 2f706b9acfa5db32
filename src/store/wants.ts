import type { BlockNumber } from '../domain/index.js'
import type { SharePlace, Want } from './types.js'

/**
 * What an open want says of the version that is held.
 *
 * newer: the chain knows a newer one. unsure: there may be a newer one, synced at or below the want's `asOf`. proof: it is
 * the newest, and cannot be proved to others any more.
 */
type Doubt = 'newer' | 'unsure' | 'proof'

export function doubtOf(want: Omit<Want, 'origin' | 'since'>, { version }: Pick<SharePlace, 'version'>): Doubt {
  if (version < want.minimumVersion) return 'newer'
  return satisfies(want, version, 0) ? 'proof' : 'unsure'
}

/**
 * Whether the want is one of the very share that is held, which was kept although it cannot be proved to others any more.
 * No other want asks for the version held and names its origin: it would be satisfied.
 */
export function isProofWanted(want: Omit<Want, 'key'>, held: SharePlace): boolean {
  return want.origin === held.origin && want.minimumVersion === held.version
}

/**
 * Whether a share of this version ends the want: nothing newer can exist as of the block that the want speaks of. A
 * secret has one version only; a capsule that is itself as new as that block needs no provider that knows of it.
 *
 * @param newestAsOf the provider gives nothing of which a newer version was synced at or below this block.
 */
export function satisfies(
  want: Omit<Want, 'origin' | 'since'>,
  version: BlockNumber,
  newestAsOf: BlockNumber,
): boolean {
  if (version < want.minimumVersion) return false
  return want.key.kind === 'secret' || Math.max(version, newestAsOf) >= want.asOf
}

/** A want for two of the same share: of the newer version, as of the later block. */
export function joined(open: Omit<Want, 'key'>, want: Want): Want {
  const { minimumVersion, origin, since } = open.minimumVersion > want.minimumVersion ? open : want
  return { key: want.key, minimumVersion, origin, since, asOf: Math.max(open.asOf, want.asOf) }
}

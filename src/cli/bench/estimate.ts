import { FETCH } from '../../sync/index.js'
import type { ExchangeFigures } from './exchange.js'
import type { StoreFigures } from './store.js'

/** How long a setup would take, one thing after the other, as one process does them. */
export interface Estimate {
  readonly shares: number
  readonly seconds: number
  /** What it consists of, in seconds. */
  readonly parts: {
    /** The handshakes: quotes made and verified on both sides. */
    readonly attestation: number
    /** Sealing, sending, opening and verifying. */
    readonly exchange: number
    /** Sealing under the own key, and the disk. */
    readonly store: number
  }
  readonly bottleneck: keyof Estimate['parts']
}

/** @param shares all of the size that the figures are of. */
export function estimateOf(
  shares: number,
  figures: {
    readonly store: Pick<StoreFigures, 'written'>
    readonly exchange: Pick<ExchangeFigures, 'shares' | 'handshakeMs'>
  },
): Estimate {
  const exchanges = Math.ceil(shares / FETCH.wantsPerRound)
  const parts = {
    attestation: (exchanges * figures.exchange.handshakeMs) / 1_000,
    exchange: shares / figures.exchange.shares,
    store: shares / figures.store.written,
  }
  const seconds = parts.attestation + parts.exchange + parts.store
  const names = ['attestation', 'exchange', 'store'] as const
  const bottleneck = names.reduce((most, name) => (parts[name] > parts[most] ? name : most))
  return { shares, seconds, parts, bottleneck }
}

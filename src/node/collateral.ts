import {
  type AttestationPolicy,
  type CollateralHealth,
  type CollateralSource,
  type PccsAddress,
  pccsCollateral,
  type QuoteCollateral,
} from '../attestation/index.js'
import type { Logger } from '../domain/index.js'
import type { Store } from '../store/index.js'

/** The collateral that a node judges quotes by. */
export interface Collateral extends CollateralSource {
  health(): readonly CollateralHealth[]
  floorsFailure(): string | undefined
}

/** A source of one's own as it is; or one that fetches from a PCCS and keeps what it fetched in the sealed store. */
export function configuredCollateral(
  configured: PccsAddress | CollateralSource,
  parts: {
    readonly rootCertificate: Uint8Array | undefined
    readonly limits: AttestationPolicy
    readonly store: Store
    readonly logger: Logger
    readonly lifetime: AbortSignal
  },
): Collateral {
  if ('collateral' in configured) {
    return {
      collateral: (request, options) => configured.collateral(request, options),
      health: () => [],
      floorsFailure: () => undefined,
    }
  }
  const { store, ...rest } = parts
  return pccsCollateral({
    ...configured,
    ...rest,
    cache: {
      async get(key) {
        const text = await store.collateral(key)
        const kept: QuoteCollateral | undefined = text === undefined ? undefined : JSON.parse(text)
        return kept
      },
      put: (key, collateral) => store.putCollateral(key, JSON.stringify(collateral), Date.now()),
    },
    floors: {
      read: () => store.collateralFloors(),
      write: (text) => store.putCollateralFloors(text),
    },
  })
}

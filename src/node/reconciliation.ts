import type { Chain } from '../chain/index.js'
import type { AccountId } from '../domain/index.js'
import type { MeshHost } from '../mesh/index.js'
import type { ReconcileService } from '../reconcile/index.js'
import type { Store } from '../store/index.js'
import { type EngineReconciliation, jittered, RECONCILE } from '../sync/index.js'
import type { Telemetry } from './telemetry.js'
import type { EnclaveNodeConfig } from './types.js'

interface Parts {
  readonly chain: Chain
  readonly mesh: MeshHost
  readonly store: Store
  readonly reconcile: ReconcileService
  readonly telemetry: Telemetry
  readonly isShut: (account: AccountId) => boolean
}

/** How a node's engine compares what is held. */
export function engineReconciliation(
  { chain, mesh, store, reconcile, telemetry, isShut }: Parts,
  { everyMs, chainEveryMs = RECONCILE.chainEveryMs }: NonNullable<EnclaveNodeConfig['reconciliation']>,
): EngineReconciliation {
  return {
    chain,
    store,
    peers: {
      isShut,
      compare: async (account, request) => {
        const { peerId: peer } = await mesh.resolve(account, { signal: request.signal })
        return reconcile.compare({ account, peer }, request)
      },
    },
    onReconciled: (reconciled) => telemetry.reconciled(reconciled),
    onFailed: () => telemetry.reconciliationFailed(),
    random: Math.random,
    everyMs,
    chainComparison: {
      waitMs: () => jittered(chainEveryMs, Math.random),
      onCompared: (comparison) => telemetry.compared(comparison),
    },
  }
}

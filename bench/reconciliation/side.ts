// As in src/mesh/host.ts.
import 'core-js/actual/promise/with-resolvers.js'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { type AccountId, Registry, silentLogger } from '../../src/domain/index.js'
import { Inventory, numberOf } from '../../src/inventory/index.js'
import { ReconcileService } from '../../src/reconcile/index.js'

export const [REQUESTER, PROVIDER]: readonly [AccountId, AccountId] = [`0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`]

/** Of one of three NFTs a share is held, half of them capsules; the last tenth was synced last. */
export function heldShares(shares: number): Inventory {
  const inventory = new Inventory()
  for (let at = 0; at < shares; at += 1) {
    const kind = at % 2 === 0 ? 'secret' : 'capsule'
    inventory.set(numberOf({ kind, nftId: 3 * at }), 5_000_000 + at)
  }
  return inventory
}

/** One side of a slot of two clusters, on loopback. */
export async function side(account: AccountId, held: Inventory): Promise<{ host: Libp2p; service: ReconcileService }> {
  const host = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
  const seats = [REQUESTER, PROVIDER].map((each, id) => ({
    id,
    type: 'public' as const,
    seats: [{ account: each, operator: each, cluster: id, slot: 0, apiUri: '' }],
  }))
  const registry = new Registry(seats)
  const service = new ReconcileService({
    host,
    account,
    chain: { genesisHash: `0x${'07'.repeat(32)}`, finalisedAgeMs: () => 0, registry: () => registry },
    source: { held: async () => ({ held, takenIn: 10_000_000 }) },
    isKnown: () => true,
    isNamed: () => true,
    logger: silentLogger,
  })
  await service.start()
  return { host, service }
}

// As in src/mesh/host.ts.
import 'core-js/actual/promise/with-resolvers.js'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { accountSigner } from '../../crypto/index.js'
import { type BlockHash, Registry, type ShareKey } from '../../domain/index.js'
import { OriginLog, type ShareRun } from '../../provenance/index.js'
import type { ChainView } from '../../share/index.js'

export const GENESIS: BlockHash = `0x${'6e'.repeat(32)}`

/** All is synced by this block, and none comes after it. */
export const BLOCK = 1_000

/** The origin has sealed the shares, the provider holds them, the requester fetches them; all of one slot. */
export const ORIGIN = enclave(1, 0)
export const PROVIDER = enclave(2, 1)
export const REQUESTER = enclave(3, 2)

function enclave(seed: number, cluster: number) {
  return { signer: accountSigner(new Uint8Array(32).fill(seed)), seat: { cluster, slot: 0 } }
}

/** As in the store. */
export const SHARES_PER_RUN = 1_024

export function keyOf(at: number): ShareKey {
  return { kind: 'secret', nftId: at }
}

/** A log of the origin's with shares of so many bytes. @param first the number of the first of them. */
export function madeLog(first: number, count: number, bytes: number): OriginLog {
  const log = new OriginLog(GENESIS, ORIGIN.signer, ORIGIN.seat)
  for (let at = first; at < first + count; at += 1) {
    const payload = new Uint8Array(bytes)
    new DataView(payload.buffer).setUint32(0, at)
    log.append(keyOf(at), BLOCK, payload)
  }
  return log
}

/** Part of a log, cut as the store cuts what it gives. */
export async function* runsIn(
  log: OriginLog,
  { first, count, maximumBytes }: { readonly first: number; readonly count: number; readonly maximumBytes: number },
): AsyncGenerator<ShareRun> {
  const head = log.head()
  const bytes = log.shares[first]?.payload.length ?? 1
  const most = Math.max(1, Math.min(SHARES_PER_RUN, Math.floor(maximumBytes / bytes)))
  for (let at = first; at < first + count; at += most) yield log.run(at, Math.min(most, first + count - at), head)
}

/** A chain at rest. The origin had its seat when it sealed the shares, and has left it since. */
export function restingChain(): ChainView {
  const registry = registryOf(PROVIDER, REQUESTER)
  const then = registryOf(ORIGIN, PROVIDER)
  return {
    genesisHash: GENESIS,
    finalised: () => ({ number: BLOCK, hash: GENESIS }),
    finalisedAgeMs: () => 0,
    blockHash: async () => GENESIS,
    registry: () => registry,
    registryAt: async () => then,
  }
}

function registryOf(...seated: readonly (typeof ORIGIN)[]): Registry {
  return new Registry(
    seated.map(({ signer: { account }, seat }) => ({
      id: seat.cluster,
      type: 'public',
      seats: [{ account, operator: account, ...seat, apiUri: '' }],
    })),
  )
}

export function loopbackHost(): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ enableKeepAlive: false })],
  })
}

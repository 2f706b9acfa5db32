import { once } from 'node:events'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr'
import { bounded, type Clock, type Logger, messageOf, pause } from '../domain/index.js'
import { LIMITS } from './limits.js'

/** What entering a mesh needs of libp2p. */
export type EntryHost = Pick<
  Libp2p,
  'dial' | 'getConnections' | 'getMultiaddrs' | 'peerId' | 'addEventListener' | 'removeEventListener'
>

interface BootstrapInit {
  readonly libp2p: EntryHost
  readonly address: Multiaddr
  readonly signal: AbortSignal
  readonly clock?: Clock | undefined
  /** In [0, 1): keeps a mesh from trying all at once. */
  readonly random?: () => number
  readonly logger: Logger
}

/**
 * Stays connected to one bootstrap address until the signal aborts: dials, waits for the connection to close, dials
 * again, with growing pauses while nobody answers. So a mesh whose nodes all start at once, or whose bootstrap node
 * is restarted, comes together by itself. Never rejects.
 */
export async function stayConnected({
  libp2p,
  address,
  signal,
  clock,
  random = Math.random,
  logger,
}: BootstrapInit): Promise<void> {
  if (isSelf(libp2p, address)) return
  let pauseMs: number = LIMITS.bootstrap.shortestPauseMs
  let peer: PeerId | undefined
  while (!signal.aborted) {
    try {
      const connection: Connection = openConnection(libp2p, peer) ?? (await dial(libp2p, address, { signal, clock }))
      if (peer === undefined) logger.info('Entered the mesh', { address: address.toString() })
      peer = connection.remotePeer
      pauseMs = LIMITS.bootstrap.shortestPauseMs
      if (connection.status === 'open') await once(connection, 'close', { signal })
    } catch (thrown) {
      if (signal.aborted) return
      if (pauseMs === LIMITS.bootstrap.shortestPauseMs) {
        logger.warn('A bootstrap address does not answer; trying again', {
          address: address.toString(),
          reason: messageOf(thrown),
        })
      }
    }
    await pauseUnless(pauseMs * (0.5 + random()), { signal, clock })
    pauseMs = Math.min(2 * pauseMs, LIMITS.bootstrap.longestPauseMs)
  }
}

/** All nodes of a mesh may share one configuration, the bootstrap node itself included. */
function isSelf(libp2p: EntryHost, address: Multiaddr): boolean {
  const named = address.getComponents().find(({ code }) => code === CODE_P2P)?.value
  if (named !== undefined) return libp2p.peerId.toString() === named
  return libp2p.getMultiaddrs().some((own) => own.decapsulateCode(CODE_P2P).equals(address))
}

function openConnection(libp2p: EntryHost, peer: PeerId | undefined): Connection | undefined {
  return peer === undefined ? undefined : libp2p.getConnections(peer).find(({ status }) => status === 'open')
}

interface Patience {
  readonly signal: AbortSignal
  readonly clock?: Clock | undefined
}

export function dial(libp2p: EntryHost, address: Multiaddr, { signal, clock }: Patience): Promise<Connection> {
  return bounded({ signals: [signal], timeoutMs: LIMITS.connections.dialMs, clock }, (limited) =>
    libp2p.dial(address, { signal: limited }),
  )
}

export async function pauseUnless(ms: number, { signal, clock }: Patience): Promise<void> {
  try {
    await pause(ms, { signal, ...(clock && { clock }) })
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  }
}

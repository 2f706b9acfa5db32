import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { AccountId, Clock, Logger, Registry } from '../domain/index.js'
import { dial, type EntryHost, pauseUnless } from './bootstrap.js'
import { LIMITS } from './limits.js'

interface EntryInit {
  readonly libp2p: EntryHost
  readonly registry: () => Registry
  /** This enclave's own. */
  readonly account: AccountId
  readonly signal: AbortSignal
  readonly clock?: Clock | undefined
  /** In [0, 1): keeps a mesh from trying all at once. */
  readonly random?: () => number
  readonly logger: Logger
}

/**
 * Enters the mesh by the addresses that enclaves have registered on chain (`enclave-record/1/SPEC.md`, 9), whenever
 * this host has no connection at all, until the signal aborts. So a node needs nothing but the chain to find the others.
 * Never rejects.
 */
export async function enterByRegistry(init: EntryInit): Promise<void> {
  const { libp2p, signal, clock, random = Math.random, logger } = init
  let pauseMs: number = LIMITS.entry.shortestPauseMs
  while (!signal.aborted) {
    if (libp2p.getConnections().length > 0) {
      pauseMs = LIMITS.entry.shortestPauseMs
      await untilAlone(libp2p, signal)
    } else {
      for (const address of someAddresses(init, random)) {
        try {
          await dial(libp2p, address, { signal, clock })
          logger.info('Entered the mesh by an address from the chain', { address: address.toString() })
          break
        } catch (thrown) {
          if (signal.aborted) return
          logger.debug('An address from the chain does not answer', {
            address: address.toString(),
            reason: String(thrown),
          })
        }
      }
    }
    await pauseUnless(pauseMs * (0.5 + random()), { signal, clock })
    pauseMs = Math.min(2 * pauseMs, LIMITS.entry.longestPauseMs)
  }
}

/** Waits until the last connection has closed, or the signal aborts; does not throw. */
async function untilAlone(libp2p: EntryHost, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = () => {
      if (libp2p.getConnections().length > 0 && !signal.aborted) return
      libp2p.removeEventListener('connection:close', look)
      signal.removeEventListener('abort', look)
      resolve()
    }
    libp2p.addEventListener('connection:close', look)
    signal.addEventListener('abort', look)
    look()
  })
}

/**
 * Of `api_uri`s that are multiaddrs, so many as are tried in one round; anything else there is for other readers. At
 * random, so that a whole mesh does not fall upon the first.
 */
function* someAddresses(
  { registry, account }: Pick<EntryInit, 'registry' | 'account'>,
  random: () => number,
): Generator<Multiaddr> {
  const texts = registry()
    .clusters()
    .flatMap(({ seats }) => seats)
    .filter((seat) => seat.account !== account && seat.apiUri.startsWith('/'))
    .map(({ apiUri }) => apiUri)
  let found = 0
  for (let left = texts.length; left > 0 && found < LIMITS.entry.dialsPerRound; left -= 1) {
    const [text = ''] = texts.splice(Math.floor(random() * left), 1)
    const address = parsed(text)
    if (address === undefined) continue
    found += 1
    yield address
  }
}

function parsed(text: string): Multiaddr | undefined {
  try {
    return multiaddr(text)
  } catch {
    // Untrusted text: a seat's holder wrote it.
    return undefined
  }
}

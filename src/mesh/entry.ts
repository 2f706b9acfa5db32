import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { type AccountId, type Clock, type Logger, type Registry, SlotmeshError } from '../domain/index.js'
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
  /** Asks an enclave's API where its host is; without it, an `api_uri` that is a URL is passed over. */
  readonly askApi?: AskApi | undefined
  readonly logger: Logger
}

type AskApi = (apiUri: string, options: { readonly signal: AbortSignal }) => Promise<readonly Multiaddr[]>

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
      for (const apiUri of someUris(init, random)) {
        try {
          const address = await dialOneOf(await addressesOf(apiUri, init), init)
          logger.info('Entered the mesh by an address from the chain', { apiUri, address: address.toString() })
          break
        } catch (thrown) {
          if (signal.aborted) return
          logger.debug('An address from the chain does not answer', { apiUri, reason: String(thrown) })
        }
      }
    }
    await pauseUnless(pauseMs * (0.5 + random()), { signal, clock })
    pauseMs = Math.min(2 * pauseMs, LIMITS.entry.longestPauseMs)
  }
}

/**
 * Dials one enclave by the address that it has registered on chain. A mesh can come together in parts that know nothing
 * of each other, each of which has connections: looking for one of another part makes one mesh of them.
 *
 * @throws SlotmeshError `mesh/no-address`; what asking and dialling throw; the signal's reason.
 */
export async function dialRegistered(account: AccountId, init: EntryInit): Promise<void> {
  const apiUri = init.registry().seatOf(account)?.apiUri ?? ''
  const address = await dialOneOf(await addressesOf(apiUri, init), init)
  init.logger.info('Found an enclave by its address from the chain', { account, address: address.toString() })
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

/** So many as are tried in one round; at random, so that a whole mesh does not fall upon the first. */
function* someUris(
  { registry, account, askApi }: Pick<EntryInit, 'registry' | 'account' | 'askApi'>,
  random: () => number,
): Generator<string> {
  const texts = registry()
    .clusters()
    .flatMap(({ seats }) => seats)
    .filter((seat) => seat.account !== account)
    .map(({ apiUri }) => apiUri)
  let found = 0
  for (let left = texts.length; left > 0 && found < LIMITS.entry.dialsPerRound; left -= 1) {
    const [text = ''] = texts.splice(Math.floor(random() * left), 1)
    const isUsable = text.startsWith('/') ? parsed(text) !== undefined : askApi !== undefined
    if (!isUsable) continue
    found += 1
    yield text
  }
}

async function addressesOf(apiUri: string, { askApi, signal }: EntryInit): Promise<readonly Multiaddr[]> {
  if (apiUri === '') return []
  const address = apiUri.startsWith('/') ? parsed(apiUri) : undefined
  return address === undefined ? ((await askApi?.(apiUri, { signal })) ?? []) : [address]
}

/** @throws what dialling the last of them throws. */
async function dialOneOf(addresses: readonly Multiaddr[], { libp2p, signal, clock }: EntryInit): Promise<Multiaddr> {
  let reason: unknown = new SlotmeshError('mesh/no-address', 'It names no address that could be dialled.')
  for (const address of addresses.slice(0, LIMITS.entry.dialsPerRound)) {
    try {
      await dial(libp2p, address, { signal, clock })
      return address
    } catch (thrown) {
      signal.throwIfAborted()
      reason = thrown
    }
  }
  throw reason
}

function parsed(text: string): Multiaddr | undefined {
  try {
    return multiaddr(text)
  } catch {
    // Untrusted text: a seat's holder wrote it.
    return undefined
  }
}

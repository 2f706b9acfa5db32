import type { Libp2p, PeerId } from '@libp2p/interface'
import { bounded, silentLogger } from '../../domain/index.js'
import type { OriginLog } from '../../provenance/index.js'
import { ShareService, type ShareServiceInit, type ShareSource } from '../../share/index.js'
import { FETCH } from '../../sync/index.js'
import { attestationOf } from './attestation.js'
import { type Measuring, portionOf, WARM_UP } from './measure.js'
import { BLOCK, keyOf, loopbackHost, madeLog, PROVIDER, REQUESTER, restingChain, runsIn } from './world.js'

/** Shares of one size, on loopback, both sides in this process. */
export interface ExchangeFigures {
  /** Sealed, sent, opened and verified in a second, once an exchange is granted; neither read nor kept. */
  readonly shares: number
  /** The same, of the shares alone. */
  readonly megabytes: number
  /** From the Hello to the Grant: both quotes made and verified, of platforms that are known; ms. */
  readonly handshakeMs: number
}

/** What an exchange asks for at most. */
const LOG = { shares: FETCH.wantsPerRound, bytes: 8 * 1024 * 1024 }

/** A provider grants an account 120 in a minute. */
const MOST_EXCHANGES = 50

const EXCHANGE_TIMEOUT_MS = 60_000

/** @throws what a side of an exchange throws; the signal's reason. */
export async function exchanges(bytes: number, measuring: Measuring): Promise<ExchangeFigures> {
  const log = madeLog(0, portionOf(LOG, bytes, measuring), bytes)
  const hosts = [await loopbackHost(), await loopbackHost()] as const
  try {
    const sides = await Sides.meet(hosts, log)
    await sides.exchange({ ...measuring, seconds: measuring.seconds * WARM_UP })
    const { shares, seconds, handshakes, handshakeMs } = await sides.exchange(measuring)
    return {
      shares: shares / seconds,
      megabytes: (shares * bytes) / seconds / 1e6,
      handshakeMs: handshakeMs / handshakes,
    }
  } finally {
    for (const host of hosts) await host.stop()
  }
}

interface Sum {
  shares: number
  /** From the grants on. */
  seconds: number
  handshakes: number
  handshakeMs: number
}

/** A provider that has a log in memory, and one who asks it. */
class Sides {
  readonly #asking: ShareService
  readonly #peer: PeerId
  readonly #shares: number
  #grantedAt = 0
  #handshakeMs = 0

  private constructor(asking: Libp2p, peer: PeerId, log: OriginLog, party: Party) {
    this.#peer = peer
    this.#shares = log.shares.length
    this.#asking = new ShareService({
      host: asking,
      party,
      shares: sourceOf(log),
      logger: silentLogger,
      onHandshake: ({ ms }) => {
        this.#grantedAt = performance.now()
        this.#handshakeMs = ms
      },
    })
  }

  static async meet([providing, asking]: readonly [Libp2p, Libp2p], log: OriginLog): Promise<Sides> {
    const provider = new ShareService({
      host: providing,
      party: await partyOf(PROVIDER, 'provider'),
      shares: sourceOf(log),
      logger: silentLogger,
    })
    await provider.start()
    const { remotePeer } = await asking.dial(providing.getMultiaddrs())
    return new Sides(asking, remotePeer, log, await partyOf(REQUESTER, 'requester'))
  }

  /** One exchange after the other until the time is over, in the midst of one. */
  async exchange({ seconds, signal }: Measuring): Promise<Sum> {
    const sum: Sum = { shares: 0, seconds: 0, handshakes: 0, handshakeMs: 0 }
    while (sum.handshakes < MOST_EXCHANGES && (sum.handshakes === 0 || sum.seconds < seconds)) {
      const { received, ms } = await this.#one((seconds - sum.seconds) * 1_000, signal)
      sum.shares += received
      sum.seconds += ms / 1_000
      sum.handshakes += 1
      sum.handshakeMs += this.#handshakeMs
    }
    return sum
  }

  /** @param mostMs from the grant on; a run is taken all the same. */
  async #one(mostMs: number, signal: AbortSignal): Promise<{ readonly received: number; readonly ms: number }> {
    const enough = new AbortController()
    const provider = { account: PROVIDER.signer.account, peer: this.#peer }
    const wants = Array.from({ length: this.#shares }, (_, at) => ({ key: keyOf(at), minimumVersion: 0 }))
    let received = 0
    let endedAt = 0
    const onRun = async ({ shares }: { readonly shares: readonly unknown[] }): Promise<void> => {
      received += shares.length
      endedAt = performance.now()
      if (endedAt - this.#grantedAt >= mostMs) enough.abort()
    }
    try {
      await bounded({ signals: [signal, enough.signal], timeoutMs: EXCHANGE_TIMEOUT_MS }, (either) =>
        this.#asking.request(provider, { wants, onRun, signal: either }),
      )
    } catch (thrown) {
      signal.throwIfAborted()
      if (!enough.signal.aborted) throw thrown
    }
    return { received, ms: endedAt - this.#grantedAt }
  }
}

type Party = ShareServiceInit['party']

export async function partyOf({ signer }: typeof PROVIDER, machineId: string): Promise<Party> {
  return { signer, chain: restingChain(), attestation: await attestationOf(machineId) }
}

/** Gives what is in a log, all of it wanted. */
export function sourceOf(log: OriginLog): ShareSource {
  return {
    knowledge: async () => ({ newestAsOf: BLOCK, takenIn: BLOCK }),
    heldFrom: async () => [],
    async *runs(wanted, { maximumBytes }) {
      const first = wanted[0]?.key.nftId ?? 0
      yield* runsIn(log, { first, count: wanted.length, maximumBytes })
      return { notHeld: [] }
    },
  }
}

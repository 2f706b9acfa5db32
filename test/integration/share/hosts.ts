// As in src/mesh/host.ts.
import 'core-js/actual/promise/with-resolvers.js'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { PeerId, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { type AccountId, type BlockHash, type BlockNumber, systemClock } from '../../../src/domain/index.js'
import { type Refusal, RefusedError, SHARE_PROTOCOL, ShareService } from '../../../src/share/index.js'
import {
  account,
  FakeChain,
  MemoryShares,
  OriginLog,
  party,
  Received,
  registryOf,
  secret,
  soon,
  type TestParty,
  want,
} from '../../unit/share/fixture.js'

const ignore = () => undefined
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/** How many accounts, called `other-0` and so on, have a seat beside the provider's. */
const OTHERS = 30

/** One share, and a gate that every exchange that has been given a place passes before anything else is done for it. */
class GatedShares extends MemoryShares {
  /** How many exchanges have a place now, and the most that ever had. */
  readonly places = { taken: 0, most: 0 }
  pass: () => Promise<void> = async () => undefined

  override async knowledge(): ReturnType<MemoryShares['knowledge']> {
    this.places.taken += 1
    this.places.most = Math.max(this.places.most, this.places.taken)
    await this.pass()
    return super.knowledge()
  }
}

class WatchedChain extends FakeChain {
  onLookUp: () => void = ignore

  override async blockHash(number: BlockNumber): Promise<BlockHash> {
    const hash = await super.blockHash(number)
    this.onLookUp()
    return hash
  }
}

/** An enclave that asks, on a host of its own. */
export interface Asking {
  readonly account: AccountId
  readonly peer: PeerId
  /** One whole exchange. */
  ask(): Promise<void>
}

/** A provider and those who ask it, on loopback, over TCP, Noise and Yamux. Its clock rests: no budget is refilled. */
export class Neighbourhood {
  readonly registry = registryOf([
    { name: 'serving', cluster: 2 },
    ...Array.from({ length: OTHERS }, (_, at) => ({ name: `other-${at}`, cluster: 10 + at })),
  ])
  readonly chain = new WatchedChain(this.registry)
  readonly provider: TestParty = party('serving', this.chain)
  readonly shares = new GatedShares([new OriginLog(account('serving'), { cluster: 2 }).append(secret(1), 50)])
  /** What the provider answered, and whom it served, in this order. */
  readonly refusals: Refusal[] = []
  readonly served: AccountId[] = []
  readonly #known = new Map<string, AccountId>()
  readonly #hosts: Libp2p[] = []
  readonly #watching = new Set<() => void>()
  /** Called after each exchange that was served. */
  onServed: () => void = () => undefined
  #home: Libp2p | undefined

  async open(): Promise<void> {
    this.#home = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      // All of them live behind one address here.
      connectionManager: { inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 1000 },
    })
    this.#hosts.push(this.#home)
    this.chain.onLookUp = () => this.#tell()
    const service = new ShareService({
      host: this.#home,
      party: { ...this.provider, clock: { ...systemClock, now: () => 1_000_000 } },
      shares: this.shares,
      logger,
      isKnown: (who, peer) => this.#known.get(peer) === who,
      onServed: ({ account: who }) => {
        this.shares.places.taken -= 1
        this.served.push(who)
        this.onServed()
        this.#tell()
      },
      onRefusal: (refusal) => {
        this.refusals.push(refusal)
        this.#tell()
      },
    })
    await service.start()
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.stop()))
  }

  count(refusal: Refusal): number {
    return this.refusals.filter((each) => each === refusal).length
  }

  /** The provider looks up the block of a Hello's token right before it checks the signature, and never else. */
  get signatureChecks(): number {
    return this.chain.calls.blockHash
  }

  /** Resolves as soon as it is so; looked at whenever the provider checks, serves or refuses. */
  async until(isSo: () => boolean): Promise<void> {
    if (isSo()) return
    await new Promise<void>((resolve) => {
      const look = () => {
        if (isSo() && this.#watching.delete(look)) resolve()
      }
      this.#watching.add(look)
    })
  }

  /** A host with an account, connected; `byRecord` says that the provider has its enclave record. */
  async join(name: string, { byRecord }: { byRecord: boolean }): Promise<Asking> {
    const host = await this.#connected()
    const own = party(name, new FakeChain(this.registry))
    const service = new ShareService({ host, party: own, shares: new MemoryShares([]), logger })
    const who = own.signer.account
    if (byRecord) this.#known.set(host.peerId.toString(), who)
    return {
      account: who,
      peer: host.peerId,
      ask: async () => {
        const received = new Received()
        const wants = [want(secret(1))]
        const provider = { account: this.provider.signer.account, peer: this.#provider.peerId }
        await service.request(provider, { wants, ...received, signal: soon(20_000) })
        if (received.shares.size !== 1) throw new Error('the share did not come')
      },
    }
  }

  /** Streams of this protocol, from a host of their own that nobody knows. */
  async stranger(): Promise<() => Promise<Stream>> {
    const host = await this.#connected()
    return () => host.dialProtocol(this.#provider.peerId, SHARE_PROTOCOL)
  }

  get #provider(): Libp2p {
    if (this.#home === undefined) throw new Error('nobody is at home')
    return this.#home
  }

  async #connected(): Promise<Libp2p> {
    const host = await createLibp2p({ transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] })
    this.#hosts.push(host)
    await host.dial(this.#provider.getMultiaddrs())
    return host
  }

  #tell(): void {
    for (const look of this.#watching) look()
  }
}

/** Whether the provider had no place for it. */
export function isBusy(thrown: unknown): boolean {
  return thrown instanceof RefusedError && thrown.refusal === 'BUSY'
}

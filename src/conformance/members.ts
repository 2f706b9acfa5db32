import { randomBytes } from 'node:crypto'
import { type Connection, type PeerId, type Stream, stop } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { QuoteSource } from '../attestation/index.js'
import { type AccountSigner, fromHex } from '../crypto/index.js'
import { bounded, messageOf, type ShareKey, SlotmeshError, silentLogger } from '../domain/index.js'
import { createMeshHost, type MeshHost } from '../mesh/index.js'
import { type Refusal, SHARE_PROTOCOL } from '../share/index.js'
import { type RequestBody, Sending } from '../share/raw/index.js'
import { Deviation, NotJudged } from './deviation.js'
import type { Library } from './library.js'
import { pause } from './pause.js'
import { type RawParty, RawProvider, RawRequester } from './raw.js'
import { MEASUREMENT, type Seated, type Stage } from './stage.js'
import { type AskedFor, askedFor } from './wants.js'

/** Between two tries to connect to the peer. */
const DIAL_AGAIN_MS = 500

/** How long the peer may take to close its side when the suite has sent it an End. */
const LINGER_MS = 5_000

/** An enclave of the suite's with whom the peer may exchange: an account, a seat, and a libp2p host. */
export interface Member {
  readonly seat: Seated
  readonly mesh: MeshHost
  /** The multihash of its PeerId. */
  readonly peer: Uint8Array
  readonly quotes: QuoteSource
}

/** The implementation under test, where it was found. */
export interface PeerUnderTest {
  readonly id: PeerId
  readonly bytes: Uint8Array
  readonly addresses: readonly Multiaddr[]
}

/** What the suite does when the peer asks one of its members. */
export interface Script<T> {
  /**
   * `hello`: the peer's very next exchange, from its beginning. A share: the next exchange in which the peer wants it,
   * when its Request has come.
   */
  readonly at: 'hello' | ShareKey
  readonly play: (side: RawProvider, member: Member, asked: Asked | undefined) => Promise<T>
}

/** What came before a script began at a Request. */
export interface Asked extends AskedFor {
  readonly hello: Awaited<ReturnType<RawProvider['hello']>>
  readonly request: Awaited<ReturnType<RawProvider['request']>>
}

interface Pending {
  readonly at: Script<unknown>['at']
  readonly run: (side: RawProvider, member: Member, asked: Asked | undefined) => Promise<void>
  readonly fail: (thrown: unknown) => void
}

/** The suite's enclaves: they ask the peer, and answer it, honestly unless a script says otherwise. */
export class Members {
  readonly all: readonly Member[]
  readonly #stage: Stage
  readonly #library: Library
  readonly #signal: AbortSignal
  #peer: PeerUnderTest | undefined
  #pending: Pending | undefined
  #refuse: ((side: RawProvider) => Promise<void>) | undefined
  #turn = 0

  private constructor(stage: Stage, library: Library, all: readonly Member[], signal: AbortSignal) {
    this.#stage = stage
    this.#library = library
    this.all = all
    this.#signal = signal
  }

  static async create(stage: Stage, library: Library, signal: AbortSignal): Promise<Members> {
    const all = await Promise.all(
      stage.cast.members.map(async (seat, at) => {
        const mesh = await createHost(stage, seat.signer)
        const { quoteSource } = stage.pki.platform({ machineId: `member ${at}`, measurement: MEASUREMENT })
        return { seat, mesh, peer: mesh.peerId.toMultihash().bytes, quotes: quoteSource }
      }),
    )
    return new Members(stage, library, all, signal)
  }

  /**
   * Starts all hosts and signs their records; all members must have their seats by now. They do not know each other:
   * the peer gets to know each of them when it has been found. The first alone takes part in the DHT, or a dozen hosts
   * would keep this process busy with each other.
   */
  async start(): Promise<void> {
    for (const [at, member] of this.all.entries()) {
      const { mesh, seat } = member
      await mesh.start()
      if (at > 0) await stop(mesh.libp2p.services.dht)
      await mesh.libp2p.handle(SHARE_PROTOCOL, (stream, connection) => this.#serve(member, stream, connection))
      await mesh.publish({ cluster: seat.cluster, slot: seat.slot })
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map(({ mesh }) => mesh.stop()))
  }

  /** Another one each time. */
  next(): Member {
    this.#turn += 1
    const member = this.all[this.#turn % this.all.length]
    if (member === undefined) throw new Error('The suite has no members.')
    return member
  }

  get peer(): PeerUnderTest {
    if (this.#peer === undefined) throw new Error('The peer has not been found.')
    return this.#peer
  }

  /**
   * Finds the peer by its enclave record, or at an address, and connects every member to it.
   * @throws NotJudged when it is not there in time.
   */
  async find(address: string | undefined, timeoutMs: number): Promise<void> {
    const [first] = this.all
    if (first === undefined) throw new Error('The suite has no members.')
    try {
      await bounded({ signals: [this.#signal], timeoutMs }, async (signal) => {
        const addresses = (address === undefined ? await this.#resolve(first, signal) : [address]).map((text) =>
          multiaddr(text),
        )
        for (const { mesh } of this.all) {
          const id = await dialPatiently(mesh, addresses, signal)
          this.#peer = { id, bytes: id.toMultihash().bytes, addresses }
        }
      })
    } catch (thrown) {
      this.#signal.throwIfAborted()
      const where = address ?? 'its enclave record was not found in the mesh'
      throw new NotJudged(`The peer was not reached within ${timeoutMs} ms (${where}): ${messageOf(thrown)}`)
    }
  }

  async #resolve({ mesh }: Member, signal: AbortSignal): Promise<readonly string[]> {
    const { account } = this.#stage.cast.peer.signer
    for (;;) {
      try {
        const { peerId, multiaddrs } = await mesh.resolve(account, { signal })
        return multiaddrs.map((address) =>
          address.includes('/p2p/') ? address : `${address}/p2p/${peerId.toString()}`,
        )
      } catch (thrown) {
        signal.throwIfAborted()
        if (!(thrown instanceof SlotmeshError && thrown.code === 'mesh/enclave-not-found')) throw thrown
      }
    }
  }

  /** Opens a stream to the peer. @param account who asks, when that is not the member whose host it is. */
  async ask(member: Member, signal: AbortSignal, account?: AccountSigner): Promise<RawRequester> {
    const stream = await member.mesh.libp2p.dialProtocol(this.peer.id, SHARE_PROTOCOL, { signal })
    const peers = { requesterPeer: member.peer, providerPeer: this.peer.bytes }
    return new RawRequester(this.partyOf(member, account), stream, peers, signal)
  }

  /**
   * Has the peer's next exchange that fits played by a script.
   * @throws NotJudged when the peer does not come before the signal aborts.
   */
  play<T>({ at, play }: Script<T>, signal: AbortSignal): Promise<T> {
    if (this.#pending !== undefined) throw new Error('One script at a time.')
    return new Promise<T>((resolve, reject) => {
      const giveUp = () => {
        this.#pending = undefined
        reject(new NotJudged('the peer did not come to ask for what had been synced'))
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#pending = {
        at,
        fail: reject,
        run: async (side, member, asked) => {
          signal.removeEventListener('abort', giveUp)
          side.limit(signal)
          try {
            resolve(await play(side, member, asked))
          } catch (thrown) {
            reject(thrown)
          }
        },
      }
    })
  }

  partyOf(member: Member, account: AccountSigner = member.seat.signer): RawParty {
    const { view } = this.#stage
    return {
      signer: account,
      genesisHash: view.genesisHash,
      peer: member.peer,
      token: () => {
        const { number, hash } = view.finalised()
        return { blockNumber: number, blockHash: fromHex(hash), validity: 20 }
      },
      quote: (reportData) => member.quotes.quote(reportData, { signal: this.#signal }),
    }
  }

  /** Forgets the script that waits for the peer, if one does. */
  forgetScript(): void {
    this.#pending = undefined
  }

  /** Refuses every exchange that no script is for, until the door is opened again. */
  refuseAll(code: Refusal): { readonly refused: number; open(): void } {
    const door = {
      refused: 0,
      open: () => {
        this.#refuse = undefined
      },
    }
    this.#refuse = async (side) => {
      door.refused += 1
      await side.refuse(code)
    }
    return door
  }

  async #serve(member: Member, stream: Stream, connection: Connection): Promise<void> {
    if (this.#peer !== undefined && !connection.remotePeer.equals(this.#peer.id)) {
      stream.abort(new Error('only the peer under test is served'))
      return
    }
    const peers = { requesterPeer: connection.remotePeer.toMultihash().bytes, providerPeer: member.peer }
    const side = new RawProvider(this.partyOf(member), stream, peers, this.#signal)
    try {
      const atHello = this.#take((at) => at === 'hello')
      if (atHello !== undefined) return await atHello.run(side, member, undefined)
      const hello = await side.hello()
      if (this.#refuse !== undefined) return await this.#refuse(side)
      const { now } = this.#stage
      await side.challenge({ body: { syncedBlock: now, takenInBlock: now } })
      const request = await side.request()
      const wanted = this.#askedFor(request.body)
      const atRequest = this.#take((at) => at !== 'hello' && wanted.includes(at))
      if (atRequest !== undefined) return await atRequest.run(side, member, { ...wanted, hello, request })
      await this.serveHonestly(side, request.body)
    } catch (thrown) {
      // What the peer does wrong here is found by the cases that look at it.
      stream.abort(thrown instanceof Error ? thrown : new Error(messageOf(thrown)))
    }
  }

  /** From the Grant to the end, as an honest enclave that holds all. */
  async serveHonestly(side: RawProvider, lists: { secrets: Uint8Array; capsules: Uint8Array }): Promise<void> {
    await side.grant()
    const sending = new Sending(this.#library, () => true, { newestAsOf: this.#stage.now, signal: this.#signal })
    for await (const content of sending.contents(lists)) await side.sendSealed(content)
    await side.close()
    await side.answer(LINGER_MS)
    side.abort()
  }

  /** @throws Deviation, which is the verdict on the case that waits for a Request. */
  #askedFor(body: RequestBody): AskedFor {
    try {
      return askedFor(body)
    } catch (thrown) {
      const deviation = new Deviation(`the want lists in its Request are not canonical: ${messageOf(thrown)}`)
      this.#take((at) => at !== 'hello')?.fail(deviation)
      throw deviation
    }
  }

  #take(fits: (at: Pending['at']) => boolean): Pending | undefined {
    const pending = this.#pending
    if (pending === undefined || !fits(pending.at)) return undefined
    this.#pending = undefined
    return pending
  }
}

/** Hosts commonly take only some connections a second from one address. */
async function dialPatiently(mesh: MeshHost, addresses: readonly Multiaddr[], signal: AbortSignal): Promise<PeerId> {
  for (;;) {
    try {
      return (await mesh.libp2p.dial([...addresses], { signal })).remotePeer
    } catch (thrown) {
      signal.throwIfAborted()
      await pause(DIAL_AGAIN_MS, signal).catch(() => {
        // What was wrong all the time says more than that the time is up.
        throw thrown
      })
    }
  }
}

/** A libp2p host of the suite's; it lives on loopback and dials whatever it finds there. */
export function createHost(
  stage: Pick<Stage, 'view'>,
  signer: AccountSigner,
  privateKey = new Uint8Array(randomBytes(32)),
): Promise<MeshHost> {
  return createMeshHost({
    privateKey,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: [],
    allowPrivateAddresses: true,
    genesisHash: stage.view.genesisHash,
    signer,
    registry: () => stage.view.registry(),
    logger: silentLogger,
  })
}

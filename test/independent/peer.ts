// libp2p 3 calls Promise.withResolvers, which Node 20 lacks.
import 'core-js/actual/promise/with-resolvers.js'
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair, publicKeyFromRaw } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, Ed25519PrivateKey, PeerId, Stream } from '@libp2p/interface'
import { type KadDHT, kadDHT } from '@libp2p/kad-dht'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { byteStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { concat, hex } from '../vectors/tools.js'
import { type Share, varint } from '../vectors/wire.js'
import { CheckingDatastore } from './datastore.js'
import { Doorkeeper } from './doorkeeper.js'
import { RefusedByPeer } from './outcomes.js'
import { headDigest, OwnLog } from './provenance.js'
import { provide } from './provider.js'
import { type EnclaveRecord, HAND_OVER, keyOf, makeRecord, NAMESPACE, readRecord } from './records.js'
import { request } from './requester.js'
import { Enclave, type Identity, identityOf, Wire } from './side.js'
import { Store, keyOf as shareKey, type Want } from './store.js'
import { type BlockEvent, barrier, type Target, unhex, World } from './world.js'

const SHARE = '/ternoa/share/1'
const KINDS = { secret: 'SECRET', capsule: 'CAPSULE' } as const

/** An enclave of a mesh, whose memory is its only store. */
export class Peer {
  readonly enclave: Enclave
  readonly store: Store
  readonly libp2p: Libp2p<{ dht: KadDHT }>
  readonly #privateKey: Ed25519PrivateKey
  readonly #stopping = new AbortController()
  readonly #records = new Map<string, { bytes: Uint8Array; record: EnclaveRecord }>()
  readonly #door = new Doorkeeper((peer, account) => this.#peerOf(account) === peer)
  /** When an account may be asked again, Unix ms. */
  readonly #restUntil = new Map<string, number>()
  readonly #busyWith = new Set<string>()
  /** Of each want, who was found not to hold it, and until when it is left alone. */
  readonly #lacking = new Map<string, number>()
  #own: Uint8Array = new Uint8Array()
  readonly #log = new OwnLog()
  readonly #incarnation = new Uint8Array(randomBytes(16))
  #tasks: Promise<unknown>[] = []

  private constructor(
    world: World,
    identity: Identity,
    privateKey: Ed25519PrivateKey,
    libp2p: Libp2p<{ dht: KadDHT }>,
  ) {
    this.#privateKey = privateKey
    this.libp2p = libp2p
    this.enclave = new Enclave(world, identity, libp2p.peerId.toMultihash().bytes)
    this.store = new Store(world.genesisHash)
  }

  static async start(target: Target, identity = identityOf(unhex(target.accountSeed))): Promise<Peer> {
    const world = await World.open(target)
    const privateKey = await generateKeyPair('Ed25519')
    const holder: { peer?: Peer } = {}
    const read = async (key: Uint8Array, value: Uint8Array) => holder.peer?.accept(value, { key })
    const libp2p = await createLibp2p({
      privateKey,
      datastore: new CheckingDatastore((value) => void readRecord(world, value)),
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: {
        identify: identify(),
        ping: ping(),
        dht: kadDHT({
          protocol: `/ternoa/${target.genesisHash.slice(2, 10)}/kad/1.0.0`,
          kBucketSize: 8,
          clientMode: false,
          peerInfoMapper: (info) => info,
          // No other namespace is taken (6); libp2p's own one, of public keys, would be.
          validators: {
            pk: async () => {
              throw new Error('section 6 is broken')
            },
            [NAMESPACE]: async (key, value) => {
              await read(key, value)
            },
          },
          selectors: {
            [NAMESPACE]: (_, values) => {
              const sequences = values.map((value) => sequenceOf(world, value))
              return sequences.indexOf(Math.max(...sequences))
            },
          },
        }),
      },
    })
    const peer = new Peer(world, identity, privateKey, libp2p)
    holder.peer = peer
    await peer.#run()
    return peer
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.allSettled(this.#tasks)
    await this.libp2p.stop()
  }

  /** Vouches for a share of its own, as the enclave does to which its owner has handed it over, once it is synced. */
  vouch(share: Share): void {
    const { world, account, sign } = this.enclave
    const index = this.#log.append(share)
    const { cluster, slot } = world.target
    const head = {
      account,
      incarnation: this.#incarnation,
      cluster,
      slot,
      size: this.#log.size,
      root: this.#log.root(),
    }
    const signature = sign(headDigest(world.genesisHash, head))
    this.store.put({ head: { ...head, signature }, firstIndex: index, shares: [share], ...this.#log.proof(index) })
  }

  /** Wants a share, and waits until it is held. @throws the signal's reason */
  async fetch(want: Want, signal: AbortSignal): Promise<Share> {
    this.store.wants.set(shareKey(want.kind, want.nftId), want)
    for (;;) {
      const share = this.store.held(want.kind, want.nftId)
      if (share !== undefined) return share
      await pause(20, undefined, { signal })
    }
  }

  /** Takes a record, if it is right. @throws when it is not. */
  accept(bytes: Uint8Array, from: { readonly key: Uint8Array } | { readonly peer: PeerId }): void {
    const record = readRecord(this.enclave.world, bytes)
    if ('key' in from && Buffer.compare(from.key, keyOf(record.account)) !== 0) throw new Error('rule 5 is broken')
    if ('peer' in from && from.peer.toString() !== peerOf(record).toString()) throw new Error('rule 5 is broken')
    const known = this.#records.get(record.account)
    if (known !== undefined && Buffer.compare(known.bytes, bytes) === 0) return
    if (known !== undefined && known.record.sequence >= record.sequence) throw new Error('rule 8 is broken')
    this.#records.set(record.account, { bytes: bytes.slice(), record })
  }

  async #run(): Promise<void> {
    const { world } = this.enclave
    const { signal } = this.#stopping
    const addresses = this.libp2p.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/.*$/, ''))
    this.#own = await makeRecord(this.enclave, this.#privateKey, addresses)
    const limits = { maxInboundStreams: 2, maxOutboundStreams: 2 }
    await this.libp2p.handle(HAND_OVER, this.#giveRecord, limits)
    await this.libp2p.handle(SHARE, this.#serve, limits)
    this.libp2p.addEventListener('connection:open', ({ detail }) => void this.#takeRecord(detail))
    for (const connection of this.libp2p.getConnections()) void this.#takeRecord(connection)
    const following = world.follow((block) => {
      for (const event of block.events) this.#take(event, block.number)
      this.store.takenIn = block.number
    }, signal)
    this.#tasks = [following, this.#enter(signal), this.#fetch(signal)]
  }

  #take({ type, kind, nftId, cluster }: BlockEvent, version: number): void {
    if (type !== 'synced' && type !== 'removed') return
    const of = KINDS[kind]
    if (type === 'removed') this.store.remove(of, nftId)
    else if (cluster !== this.enclave.world.target.cluster) {
      const key = shareKey(of, nftId)
      const held = this.store.held(of, nftId)
      if (held !== undefined && (held.kind === 'SECRET' || held.version >= version)) return
      this.store.wants.set(key, { kind: of, nftId, minimumVersion: version, origin: cluster })
    }
  }

  /** Connects to the bootstrap addresses, and tells the mesh where this peer is. */
  async #enter(signal: AbortSignal): Promise<void> {
    const { dht } = this.libp2p.services
    while (!signal.aborted) {
      if (this.libp2p.getConnections().length === 0) {
        const dials = this.enclave.world.target.bootstrap.map((address) =>
          this.libp2p.dial(multiaddr(address), { signal: AbortSignal.any([signal]) }),
        )
        await Promise.allSettled(dials)
      }
      try {
        const put = dht.put(keyOf(hex(this.enclave.account)), this.#own, { signal: AbortSignal.timeout(10_000) })
        for await (const _ of put) signal.throwIfAborted()
      } catch {
        // Nobody is there to take it yet.
      }
      await pause(2_000, undefined, { signal }).catch(() => undefined)
    }
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const [account, wants] of this.#work()) void this.#ask(account, wants)
      await pause(20, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Whom to ask for what: the origin, and others when it fails. */
  #work(): Map<string, Want[]> {
    const { world } = this.enclave
    const own = hex(this.enclave.account)
    const isFree = (account: string) =>
      !this.#busyWith.has(account) && (this.#restUntil.get(account) ?? 0) <= Date.now()
    const peers = world.registry.seats.filter(({ account }) => barrier(world.registry, own, account) === undefined)
    const work = new Map<string, Want[]>()
    for (const want of this.store.wants.values()) {
      const key = shareKey(want.kind, want.nftId)
      const may = ({ account }: { account: string }) => (this.#lacking.get(`${account}/${key}`) ?? 0) <= Date.now()
      const origin = peers.find(({ cluster }) => cluster === want.origin)
      const others = peers.filter(may).filter(({ account }) => isFree(account))
      const chosen =
        origin !== undefined && may(origin) && isFree(origin.account)
          ? origin
          : this.#isTired(origin)
            ? others[0]
            : undefined
      if (chosen !== undefined) work.set(chosen.account, [...(work.get(chosen.account) ?? []), want].slice(0, 4_096))
    }
    return work
  }

  /** The origin is gone, or was asked in vain. */
  #isTired(origin: { readonly account: string } | undefined): boolean {
    return origin === undefined || !this.#busyWith.has(origin.account)
  }

  async #ask(account: string, wants: readonly Want[]): Promise<void> {
    this.#busyWith.add(account)
    try {
      const peer = await this.#find(account)
      const stream = await this.libp2p.dialProtocol(peer, SHARE, { signal: AbortSignal.timeout(20_000) })
      const provider = { peer: peer.toMultihash().bytes, account: unhex(account) }
      const { notHeld } = await request(this.enclave, this.store, provider, wants, new Wire(stream))
      for (const key of notHeld) this.#lacking.set(`${account}/${key}`, Date.now() + 500)
      for (const { kind, nftId } of wants) {
        const key = shareKey(kind, nftId)
        if (this.store.wants.has(key)) this.#lacking.set(`${account}/${key}`, Date.now() + 500)
      }
    } catch (thrown) {
      const asked = thrown instanceof RefusedByPeer ? thrown.retryAfterMs : 0
      this.#restUntil.set(account, Date.now() + Math.min(10_000, Math.max(300, asked)))
    } finally {
      this.#busyWith.delete(account)
    }
  }

  async #find(account: string): Promise<PeerId> {
    if (!this.#records.has(account)) {
      const found = this.libp2p.services.dht.get(keyOf(account), { signal: AbortSignal.timeout(10_000) })
      for await (const event of found) if (event.name === 'VALUE') break
    }
    const known = this.#records.get(account)
    if (known === undefined) throw new Error(`nobody knows where ${account} is`)
    const peer = peerOf(known.record)
    await this.libp2p.peerStore.patch(peer, {
      multiaddrs: known.record.multiaddrs.map((address) => multiaddr(address)),
    })
    return peer
  }

  #peerOf(account: string): string | undefined {
    const known = this.#records.get(account)
    return known && hex(peerOf(known.record).toMultihash().bytes)
  }

  readonly #serve = async (stream: Stream, connection: Connection): Promise<void> => {
    const peer = connection.remotePeer.toMultihash().bytes
    await provide(this.enclave, this.store, this.#door, peer, new Wire(stream)).catch(() => undefined)
  }

  readonly #giveRecord = async (stream: Stream): Promise<void> => {
    const signal = AbortSignal.timeout(10_000)
    try {
      await byteStream(stream).write(concat(varint(this.#own.length), this.#own), { signal })
      await stream.close({ signal })
    } catch (thrown) {
      stream.abort(thrown instanceof Error ? thrown : new Error(String(thrown)))
    }
  }

  async #takeRecord(connection: Connection): Promise<void> {
    const signal = AbortSignal.timeout(10_000)
    try {
      const stream = await connection.newStream(HAND_OVER, { signal })
      try {
        const bytes = byteStream(stream)
        const one = async () => (await bytes.read({ bytes: 1, signal })).get(0)
        const first = await one()
        const length = first < 128 ? first : (first % 128) + (await one()) * 128
        if (length > 2048) throw new Error('the record is too long')
        if (length > 0)
          this.accept((await bytes.read({ bytes: length, signal })).slice(), { peer: connection.remotePeer })
        await stream.close({ signal })
      } catch (thrown) {
        stream.abort(thrown instanceof Error ? thrown : new Error(String(thrown)))
      }
    } catch {
      // It does not speak the protocol, or has gone.
    }
  }
}

function peerOf({ peerKey }: EnclaveRecord): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(peerKey))
}

function sequenceOf(world: World, bytes: Uint8Array): number {
  try {
    return readRecord(world, bytes).sequence
  } catch {
    return -1
  }
}

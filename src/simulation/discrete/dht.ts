import { createHash } from 'node:crypto'
import type { AbortOptions, PeerId } from '@libp2p/interface'
import { TypedEventEmitter } from '@libp2p/interface'
import type { AccountId } from '../../domain/index.js'
import {
  type KnownRecords,
  MESH_LIMITS,
  type MeshQueryEvent,
  type MeshTable,
  type TableEvents,
} from '../../mesh/index.js'
import { BYTES, COSTS } from './costs.js'
import type { NetworkEndpoint } from './network-endpoint.js'

const { bucketSize: K, parallelRequests: ALPHA } = MESH_LIMITS.dht

/**
 * Neighbours to whom there is a connection as to anybody else, with all that comes with one. The other neighbours of a
 * large mesh are taken to be connected: asking them costs no dial, and that is all that is seen of it.
 */
const CONNECTED = 3 * K

/** kad-dht gives each request so long, in ms. */
const REQUEST_MS = 5_000

/** After this long those who ping notice that somebody is gone, and drop it from their tables; in ms. */
const NOTICED_MS = MESH_LIMITS.connections.pingIntervalMs + MESH_LIMITS.connections.pingTimeoutMs

/** A host whose part in the DHT this is. */
export interface DhtHost extends NetworkEndpoint {
  readonly connections: { readonly size: number }
  readonly services: { readonly dht: ModelTable }
  connectionTo(host: DhtHost): object | undefined
  connect(host: DhtHost): Promise<object>
  /** What a dial takes on the line, in ms; it is counted on both sides. */
  dialTrip(host: DhtHost): number
}

interface Member {
  /** The first 32 bits of its place among keys; unsigned. */
  readonly id: number
  readonly host: DhtHost
}

/**
 * Everybody who is in somebody's routing table. Tables themselves are not kept but derived: of each half, quarter,
 * eighth of the ids that a node is not in itself it knows up to k members, the same whenever it is asked. That is what
 * Kademlia's tables come to in a mesh that has settled.
 */
export class Membership {
  readonly #members: Member[] = []

  add(host: DhtHost): void {
    const id = placeOf(host.peerId.toMultihash().bytes)
    const at = this.#first(id)
    if (!this.#members.some((each) => each.host === host)) this.#members.splice(at, 0, { id, host })
  }

  /** Those who know it notice after a while only. */
  remove(host: DhtHost): void {
    host.loop.after(NOTICED_MS, () => {
      const at = this.#members.findIndex((each) => each.host === host)
      if (at >= 0) this.#members.splice(at, 1)
    })
  }

  /** Those that a node knows next to a place: k at most, none of them itself. */
  knownTo(self: DhtHost, own: number, place: number): Member[] {
    const shared = Math.clz32((own ^ place) >>> 0)
    // The part of the ids that the place is in and the node is not: one of its buckets.
    let [begin, end] = this.#sharing(place, Math.min(32, shared + 1))
    for (let bits = shared; end - begin < K && bits >= 0; bits -= 1) [begin, end] = this.#sharing(place, bits)
    const picked: Member[] = []
    const count = end - begin
    if (count <= 4 * K) {
      for (let at = begin; at < end; at += 1) this.#pick(picked, at, self)
      picked.sort((one, other) => distance(one.id, place) - distance(other.id, place))
      return picked.slice(0, K)
    }
    for (let turn = 0; picked.length < K && turn < 2 * K; turn += 1) {
      this.#pick(picked, begin + (mixed(own, shared, turn) % count), self)
    }
    return picked
  }

  #pick(picked: Member[], at: number, self: DhtHost): void {
    const member = this.#members[at]
    if (member === undefined || member.host === self || picked.includes(member)) return
    const cutSince = self.network.cutSince(self.place, member.host.place)
    if (cutSince === undefined || self.loop.now() - cutSince < NOTICED_MS) picked.push(member)
  }

  /** The members whose ids share so many leading bits with a place. */
  #sharing(place: number, bits: number): [number, number] {
    if (bits === 0) return [0, this.#members.length]
    const size = 2 ** (32 - bits)
    const least = Math.floor(place / size) * size
    return [this.#first(least), this.#first(least + size)]
  }

  #first(id: number): number {
    let [low, high] = [0, this.#members.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#members[middle]?.id ?? 0) < id) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** A peer that was heard of in a look-up. */
interface Candidate extends Member {
  readonly distance: number
  /** In the asker's own table. */
  readonly isNeighbour: boolean
  state: 'heard-of' | 'asked' | 'answered' | 'failed'
}

/** A node's part in the DHT: look-ups go their real way, from peer to peer, over tables that are derived. */
export class ModelTable implements MeshTable {
  readonly routingTable = new RoutingTable()
  readonly #host: DhtHost
  readonly #known: KnownRecords
  readonly #membership: Membership
  readonly #place: number

  constructor(host: DhtHost, known: KnownRecords, membership: Membership) {
    this.#host = host
    this.#known = known
    this.#membership = membership
    this.#place = placeOf(host.peerId.toMultihash().bytes)
  }

  start(): void {
    this.routingTable.size = 0
    this.#membership.add(this.#host)
  }

  stop(): void {
    this.#membership.remove(this.#host)
  }

  /** Whoever is connected is in the table. */
  connected(remote: PeerId): void {
    this.routingTable.size = Math.min(this.#host.connections.size, CONNECTED)
    if (this.#host.connections.size <= CONNECTED) this.routingTable.tell(remote)
  }

  async *get(key: Uint8Array, options: AbortOptions): AsyncGenerator<MeshQueryEvent> {
    const account: AccountId = `0x${Buffer.from(key).toString().split('/').at(-1) ?? ''}`
    const recordAt = (host: DhtHost) => host.services.dht.#known.current(account)?.record.bytes
    for await (const { told } of this.#lookUp(placeOf(key), recordAt, options)) {
      if (told === undefined) continue
      try {
        await this.#known.accept(told, { key })
      } catch {
        // kad-dht passes over what its validator refuses.
        continue
      }
      yield { name: 'PEER_RESPONSE', messageName: 'GET_VALUE', record: { value: told } }
    }
  }

  async *put(key: Uint8Array, value: Uint8Array, options: AbortOptions): AsyncGenerator<MeshQueryEvent> {
    const nearest: Candidate[] = []
    for await (const { candidate } of this.#lookUp(placeOf(key), () => undefined, options)) nearest.push(candidate)
    nearest.sort((one, other) => one.distance - other.distance)
    for (const { host } of nearest.slice(0, K)) {
      yield { name: 'SEND_QUERY', messageName: 'PUT_VALUE' }
      const accept = () => host.services.dht.#known.accept(value, { key })
      const isTaken = await new Promise<boolean>((resolve) => {
        const serve = (reply: (isTaken: boolean) => void) => {
          accept().then(
            () => reply(true),
            () => reply(false),
          )
        }
        this.#ask(host, { isNeighbour: false, extraBytes: value.length }, serve, (told) => resolve(told === true))
      })
      options.signal?.throwIfAborted()
      yield isTaken ? { name: 'PEER_RESPONSE', messageName: 'PUT_VALUE' } : { name: 'QUERY_ERROR' }
    }
  }

  async *getClosestPeers(key: Uint8Array, options: AbortOptions): AsyncGenerator<MeshQueryEvent> {
    let met = 0
    for await (const _ of this.#lookUp(placeOf(key), () => undefined, options)) met += 1
    for (let at = 0; at < Math.min(met, K); at += 1) yield { name: 'FINAL_PEER' }
  }

  /** Asks ever nearer peers, some at once, until the nearest k have answered or failed. */
  async *#lookUp<T>(
    place: number,
    ask: (host: DhtHost) => T,
    { signal }: AbortOptions,
  ): AsyncGenerator<{ readonly told: T; readonly candidate: Candidate }> {
    this.#host.counters.dhtLookups += 1
    const heard = new Heard(this.#host, place)
    heard.of(this.#membership.knownTo(this.#host, this.#place, place), { areNeighbours: true })
    const answers: { readonly told: T; readonly candidate: Candidate }[] = []
    let underWay = 0
    let wake: () => void = () => undefined
    const start = (candidate: Candidate) => {
      candidate.state = 'asked'
      underWay += 1
      const { host, id, isNeighbour } = candidate
      const serve = (reply: (answer: readonly [T, readonly Member[]]) => void) =>
        reply([ask(host), this.#membership.knownTo(host, id, place)])
      this.#ask(host, { isNeighbour, extraBytes: 0 }, serve, (answer) => {
        underWay -= 1
        candidate.state = answer === undefined ? 'failed' : 'answered'
        if (answer !== undefined) {
          const [told, closer] = answer
          heard.of(closer, { areNeighbours: false })
          answers.push({ told, candidate })
        }
        wake()
      })
    }
    const abort = () => wake()
    signal?.addEventListener('abort', abort)
    try {
      for (;;) {
        signal?.throwIfAborted()
        for (const candidate of heard.nearest()) if (underWay < ALPHA) start(candidate)
        const answer = answers.shift()
        if (answer !== undefined) yield answer
        else if (underWay === 0) return
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /**
   * One request; `serve` is called at the peer. Written with callbacks, as a run has tens of millions of them.
   * @param done takes the answer, or undefined when there is none in time.
   */
  #ask<T>(
    host: DhtHost,
    { isNeighbour, extraBytes }: { readonly isNeighbour: boolean; readonly extraBytes: number },
    serve: (reply: (told: T) => void) => void,
    done: (told: T | undefined) => void,
  ): void {
    const own = this.#host
    let isOpen = true
    const end = (told: T | undefined) => {
      if (!isOpen || own.processor.ended) return
      isOpen = false
      callOff()
      done(told)
    }
    const callOff = own.loop.after(REQUEST_MS, () => end(undefined))
    const isConnected = own.connectionTo(host) !== undefined || (isNeighbour && own.connections.size >= CONNECTED)
    // Connections beyond those to neighbours are not kept: the look-up pays for each anew.
    if (isConnected || own.connections.size >= CONNECTED) {
      this.#exchange(host, extraBytes, { isConnected, serve, end })
      return
    }
    own.connect(host).then(
      () => this.#exchange(host, extraBytes, { isConnected: true, serve, end }),
      () => end(undefined),
    )
  }

  #exchange<T>(
    host: DhtHost,
    extraBytes: number,
    {
      isConnected,
      serve,
      end,
    }: {
      readonly isConnected: boolean
      readonly serve: (reply: (told: T) => void) => void
      readonly end: (told: T | undefined) => void
    },
  ): void {
    const own = this.#host
    const { network, loop } = own
    // Nothing comes back: it ends with its time.
    if (network.cutSince(own.place, host.place) !== undefined) return
    own.counters.dhtMessages += 1
    for (const { counters } of [own, host]) {
      counters.messages += 1
      counters.bytes += (BYTES.dhtRequest + BYTES.dhtAnswer + 2 * BYTES.frame + extraBytes) / 2
    }
    const dialSide = isConnected ? 0 : COSTS.dialSide
    own.processor.charge(COSTS.dhtRequest + dialSide)
    const handshake = isConnected ? 0 : own.dialTrip(host)
    const there = own.processor.freeAt + handshake + network.delay(own.place, host.place, BYTES.dhtRequest + extraBytes)
    loop.at(there, () => {
      if (!host.isListening) {
        loop.after(network.delay(host.place, own.place, 0), () => end(undefined))
        return
      }
      const take = () =>
        serve((told) => {
          const back = host.processor.freeAt + network.delay(host.place, own.place, BYTES.dhtAnswer)
          loop.at(back, () => own.receive(0, () => end(told), COSTS.message))
        })
      host.receive(0, take, COSTS.dhtRequest + dialSide)
    })
  }
}

/** The peers that were heard of in one look-up, the nearest first. */
class Heard {
  readonly #self: DhtHost
  readonly #place: number
  readonly #hosts = new Set<DhtHost>()
  readonly #candidates: Candidate[] = []

  constructor(self: DhtHost, place: number) {
    this.#self = self
    this.#place = place
  }

  of(members: readonly Member[], { areNeighbours }: { readonly areNeighbours: boolean }): void {
    const candidates = this.#candidates
    for (const { id, host } of members) {
      if (host === this.#self || this.#hosts.has(host)) continue
      this.#hosts.add(host)
      const candidate: Candidate = {
        id,
        host,
        distance: distance(id, this.#place),
        isNeighbour: areNeighbours,
        state: 'heard-of',
      }
      let at = candidates.length
      for (; at > 0 && (candidates[at - 1]?.distance ?? 0) > candidate.distance; at -= 1) {
        const farther = candidates[at - 1]
        if (farther !== undefined) candidates[at] = farther
      }
      candidates[at] = candidate
    }
  }

  /** Those to be asked among the nearest k that have not failed. */
  nearest(): Candidate[] {
    const open: Candidate[] = []
    let counted = 0
    for (const candidate of this.#candidates) {
      if (candidate.state === 'failed') continue
      if (candidate.state === 'heard-of') open.push(candidate)
      counted += 1
      if (counted === K) break
    }
    return open
  }
}

class RoutingTable extends TypedEventEmitter<TableEvents> {
  size = 0

  /** kad-dht pings first; here whoever is connected is in already. */
  async add(_peer: PeerId, _options: AbortOptions): Promise<void> {
    this.size = Math.max(1, this.size)
  }

  tell(peer: PeerId): void {
    this.safeDispatchEvent('peer:add', { detail: peer })
  }
}

/** Where a key is among ids: the first bits of its hash, as in libp2p's kad-dht. */
function placeOf(key: Uint8Array): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0)
}

function distance(one: number, other: number): number {
  return (one ^ other) >>> 0
}

/** A number that follows from these and looks like any other. */
function mixed(own: number, shared: number, turn: number): number {
  let word = own ^ Math.imul(shared + 1, 0x9e3779b1) ^ Math.imul(turn + 1, 0x85ebca6b)
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d)
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b)
  return (word ^ (word >>> 16)) >>> 0
}

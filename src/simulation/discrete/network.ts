import type { Link, Scenario } from '../scenario/index.js'
import { BYTES } from './costs.js'
import type { EventLoop } from './loop.js'
import type { Stream } from './random.js'

/** Where somebody stands in the network. */
export interface Place {
  /** The name of an enclave, for partitions of one. */
  readonly name: string
  readonly region: string
  /** Held up by hand: both ways. */
  slowness: { readonly latency: number; readonly bandwidth: number | undefined } | undefined
  /** When its line is free, where it was given a bandwidth of its own; Unix ms. */
  lineFreeAt: number
}

interface LinkFigures {
  readonly latency: number
  readonly jitter: number
  readonly loss: number
  /** Bytes per ms. */
  readonly bandwidth: number
}

/** The machine itself: what is between two nodes where a scenario says nothing. */
const LOOPBACK: LinkFigures = { latency: 0.05, jitter: 0, loss: 0, bandwidth: 1e6 }

/** The shortest time in which TCP sends again what was lost, in ms. */
const RETRANSMISSION_MS = 200

/** So many losses of one segment in a row are as good as a partition; it is the last that is looked at. */
const LOSSES_IN_A_ROW = 6

interface Partition {
  readonly one: ReadonlySet<string>
  readonly other: ReadonlySet<string>
  readonly since: number
}

/** Links between regions, and who is cut off from whom. */
export class Network {
  readonly #loop: EventLoop
  readonly #random: Stream
  readonly #links: readonly Link[]
  readonly #figures = new Map<string, LinkFigures>()
  #partitions: Partition[] = []
  /** What waits for the network to be whole again. */
  readonly #healing = new Set<() => void>()

  constructor(loop: EventLoop, random: Stream, { links }: Pick<Scenario, 'links'>) {
    this.#loop = loop
    this.#random = random
    this.#links = links
  }

  /** How long a message takes one way, in ms; drawn anew for each. */
  delay(from: Place, to: Place, bytes: number): number {
    const { latency, jitter, loss, bandwidth } = this.#between(from.region, to.region)
    const oneWay = latency + (jitter > 0 ? jitter * this.#random.fraction() : 0)
    return oneWay + bytes / bandwidth + this.#retransmission(loss, latency, bytes) + this.#heldUp(from, to, bytes)
  }

  /** There and back for something small, in ms. */
  roundTrip(one: Place, other: Place): number {
    return this.delay(one, other, BYTES.frame) + this.delay(other, one, BYTES.frame)
  }

  /** Since when nothing gets through between the two; undefined when it does. */
  cutSince(one: Place, other: Place): number | undefined {
    for (const partition of this.#partitions) {
      const forth = isIn(partition.one, one) && isIn(partition.other, other)
      if (forth || (isIn(partition.one, other) && isIn(partition.other, one))) return partition.since
    }
    return undefined
  }

  partition(one: readonly string[], other: readonly string[]): void {
    this.#partitions.push({ one: new Set(one), other: new Set(other), since: this.#loop.now() })
  }

  heal(): void {
    this.#partitions = []
    const waiting = [...this.#healing]
    this.#healing.clear()
    for (const goOn of waiting) goOn()
  }

  /** Calls back at the next healing. @returns calls it off. */
  onHealing(goOn: () => void): () => void {
    this.#healing.add(goOn)
    return () => this.#healing.delete(goOn)
  }

  #between(one: string, other: string): LinkFigures {
    const name = one < other ? `${one} ${other}` : `${other} ${one}`
    const known = this.#figures.get(name)
    if (known !== undefined) return known
    // The one that names both regions goes before the one for all.
    const named = this.#links.find(({ between }) => between !== undefined && names(between, one, other))
    const { latency, jitter, loss, bandwidth } = named ?? this.#links.find(({ between }) => between === undefined) ?? {}
    const figures = {
      latency: Math.max(latency ?? 0, LOOPBACK.latency),
      jitter: jitter ?? 0,
      loss: loss ?? 0,
      bandwidth: bandwidth ?? LOOPBACK.bandwidth,
    }
    this.#figures.set(name, figures)
    return figures
  }

  #retransmission(loss: number, latency: number, bytes: number): number {
    if (loss === 0) return 0
    let longest = 0
    // Segments travel together: the message is whole when the one that was sent most often is there.
    for (let left = Math.ceil(bytes / BYTES.segment); left > 0; left -= 1) {
      let lost = 0
      while (lost < LOSSES_IN_A_ROW && this.#random.fraction() < loss) lost += 1
      longest = Math.max(longest, lost)
    }
    return longest * Math.max(RETRANSMISSION_MS, 4 * latency)
  }

  #heldUp(from: Place, to: Place, bytes: number): number {
    let heldUp = 0
    for (const place of [from, to]) {
      if (place.slowness === undefined) continue
      const { latency, bandwidth } = place.slowness
      heldUp += latency
      if (bandwidth === undefined) continue
      const now = this.#loop.now()
      place.lineFreeAt = Math.max(now, place.lineFreeAt) + bytes / bandwidth
      heldUp += place.lineFreeAt - now
    }
    return heldUp
  }
}

function isIn(places: ReadonlySet<string>, { name, region }: Place): boolean {
  return places.has('*') || places.has(region) || places.has(name)
}

function names([one, other]: readonly [string, string], first: string, second: string): boolean {
  const matches = (pattern: string, region: string) => pattern === '*' || pattern === region
  return (matches(one, first) && matches(other, second)) || (matches(one, second) && matches(other, first))
}

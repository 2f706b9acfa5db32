/** What lies between two enclaves, the same in both directions; plain data, so that it can cross to another process. */
export interface LinkShape {
  /** One way, ms. */
  readonly latency: number
  /** The most that is added to it at random, evenly, for each piece, ms. */
  readonly jitter: number
  /** Of segments, from 0 to 1. */
  readonly loss: number
  /** Bytes per ms; without it, as fast as the machine. */
  readonly bandwidth?: number | undefined
  /** Nothing comes through: bytes are held, connections stay half open, dials hang. */
  readonly isCut: boolean
}

export const PLAIN_LINK: LinkShape = { latency: 0, jitter: 0, loss: 0, isCut: false }

/** What TCP puts into one segment on an Ethernet. */
const SEGMENT_BYTES = 1_460

/** The shortest that TCP waits before it sends a lost segment again, ms. */
const SHORTEST_RETRANSMISSION_MS = 200

/** TCP gives up in the end; until then, a segment can be lost so many times here. */
const LONGEST_STREAK = 15

/** One direction of a connection: when what is sent comes out at the other end. */
export class Line {
  readonly #random: () => number
  /** When the last byte so far has left. */
  #leftAt = 0
  #arrivedAt = 0

  /** @param random from 0 up to 1 */
  constructor(random: () => number) {
    this.#random = random
  }

  /**
   * @param now in ms; so is what is returned.
   * @returns when a piece of so many bytes is there: never before the piece that was sent before it.
   */
  arrival(bytes: number, shape: LinkShape, now: number): number {
    const { latency, jitter, bandwidth } = shape
    this.#leftAt = Math.max(now, this.#leftAt) + (bandwidth === undefined ? 0 : bytes / bandwidth)
    const again = Math.max(SHORTEST_RETRANSMISSION_MS, 4 * latency) * this.#losses(bytes, shape)
    this.#arrivedAt = Math.max(this.#arrivedAt, this.#leftAt + latency + jitter * this.#random() + again)
    return this.#arrivedAt
  }

  /** How many segments of a piece have to be sent again, each as often as it is lost. */
  #losses(bytes: number, { loss }: LinkShape): number {
    if (loss === 0) return 0
    let losses = 0
    for (let segment = 0; segment < bytes; segment += SEGMENT_BYTES) {
      for (let streak = 0; streak < LONGEST_STREAK && this.#random() < loss; streak++) losses += 1
    }
    return losses
  }
}

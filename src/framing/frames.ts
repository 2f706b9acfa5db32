import type { MessageStreamEvents, Stream } from '@libp2p/interface'
import * as varint from 'uint8-varint'
import { Uint8ArrayList } from 'uint8arraylist'
import { type Clock, messageOf, SlotmeshError, systemClock } from '../domain/index.js'

/**
 * As many messages of the size that may come now are buffered before the stream is paused, so that the next one
 * arrives while this one is being worked on; the transport's own window then holds the sender back.
 */
const READ_AHEAD_MESSAGES = 2

/**
 * A stream that comes in pieces smaller than this on average, after so many of them, is reset: each piece costs some
 * hundred bytes here and in the transport, whatever is in it.
 */
const CRUMBS = { pieces: 1_024, bytesEach: 64 } as const

/** An unsigned varint of more bytes than this cannot be a length within any of our limits. */
const LENGTH_PREFIX_BYTES = 4

/** What one exchange cost on the wire, in both directions, before the transport's own framing. */
export interface Traffic {
  readonly bytes: number
  readonly messages: number
}

/**
 * Messages behind their length as an unsigned varint (share SPEC 3, reconcile SPEC 3), over one libp2p stream, with back-pressure both ways:
 * reading pauses the stream while nobody takes messages, writing waits until the transport has taken the bytes.
 * The limit is checked on the length prefix, before anything of that size is buffered for it.
 */
export class Frames {
  readonly #stream: Stream
  readonly #clock: Clock
  readonly #protocol: string
  readonly #received = new Uint8ArrayList()
  #pauseAbove = 0
  /** Of all that ever came. */
  #pieces = 0
  #bytes = 0
  #sentBytes = 0
  #messages = 0
  #isWaiting = false
  #ended = false
  #failure: Error | undefined
  readonly #leaving = new AbortController()

  /** @param protocol the room that its errors are of. */
  constructor(stream: Stream, clock: Clock = systemClock, protocol: 'share' | 'reconcile' = 'share') {
    this.#stream = stream
    this.#clock = clock
    this.#protocol = protocol
    // A stream over the peer's limits can have been reset before it came here.
    if (stream.status !== 'open') this.#failure = new Error(`it was ${stream.status} from the beginning`)
    stream.addEventListener('message', (event) => {
      this.#received.append(event.data)
      this.#pieces += 1
      this.#bytes += event.data.byteLength
      if (this.#pieces >= CRUMBS.pieces && this.#bytes < this.#pieces * CRUMBS.bytesEach) {
        this.abort(new SlotmeshError(`${protocol}/crumbs`, 'The peer sends in crumbs.'))
      }
      if (this.#received.byteLength > this.#pauseAbove && stream.readStatus === 'readable') stream.pause()
    })
    stream.addEventListener('remoteCloseWrite', () => {
      this.#ended = true
      this.#leaving.abort(this.#cut())
    })
    stream.addEventListener('close', (event) => {
      this.#ended = true
      this.#failure = event.error
      this.#leaving.abort(this.#cut())
    })
  }

  /** What crossed so far, both ways, as the stream sees it. */
  get traffic(): Traffic {
    return { bytes: this.#bytes + this.#sentBytes, messages: this.#messages }
  }

  /** Whether the peer is waited for, or was when the last read or write was given up. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Aborts with `share/cut` when the peer will send nothing more: for waits in which nothing is read. */
  get ended(): AbortSignal {
    return this.#leaving.signal
  }

  /**
   * @returns the next message, or undefined when the peer ended its side between two messages.
   * @throws SlotmeshError `share/oversized` (also a malformed length; in place of `share` the protocol), `share/cut` when the stream ends within a
   * message or is reset, or the signal's reason.
   */
  async read(maximumBytes: number, options: { signal: AbortSignal }): Promise<Uint8Array | undefined> {
    this.#pauseAbove = READ_AHEAD_MESSAGES * (LENGTH_PREFIX_BYTES + maximumBytes)
    this.#resume()
    this.#isWaiting = true
    const length = await this.#readLength(maximumBytes, options.signal)
    if (length === undefined) {
      this.#isWaiting = false
      return undefined
    }
    await this.#until(() => this.#received.byteLength >= length, options.signal)
    const message = this.#received.slice(0, length)
    this.#consume(length)
    this.#messages += 1
    this.#isWaiting = false
    return message
  }

  /** @throws SlotmeshError `share/cut` when the stream is closed or closes meanwhile, or the signal's reason. */
  async write(message: Uint8Array, { signal }: { signal: AbortSignal }): Promise<void> {
    const frame = new Uint8ArrayList(varint.encode(message.byteLength), message)
    this.#messages += 1
    this.#sentBytes += frame.byteLength
    try {
      this.#stream.send(frame)
    } catch (thrown) {
      throw this.#cut(thrown)
    }
    this.#isWaiting = true
    while (this.#stream.writableNeedsDrain) {
      signal.throwIfAborted()
      if (this.#stream.status !== 'open') throw this.#cut()
      await this.#next(['drain', 'close'], signal)
    }
    this.#isWaiting = false
  }

  /** Ends this side after everything written has left; resets the stream if the peer has not ended its side by then. */
  async close({ signal, lingerMs }: { signal: AbortSignal; lingerMs: number }): Promise<void> {
    await this.#stream.close({ signal })
    if (this.#stream.status !== 'open') return
    const callOff = this.#clock.after(lingerMs, () => this.abort(new Error('the peer did not close')))
    this.#stream.addEventListener('close', callOff, { once: true })
  }

  /** Resets both sides at once. */
  abort(reason: unknown): void {
    this.#stream.abort(reason instanceof Error ? reason : new Error(String(reason)))
  }

  async #readLength(maximumBytes: number, signal: AbortSignal): Promise<number | undefined> {
    for (let bytes = 1; bytes <= LENGTH_PREFIX_BYTES; bytes += 1) {
      const arrived = await this.#until(() => this.#received.byteLength >= bytes, signal, bytes === 1)
      if (!arrived) return undefined
      if (this.#received.get(bytes - 1) >= 0x80) continue
      const length = varint.decode(this.#received.subarray(0, bytes))
      this.#consume(bytes)
      if (length <= maximumBytes) return length
      break
    }
    throw new SlotmeshError(
      `${this.#protocol}/oversized`,
      `A message exceeds the ${maximumBytes} bytes that are allowed here.`,
    )
  }

  #consume(bytes: number): void {
    this.#received.consume(bytes)
    this.#resume()
  }

  #resume(): void {
    if (this.#stream.readStatus === 'paused' && this.#received.byteLength <= this.#pauseAbove) this.#stream.resume()
  }

  /** @returns false when the stream ended cleanly before the condition held, where `endIsFine`. */
  async #until(condition: () => boolean, signal: AbortSignal, endIsFine = false): Promise<boolean> {
    while (!condition()) {
      signal.throwIfAborted()
      if (this.#failure !== undefined) throw this.#cut(this.#failure)
      if (this.#ended) {
        if (endIsFine && this.#received.byteLength === 0) return false
        throw this.#cut()
      }
      await this.#next(['message', 'remoteCloseWrite', 'close'], signal)
    }
    return true
  }

  /** Resolves at the next of these events, or when the signal aborts. */
  async #next(events: readonly (keyof MessageStreamEvents)[], signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        for (const event of events) this.#stream.removeEventListener(event, done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      for (const event of events) this.#stream.addEventListener(event, done)
      signal.addEventListener('abort', done)
    })
  }

  #cut(thrown?: unknown): SlotmeshError {
    const cause = thrown ?? this.#failure
    const detail = cause === undefined ? '' : ` (${messageOf(cause)})`
    return new SlotmeshError(`${this.#protocol}/cut`, `The peer’s stream ended in mid-exchange${detail}.`, { cause })
  }
}

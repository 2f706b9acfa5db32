import type { AbortOptions, MultiaddrConnection } from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import type { Uint8ArrayList } from 'uint8arraylist'
import { abortable } from '../../../domain/index.js'
import { Delay } from './delay.js'
import type { LinkShape } from './link.js'

/** How much is under way in one direction before the sender has to wait: what TCP with large windows allows. */
const WINDOW_BYTES = 1 << 20

export interface ShapedLink {
  shape(): LinkShape
  /** From 0 up to 1. */
  random(): number
  /** Tells when the shape has changed. @returns ends the telling. */
  onChange(listener: () => void): () => void
}

/** What comes in: bytes, or that there will be no more. */
type Incoming = Uint8Array | Uint8ArrayList | 'end' | 'reset'

/** What goes out: bytes, that all was said, or that this side has gone. */
type Outgoing = Uint8ArrayList | { readonly said: () => void } | { readonly reset: Error }

/** A connection whose two directions take the time that a link takes; both are shaped on this side, the dialler's. */
export class ShapedConnection extends AbstractMultiaddrConnection {
  readonly #inner: MultiaddrConnection
  readonly #outgoing: Delay<Outgoing>
  readonly #incoming: Delay<Incoming>
  readonly #stopListening: () => void
  #isInnerPaused = false

  constructor(inner: MultiaddrConnection, link: ShapedLink) {
    super({ remoteAddr: inner.remoteAddr, direction: 'outbound', log: inner.log })
    this.#inner = inner
    const delay = { shape: () => link.shape(), random: () => link.random() }
    this.#outgoing = new Delay<Outgoing>({
      ...delay,
      isReady: () => !inner.writableNeedsDrain,
      deliver: (piece) => this.#deliverOut(piece),
    })
    this.#incoming = new Delay<Incoming>({
      ...delay,
      isReady: () => this.readStatus !== 'paused',
      deliver: (piece) => this.#deliverIn(piece),
    })
    this.#stopListening = link.onChange(() => {
      this.#outgoing.flush()
      this.#incoming.flush()
    })
    inner.addEventListener('message', ({ data }) => {
      this.#incoming.put(data, data.byteLength)
      if (this.#incoming.waitingBytes > WINDOW_BYTES) this.#holdBack(true)
    })
    inner.addEventListener('drain', () => this.#outgoing.flush())
    // The other side's end crosses the link like everything else.
    inner.addEventListener('close', ({ error }) => this.#incoming.put(error === undefined ? 'end' : 'reset', 0))
  }

  override sendData(data: Uint8ArrayList): SendResult {
    const sentBytes = data.byteLength
    this.#outgoing.put(data, sentBytes)
    return { sentBytes, canSendMore: this.#outgoing.waitingBytes < WINDOW_BYTES }
  }

  override async sendClose(options?: AbortOptions): Promise<void> {
    const said = new Promise<void>((resolve) => this.#outgoing.put({ said: resolve }, 0))
    await (options?.signal === undefined ? said : abortable(said, options.signal))
    await this.#inner.close(options)
    this.#stopListening()
  }

  /** The other side hears of it when the link lets it through. */
  override sendReset(error: Error): void {
    this.#outgoing.clear()
    this.#incoming.clear()
    this.#outgoing.put({ reset: error }, 0)
  }

  override sendPause(): void {
    // What comes in meanwhile waits to be delivered.
  }

  override sendResume(): void {
    this.#incoming.flush()
  }

  /** Ends the connection beneath at once, whatever has not crossed the link yet. */
  cutOff(reason: Error): void {
    this.#outgoing.clear()
    this.#incoming.clear()
    this.#stopListening()
    this.#inner.abort(reason)
  }

  #deliverOut(piece: Outgoing): void {
    if ('said' in piece) piece.said()
    else if ('reset' in piece) this.cutOff(piece.reset)
    else if (this.#inner.status === 'open') this.#inner.send(piece)
    if (this.writableNeedsDrain && this.#outgoing.waitingBytes < WINDOW_BYTES) this.safeDispatchEvent('drain')
  }

  #deliverIn(piece: Incoming): void {
    if (piece === 'end' || piece === 'reset') {
      this.#outgoing.clear()
      this.#stopListening()
      if (piece === 'end') this.onTransportClosed()
      else if (this.status === 'open' || this.status === 'closing') this.onRemoteReset()
      return
    }
    this.onData(piece)
    if (this.#incoming.waitingBytes < WINDOW_BYTES) this.#holdBack(false)
  }

  /** Lets the other side feel that nobody takes what it sends. */
  #holdBack(isPaused: boolean): void {
    if (this.#isInnerPaused === isPaused || this.#inner.status !== 'open') return
    this.#isInnerPaused = isPaused
    if (isPaused) this.#inner.pause()
    else this.#inner.resume()
  }
}

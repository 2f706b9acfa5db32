import { setTimeout as delay } from 'node:timers/promises'
import {
  type BlockHash,
  type BlockNumber,
  type BlockRef,
  bounded,
  type Logger,
  messageOf,
  SlotmeshError,
} from '../../domain/index.js'
import { codeOf, unreachable } from '../errors.js'
import type { Connection } from './connection.js'
import type { Endpoint } from './endpoints.js'
import { type AnnouncedHead, Rpc, subscribeFinalisedHeads } from './rpc.js'
import { isUnanswered, RpcSocket } from './socket.js'

/** With more blocks between the finalised heads of two endpoints, the one behind is left. */
const MOST_BEHIND = 10

/** A chain that stands still is looked at less and less often, down to once in this many times `quietAfterMs`. */
const LONGEST_QUIET = 16

export interface GuardOptions {
  /** That of the first endpoint that is connected to when there is none given. */
  readonly expectedGenesis: BlockHash | undefined
  readonly logger: Logger
  /** How long to wait for an answer to any one question, ms. */
  readonly timeoutMs: number
  /** After this long without a new finalised block the endpoint is asked for one, ms. */
  readonly quietAfterMs: number
  /** How often another endpoint is asked how far it is, ms. */
  readonly compareEveryMs: number
  /** The latest block that was taken as final; undefined as long as there is none. */
  readonly known: () => BlockRef | undefined
  /** Is told of a finalised head; the number may be any. */
  readonly announce: (number: BlockNumber) => void
}

/**
 * Sees to it that the endpoint in use is one of the right chain, which has all that was final before and goes on. What
 * it says beyond that is believed.
 */
export class Guard {
  readonly #options: GuardOptions
  #genesis: BlockHash | undefined
  /** The highest head that the endpoint in use has shown. */
  #highest: BlockNumber = 0
  #isAsking = false
  #turn = 0
  #quiet = 1
  #timer: NodeJS.Timeout | undefined
  #connection: Connection | undefined
  #unsubscribe: () => void = () => undefined

  constructor(options: GuardOptions) {
    this.#options = options
    this.#genesis = options.expectedGenesis
  }

  /**
   * Lets a new socket in and hears its announcements from then on.
   * @throws SlotmeshError `chain/wrong-genesis`, `chain/forked`, `chain/lagging`, or what requests throw.
   */
  async admit(socket: RpcSocket, signal: AbortSignal): Promise<void> {
    const head = await this.#examine(socket, signal)
    const known = this.#options.known()
    if (known !== undefined && head.number < known.number) {
      throw new SlotmeshError(
        'chain/lagging',
        `The endpoint ${socket.endpoint} has finalised block ${head.number} only, and ${known.number} was final before; let it catch up.`,
      )
    }
    this.#highest = head.number
    this.#quiet = 1
    await this.#subscribe(socket, signal)
    this.#options.announce(head.number)
    this.#waitForNews()
  }

  /** Keeps an eye on whichever endpoint is in use until the connection is closed. */
  watch(connection: Connection): void {
    this.#connection = connection
    connection.closing.addEventListener('abort', () => clearTimeout(this.#timer))
    this.#waitForNews()
    void this.#compareRegularly(connection)
  }

  /** The finalised head of an endpoint of the right chain. @throws as `admit`. */
  async #examine(socket: RpcSocket, signal: AbortSignal): Promise<BlockRef> {
    const rpc = new Rpc(socket)
    const genesis = await rpc.blockHash(0, signal)
    this.#genesis ??= genesis
    if (genesis !== this.#genesis) throw wrongGenesis(socket.endpoint, genesis, this.#genesis)
    const head = await rpc.finalisedHead(signal)
    const known = this.#options.known()
    if (known !== undefined && head.number >= known.number) {
      const hash = await rpc.blockHash(known.number, signal)
      if (hash !== known.hash) throw forked(socket.endpoint, known, hash)
    }
    return head
  }

  async #subscribe(socket: RpcSocket, signal: AbortSignal): Promise<void> {
    this.#unsubscribe()
    this.#unsubscribe = await subscribeFinalisedHeads(socket, (head) => this.#heard(socket, head), signal)
  }

  #heard(socket: RpcSocket, { number, parentHash }: AnnouncedHead): void {
    const known = this.#options.known()
    if (known !== undefined && number === known.number + 1 && parentHash !== known.hash) {
      const { code, message } = forked(socket.endpoint, known, parentHash)
      socket.lose(code, message)
      return
    }
    if (number > this.#highest) {
      this.#highest = number
      this.#quiet = 1
      this.#waitForNews()
    } else if (number < this.#highest) {
      // Late news, or an endpoint that has lost blocks.
      void this.#ask(socket)
    }
    this.#options.announce(number)
  }

  #waitForNews(): void {
    clearTimeout(this.#timer)
    if (this.#connection === undefined || this.#connection.closing.aborted) return
    const pause = this.#options.quietAfterMs * this.#quiet
    this.#timer = setTimeout(() => void this.#breakSilence(), pause).unref()
  }

  async #breakSilence(): Promise<void> {
    const connection = this.#connection
    const socket = connection?.current
    if (connection !== undefined && socket !== undefined) {
      const before = this.#highest
      this.#quiet = Math.min(this.#quiet * 2, LONGEST_QUIET)
      const number = await this.#ask(socket)
      if (number !== undefined && number <= before) await this.#seekNews(connection, number)
    }
    this.#waitForNews()
  }

  /** Asks for the finalised head where the announcements do not tell; undefined when the endpoint is left for it. */
  async #ask(socket: RpcSocket): Promise<BlockNumber | undefined> {
    if (this.#isAsking) return undefined
    this.#isAsking = true
    try {
      const { number } = await this.#limited(socket, (signal) => new Rpc(socket).finalisedHead(signal))
      if (number > this.#highest) await this.#listenAnew(socket, number)
      if (number >= (this.#options.known()?.number ?? 0)) return number
      socket.lose('chain/lagging', `its finalised head went back to block ${number}`)
    } catch (thrown) {
      // A lost socket is told by the connection; one that only keeps silent is to be lost.
      if (!socket.closed.aborted) socket.lose('chain/silent', 'it does not say what is final', { cause: thrown })
    } finally {
      this.#isAsking = false
    }
    return undefined
  }

  async #listenAnew(socket: RpcSocket, number: BlockNumber): Promise<void> {
    const { logger, announce } = this.#options
    logger.warn('the chain endpoint announces nothing any more; subscribing again', { endpoint: socket.endpoint })
    this.#highest = number
    this.#quiet = 1
    await this.#limited(socket, (signal) => this.#subscribe(socket, signal))
    announce(number)
  }

  /** Either the whole chain stands still or this endpoint does, which only another one can tell. */
  async #seekNews(connection: Connection, number: BlockNumber): Promise<void> {
    const other = await this.#askAnother(connection)
    if (other === undefined || other.number <= number) return
    const reason = `it has had no news since block ${number}, and ${other.endpoint.url} is at ${other.number}`
    connection.switchTo(other.endpoint, 'chain/quiet', reason)
  }

  async #compareRegularly(connection: Connection): Promise<void> {
    try {
      for (;;) {
        const readBefore = this.#options.known()?.number
        const judged = connection.current
        await delay(this.#options.compareEveryMs, undefined, { signal: connection.closing, ref: false })
        const other = connection.current === undefined ? undefined : await this.#askAnother(connection)
        // One that has only just come into use had no time to show what can be read from it.
        if (connection.current !== judged) continue
        // What it announces is worth nothing when none of it can be read.
        const read = this.#options.known()?.number
        const at = read === readBefore ? Math.min(read ?? this.#highest, this.#highest) : this.#highest
        if (other === undefined || other.number <= at + MOST_BEHIND) continue
        const reason = `no more than block ${at} is had from it, and ${other.endpoint.url} is at ${other.number}`
        connection.switchTo(other.endpoint, 'chain/lagging', reason)
      }
    } catch (thrown) {
      if (!connection.closing.aborted) throw thrown
    }
  }

  /** The finalised head of one of the other endpoints, each in its turn; undefined when it does not tell. */
  async #askAnother(
    connection: Connection,
  ): Promise<{ readonly endpoint: Endpoint; readonly number: BlockNumber } | undefined> {
    const rested = connection.others.filter(({ pause }) => pause === 0)
    const endpoint = rested[this.#turn++ % rested.length]
    if (endpoint === undefined) return undefined
    const { timeoutMs, logger } = this.#options
    let socket: RpcSocket | undefined
    try {
      const { number } = await bounded({ signals: [connection.closing], timeoutMs }, async (signal) => {
        socket = await RpcSocket.open(endpoint.url, signal)
        return this.#examine(socket, signal)
      })
      return { endpoint, number }
    } catch (thrown) {
      if (connection.closing.aborted) return undefined
      const failure = isUnanswered(thrown) ? unreachable([endpoint.url], thrown) : thrown
      endpoint.failed(failure)
      const code = codeOf(failure)
      const level = code === 'chain/forked' ? 'error' : 'debug'
      logger[level]('another chain endpoint is no help', { endpoint: endpoint.url, code, reason: messageOf(failure) })
      return undefined
    } finally {
      socket?.close()
    }
  }

  #limited<T>(socket: RpcSocket, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return bounded({ signals: [socket.closed], timeoutMs: this.#options.timeoutMs }, work)
  }
}

function wrongGenesis(endpoint: string, found: BlockHash, expected: BlockHash): SlotmeshError {
  return new SlotmeshError(
    'chain/wrong-genesis',
    `The chain at ${endpoint} begins with block ${found} and not with ${expected}: correct the address.`,
  )
}

function forked(endpoint: string, { number, hash }: BlockRef, found: BlockHash): SlotmeshError {
  return new SlotmeshError(
    'chain/forked',
    `The endpoint ${endpoint} has ${found} as block ${number}, and ${hash} was final before; find out which of the endpoints is wrong.`,
  )
}

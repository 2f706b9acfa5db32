import type { FastifyReply, FastifyRequest } from 'fastify'
import { zero } from '../crypto/index.js'
import { bounded, type Logger } from '../domain/index.js'
import { codeOf } from './guard.js'
import type { Failure } from './replies.js'
import type { ApiLimits } from './settings.js'

/** What a route answers. A string is plain text; `secret` is JSON whose bytes are zeroed when they are sent. */
export type Answer =
  | { readonly http: number; readonly body: string | Readonly<Record<string, unknown>> }
  | { readonly http: number; readonly secret: Uint8Array }

/** Bounds the work on a request, and sends what comes of it. */
export class Answering {
  readonly #limits: Required<ApiLimits>
  readonly #closing: AbortSignal
  readonly #logger: Logger

  constructor(limits: Required<ApiLimits>, closing: AbortSignal, logger: Logger) {
    this.#limits = limits
    this.#closing = closing
    this.#logger = logger
  }

  /** The work ends with the time for it, when the server closes, and when whoever asked has left. */
  async answer(
    { method, routeOptions }: FastifyRequest,
    reply: FastifyReply,
    { isLong = false }: { readonly isLong?: boolean },
    work: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<FastifyReply> {
    const left = new AbortController()
    const leave = () => left.abort(new DOMException('Whoever asked has left.', 'AbortError'))
    reply.raw.once('close', leave)
    try {
      const timeoutMs = isLong ? this.#limits.storeMs : this.#limits.answerMs
      const answer = await bounded({ signals: [this.#closing, left.signal], timeoutMs }, work)
      this.#logger.debug('answered a client', { route: `${method} ${routeOptions.url ?? ''}`, status: answer.http })
      return this.#send(reply, answer)
    } finally {
      reply.raw.off('close', leave)
    }
  }

  /** Notes a failure that is this node's own. */
  failed(thrown: unknown, { http, body, isOwn }: Failure): Answer {
    if (isOwn && !this.#closing.aborted) this.#logger.error('a client was not answered', { code: codeOf(thrown) })
    return { http, body }
  }

  #send(reply: FastifyReply, answer: Answer): FastifyReply {
    reply.code(answer.http).header('cache-control', 'no-store')
    if ('secret' in answer) {
      const { secret } = answer
      // It closes when all is sent, and when that cannot be done.
      reply.raw.once('close', () => zero(secret))
      if (reply.raw.destroyed) zero(secret)
      return reply.type('application/json; charset=utf-8').send(secret)
    }
    const { body } = answer
    if (typeof body === 'string') return reply.type('text/plain; charset=utf-8').send(body)
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(body))
  }
}

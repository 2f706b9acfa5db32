import type { FastifyInstance } from 'fastify'

/** A preflight may be remembered for this long, in s. */
const REMEMBERED_S = 600

/**
 * Has browsers let web pages ask. There are no cookies: what a page may do is what it has signatures for, so any may ask
 * unless the operator names some.
 */
export function allowOrigins(app: FastifyInstance, origins: readonly string[] | undefined): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    if (origins !== undefined) reply.header('vary', 'Origin')
    const allowed = origins === undefined ? '*' : origins.find((each) => each === origin)
    if (allowed === undefined) return
    reply.headers({ 'access-control-allow-origin': allowed, 'access-control-expose-headers': '*' })
  })
  app.options('*', (request, reply) => {
    const wanted = request.headers['access-control-request-headers']
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': 'GET,POST',
        'access-control-allow-headers': wanted ?? '*',
        'access-control-max-age': String(REMEMBERED_S),
      })
      .send()
  })
}

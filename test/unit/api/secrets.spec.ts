import assert from 'node:assert/strict'
import { once } from 'node:events'
import { fastify } from 'fastify'
import { Answering } from '../../../src/api/answering.js'
import { parseJson, requestIn, storeBody } from '../../../src/api/bodies.js'
import { DEFAULT_LIMITS } from '../../../src/api/settings.js'
import { utf8 } from '../../../src/crypto/index.js'
import { silentLogger } from '../../../src/domain/index.js'

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0)

describe('the client API and the bytes of secrets', () => {
  it('leaves nothing of a body, whether it is JSON or not', () => {
    const right = Buffer.from('{"data":"a share"}')
    assert.deepEqual(parseJson(right), { data: 'a share' })
    assert.ok(isZero(right))
    const wrong = Buffer.from('{"data":"a share"')
    assert.throws(() => parseJson(wrong), { message: 'The body is not JSON.' })
    assert.ok(isZero(wrong))
  })

  it('says of a body what it lacks, and nothing of what it has', () => {
    assert.throws(
      () => requestIn(storeBody, { data: ['a share'], signature: '0x' }),
      (thrown: Error) => {
        assert.match(thrown.message, /owner_address/)
        assert.doesNotMatch(thrown.message, /a share|0x/)
        return true
      },
    )
  })

  it('takes nothing from prototypes', () => {
    const body = parseJson(Buffer.from('{"__proto__":{"data":"a share"}}'))
    assert.throws(() => requestIn(storeBody, body))
  })

  it('leaves nothing of an answer that is sent', async () => {
    const answering = new Answering(DEFAULT_LIMITS, new AbortController().signal, silentLogger)
    const secret = utf8('{"keyshare_data":"a share"}')
    const app = fastify()
    const closed = new Promise<void>((resolve) => {
      app.get('/', (request, reply) => {
        void once(reply.raw, 'close').then(() => resolve())
        return answering.answer(request, reply, {}, async () => ({ http: 200, secret }))
      })
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    assert.equal(await (await fetch(url)).text(), '{"keyshare_data":"a share"}')
    await closed
    assert.ok(isZero(secret))
    await app.close()
  })
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { SlotmeshError } from '../../../src/domain/index.js'
import { NFT, retrieving, SHARE, storing } from '../owner/fixture.js'
import { bodyOf, deferred, Stand } from './fixture.js'

const STORE = '/api/secret-nft/store-keyshare'

describe('the client API, with clients that mean no good', () => {
  let stand: Stand

  beforeEach(() => {
    stand = new Stand()
  })

  afterEach(() => stand.stop())

  const open = async (): Promise<Socket> => {
    const socket = connect(stand.port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }

  it('refuses a body that is too large', async () => {
    await stand.start({ limits: { bodyBytes: 4_000 } })
    assert.notEqual((await stand.post(STORE, storing())).status, 413)
    const response = await stand.post(STORE, 'x'.repeat(4_001))
    assert.equal(response.status, 413)
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/)
  })

  it('refuses a body that grows too large without saying so before', async () => {
    await stand.start({ limits: { bodyBytes: 4_000 } })
    const socket = await open()
    socket.write(
      `POST ${STORE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
    )
    for (let chunks = 0; chunks < 5; chunks += 1) socket.write(`3e8\r\n${'x'.repeat(1_000)}\r\n`)
    assert.match(await text(socket), /^HTTP\/1\.1 413 /)
  })

  it('refuses what is no JSON, in which case nothing of it is said again', async () => {
    await stand.start()
    const response = await stand.post(STORE, `{"data": "${SHARE}"`)
    assert.equal(response.status, 400)
    assert.equal(await response.text(), 'The body is not JSON.')
    assert.equal((await stand.post(STORE, 'x', { 'content-type': 'text/plain' })).status, 415)
    assert.equal((await stand.get(STORE, { method: 'POST' })).status, 422)
  })

  it('refuses JSON of another shape, and names fields alone', async () => {
    await stand.start()
    for (const body of [{ ...storing(), data: [SHARE] }, [SHARE], SHARE, null, { __proto__: null, data: SHARE }]) {
      const response = await stand.post(STORE, JSON.stringify(body))
      assert.equal(response.status, 422)
      assert.doesNotMatch(await response.text(), new RegExp(SHARE))
    }
    const request = { ...retrieving(), requester_type: 'EVERYBODY' }
    assert.equal((await stand.post('/api/secret-nft/retrieve-keyshare', request)).status, 422)
  })

  it('waits no longer for one who sends headers by drops', async () => {
    await stand.start({ limits: { requestMs: 300 } })
    const socket = await open()
    socket.write(`POST ${STORE} HTTP/1.1\r\nhost: x\r\n`)
    assert.match(await text(socket), /^(HTTP\/1\.1 408 |$)/)
  })

  it('waits no longer for one who sends a body by drops', async () => {
    await stand.start({ limits: { requestMs: 300 } })
    const socket = await open()
    socket.write(`POST ${STORE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`)
    assert.match(await text(socket), /^(HTTP\/1\.1 408 |$)/)
  })

  it('answers an address no more than so often, and others still', async () => {
    await stand.start({ proxies: ['127.0.0.1'], limits: { requestsPerMinute: 3 } })
    const from = (address: string) => stand.get('/healthz', { headers: { 'x-forwarded-for': address } })
    for (let times = 0; times < 3; times += 1) assert.equal((await from('192.0.2.1')).status, 200)
    const response = await from('192.0.2.1')
    assert.equal(response.status, 429)
    assert.equal(response.headers.get('retry-after'), '1')
    assert.equal((await bodyOf(response)).status, 'TOOMANYREQUESTS')
    assert.equal((await from('192.0.2.2')).status, 200)
  })

  it('takes all addresses of one network for one', async () => {
    await stand.start({ proxies: ['127.0.0.1'], limits: { requestsPerMinute: 1 } })
    const from = (address: string) => stand.get('/healthz', { headers: { 'x-forwarded-for': address } })
    assert.equal((await from('2001:db8::1')).status, 200)
    assert.equal((await from('2001:db8::2')).status, 429)
  })

  it('believes nobody else who he is', async () => {
    await stand.start({ limits: { requestsPerMinute: 1 } })
    const from = (address: string) => stand.get('/healthz', { headers: { 'x-forwarded-for': address } })
    assert.equal((await from('192.0.2.1')).status, 200)
    assert.equal((await from('192.0.2.2')).status, 429)
  })

  it('answers all together no more than so often', async () => {
    await stand.start({ limits: { requestsPerMinuteInAll: 2 } })
    for (const http of [200, 200, 503]) assert.equal((await stand.get('/healthz')).status, http)
  })

  it('does no more than so much at once', async () => {
    await stand.start({ limits: { atOnce: 1 } })
    const [begun, end] = [deferred<void>(), deferred<never>()]
    stand.node.trouble = () => {
      begun.resolve()
      return end.promise
    }
    const first = stand.post(STORE, storing())
    await begun.promise
    assert.equal((await stand.get('/healthz')).status, 503)
    end.reject(new SlotmeshError('chain/unreachable', 'No chain.'))
    await (await first).text()
    assert.equal((await stand.get('/healthz')).status, 200)
  })

  it('keeps no more than so many connections of one address', async () => {
    await stand.start({ limits: { connectionsPerAddress: 2 } })
    const kept = [await open(), await open()]
    const third = await open()
    third.resume()
    await once(third, 'close')
    kept[0]?.destroy()
    for (const socket of kept.slice(1)) socket.destroy()
  })

  it('hears nobody but the proxies that are named', async () => {
    await stand.start({ listen: '127.0.0.1:0', proxies: ['10.0.0.0/8'] })
    const response = await stand.get('/healthz', { headers: { 'x-forwarded-for': '10.0.0.1' } })
    assert.equal(response.status, 403)
  })

  it('lets go of a node that takes too long', async () => {
    await stand.start({ limits: { answerMs: 20 } })
    stand.node.trouble = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const response = await stand.post('/api/secret-nft/retrieve-keyshare', retrieving())
    assert.equal(response.status, 408)
    assert.equal(await response.text(), 'Request took too long')
  })

  it('ends the work for one who leaves', async () => {
    await stand.start()
    const [begun, ended] = [deferred<void>(), deferred<unknown>()]
    stand.node.trouble = (signal) =>
      new Promise((_, reject) => {
        begun.resolve()
        signal.addEventListener('abort', () => {
          ended.resolve(signal.reason)
          reject(signal.reason)
        })
      })
    const leaving = new AbortController()
    const asked = stand.get(STORE, {
      method: 'POST',
      body: JSON.stringify(storing()),
      headers: { 'content-type': 'application/json' },
      signal: leaving.signal,
    })
    await begun.promise
    leaving.abort()
    await assert.rejects(asked)
    assert.match(String(await ended.promise), /has left/)
  })

  it('ends what is under way when it stops', async () => {
    await stand.start()
    const begun = deferred<void>()
    stand.node.trouble = (signal) =>
      new Promise((_, reject) => {
        begun.resolve()
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    const asked = stand.post(STORE, storing())
    await begun.promise
    await stand.stop()
    const response = await asked
    assert.equal(response.status, 503)
    assert.equal((await bodyOf(response)).status, 'UNAVAILABLE')
  })

  it('says back no more of a path than it has to', async () => {
    await stand.start()
    const { description } = await bodyOf(await stand.get(`/${'x'.repeat(5_000)}/${NFT}`))
    assert.ok(description.length < 300)
  })
})

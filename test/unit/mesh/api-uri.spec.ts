import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { multiaddrsAt } from '../../../src/mesh/api-uri.js'

const ADDRESS = '/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'

describe('asking an enclave’s API where its host is', () => {
  let server: Server
  let answer: (request: IncomingMessage, response: ServerResponse) => void
  let asked: string[]
  let ending: AbortController

  beforeEach(async () => {
    asked = []
    ending = new AbortController()
    answer = (_, response) => response.end(JSON.stringify({ multiaddrs: [ADDRESS] }))
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      answer(request, response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })

  afterEach(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  const port = () => (server.address() as AddressInfo).port
  const ask = async (apiUri: string, allowPrivateAddresses = true) =>
    (await multiaddrsAt(apiUri, { allowPrivateAddresses, signal: ending.signal })).map(String)

  it('asks its health, below whatever path is registered', async () => {
    assert.deepEqual(await ask(`http://127.0.0.1:${port()}`), [ADDRESS])
    assert.deepEqual(await ask(`http://localhost:${port()}/below/?query#hash`), [ADDRESS])
    assert.deepEqual(asked, ['GET /api/health', 'GET /below/api/health'])
  })

  it('takes the answer of a node that is in its setup', async () => {
    answer = (_, response) => response.writeHead(205).end(JSON.stringify({ multiaddrs: [ADDRESS] }))
    assert.deepEqual(await ask(`http://127.0.0.1:${port()}`), [ADDRESS])
  })

  it('asks no private address unless it may, whatever it is called', async () => {
    const hosts = [
      '127.0.0.1',
      'localhost',
      '2130706433',
      '0x7f.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '10.0.0.1',
      '169.254.169.254',
    ]
    for (const host of hosts) {
      await assert.rejects(ask(`http://${host}:${port()}`, false), { code: 'mesh/private-address' }, host)
    }
    assert.deepEqual(asked, [])
  })

  it('asks nothing that is no URL of the web', async () => {
    for (const uri of ['file:///etc/passwd', 'ftp://127.0.0.1', 'http://user:word@127.0.0.1', 'https://', '', '://']) {
      await assert.rejects(ask(uri), { code: 'mesh/bad-api-uri' }, uri)
    }
  })

  it('goes nowhere else', async () => {
    answer = (_, response) => response.writeHead(302, { location: `http://127.0.0.1:${port()}/secret` }).end()
    await assert.rejects(ask(`http://127.0.0.1:${port()}`), { code: 'mesh/api-unreadable' })
    assert.deepEqual(asked, ['GET /api/health'])
  })

  it('reads no more than a health report can be', async () => {
    answer = (_, response) => {
      response.on('error', () => undefined)
      const more = () => response.write('x'.repeat(8_192)) && setImmediate(more)
      more()
      response.on('drain', more)
    }
    await assert.rejects(ask(`http://127.0.0.1:${port()}`), { code: 'mesh/api-unreadable' })
  })

  it('takes nothing for addresses that is none, and no more than a record may have', async () => {
    for (const body of ['', 'nonsense', '{}', '[]', '{"multiaddrs":[1]}', 'null']) {
      answer = (_, response) => response.end(body)
      await assert.rejects(ask(`http://127.0.0.1:${port()}`), { code: 'mesh/api-unreadable' }, body)
    }
    const many = ['nonsense', `/dns4/${'x'.repeat(600)}/tcp/1`, ...Array.from({ length: 20 }, () => ADDRESS)]
    answer = (_, response) => response.end(JSON.stringify({ multiaddrs: many }))
    assert.equal((await ask(`http://127.0.0.1:${port()}`)).length, 6)
  })

  it('ends with the signal, however long the other side is silent', async () => {
    answer = () => ending.abort(new Error('enough'))
    await assert.rejects(ask(`http://127.0.0.1:${port()}`), { message: 'enough' })
    await assert.rejects(ask(`http://127.0.0.1:${port()}`), { message: 'enough' })
  })
})

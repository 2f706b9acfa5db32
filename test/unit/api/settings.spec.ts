import assert from 'node:assert/strict'
import { type ApiSettings, startApi } from '../../../src/api/index.js'
import { silentLogger } from '../../../src/domain/index.js'
import { PaperNode, Stand } from './fixture.js'

describe('the settings of the client API', () => {
  const start = async (settings: ApiSettings) => {
    const server = await startApi(settings, new PaperNode(), silentLogger)
    await server.stop()
    return server.url
  }

  it('allow plain HTTP on loopback, and behind proxies that are named', async () => {
    assert.match(await start({ listen: '127.0.0.1:0' }), /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.match(await start({ listen: '0' }), /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.match(await start({ listen: 'localhost:0' }), /^http:\/\/localhost:\d+$/)
    assert.match(await start({ listen: '0.0.0.0:0', proxies: ['10.0.0.2', 'fd00::/8'] }), /^http:/)
  })

  it('allow plain HTTP nowhere else', async () => {
    for (const listen of ['0.0.0.0:0', '192.0.2.1:80', '[::]:0']) {
      await assert.rejects(start({ listen }), { code: 'api/no-tls', message: /in the clear/ })
      await assert.rejects(start({ listen, proxies: [] }), { code: 'api/no-tls' })
    }
  })

  it('refuse addresses that are none', async () => {
    for (const listen of ['', 'node.example:80', '127.0.0.1', '127.0.0.1:70000', '::1:80', '[127.0.0.1]:80', 'a b:c']) {
      await assert.rejects(start({ listen }), { code: 'web/bad-address' })
    }
  })

  it('refuse proxies that are none', async () => {
    for (const proxy of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', '10.0.0.0/8/8', '10.0.0.0/-1']) {
      await assert.rejects(start({ listen: '127.0.0.1:0', proxies: [proxy] }), { code: 'api/bad-proxy' })
    }
  })

  it('refuse certificates that cannot be read, or are none', async () => {
    const listen = '127.0.0.1:0'
    const none = { certificate: '/nowhere/cert.pem', key: '/nowhere/key.pem' }
    await assert.rejects(start({ listen, tls: none }), { code: 'api/bad-certificate', message: /cert\.pem/ })
    const file = new URL(import.meta.url).pathname
    await assert.rejects(start({ listen, tls: { certificate: file, key: file } }), { code: 'api/bad-certificate' })
  })

  it('refuse a port that is taken', async () => {
    const stand = new Stand()
    await stand.start()
    await assert.rejects(start({ listen: `127.0.0.1:${stand.port}` }), { code: 'api/cannot-listen' })
    await stand.stop()
  })

  describe('for web pages', () => {
    const stand = new Stand()
    afterEach(() => stand.stop())

    it('let any page ask', async () => {
      await stand.start()
      const headers = { origin: 'https://wallet.example' }
      const response = await stand.get('/api/health', { headers })
      assert.equal(response.headers.get('access-control-allow-origin'), '*')
      assert.equal(response.headers.get('access-control-expose-headers'), '*')
      const preflight = await stand.get('/api/secret-nft/store-keyshare', {
        method: 'OPTIONS',
        headers: { ...headers, 'access-control-request-headers': 'content-type,x-own' },
      })
      assert.equal(preflight.status, 204)
      assert.equal(preflight.headers.get('access-control-allow-methods'), 'GET,POST')
      assert.equal(preflight.headers.get('access-control-allow-headers'), 'content-type,x-own')
    })

    it('let only pages ask that are named', async () => {
      await stand.start({ origins: ['https://wallet.example'] })
      const allowed = async (origin: string) =>
        (await stand.get('/api/health', { headers: { origin } })).headers.get('access-control-allow-origin')
      assert.equal(await allowed('https://wallet.example'), 'https://wallet.example')
      assert.equal(await allowed('https://other.example'), null)
    })
  })
})

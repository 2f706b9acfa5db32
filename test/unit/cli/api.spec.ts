import assert from 'node:assert/strict'
import { apiOf } from '../../../src/cli/api.js'
import { resolveSettings } from '../../../src/config/index.js'

describe('the client API by a node’s settings', () => {
  const api = async (flags: Readonly<Record<string, unknown>>) =>
    apiOf(await resolveSettings({ flags: new Map(Object.entries(flags)) }))

  it('is nowhere when nothing says where', async () => {
    assert.equal(await api({}), undefined)
  })

  it('is where it is said, with its limits', async () => {
    const settings = await api({ 'api.listen': '127.0.0.1:8080', 'api.proxies': ['10.0.0.2'], 'api.bodyBytes': '9000' })
    assert.deepEqual(settings, {
      listen: '127.0.0.1:8080',
      proxies: ['10.0.0.2'],
      limits: { requestsPerMinute: 240, requestsPerMinuteInAll: 6_000, bodyBytes: 9_000 },
    })
  })

  it('has a certificate with its key', async () => {
    const both = { 'api.certificate': 'c.pem', 'api.key': 'k.pem' }
    const settings = await api({ 'api.listen': '0.0.0.0:8443', ...both, 'api.origins': ['https://a.example'] })
    assert.deepEqual(settings?.tls, { certificate: 'c.pem', key: 'k.pem' })
    assert.deepEqual(settings?.origins, ['https://a.example'])
    await assert.rejects(api(both), { code: 'cli/bad-option', message: /api\.listen/ })
    await assert.rejects(api({ 'api.listen': '0.0.0.0:1', 'api.key': 'k.pem' }), { code: 'cli/bad-option' })
  })
})

import assert from 'node:assert/strict'
import { createMetrics, serveMetrics } from '../../../src/metrics/index.js'
import { MadeUpNode } from '../../support/made-up-node.js'

describe('the server of the metrics', () => {
  it('gives them to Prometheus by the names it was told of, and nothing else', async () => {
    const metrics = createMetrics()
    metrics.watch(new MadeUpNode())
    const served = await serveMetrics(metrics, { listen: { host: '127.0.0.1', port: 0 } })
    try {
      const response = await fetch(served.url)
      assert.equal(response.status, 200)
      assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
      assert.match(await response.text(), /^slotmesh_sync_lag_blocks 2$/m)
      assert.equal((await fetch(new URL('/', served.url))).status, 404)
      assert.equal((await fetch(served.url, { method: 'POST' })).status, 405)
    } finally {
      await served.close()
    }
  })

  it('says of itself that it could not, when the node cannot be asked', async () => {
    const text = () => Promise.reject(new Error('the store is closed, at /a/path'))
    const served = await serveMetrics(
      { text, contentType: 'text/plain; version=0.0.4; charset=utf-8' },
      { listen: { host: '127.0.0.1', port: 0 } },
    )
    try {
      const response = await fetch(served.url)
      assert.equal(response.status, 500)
      assert.doesNotMatch(await response.text(), /path/)
    } finally {
      await served.close()
    }
  })
})

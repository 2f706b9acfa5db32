import assert from 'node:assert/strict'
import { createMetrics } from '../../../src/metrics/index.js'
import { TestMesh } from './mesh.js'

describe('what libp2p counts', () => {
  const mesh = new TestMesh()

  after(() => mesh.stop())

  it('is counted for each host of a process apart, by protocol and direction', async () => {
    const [one, other] = [createMetrics(), createMetrics()]
    const first = await mesh.join({ metrics: one.mesh })
    const second = await mesh.create({ metrics: other.mesh })
    await second.host.start()
    assert.doesNotMatch(await one.text(), /libp2p_data_transfer_bytes_total\{/)
    await second.host.libp2p.services.ping.ping(first.host.libp2p.getMultiaddrs()[0] ?? assert.fail())
    const sent = /libp2p_data_transfer_bytes_total\{protocol="\/ipfs\/ping\/1.0.0",direction="sent"\} (\d+)/
    assert.equal(sent.exec(await other.text())?.[1], '32')
    assert.equal(sent.exec(await one.text())?.[1], '32')
    assert.match(await one.text(), /libp2p_data_transfer_bytes_total\{protocol="connection",direction="received"\} \d+/)
    assert.match(await other.text(), /libp2p_connection_manager_connections/)
    assert.match(await one.text(), /libp2p_tcp_inbound_connections_total\{address="127.0.0.1:\d+"\} 1/)
  })
})

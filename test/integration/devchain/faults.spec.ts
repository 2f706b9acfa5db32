import assert from 'node:assert/strict'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { type DevelopmentChain, type Endpoint, startDevelopmentChain } from '../../../src/devchain/index.js'
import { ChainUser } from './chain-user.js'
import { RawClient } from './raw-client.js'

const headSchema = z.object({ number: z.templateLiteral(['0x', z.hex()]).transform(Number) })
const HEADS = 'chain_finalizedHead'

describe('the faults of an endpoint of the development chain', () => {
  let chain: DevelopmentChain
  let endpoint: Endpoint
  let client: RawClient

  beforeEach(async () => {
    chain = await startDevelopmentChain({ blockTime: 'manual', finalityLag: 0 })
    endpoint = await chain.openEndpoint()
    client = await RawClient.connect(endpoint.url)
  })

  afterEach(async () => {
    client.close()
    await chain.stop()
  })

  const heads = (from = client): number[] => from.notified(HEADS).map((head) => headSchema.parse(head).number)

  async function number(method: string, ...params: unknown[]): Promise<number> {
    return headSchema.parse(await client.result(method, ...params)).number
  }

  /** Everything that was sent before the answer to this has arrived. */
  const settled = () => client.result('system_name')

  function seal(blocks: number): void {
    for (let made = 0; made < blocks; made++) chain.sealBlock()
  }

  it('are those of this endpoint only', async () => {
    const other = await RawClient.connect(chain.url)
    await client.result('chain_subscribeFinalizedHeads')
    await other.result('chain_subscribeFinalizedHeads')
    endpoint.faults.notifications = 'none'
    chain.faults.notifications = 'duplicate'
    seal(2)
    await settled()
    await other.until(() => heads(other).length === 5)
    assert.deepEqual(heads(), [0])
    assert.deepEqual(heads(other), [0, 1, 1, 2, 2])
    other.close()
  })

  it('leave out every second finalised head', async () => {
    endpoint.faults.notifications = 'skip'
    await client.result('chain_subscribeFinalizedHeads')
    seal(4)
    await settled()
    assert.deepEqual(heads(), [0, 2, 4])
  })

  it('delay answers and notifications alike, many at once and in order', async () => {
    await client.result('chain_subscribeFinalizedHeads')
    await client.until(() => heads().length === 1)
    endpoint.faults.latency = 100
    const began = performance.now()
    seal(1)
    endpoint.faults.latency = 50
    await Promise.all(Array.from({ length: 20 }, (_, index) => client.result('chain_getBlockHash', [index, 0])))
    const took = performance.now() - began
    assert.deepEqual(heads(), [0, 1])
    assert.ok(took >= 99 && took < 1000, `${took} ms`)
  })

  it('cut connections, and refuse new ones', async () => {
    const closed = once(client.socket, 'close')
    endpoint.faults.refuseConnections = true
    endpoint.faults.dropConnections()
    assert.deepEqual((await closed)[0], 1006)
    await assert.rejects(RawClient.connect(endpoint.url), /503/)
    endpoint.faults.refuseConnections = false
    client = await RawClient.connect(endpoint.url)
    assert.equal(await number('chain_getHeader'), 0)
  })

  it('pause: nothing is answered until it ends, not even a ping or a handshake', async () => {
    await client.result('chain_subscribeFinalizedHeads')
    const other = await RawClient.connect(chain.url)
    endpoint.faults.isPaused = true
    const got: string[] = []
    client.socket.once('pong', () => got.push('pong'))
    client.socket.ping()
    const asked = client.result('chain_getBlockHash', [1]).then(() => got.push('answer'))
    const late = new WebSocket(endpoint.url)
    const opened = once(late, 'open').then(() => got.push('open'))
    seal(1)
    // A round trip on another endpoint of the same process, several times over: what is not paused is long there.
    for (let trips = 0; trips < 20; trips++) await other.result('system_name')
    assert.deepEqual([got, heads()], [[], [0]])
    endpoint.faults.isPaused = false
    await Promise.all([asked, opened])
    assert.deepEqual(got.sort(), ['answer', 'open', 'pong'])
    assert.deepEqual(heads(), [0, 1])
    late.close()
    other.close()
  })

  it('do not keep a paused chain from stopping', async () => {
    endpoint.faults.isPaused = true
    const late = new WebSocket(endpoint.url)
    const failed = once(late, 'error')
    await once(client.socket, 'ping', { signal: AbortSignal.timeout(20) }).catch(() => undefined)
    await chain.stop()
    late.terminate()
    await failed
  })

  it('send what is no JSON', async () => {
    endpoint.faults.sendGarbage('{"jsonrpc":')
    await client.until(() => client.garbage.length === 1)
    assert.deepEqual(client.garbage, ['{"jsonrpc":'])
  })

  it('go back to an earlier block in every answer, and catch up', async () => {
    seal(5)
    const hash = await client.result('chain_getBlockHash', 5)
    await client.result('chain_subscribeFinalizedHeads')
    await client.result('chain_subscribeNewHeads')
    endpoint.faults.showUpTo = 3
    seal(1)
    assert.equal(await number('chain_getHeader'), 3)
    assert.equal(await number('chain_getHeader', await client.result('chain_getFinalizedHead')), 3)
    assert.deepEqual(await client.result('chain_getBlockHash', [3, 4]), [
      await client.result('chain_getBlockHash', 3),
      null,
    ])
    assert.equal(await client.result('chain_getBlock', hash), null)
    endpoint.faults.showUpTo = undefined
    assert.equal(await number('chain_getHeader'), 6)
    seal(1)
    await settled()
    assert.deepEqual(heads(), [5, 3, 6, 7])
    assert.deepEqual(
      client.notified('chain_newHead').map((head) => headSchema.parse(head).number),
      [5, 3, 6, 7],
    )
  })

  it('tell nothing of a transaction that is in a later block', async () => {
    const user = await ChainUser.start()
    const lagging = await user.chain.openEndpoint()
    const watcher = await RawClient.connect(lagging.url)
    lagging.faults.showUpTo = 0
    const remark = await user.tx('system.remark', 'hello').signAsync(user.alice)
    await watcher.result('author_submitAndWatchExtrinsic', remark.toHex())
    const { hash } = user.chain.sealBlock()
    await watcher.result('system_name')
    assert.deepEqual(watcher.notified('author_extrinsicUpdate'), ['ready'])
    lagging.faults.showUpTo = 1
    await watcher.until(() => watcher.notified('author_extrinsicUpdate').length === 3)
    assert.deepEqual(watcher.notified('author_extrinsicUpdate'), ['ready', { inBlock: hash }, { finalized: hash }])
    watcher.close()
    await user.stop()
  })
})

import assert from 'node:assert/strict'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import { type DevelopmentChain, startDevelopmentChain } from '../../../src/devchain/index.js'
import { logger, signal } from './fixture.js'
import { Wire } from './wire.js'

describe('the latest finalised block', () => {
  let server: DevelopmentChain
  let wire: Wire
  let chain: Chain

  const reach = async (number: number) => {
    for await (const { block } of chain.follow(number - 1, { signal })) {
      assert.equal(block.number, number)
      return
    }
  }
  const registryReads = () => wire.requests.filter((method) => method === 'state_getKeysPaged').length

  beforeEach(async () => {
    server = await startDevelopmentChain({ blockTime: 'manual', finalityLag: 0 })
    wire = await Wire.start(server.url)
    chain = await connectChain({ endpoints: [wire.url], logger })
  })

  afterEach(async () => {
    await chain.close()
    await wire.stop()
    await server.stop()
  })

  it('has the registry read anew after an upgrade, which may change it without an event', async () => {
    const { specVersion } = chain.health()
    const before = registryReads()
    server.sealBlock()
    await reach(1)
    assert.equal(registryReads(), before)
    wire.tamper = (result, { method }) =>
      method === 'state_getRuntimeVersion' ? { ...Object(result), specVersion: specVersion + 1 } : result
    server.sealBlock()
    await reach(2)
    assert.equal(registryReads(), before + 2)
    assert.equal(chain.health().specVersion, specVersion + 1)
    server.sealBlock()
    await reach(3)
    assert.equal(registryReads(), before + 2)
  })

  it('advances over a block that cannot be read, and the health tells of that until it can be', async () => {
    // A list of one event that says it holds two.
    wire.rewrite = (message) => [message.replace('"result":"0x04', '"result":"0x08')]
    server.sealBlock()
    await assert.rejects(reach(1), { code: 'chain/unreadable-block' })
    const { unreadable, finalised } = chain.health()
    assert.equal(finalised.number, 1)
    assert.deepEqual([unreadable?.block, unreadable?.item], [1, 'System.Events'])
    assert.match(unreadable?.message ?? '', /^Block 1 cannot be read at System\.Events/)
    wire.rewrite = (message) => [message]
    server.sealBlock()
    await reach(2)
    assert.equal(chain.health().unreadable?.block, 1)
    await reach(1)
    assert.equal(chain.health().unreadable, undefined)
  })
})

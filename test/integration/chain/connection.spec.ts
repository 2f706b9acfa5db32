import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import { toHex, utf8 } from '../../../src/crypto/index.js'
import { type DevelopmentChain, startDevelopmentChain } from '../../../src/devchain/index.js'
import type { BlockTriggers } from '../../../src/domain/index.js'
import { ChainWorld, enclaveOf, logger, signal } from './fixture.js'
import { Wire } from './wire.js'

const nextOf = async (blocks: AsyncIterator<BlockTriggers>): Promise<number> => {
  const { value } = await blocks.next()
  return value.block.number
}

describe('the connection to a chain', () => {
  let server: DevelopmentChain
  let wire: Wire
  let chain: Chain | undefined

  const seal = (blocks: number) => {
    for (let count = 0; count < blocks; count += 1) server.sealBlock()
  }

  beforeEach(async () => {
    server = await startDevelopmentChain({ blockTime: 'manual', finalityLag: 0 })
    wire = await Wire.start(server.url)
  })

  afterEach(async () => {
    await chain?.close()
    chain = undefined
    await wire.stop()
    await server.stop()
  })

  it('delivers every block exactly once across broken connections', async () => {
    seal(3)
    chain = await connectChain({ endpoints: [wire.url], logger })
    const blocks = chain.follow(0, { signal })[Symbol.asyncIterator]()
    assert.deepEqual([await nextOf(blocks), await nextOf(blocks), await nextOf(blocks)], [1, 2, 3])
    for (const first of [4, 44]) {
      wire.cut()
      // More than what is read ahead, and more than the gap that is searched for changes.
      seal(40)
      for (let number = first; number < first + 40; number += 1) assert.equal(await nextOf(blocks), number)
    }
    assert.equal(chain.finalised().number, 83)
    assert.equal(wire.connections, 3)
  })

  it('gives up a read while nobody answers, and reads again afterwards', async () => {
    chain = await connectChain({ endpoints: [wire.url], logger, connectTimeoutMs: 300 })
    wire.isUp = false
    wire.cut()
    await assert.rejects(chain.nft(1, { signal }), { code: 'chain/unreachable' })
    wire.isUp = true
    seal(1)
    assert.equal(await nextOf(chain.follow(0, { signal })[Symbol.asyncIterator]()), 1)
    assert.equal(await chain.nft(1, { signal }), undefined)
  })

  it('drops repeated and outdated announcements, and fills those left out', async () => {
    let announcements = 0
    let earlier: string | undefined
    wire.rewrite = (message) => {
      if (!message.includes('chain_finalizedHead')) return [message]
      announcements += 1
      if (announcements % 3 !== 0) return []
      const sent = [message, message, ...(earlier === undefined ? [] : [earlier])]
      earlier = message
      return sent
    }
    chain = await connectChain({ endpoints: [wire.url], logger })
    const blocks = chain.follow(0, { signal })[Symbol.asyncIterator]()
    // The first announcement is that of the head on subscribing.
    seal(8)
    for (let number = 1; number <= 8; number += 1) assert.equal(await nextOf(blocks), number)
    assert.equal(chain.finalised().number, 8)
  })

  it('stops at a block that it cannot read, and names it', async () => {
    chain = await connectChain({ endpoints: [wire.url], logger })
    const { rewrite } = wire
    // A list of one event that says it holds two.
    wire.rewrite = (message) => [message.replace('"result":"0x04', '"result":"0x08')]
    const blocks = chain.follow(0, { signal })[Symbol.asyncIterator]()
    const reading = nextOf(blocks)
    seal(1)
    await assert.rejects(reading, { code: 'chain/unreadable-block', message: /^Block 1 .*System\.Events/ })
    wire.rewrite = rewrite
    seal(1)
    const again = chain.follow(0, { signal })[Symbol.asyncIterator]()
    assert.deepEqual([await nextOf(again), await nextOf(again)], [1, 2])
  })

  it('refuses a chain that lacks an event or a call, and names it', async () => {
    const renamed = (from: string, to: string) => (message: string) => [
      message.replaceAll(toHex(utf8(from)).slice(2), toHex(utf8(to)).slice(2)),
    ]
    wire.rewrite = (message) =>
      renamed('CapsuleSynced', 'CapsuleSynxed')(renamed('add_secret_shard', 'add_secret_shart')(message)[0] ?? '')
    await assert.rejects(connectChain({ endpoints: [wire.url], logger }), {
      code: 'chain/unsupported',
      message: /has no call NFT\.add_secret_shard, no event NFT\.CapsuleSynced;/,
    })
  })

  it('refuses another chain than the expected', async () => {
    const other = await startDevelopmentChain({ blockTime: 'manual', name: 'another' })
    try {
      const connecting = connectChain({ endpoints: [server.url], logger, expectedGenesis: other.genesisHash })
      await assert.rejects(connecting, { code: 'chain/wrong-genesis' })
    } finally {
      await other.stop()
    }
  })

  it('gives up on who accepts a connection and says nothing, in the time it was given', async () => {
    const mute = createServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const sockets: { destroy(): void }[] = []
    mute.on('connection', (socket) => sockets.push(socket))
    const endpoint = `ws://127.0.0.1:${(mute.address() as AddressInfo).port}`
    const begun = Date.now()
    await assert.rejects(connectChain({ endpoints: [endpoint], logger, connectTimeoutMs: 200 }), {
      code: 'chain/unreachable',
    })
    assert(Date.now() - begun < 2_000)
    for (const socket of sockets) socket.destroy()
    mute.close()
  })

  it('refuses an address that is none', async () => {
    for (const endpoint of ['', 'localhost:9944', 'http://localhost:9944', 'ws://localhost:9944#x']) {
      await assert.rejects(connectChain({ endpoints: [endpoint], logger }), { code: 'chain/bad-endpoint' })
    }
  })

  it('writes nothing to the console, whatever happens', async () => {
    const written: unknown[] = []
    const methods = ['log', 'warn', 'error', 'info', 'debug'] as const
    const originals = methods.map((method) => console[method])
    for (const method of methods) console[method] = (...values) => void written.push(values)
    try {
      chain = await connectChain({ endpoints: [wire.url], logger })
      const blocks = chain.follow(0, { signal })[Symbol.asyncIterator]()
      wire.cut()
      seal(1)
      await nextOf(blocks)
      await chain.close()
      await assert.rejects(connectChain({ endpoints: ['ws://127.0.0.1:1'], logger }), { code: 'chain/unreachable' })
    } finally {
      for (const [index, method] of methods.entries()) console[method] = originals[index] ?? console[method]
    }
    assert.deepEqual(written, [])
  })
})

describe('a confirmation whose connection breaks', () => {
  it('is confirmed, once', async () => {
    const world = await ChainWorld.start(2, 1)
    const wire = await Wire.start(world.server.url)
    const chain = await connectChain({ endpoints: [wire.url], logger })
    try {
      const nftId = await world.mint('secret')
      // Cuts in place of the answer to the submission, and again in place of the news of what became of it.
      const cutAt = ['"result":"slotmesh', 'author_extrinsicUpdate']
      wire.rewrite = (message) => {
        const [next] = cutAt
        if (next === undefined || !message.includes(next)) return [message]
        cutAt.shift()
        setImmediate(() => wire.cut())
        return []
      }
      const { outcome } = await chain.confirm(enclaveOf(0, 0), { kind: 'secret', nftId }, { signal })
      assert.equal(outcome, 'confirmed')
      assert(wire.connections > 1)
      const again = await world.chain.confirm(enclaveOf(0, 0), { kind: 'secret', nftId }, { signal })
      assert.equal(again.outcome, 'already-confirmed')
    } finally {
      await chain.close()
      await wire.stop()
      await world.stop()
    }
  }).timeout(30_000)
})

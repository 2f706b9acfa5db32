import assert from 'node:assert/strict'
import { connectChain } from '../../../src/chain/index.js'
import type { Hex } from '../../../src/domain/index.js'
import { ChainWorld, enclaveOf, logger, signal } from './fixture.js'
import { Wire } from './wire.js'

describe('a lie about what became of a transaction', () => {
  let world: ChainWorld
  let wire: Wire

  before(async () => {
    world = await ChainWorld.start(2, 1)
  })

  beforeEach(async () => {
    wire = await Wire.start(world.server.url)
  })

  afterEach(() => wire.stop())

  after(() => world.stop())

  /** Confirms over the wire that lies, and gives the block that it was told. */
  async function confirmed(slot: number): Promise<Hex | undefined> {
    const nftId = await world.mint('secret')
    const chain = await connectChain({ endpoints: [wire.url], logger })
    try {
      const { outcome, block } = await chain.confirm(enclaveOf(0, slot), { kind: 'secret', nftId }, { signal })
      assert.equal(outcome, 'confirmed')
      const again = await world.chain.confirm(enclaveOf(0, slot), { kind: 'secret', nftId }, { signal })
      assert.equal(again.outcome, 'already-confirmed')
      return block?.hash
    } finally {
      await chain.close()
    }
  }

  const finalIn = (hash: Hex) => (message: string) => {
    if (!message.includes('author_extrinsicUpdate')) return [message]
    const { params, ...rest } = JSON.parse(message)
    return [JSON.stringify({ ...rest, params: { ...params, result: { finalized: hash } } })]
  }

  it('is not believed when it names a final block that does not hold it', async () => {
    const { hash } = world.chain.finalised()
    wire.rewrite = finalIn(hash)
    assert.notEqual(await confirmed(0), hash)
  })

  it('is not believed when it names a block that nobody has, and asks nobody for that', async () => {
    const hash: Hex = `0x${'ee'.repeat(32)}`
    wire.rewrite = finalIn(hash)
    assert.notEqual(await confirmed(1), hash)
    assert.equal(wire.connections, 1)
  })

  it('is not taken for success when the events of its block are kept back', async () => {
    const nftId = await world.mint('secret')
    const events = new Set<unknown>()
    let withheld = 0
    wire.intercept = ({ method, params }) => {
      // Only the second reading of a block's events is the one that looks for the outcome.
      const key = method === 'state_getStorage' ? JSON.stringify(params) : undefined
      if (key === undefined || !key.includes('26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7')) {
        return undefined
      }
      if (!events.has(key)) {
        events.add(key)
        return undefined
      }
      withheld += 1
      return { result: null }
    }
    const chain = await connectChain({ endpoints: [wire.url], logger })
    try {
      const confirming = chain.confirm(enclaveOf(0, 2), { kind: 'secret', nftId }, { signal })
      await assert.rejects(confirming, { code: 'chain/malformed-answer' })
      assert.ok(withheld > 0)
    } finally {
      await chain.close()
    }
  })
})

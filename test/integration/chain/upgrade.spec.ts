import assert from 'node:assert/strict'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import type { Trigger } from '../../../src/domain/index.js'
import { Encoder, editedMetadata, moveIndices } from '../../support/metadata.js'
import { logger, signal } from './fixture.js'
import { accountOf, registryEntries, Shelf, SyntheticChain, type SyntheticState } from './synthetic.js'

const [enclave, operator] = [accountOf(1), accountOf(2)]

/** A runtime with the indices of its pallets moved, so that what one wrote means something else to another. */
function runtimeOf(specVersion: number, generation: 1 | 2, moved: number, cluster: number) {
  const metadata = editedMetadata(generation, (parts) => {
    moveIndices(parts, 'NFT', moved)
    moveIndices(parts, 'Rent', moved)
    moveIndices(parts, 'TEE', moved)
  })
  const encoder = new Encoder(metadata)
  const shelf = new Shelf(
    registryEntries(encoder, generation, { [cluster]: [{ account: enclave, operator, slot: 0 }] }),
  )
  const eventsKey = encoder.key('system', 'events')
  /** Each block syncs the NFT of its own number. */
  const stateOf = (block: number): SyntheticState => ({
    specVersion,
    metadata,
    read: (key) => {
      if (key !== eventsKey) return shelf.read(key)
      return encoder.events(
        encoder.event(1, 'System', 'Remarked'),
        encoder.event(2, 'NFT', 'ShardAdded', block, enclave),
        encoder.event(2, 'NFT', 'SecretNFTSynced', block),
      )
    },
    keys: (prefix, size, after) => shelf.keys(prefix, size, after),
  })
  return { stateOf }
}

/** The last block of each runtime, which is the one that carries the upgrade to the next. */
const RUNTIMES = [
  { last: 20, ...runtimeOf(1, 1, 0, 3) },
  { last: 21, ...runtimeOf(2, 1, 1, 3) },
  { last: 50, ...runtimeOf(3, 2, 2, 3) },
  { last: 200, ...runtimeOf(4, 2, 3, 3) },
  // Its migration gives clusters other ids, of which no event tells.
  { last: Number.POSITIVE_INFINITY, ...runtimeOf(5, 2, 0, 4) },
]

const stateOf = (block: number) => {
  const runtime = RUNTIMES.find(({ last }) => block <= last)
  return runtime?.stateOf(block) ?? assert.fail('the last runtime has no end')
}

describe('a chain whose runtime is upgraded', () => {
  let server: SyntheticChain
  let chain: Chain | undefined

  const start = async (head: number) => {
    server = await SyntheticChain.start(head, stateOf)
    chain = await connectChain({ endpoints: [server.url], logger })
    return chain
  }

  afterEach(async () => {
    await chain?.close()
    await server.stop()
  })

  it('is read rightly on both sides of each upgrade, from several upgrades back', async () => {
    const following = (await start(300)).follow(0, { signal })
    const before = server.count('state_getRuntimeVersion')
    for (let block = 1; block <= 300; block += 1) {
      const { value } = await following.next()
      const cluster = block <= 200 ? 3 : 4
      assert.deepEqual(value?.triggers, [{ type: 'synced', kind: 'secret', nftId: block, cluster }])
    }
    await following.return(undefined)
    // Each of five is loaded once, but for those that were given up to bound the memory they take.
    assert.ok(server.count('state_getMetadata') <= RUNTIMES.length + 2, `${server.count('state_getMetadata')}`)
    // Where each ends is found by halving.
    assert.ok(server.count('state_getRuntimeVersion') - before <= 5 * 9)
  })

  it('is read rightly when the upgrades come while it is followed, and its generation with them', async () => {
    const running = await start(19)
    assert.equal(running.generation, 1)
    const triggers: Trigger[] = []
    for await (const { block, triggers: found } of running.follow(18, { signal })) {
      triggers.push(...found)
      if (block.number === 52) break
      server.advance(block.number + 1)
    }
    assert.deepEqual(
      triggers.map(({ nftId }) => nftId),
      Array.from({ length: 34 }, (_, at) => at + 19),
    )
    assert.equal(running.generation, 2)
    assert.equal(running.registry().seatOf(enclave)?.cluster, 3)
  })

  it('is read rightly in any order', async () => {
    const running = await start(300)
    for (const block of [60, 51, 50, 49, 23, 22, 21, 20, 201, 200]) {
      const following = running.follow(block - 1, { signal })
      assert.equal((await following.next()).value?.triggers[0]?.nftId, block)
      await following.return(undefined)
    }
  })

  it('holds few runtimes, and reads a former one again when it is asked about', async () => {
    const running = await start(300)
    for (const number of [10, 21, 40, 100, 10]) {
      const block = { number, hash: await running.blockHash(number, { signal }) }
      assert.equal((await running.registryAt(block, { signal })).seatOf(enclave)?.slot, 0)
    }
    const loaded = server.count('state_getMetadata')
    const following = running.follow(10, { signal })
    assert.equal((await following.next()).value?.triggers.length, 1)
    await following.return(undefined)
    assert.ok(server.count('state_getMetadata') > loaded)
  })
})

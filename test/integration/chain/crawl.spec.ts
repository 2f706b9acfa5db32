import assert from 'node:assert/strict'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import type { Hex, LogFields, Logger } from '../../../src/domain/index.js'
import { Encoder, editedMetadata } from '../../support/metadata.js'
import { signal } from './fixture.js'
import { accountOf, registryEntries, Shelf, SyntheticChain, type SyntheticState } from './synthetic.js'

const BLOCKS = 1_000
/** Blocks in flight at most, as `follow` has it. */
const WINDOW = 64

const metadata = editedMetadata(2)
const encoder = new Encoder(metadata)
const [enclave, operator] = [accountOf(1), accountOf(2)]
const eventsKey = encoder.key('system', 'events')
const shelves = [3, 4].map(
  (cluster) => new Shelf(registryEntries(encoder, 2, { [cluster]: [{ account: enclave, operator, slot: 0 }] })),
)
const remarked = encoder.event(1, 'System', 'Remarked')

/** The enclave is in cluster 3 up to block 500, and in cluster 4 from then on; each tenth block syncs an NFT. */
function eventsOf(block: number): Hex {
  const records = Array.from({ length: 5 }, () => remarked)
  if (block % 10 === 0) {
    records.push(
      encoder.event(2, 'NFT', 'ShardAdded', block, enclave),
      encoder.event(2, 'NFT', 'SecretNFTSynced', block),
    )
  }
  if (block === 501) records.push(encoder.event(3, 'TEE', 'EnclaveAssigned', operator, 4))
  return encoder.events(...records)
}

function stateOf(block: number): SyntheticState {
  const shelf = shelves[block <= 500 ? 0 : 1]
  return {
    specVersion: 1,
    metadata,
    read: (key) => (key === eventsKey ? eventsOf(block) : shelf?.read(key)),
    keys: (prefix, size, after) => shelf?.keys(prefix, size, after) ?? [],
  }
}

describe('catching up with a chain', () => {
  const lines: { message: string; fields?: LogFields | undefined }[] = []
  const note = (message: string, fields?: LogFields) => void lines.push({ message, fields })
  const logger: Logger = { debug: note, info: note, warn: note, error: note }
  let server: SyntheticChain
  let chain: Chain

  beforeEach(async () => {
    lines.length = 0
    server = await SyntheticChain.start(BLOCKS, stateOf)
    chain = await connectChain({ endpoints: [server.url], logger })
  })

  afterEach(async () => {
    await chain.close()
    await server.stop()
  })

  /** Every block up to the head, which must come in order; gives what was synced in which cluster. */
  async function crawl(onBlock: (block: number) => void = () => undefined): Promise<string[]> {
    const synced: string[] = []
    let last = 0
    for await (const { block, triggers } of chain.follow(0, { signal })) {
      assert.equal(block.number, last + 1)
      last = block.number
      for (const trigger of triggers)
        if (trigger.type === 'synced') synced.push(`${trigger.nftId} in ${trigger.cluster}`)
      onBlock(block.number)
      if (last === BLOCKS) break
    }
    return synced
  }

  const expected = Array.from({ length: BLOCKS / 10 }, (_, index) => (index + 1) * 10).map(
    (nftId) => `${nftId} in ${nftId <= 500 ? 3 : 4}`,
  )

  it('gives every block in order, and asks for no more than a window ahead of whoever takes them', async () => {
    const isEvents = ({ method, params }: SyntheticChain['asked'][number]) =>
      method === 'state_getStorage' && params[0] === eventsKey
    const before = server.asked.filter(isEvents).length
    const synced = await crawl((block) => {
      assert.ok(server.asked.filter(isEvents).length - before <= block + WINDOW)
    })
    assert.deepEqual(synced, expected)
    assert.equal(server.asked.filter(isEvents).length - before, BLOCKS)
  })

  it('asks for hashes many at once, and for the registry once for each change to it', async () => {
    const before = { hashes: server.count('chain_getBlockHash'), values: server.count('state_queryStorageAt') }
    assert.deepEqual(await crawl(), expected)
    assert.ok(server.count('chain_getBlockHash') - before.hashes <= BLOCKS / (WINDOW / 2) + 3)
    // Two maps each: as of the first trigger, and as of the first after the change.
    assert.equal(server.count('state_queryStorageAt') - before.values, 2 * 2)
  })

  for (const [endpoint, answer] of Object.entries({
    'takes no lists': () => ({ error: { code: -32602, message: 'Invalid params' } }),
    'answers lists with something else': () => ({ result: [null] }),
  })) {
    it(`asks for each hash by itself where the endpoint ${endpoint}`, async () => {
      server.intercept = (method, [number]) =>
        method === 'chain_getBlockHash' && Array.isArray(number) ? answer() : undefined
      assert.deepEqual(await crawl(), expected)
    })
  }

  it('loses and repeats nothing when its connection breaks again and again', async () => {
    const synced = await crawl((block) => {
      if (block % 300 === 0) server.cut()
    })
    assert.deepEqual(synced, expected)
  }).timeout(20_000)

  it('tells how far it is while it is behind, and in the log that it is not any longer', async () => {
    assert.equal(chain.crawl(), undefined)
    await crawl((block) => {
      if (block !== 600) return
      const { from, at, to, blocksPerSecond, msLeft } = chain.crawl() ?? assert.fail('it is behind')
      assert.deepEqual([from, at, to], [0, 599, BLOCKS])
      assert.ok(blocksPerSecond > 0)
      assert.ok(Math.abs(msLeft - ((to - at) / blocksPerSecond) * 1000) < 1)
    })
    assert.equal(chain.crawl(), undefined)
    assert.deepEqual(lines[0], { message: 'catching up with the chain', fields: { from: 0, to: BLOCKS } })
  })

  it('goes on live where the crawl ends', async () => {
    const blocks = chain.follow(BLOCKS - 2, { signal })
    const next = async () => (await blocks.next()).value?.block.number
    assert.deepEqual([await next(), await next()], [BLOCKS - 1, BLOCKS])
    server.advance(BLOCKS + 1)
    assert.equal(await next(), BLOCKS + 1)
    await blocks.return(undefined)
  })
})

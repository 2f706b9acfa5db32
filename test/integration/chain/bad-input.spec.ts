import assert from 'node:assert/strict'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import { Encoder, editedMetadata, type MetadataParts } from '../../support/metadata.js'
import { logger, signal } from './fixture.js'
import { hashOf, SyntheticChain, type SyntheticState } from './synthetic.js'

const good = editedMetadata(2)
const encoder = new Encoder(good)
const eventsKey = encoder.key('system', 'events')

/** From this block on the chain is one that cannot be read. */
const BROKEN = 30
const HEAD = 60

/** The same chain, whose events from the broken block on are these bytes, or whose runtime has this metadata. */
function chainOf({ events, metadata }: { events?: string; metadata?: Uint8Array }) {
  return (block: number): SyntheticState => ({
    specVersion: block >= BROKEN && metadata !== undefined ? 2 : 1,
    metadata: block >= BROKEN ? (metadata ?? good) : good,
    read: (key) => {
      if (key !== eventsKey) return undefined
      return block === BROKEN && events !== undefined ? `0x${events.slice(2)}` : encoder.events()
    },
  })
}

/** Metadata in which an event of a pallet is another. */
const withEvent = (name: string, edit: (event: { name: string; fields: { name: string | null }[] }) => void) =>
  editedMetadata(2, ({ lookup }: MetadataParts) => {
    const variants = lookup.types.flatMap(({ type }) => type.def.variant?.variants ?? [])
    const event = variants.find((variant) => variant.name === name) ?? assert.fail(name)
    edit(event)
  })

const nftId = (name: string) => (event: { fields: { name: string | null }[] }) => {
  for (const field of event.fields) if (field.name === 'nft_id') field.name = name
}

const FAULTS: Readonly<Record<string, { chain: ReturnType<typeof chainOf>; says: RegExp }>> = {
  'events that are cut short': {
    chain: chainOf({ events: encoder.events(encoder.event(1, 'System', 'Remarked')).slice(0, -2) }),
    says: /^Block 30 cannot be read at System\.Events: it ends before/,
  },
  'events that go on after the last': {
    chain: chainOf({ events: `${encoder.events(encoder.event(1, 'System', 'Remarked'))}00` }),
    says: /^Block 30 .*System\.Events: 1 bytes follow/,
  },
  'an event of no known pallet': {
    chain: chainOf({ events: '0x040000000000fafa00' }),
    says: /^Block 30 .*System\.Events/,
  },
  'a share that is synced without anybody having confirmed it': {
    chain: chainOf({ events: encoder.events(encoder.event(1, 'NFT', 'CapsuleSynced', 5)) }),
    says: /^Block 30 .*NFT\.CapsuleSynced: NFT 5: no confirmation/,
  },
  'a share that somebody without a seat has confirmed': {
    chain: chainOf({
      events: encoder.events(encoder.event(1, 'NFT', 'ShardAdded', 5), encoder.event(1, 'NFT', 'SecretNFTSynced', 5)),
    }),
    says: /^Block 30 .*NFT\.SecretNFTSynced: NFT 5: the enclave 0x0+ has no seat/,
  },
  'an upgrade that takes an event away': {
    chain: chainOf({
      metadata: withEvent('SecretNFTSynced', (event) => {
        event.name = 'SecretSynced'
      }),
    }),
    says: /^Block 3[01] .*its metadata: it has no event NFT\.SecretNFTSynced\./,
  },
  'an upgrade that renames a field': {
    chain: chainOf({ metadata: withEvent('CapsuleShardAdded', nftId('id')) }),
    says: /^Block 3[01] .*its metadata: it has no field nft_id of NFT\.CapsuleShardAdded\./,
  },
  'an upgrade to metadata that are none': {
    chain: chainOf({ metadata: good.slice(0, 5_000) }),
    says: /^Block 3[01] .*its metadata: /,
  },
}

describe('a block that cannot be read', () => {
  let server: SyntheticChain
  let chain: Chain
  let current: (block: number) => SyntheticState

  beforeEach(async () => {
    current = chainOf({})
    server = await SyntheticChain.start(10, (block) => current(block))
    chain = await connectChain({ endpoints: [server.url], logger })
  })

  afterEach(async () => {
    await chain.close()
    await server.stop()
  })

  async function follow(after: number, until: number): Promise<number> {
    let last = after
    for await (const { block } of chain.follow(after, { signal })) {
      assert.equal(block.number, last + 1)
      last = block.number
      if (last === until) break
    }
    return last
  }

  for (const [fault, { chain: broken, says }] of Object.entries(FAULTS)) {
    it(`for ${fault} stops whoever follows, each time, and is named`, async () => {
      current = broken
      server.advance(BROKEN - 1)
      assert.equal(await follow(0, BROKEN - 1), BROKEN - 1)
      for (const head of [BROKEN, BROKEN + 1]) {
        const rejected = assert.rejects(follow(BROKEN - 1, HEAD), { code: 'chain/unreadable-block', message: says })
        server.advance(head)
        await rejected
      }
    })
  }

  const storageSays = (answer: { result: unknown } | { error: object }, times = Number.POSITIVE_INFINITY) => {
    let left = times
    server.intercept = (method, [key, at]) => {
      if (method !== 'state_getStorage' || key !== eventsKey || at !== hashOf(BROKEN) || left === 0) return undefined
      left -= 1
      return answer
    }
  }
  const unknownBlock = (why: string) => ({ error: { code: 4003, message: `Client error: UnknownBlock: ${why}` } })

  it('because its state was thrown away is named, with what to do', async () => {
    storageSays(unknownBlock('State already discarded for 0x00'))
    server.advance(HEAD)
    await assert.rejects(follow(BROKEN - 1, HEAD), {
      code: 'chain/unreadable-block',
      message: /^Block 30 .*System\.Events: .*archive node/,
    })
    assert.equal(chain.health().unreadable?.block, BROKEN)
    server.intercept = () => undefined
    assert.equal(await follow(BROKEN - 1, HEAD), HEAD)
    assert.equal(chain.health().unreadable, undefined)
  })

  it('because the endpoint says that it has no events is not taken for one without any', async () => {
    storageSays({ result: null })
    server.advance(HEAD)
    await assert.rejects(follow(BROKEN - 1, HEAD), { code: 'chain/unreadable-block', message: /^Block 30 / })
  })

  it('because the endpoint has lost it is read from another connection', async () => {
    storageSays(unknownBlock('Header was not found in the database: 0x00'), 1)
    server.advance(HEAD)
    assert.equal(await follow(BROKEN - 1, HEAD), HEAD)
    assert.equal(chain.health().endpoints[0]?.lastFailure?.code, 'chain/block-unknown')
  })

  it('is read anew for whoever asks again, in case the endpoint told something wrong', async () => {
    current = chainOf({ events: encoder.events(encoder.event(1, 'NFT', 'CapsuleSynced', 5)) })
    server.advance(HEAD)
    await assert.rejects(follow(BROKEN - 1, HEAD), { code: 'chain/unreadable-block', message: /^Block 30 / })
    current = chainOf({})
    assert.equal(await follow(BROKEN - 1, HEAD), HEAD)
  })
})

import assert from 'node:assert/strict'
import { connectChain } from '../../../src/chain/index.js'
import { toSs58 } from '../../../src/crypto/index.js'
import type { BlockTriggers, ShareKey, Trigger } from '../../../src/domain/index.js'
import { account, ChainWorld, enclaveOf, logger, operatorOf, owner, signal } from './fixture.js'

/** Follows until `enough` triggers have come; every block must be the one after the last. */
async function triggersFrom(
  world: ChainWorld,
  after: number,
  enough: number,
): Promise<(Trigger & { block: number })[]> {
  const triggers: (Trigger & { block: number })[] = []
  let last = after
  for await (const { block, triggers: found } of world.chain.follow(after, { signal })) {
    assert.equal(block.number, last + 1)
    last = block.number
    triggers.push(...found.map((trigger) => ({ ...trigger, block: block.number })))
    if (triggers.length >= enough) return triggers
  }
  return triggers
}

const facts = ({ type, kind, nftId }: Trigger) => `${type} ${kind}/${nftId}`

for (const generation of [1, 2] as const) {
  describe(`chain of generation ${generation}`, () => {
    let world: ChainWorld

    before(async function () {
      this.timeout(60_000)
      world = await ChainWorld.start(generation, 2)
    })

    after(async () => {
      await world.stop()
    })

    it('tells the generation from metadata, and reads the registry', () => {
      assert.equal(world.chain.generation, generation)
      const registry = world.chain.registry()
      assert.deepEqual(
        registry.clusters().map(({ id, type, seats }) => [id, type, seats.length]),
        [
          [0, 'public', 5],
          [1, 'public', 5],
        ],
      )
      const seat = registry.seatOf(enclaveOf(1, 3).account)
      assert.deepEqual(seat, {
        account: enclaveOf(1, 3).account,
        operator: operatorOf(1, 3).account,
        cluster: 1,
        slot: 3,
        apiUri: 'https://enclave-1-3.example',
      })
      assert.deepEqual(
        registry.slotPeersOf(enclaveOf(1, 3).account).map((peer) => peer.account),
        [enclaveOf(0, 3).account],
      )
    })

    it('turns the fifth confirmation into one trigger, with the origin cluster', async () => {
      const from = world.chain.finalised().number
      const nftId = await world.mint('secret')
      await world.sync('secret', nftId, 1)
      const [trigger] = await triggersFrom(world, from, 1)
      assert.ok(trigger?.type === 'synced')
      assert.deepEqual([facts(trigger), trigger.cluster], [`synced secret/${nftId}`, 1])
    })

    it('sees every synced event of one extrinsic, each with its own origin', async () => {
      const from = world.chain.finalised().number
      const nfts = [await world.mint('secret'), await world.mint('secret'), await world.mint('capsule')]
      const kinds = ['secret', 'secret', 'capsule'] as const
      for (const slot of [0, 1, 2, 3]) {
        for (const [at, nftId] of nfts.entries()) {
          await world.chain.confirm(enclaveOf(0, slot), { kind: kinds[at] ?? 'secret', nftId }, { signal })
        }
      }
      const calls = nfts.map((nftId, at) => world.confirmation(kinds[at] ?? 'secret', nftId))
      await world.send(enclaveOf(0, 4), 'utility', 'batch', [calls])
      const triggers = await triggersFrom(world, from, 3)
      assert.deepEqual(
        triggers.map(facts),
        nfts.map((nftId, at) => `synced ${kinds[at]}/${nftId}`),
      )
      assert.ok(triggers.every((trigger) => trigger.type === 'synced' && trigger.cluster === 0))
      assert.equal(new Set(triggers.map(({ block }) => block)).size, 1)
    }).timeout(60_000)

    it('tells when a share is gone, and when a capsule is synced anew', async () => {
      const from = world.chain.finalised().number
      const burned = await world.mint('secret')
      const capsule = await world.mint('capsule')
      await Promise.all([world.sync('secret', burned, 0), world.sync('capsule', capsule, 1)])
      await world.send(owner, 'nft', 'burnNft', [burned])
      await world.send(owner, 'nft', 'notifyEnclaveKeyUpdate', [capsule])
      await world.sync('capsule', capsule, 1)
      const triggers = await triggersFrom(world, from, 6)
      assert.deepEqual(triggers.filter(({ nftId }) => nftId === burned).map(facts), [
        `synced secret/${burned}`,
        `removed secret/${burned}`,
        `removed capsule/${burned}`,
      ])
      assert.deepEqual(triggers.filter(({ nftId }) => nftId === capsule).map(facts), [
        `synced capsule/${capsule}`,
        `key-update capsule/${capsule}`,
        `synced capsule/${capsule}`,
      ])
    }).timeout(60_000)

    it('gives the same blocks to whoever follows from the start, and later from the middle', async () => {
      const head = world.chain.finalised().number
      const read = async (after: number) => {
        const blocks: BlockTriggers[] = []
        for await (const block of world.chain.follow(after, { signal })) {
          blocks.push(block)
          if (block.block.number === head) return blocks
        }
        return blocks
      }
      const all = await read(0)
      assert.deepEqual(
        all.map(({ block }) => block.number),
        Array.from({ length: head }, (_, at) => at + 1),
      )
      assert.ok(all.some(({ triggers }) => triggers.length > 0))
      assert.deepEqual(await read(head - 10), all.slice(-10))
    })

    it('lists every synced share at a block', async () => {
      const block = world.chain.finalised()
      const unfinished = await world.mint('secret')
      const keys: ShareKey[] = []
      for await (const page of world.chain.syncedShares(block, { signal })) keys.push(...page)
      assert.ok(keys.length >= 5)
      for (const { kind, nftId } of keys) {
        const nft = await world.chain.nft(nftId, { signal })
        assert.ok(kind === 'secret' ? nft?.isSecret && !nft.isSyncingSecret : nft?.isCapsule && !nft.isSyncingCapsule)
        assert.equal(nft?.owner, owner.account)
      }
      assert.equal(
        keys.some(({ nftId }) => nftId === unfinished),
        false,
      )
      assert.equal(await world.chain.nft(1_000_000, { signal }), undefined)
    })

    it('answers every confirmation with its own outcome', async () => {
      const nftId = await world.mint('secret')
      const confirm = async (signer: ReturnType<typeof account>, kind: 'secret' | 'capsule', id: number) =>
        (await world.chain.confirm(signer, { kind, nftId: id }, { signal })).outcome
      assert.equal(await confirm(enclaveOf(0, 0), 'secret', nftId), 'confirmed')
      assert.equal(await confirm(enclaveOf(0, 0), 'secret', nftId), 'already-confirmed')
      assert.equal(await confirm(enclaveOf(1, 0), 'secret', nftId), 'wrong-cluster')
      assert.equal(await confirm(enclaveOf(0, 1), 'secret', 1_000_000), 'unknown-nft')
      assert.equal(await confirm(enclaveOf(0, 1), 'capsule', nftId), 'wrong-kind')
      assert.equal(await confirm(owner, 'secret', nftId), 'not-registered')
      assert.equal(await confirm(account(77_777), 'secret', nftId), 'no-funds')
      await world.sync('secret', nftId, 0)
      assert.equal(await confirm(enclaveOf(0, 1), 'secret', nftId), 'already-synced')
    }).timeout(60_000)

    it('has many confirmations of one account under way at once', async () => {
      const nfts = await Promise.all(Array.from({ length: 6 }, () => world.mint('secret')))
      const outcomes = await Promise.all(
        nfts.map((nftId) => world.chain.confirm(enclaveOf(0, 2), { kind: 'secret', nftId }, { signal })),
      )
      assert.deepEqual(
        outcomes.map(({ outcome }) => outcome),
        nfts.map(() => 'confirmed'),
      )
    }).timeout(60_000)

    it('keeps the registry current, and remembers how it was', async () => {
      const before = world.chain.finalised()
      await world.send(operatorOf(1, 4), 'tee', 'unregisterEnclave', [])
      const { block } = await world.committee({
        pallet: 'tee',
        method: 'removeEnclave',
        args: [toSs58(operatorOf(1, 4).account)],
      })
      for await (const each of world.chain.follow(before.number, { signal })) {
        if (each.block.number < block.number) continue
        assert.deepEqual(each.registryChanges, [{ type: 'enclave-removed', operator: operatorOf(1, 4).account }])
        break
      }
      assert.equal(world.chain.registry().seatOf(enclaveOf(1, 4).account), undefined)
      const then = await world.chain.registryAt(before, { signal })
      assert.equal(then.seatOf(enclaveOf(1, 4).account)?.slot, 4)
    })

    it('ends what waits when it is closed', async () => {
      const other = await connectChain({ endpoints: [world.server.url], logger })
      const follower = other.follow(other.finalised().number + 1_000, { signal }).next()
      await other.close()
      await assert.rejects(follower, { code: 'chain/closed' })
    })
  })
}

describe('chain connection', () => {
  it('says in one sentence that nobody answers', async () => {
    const endpoint = 'ws://127.0.0.1:1'
    await assert.rejects(connectChain({ endpoints: [endpoint], logger }), {
      code: 'chain/unreachable',
      message: `No chain answers at ${endpoint}: start one there, or correct the address.`,
    })
  })
})

import assert from 'node:assert/strict'
import type { ChainCall } from '../../../src/chain/index.js'
import type { ShareKey } from '../../../src/domain/index.js'
import { ChainWorld, enclaveOf, owner, signal } from './fixture.js'

describe('what only a generation-2 chain can do', () => {
  let world: ChainWorld

  before(async function () {
    this.timeout(60_000)
    world = await ChainWorld.start(2, 2)
  })

  after(() => world.stop())

  it('bars the slot peers of a cluster that is made private, from that block on', async () => {
    const { chain } = world
    const [one, other] = [enclaveOf(0, 2).account, enclaveOf(1, 2).account]
    assert.deepEqual(
      chain
        .registry()
        .slotPeersOf(one)
        .map(({ account }) => account),
      [other],
    )
    const { block } = await world.committee({ pallet: 'tee', method: 'updateCluster', args: [1, 'Private'] })
    assert.equal(chain.registry().cluster(1)?.type, 'private')
    assert.deepEqual(chain.registry().slotPeersOf(one), [])
    const previous = { number: block.number - 1, hash: await chain.blockHash(block.number - 1, { signal }) }
    assert.equal((await chain.registryAt(previous, { signal })).cluster(1)?.type, 'public')
  })

  it('says which inner call of a committee or batch failed', async () => {
    const twice = world.committee(world.assignment(0, 0))
    await assert.rejects(twice, { code: 'chain/call-failed', reason: 'RegistrationNotFound' })
    const batch = world.send(enclaveOf(0, 0), 'utility', 'batch', [[world.confirmation('secret', 4_000_000)]])
    await assert.rejects(batch, { code: 'chain/call-failed', reason: 'NFTNotFound' })
  })

  it('lists both shares of a hybrid once each is synced', async () => {
    const { chain } = world
    const listed = async () => {
      const keys: ShareKey[] = []
      for await (const page of chain.syncedShares(chain.finalised(), { signal })) keys.push(...page)
      return keys.map(({ kind, nftId }) => `${kind}/${nftId}`).sort()
    }
    const nftId = await world.mint('secret')
    await world.sync('secret', nftId, 0)
    await world.send(owner, 'nft', 'convertToCapsule', [nftId, 'capsule'])
    assert.deepEqual(await listed(), [`secret/${nftId}`])
    await world.sync('capsule', nftId, 1)
    assert.deepEqual(await listed(), [`capsule/${nftId}`, `secret/${nftId}`])
  })

  it('tells what is synced in batches within a batch apart, whatever their order and kinds', async () => {
    const { chain } = world
    const hybrid = await world.mint('secret')
    await world.sync('secret', hybrid, 0)
    await world.send(owner, 'nft', 'convertToCapsule', [hybrid, 'capsule'])
    const [one, two] = [await world.mint('secret'), await world.mint('capsule')]
    const shares = [
      { kind: 'capsule', nftId: two },
      { kind: 'secret', nftId: one },
      { kind: 'capsule', nftId: hybrid },
    ] as const
    const calls = shares.map(({ kind, nftId }) => world.confirmation(kind, nftId))
    const batch = (args: readonly ChainCall[]): ChainCall => ({ pallet: 'utility', method: 'batch', args: [args] })
    const [first, second, third] = calls
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    const nested = [batch([first, batch([second])]), batch([batch([third])])]
    const sending = [0, 1, 2, 3].map((slot) => world.send(enclaveOf(0, slot), 'utility', 'batch', [nested]))
    await Promise.all(sending)
    const { block } = await world.send(enclaveOf(0, 4), 'utility', 'batch', [nested])
    for await (const { triggers } of chain.follow(block.number - 1, { signal })) {
      assert.deepEqual(
        triggers,
        shares.map((share) => ({ type: 'synced', ...share, cluster: 0 })),
      )
      break
    }
  }).timeout(30_000)

  it('tells nothing of a block that is not final', async () => {
    const unknown = world.chain.blockHash(world.chain.finalised().number + 100, { signal })
    await assert.rejects(unknown, { code: 'chain/block-unknown' })
  })
})

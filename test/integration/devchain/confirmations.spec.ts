import assert from 'node:assert/strict'
import { account, ChainUser, eventNames, type TestEnclave } from './chain-user.js'

const KINDS = {
  secret: {
    call: 'nft.addSecretShard',
    added: 'nft.ShardAdded',
    synced: 'nft.SecretNFTSynced',
    shards: 'nft.secretNftsShardsCount',
    syncing: 'isSyncingSecret',
    missing: 'NFTIsNotSecret',
  },
  capsule: {
    call: 'nft.addCapsuleShard',
    added: 'nft.CapsuleShardAdded',
    synced: 'nft.CapsuleSynced',
    shards: 'nft.capsulesShardsCount',
    syncing: 'isSyncingCapsule',
    missing: 'NFTIsNotCapsule',
  },
} as const

for (const generation of [1, 2] as const) {
  describe(`shard confirmations on a generation-${generation} chain`, () => {
    let user: ChainUser
    let near: { cluster: number; enclaves: TestEnclave[] }
    let far: { cluster: number; enclaves: TestEnclave[] }

    before(async () => {
      user = await ChainUser.start({ generation })
      near = await user.makeCluster('near')
      far = await user.makeCluster('far')
    })

    after(() => user.stop())

    async function stateOf(nftId: number): Promise<Record<string, boolean>> {
      const nft = await user.read('nft.nfts', [nftId])
      return (nft as { state: Record<string, boolean> }).state
    }

    it('seats the enclaves as this generation stores them', async () => {
      const cluster = await user.read('tee.clusterData', [near.cluster])
      const operators = near.enclaves.map(({ operator }) => operator.address)
      assert.deepEqual(
        cluster,
        generation === 1
          ? { enclaves: operators }
          : { enclaves: operators.map((operator, slot) => [operator, slot]), clusterType: 'Public' },
      )
      const [first] = near.enclaves
      assert.equal(await user.read('tee.enclaveAccountOperator', [first?.account.address]), first?.operator.address)
      assert.equal(await user.read('tee.enclaveRegistrations', [first?.operator.address]), null)
    })

    for (const kind of ['secret', 'capsule'] as const) {
      const names = KINDS[kind]

      it(`syncs a ${kind} with the fifth confirmation, in that extrinsic`, async () => {
        const id = await user.mint(kind, user.bob)
        assert.equal((await stateOf(id))[names.syncing], true)
        for (const [index, enclave] of near.enclaves.entries()) {
          const outcome = await user.succeed(user.tx(names.call, id), enclave.account)
          assert.deepEqual(eventNames(outcome), index < 4 ? [names.added] : [names.added, names.synced])
          const added = outcome.events.find(({ name }) => name === names.added)
          assert.deepEqual(added?.data, { nftId: `${id}`, enclave: enclave.account.address })
          const confirmed = near.enclaves.slice(0, index + 1).map(({ operator }) => [near.cluster, operator.address])
          assert.deepEqual(await user.read(names.shards, [id]), index < 4 ? confirmed : null)
        }
        assert.equal((await stateOf(id))[names.syncing], false)
        await user.fail(user.tx(names.call, id), near.enclaves[0]?.account ?? user.bob, 'NFTAlreadySynced')
      })

      it(`names what is wrong with a ${kind}'s confirmation`, async () => {
        const [one, two] = near.enclaves
        const [stranger] = far.enclaves
        assert(one !== undefined && two !== undefined && stranger !== undefined)
        const id = await user.mint(kind, user.bob)
        const other = await user.mint(kind === 'secret' ? 'capsule' : 'secret', user.bob)
        // An operator is not an enclave.
        await user.fail(user.tx(names.call, id), one.operator, 'NotARegisteredEnclave')
        await user.fail(user.tx(names.call, 4_000_000), one.account, 'NFTNotFound')
        await user.fail(user.tx(names.call, other), one.account, names.missing)
        await user.succeed(user.tx(names.call, id), one.account)
        await user.fail(user.tx(names.call, id), stranger.account, 'ShareNotFromValidCluster')
        await user.fail(user.tx(names.call, id), one.account, 'EnclaveAlreadyAddedShard')
        await user.succeed(user.tx(names.call, id), two.account)
      })
    }

    it('confirms several NFTs in one batch', async () => {
      const ids = [await user.mint('secret', user.bob), await user.mint('capsule', user.bob)] as const
      const calls = [user.tx('nft.addSecretShard', ids[0]), user.tx('nft.addCapsuleShard', ids[1])]
      const batches = near.enclaves.map((enclave) => [user.tx('utility.batch', calls), enclave.account] as const)
      const outcomes = await user.include(...batches)
      assert.deepEqual(
        outcomes
          .slice(0, 4)
          .flatMap(eventNames)
          .filter((name) => name.endsWith('Synced')),
        [],
      )
      assert.deepEqual(outcomes[4] && eventNames(outcomes[4]), [
        'nft.ShardAdded',
        'nft.SecretNFTSynced',
        'utility.ItemCompleted',
        'nft.CapsuleShardAdded',
        'nft.CapsuleSynced',
        'utility.ItemCompleted',
        'utility.BatchCompleted',
      ])
    })

    it('keeps the two shares of a hybrid apart', async () => {
      const id = await user.mint('secret', user.bob)
      await user.succeed(user.tx('nft.convertToCapsule', id, 'ipfs://capsule'), user.bob)
      // The secret may come from one cluster and the capsule from another.
      await user.include(
        ...near.enclaves.map((enclave) => [user.tx('nft.addSecretShard', id), enclave.account] as const),
      )
      const state = await stateOf(id)
      assert.deepEqual([state.isSyncingSecret, state.isSyncingCapsule], [false, true])
      await user.include(
        ...far.enclaves.map((enclave) => [user.tx('nft.addCapsuleShard', id), enclave.account] as const),
      )
      assert.equal((await stateOf(id)).isSyncingCapsule, false)
    })

    it('lets a capsule be synced again after a key update', async () => {
      const id = await user.mint('capsule', user.bob)
      await user.fail(user.tx('nft.notifyEnclaveKeyUpdate', id), user.bob, 'NFTIsSyncing')
      const confirm = () =>
        user.include(...near.enclaves.map((enclave) => [user.tx('nft.addCapsuleShard', id), enclave.account] as const))
      await confirm()
      await user.fail(user.tx('nft.notifyEnclaveKeyUpdate', id), user.alice, 'NotTheNFTOwner')
      const outcome = await user.succeed(user.tx('nft.notifyEnclaveKeyUpdate', id), user.bob)
      assert.deepEqual(eventNames(outcome), ['nft.CapsuleKeyUpdateNotified'])
      const last = (await confirm()).at(-1)
      assert.deepEqual(last && eventNames(last), ['nft.CapsuleShardAdded', 'nft.CapsuleSynced'])
    })

    it('forgets a burned NFT and a reverted capsule', async () => {
      const burned = await user.mint('secret', user.bob)
      const reverted = await user.mint('capsule', user.bob)
      const [one] = near.enclaves
      assert(one !== undefined)
      await user.succeed(user.tx('nft.addSecretShard', burned), one.account)
      await user.fail(user.tx('nft.burnNft', burned), user.alice, 'NotTheNFTOwner')
      assert.deepEqual(eventNames(await user.succeed(user.tx('nft.burnNft', burned), user.bob)), ['nft.NFTBurned'])
      for (const item of ['nft.nfts', 'nft.secretNftsOffchainData', 'nft.secretNftsShardsCount'] as const) {
        assert.equal(await user.read(item, [burned]), null)
      }
      await user.fail(user.tx('nft.addSecretShard', burned), one.account, 'NFTNotFound')
      await user.succeed(user.tx('nft.revertCapsule', reverted), user.bob)
      assert.equal((await stateOf(reverted)).isCapsule, false)
      await user.fail(user.tx('nft.addCapsuleShard', reverted), one.account, 'NFTIsNotCapsule')
    })

    it('removes, replaces and updates enclaves', async () => {
      const { cluster, enclaves } = await user.makeCluster('changing')
      const [first, second] = enclaves
      assert(first !== undefined && second !== undefined)
      await user.fail(user.tx('tee.forceRemoveEnclave', first.operator.address), user.alice, 'BadOrigin')
      const notAsked = await user.succeed(
        user.governed(user.tx('tee.removeEnclave', first.operator.address)),
        user.alice,
      )
      assert.match(JSON.stringify(notAsked.events), /"result":\{"Err"/)
      await user.succeed(user.tx('tee.unregisterEnclave'), first.operator)
      const removal = await user.succeed(
        user.governed(user.tx('tee.removeEnclave', first.operator.address)),
        user.alice,
      )
      assert.deepEqual(eventNames(removal), ['tee.EnclaveRemoved', 'technicalCommittee.Executed'])
      await user.fail(user.tx('nft.addSecretShard', 0), first.account, 'NotARegisteredEnclave')
      const { enclaves: seats } = (await user.read('tee.clusterData', [cluster])) as { enclaves: unknown[] }
      // Where the slot is the position, everyone behind has moved up.
      assert.deepEqual(seats[0], generation === 1 ? second.operator.address : [second.operator.address, 1])

      const renewed = account('changing/renewed')
      const update = [renewed.address, 'https://renewed:8000']
      await user.succeed(user.tx('tee.updateEnclave', ...update), second.operator)
      const updated = await user.succeed(
        user.governed(user.tx('tee.forceUpdateEnclave', second.operator.address, ...update)),
        user.alice,
      )
      assert.deepEqual(eventNames(updated), ['tee.EnclaveUpdated', 'technicalCommittee.Executed'])
      assert.equal(await user.read('tee.enclaveAccountOperator', [second.account.address]), null)
      assert.equal(await user.read('tee.enclaveAccountOperator', [renewed.address]), second.operator.address)
    })
  })
}

describe('what only generation 2 has', () => {
  let user: ChainUser

  before(async () => {
    user = await ChainUser.start({ generation: 2 })
  })

  after(() => user.stop())

  it('refuses a slot that is taken or out of range, and changes the type of a cluster', async () => {
    const { cluster, enclaves } = await user.makeCluster('slots')
    const [leaving] = enclaves
    const newcomer = account('slots/newcomer')
    assert(leaving !== undefined)
    await user.succeed(user.governed(user.tx('tee.forceRemoveEnclave', leaving.operator.address)), user.alice)
    await user.succeed(user.tx('tee.registerEnclave', newcomer.address, 'https://newcomer'), user.bob)
    const assign = async (slot: number) => {
      const call = user.governed(user.tx('tee.assignEnclave', user.bob.address, cluster, slot))
      const { events } = await user.succeed(call, user.alice)
      return JSON.stringify(events.find(({ name }) => name === 'technicalCommittee.Executed')?.data)
    }
    assert.match(await assign(1), /Err/)
    assert.match(await assign(5), /Err/)
    assert.match(await assign(0), /"result":"Ok"/)
    await user.succeed(user.governed(user.tx('tee.updateCluster', cluster, 'Private')), user.alice)
    assert.equal(((await user.read('tee.clusterData', [cluster])) as { clusterType: string }).clusterType, 'Private')
  })
})

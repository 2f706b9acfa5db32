import assert from 'node:assert/strict'
import substrate from '@polkadot/types-support/metadata/v14/substrate-hex'
import { hexToU8a } from '@polkadot/util'
import { startDevelopmentChain } from '../../../src/devchain/index.js'
import { FOREIGN_CHAINS } from '../../support/foreign-chains.js'
import { splicedMetadata } from '../../support/foreign-metadata.js'
import { ChainUser } from './chain-user.js'

for (const [name, { generation, metadata }] of Object.entries(FOREIGN_CHAINS)) {
  describe(`the development chain with the metadata of ${name}`, () => {
    let user: ChainUser

    before(async () => {
      user = await ChainUser.start({ metadata: metadata(), generation })
    })

    after(() => user.stop())

    it('is that chain to @polkadot/api, with what the chain says of itself', () => {
      const { api } = user
      const version = api.consts.system?.version?.toJSON() as { specName: string; specVersion: number }
      assert.deepEqual(
        [api.runtimeVersion.specName.toString(), api.runtimeVersion.specVersion.toNumber()],
        [version.specName, version.specVersion],
      )
      assert.ok(api.tx.staking !== undefined)
    })

    it('carries out the whole story of a share', async () => {
      const { enclaves } = await user.makeCluster('north')
      const id = await user.mint('secret', user.alice)
      for (const [index, { account }] of enclaves.entries()) {
        const { events } = await user.succeed(user.tx('nft.addSecretShard', id), account)
        assert.equal(
          events.some((event) => event.name === 'nft.SecretNFTSynced'),
          index === 4,
        )
      }
      const nft = (await user.read('nft.nfts', [id])) as { owner: string; state: Record<string, boolean> }
      assert.equal(nft.owner, user.api.createType('AccountId', user.alice.address).toString())
      assert.deepEqual([nft.state.isSecret, nft.state.isSyncingSecret], [true, false])
      const [first] = enclaves
      await user.fail(user.tx('nft.addSecretShard', id), first?.account ?? user.bob, 'NFTAlreadySynced')
    })

    it('updates an enclave, also where its account is optional', async () => {
      const { enclaves } = await user.makeCluster('south')
      const operator = enclaves[0]?.operator.address
      const account = enclaves[0]?.account.address
      const update = user.tx('tee.forceUpdateEnclave', operator, generation === 2 ? null : account, 'https://elsewhere')
      await user.succeed(user.governed(update), user.alice)
      const entry = (await user.read('tee.enclaveData', [operator])) as { enclaveAddress: string; apiUri: string }
      assert.equal(entry.enclaveAddress, user.api.createType('AccountId', account).toString())
      assert.equal(Buffer.from(entry.apiUri.slice(2), 'hex').toString(), 'https://elsewhere')
    })

    it('has nothing in the storage of other pallets, and refuses their calls', async () => {
      assert.equal(await user.read('staking.validatorCount'), 0)
      assert.deepEqual(await user.api.query.proxy?.proxies?.entries(), [])
      await user.fail(user.tx('proxy.removeProxies'), user.alice, 'CallFiltered')
    })

    it('says what a transaction costs', async () => {
      const { partialFee, weight } = await user.tx('system.remark', '0x00').paymentInfo(user.alice)
      assert.equal(partialFee.toBigInt(), 10n ** 15n)
      assert.match(JSON.stringify(weight), generation === 1 ? /^0$/ : /refTime/)
    })
  })
}

describe('metadata for the development chain', () => {
  const bare = hexToU8a(substrate)
  const spliced = () => splicedMetadata(substrate, { pallets: { NFT: 129, TEE: 134 } })

  it('is refused with the names of what is missing', async () => {
    await assert.rejects(startDevelopmentChain({ metadata: bare }), {
      code: 'devchain/unsupported-metadata',
      message: /no storage item NFT\.Nfts, .*no storage item TEE\.ClusterData, .*no call TEE\.assign_enclave/,
    })
  })

  it('is refused when it has signed extensions that cannot be checked', async () => {
    const metadata = splicedMetadata(substrate, {
      pallets: { NFT: 129, TEE: 134 },
      after: ({ parts }) => {
        const [empty, full] = parts.extrinsic.signedExtensions.slice(-2)
        assert.ok(empty !== undefined && full !== undefined)
        parts.extrinsic.signedExtensions.push({ ...full, identifier: 'CheckWeather' })
      },
    })
    await assert.rejects(startDevelopmentChain({ metadata }), {
      code: 'devchain/unsupported-metadata',
      message: /signed extension CheckWeather/,
    })
  })

  it('is refused when it is none, and of another version', async () => {
    for (const metadata of [new Uint8Array(), Uint8Array.of(1, 2, 3), bare.with(4, 15), bare.subarray(0, 5000)]) {
      await assert.rejects(startDevelopmentChain({ metadata }), { code: 'devchain/bad-metadata' })
    }
  })

  it('may leave the fields of events without names', async () => {
    const metadata = splicedMetadata(substrate, {
      pallets: { NFT: 129, TEE: 134 },
      after: (foreign) => {
        const { variants } = foreign.type('frame_system::pallet::Event').def.variant ?? { variants: [] }
        for (const field of variants.flatMap(({ fields }) => fields)) field.name = null
      },
    })
    const user = await ChainUser.start({ metadata })
    await user.fail(user.tx('nft.burnNft', 7), user.alice, 'NFTNotFound')
    await user.stop()
  })

  it('is the same in every wrapping', async () => {
    const metadata = spliced()
    const hex = `0x${Buffer.from(metadata).toString('hex')}`
    const length = new Uint8Array(Uint32Array.of(metadata.length * 4 + 2).buffer)
    const texts = [hex, `${hex}\n`, JSON.stringify(hex), JSON.stringify({ jsonrpc: '2.0', result: hex, id: 1 })]
    const wrapped = [
      metadata,
      Buffer.concat([length, metadata]),
      Buffer.concat([Uint8Array.of(1), length, metadata]),
      ...texts.map((text) => new TextEncoder().encode(text)),
    ]
    const hashes = new Set<string>()
    for (const [index, each] of wrapped.entries()) {
      assert.ok(index === 0 || each.length > metadata.length)
      const chain = await startDevelopmentChain({ metadata: each, blockTime: 'manual' })
      hashes.add(chain.genesisHash)
      await chain.stop()
    }
    assert.equal(hashes.size, 1)
  })
})

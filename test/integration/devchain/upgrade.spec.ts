import assert from 'node:assert/strict'
import { ApiPromise, WsProvider } from '@polkadot/api'
import type { RuntimeVersion } from '@polkadot/types/interfaces'
import { developmentMetadata, movedMetadata } from '../../../src/devchain/metadata/index.js'
import { editedMetadata, moveIndices } from '../../support/metadata.js'
import { ChainUser, pending } from './chain-user.js'
import { RawClient } from './raw-client.js'

/** A client that connects only now and so has the newest metadata. */
async function afresh<T>(user: ChainUser, use: (api: ApiPromise) => Promise<T>): Promise<T> {
  const api = await ApiPromise.create({ provider: new WsProvider(user.chain.url), noInitWarn: true })
  try {
    return await use(api)
  } finally {
    await api.disconnect()
  }
}

describe('a runtime upgrade of the development chain', () => {
  let user: ChainUser
  let raw: RawClient

  beforeEach(async () => {
    user = await ChainUser.start({ generation: 1 })
    raw = await RawClient.connect(user.chain.url)
  })

  afterEach(async () => {
    raw.close()
    await user.stop()
  })

  const versionAt = async (hash: string) => (await user.api.rpc.state.getRuntimeVersion(hash)).specVersion.toNumber()

  it('is in the state of the block that carries it, and that block is still of the old runtime', async () => {
    const metadata = editedMetadata(2, (parts) => moveIndices(parts, 'NFT', 3))
    user.chain.upgrade({ metadata, at: 2 })
    const { tx, alice } = { tx: user.tx('nft.createNft', 'data', 0, null, false), alice: user.alice }
    const before = user.chain.sealBlock()
    await tx.signAsync(alice, { nonce: -1 })
    await user.api.rpc.author.submitExtrinsic(tx)
    const carrier = user.chain.sealBlock()
    const after = user.chain.sealBlock()
    assert.deepEqual(await Promise.all([before, carrier, after].map(({ hash }) => versionAt(hash))), [1, 2, 2])
    const old = await raw.result('state_getMetadata', before.hash)
    assert.equal(old, `0x${Buffer.from(developmentMetadata(1)).toString('hex')}`)
    const fresh = `0x${Buffer.from(metadata).toString('hex')}`
    assert.equal(await raw.result('state_getMetadata', carrier.hash), fresh)
    assert.equal(await raw.result('state_getMetadata'), fresh)
    const { digest } = await user.api.rpc.chain.getHeader(carrier.hash)
    assert.deepEqual(
      digest.logs.map(({ type }) => type),
      ['RuntimeEnvironmentUpdated'],
    )
    await afresh(user, async (api) => {
      // Reads a block by the runtime that its parent's state holds, as every client must.
      const events = [before, carrier, after].map(async ({ hash }) => (await api.at(hash)).query.system?.events?.())
      const [first, middle, last] = (await Promise.all(events)).map((each) => JSON.stringify(each?.toHuman()))
      assert.match(`${first} ${last}`, /ExtrinsicSuccess.* .*ExtrinsicSuccess/)
      assert.match(`${middle}`, /CodeUpdated.*NFTCreated/)
      assert.equal(api.runtimeMetadata.asV14.pallets.find(({ name }) => name.eq('NFT'))?.index.toNumber(), 32)
    })
  })

  it('tells who subscribed to the version, once', async () => {
    await raw.result('state_subscribeRuntimeVersion')
    user.chain.upgrade({})
    for (let blocks = 0; blocks < 3; blocks++) user.chain.sealBlock()
    await raw.result('system_name')
    const versions = raw.notified('state_runtimeVersion').map((version) => (version as RuntimeVersion).specVersion)
    assert.deepEqual(versions, [1, 2])
  })

  it('carries storage over by name, from generation 1 to 2', async () => {
    const { cluster, enclaves } = await user.makeCluster('north')
    const secret = await user.mint('secret', user.alice)
    await user.succeed(user.tx('nft.addSecretShard', secret), enclaves[3]?.account ?? user.bob)
    const nft = await user.read('nft.nfts', [secret])
    const metadata = editedMetadata(2, ({ lookup }) => {
      const { composite } = lookup.types.find(({ type }) => type.path.includes('NFTState'))?.type.def ?? {}
      composite?.fields.unshift({ ...composite.fields[0], name: 'is_new', type: composite.fields[0]?.type ?? 0 })
    })
    user.chain.upgrade({ metadata })
    const carrier = user.chain.sealBlock()
    user.chain.sealBlock()
    await afresh(user, async (api) => {
      const read = async (hash?: string) => {
        const { query } = hash === undefined ? api : await api.at(hash)
        return [await query.tee?.clusterData?.(cluster), await query.nft?.nfts?.(secret)].map((each) => each?.toJSON())
      }
      const operators = enclaves.map(({ operator }) => operator.address)
      assert.deepEqual(await read(carrier.hash), [{ enclaves: operators }, nft])
      const { state, ...others } = nft as Record<string, object>
      assert.deepEqual(await read(), [
        { enclaves: operators.map((operator, slot) => [operator, slot]), clusterType: 'Public' },
        { ...others, state: { isNew: false, ...state } },
      ])
      const shards = await api.query.nft?.secretNftsShardsCount?.(secret)
      assert.deepEqual(shards?.toJSON(), [[cluster, operators[3]]])
      assert.equal((await api.query.nft?.nextNFTId?.())?.toJSON(), secret + 1)
      const account = await api.query.system?.account?.(user.alice.address)
      assert.deepEqual(account?.toJSON(), await user.read('system.account', [user.alice.address]))
    })
  })

  it('ends the validity of what was signed before, and takes what is signed for the new version', async () => {
    const waiting = await user.tx('system.remark', 'waits').signAsync(user.alice, { nonce: 5 })
    const statuses: string[] = []
    const refused = pending()
    await waiting.send(({ status }) => {
      statuses.push(status.type)
      if (status.isInvalid) refused.resolve()
    })
    const late = await user.tx('system.remark', 'late').signAsync(user.alice, { nonce: 0 })
    const dry = () => user.api.rpc.system.dryRun(late.toHex())
    assert.equal((await dry()).isOk, true)
    user.chain.upgrade({})
    user.chain.sealBlock()
    await refused.promise
    assert.deepEqual(statuses, ['Future', 'Invalid'])
    await assert.rejects(user.api.rpc.author.submitExtrinsic(late), /1010: .*bad signature/)
    assert.equal((await dry()).asErr.asInvalid.type, 'BadProof')
    await afresh(user, async (api) => {
      const signed = await api.tx.system?.remark?.('new').signAsync(user.alice, { nonce: 0 })
      await api.rpc.author.submitExtrinsic(signed ?? '0x')
    })
    user.chain.sealBlock()
    assert.equal((await user.api.rpc.system.accountNextIndex(user.alice.address)).toNumber(), 1)
  })

  it('refuses a call of before that is none any more as a runtime that cannot read it, not as what is no extrinsic', async () => {
    const late = await user.tx('nft.createNft', 'data', 0, null, false).signAsync(user.alice, { nonce: 0 })
    user.chain.upgrade({ metadata: movedMetadata(1, 20) })
    user.chain.sealBlock()
    await assert.rejects(user.api.rpc.author.submitExtrinsic(late), /1002: Verification Error/)
  })

  it('is refused for a block that is there already, and for what is no metadata', () => {
    user.chain.sealBlock()
    assert.throws(() => user.chain.upgrade({ at: 1 }), { code: 'devchain/upgrade-too-late' })
    assert.throws(() => user.chain.upgrade({ metadata: Uint8Array.of(1, 2, 3) }), { code: 'devchain/bad-metadata' })
  })
})

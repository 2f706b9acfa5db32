import assert from 'node:assert/strict'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import { accountSigner } from '../../../src/crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../../../src/devchain/index.js'
import { silentLogger } from '../../../src/domain/index.js'
import { Actors } from '../../../src/simulation/index.js'

const signal = new AbortController().signal
const owner = developmentSigner('Bob')
const rentee = developmentSigner('Charlie')

describe('what the chain says of who may ask', () => {
  let devchain: DevelopmentChain
  let actors: Actors
  let chain: Chain

  const begin = async (generation: 1 | 2) => {
    devchain = await startDevelopmentChain({ blockTime: 'instant', finalityLag: 0, generation })
    actors = await Actors.connect({ endpoint: devchain.url, committee: developmentSigner('Alice') })
    chain = await connectChain({ endpoints: [devchain.url], logger: silentLogger })
  }

  const at = async (block: number) => {
    if (chain.finalised().number >= block) return
    for await (const { block: next } of chain.follow(block - 1, { signal })) if (next.number >= block) return
  }

  afterEach(async () => {
    await chain?.close()
    await actors?.close()
    await devchain?.stop()
  })

  it('names who rents an NFT, for as long as the rental goes on', async () => {
    await begin(2)
    const { nftId, block } = await actors.mint(owner, 'secret')
    await at(block)
    assert.equal((await chain.nft(nftId, { signal }))?.rentee, undefined)
    await at(await actors.rentOut(owner, nftId, rentee))
    assert.equal((await chain.nft(nftId, { signal }))?.rentee, rentee.account)
    await at(await actors.endRental(owner, nftId))
    assert.equal((await chain.nft(nftId, { signal }))?.rentee, undefined)
  })

  it('names who rents nothing while an offer is open', async () => {
    await begin(2)
    const { nftId } = await actors.mint(owner, 'capsule')
    await assert.rejects(actors.rentOut(owner, nftId, owner), { message: /CannotRentOwnContract/ })
    await at(actors.finalised)
    assert.equal((await chain.nft(nftId, { signal }))?.rentee, undefined)
  })

  it('names the delegatee', async () => {
    await begin(2)
    const { nftId } = await actors.mint(owner, 'secret')
    await at(await actors.delegate(owner, nftId, rentee.account))
    assert.equal((await chain.nft(nftId, { signal }))?.delegatee, rentee.account)
  })

  it('names the metrics servers, of which an older pallet has none', async () => {
    await begin(2)
    const { account } = accountSigner(new Uint8Array(32).fill(6))
    assert.deepEqual(await chain.metricsServers({ signal }), [])
    await at(await actors.admitMetricsServer(account))
    assert.deepEqual(await chain.metricsServers({ signal }), [account])
    await assert.rejects(actors.admitMetricsServer(account), { message: /MetricsServerAlreadyExists/ })
    await chain.close()
    await actors.close()
    await devchain.stop()
    await begin(1)
    assert.deepEqual(await chain.metricsServers({ signal }), [])
  })

  it('has a name for people', async () => {
    await begin(2)
    assert.match(await chain.name({ signal }), /\w/)
  })
})

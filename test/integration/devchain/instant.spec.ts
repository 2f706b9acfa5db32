import assert from 'node:assert/strict'
import { ChainUser } from './chain-user.js'
import { RawClient } from './raw-client.js'

describe('the instant blocks of the development chain', () => {
  let user: ChainUser
  let raw: RawClient

  beforeEach(async () => {
    user = await ChainUser.start({ blockTime: 'instant' })
    raw = await RawClient.connect(user.chain.url)
    await raw.result('chain_subscribeFinalizedHeads')
  })

  afterEach(async () => {
    raw.close()
    await user.stop()
  })

  const heads = () => raw.notified('chain_finalizedHead').length
  const signed = async (nonce: number) =>
    (await user.tx('system.remark', `${nonce}`).signAsync(user.alice, { nonce })).toHex()
  const submit = (...transactions: string[]) => {
    const batch = transactions.map((each, id) => ({
      jsonrpc: '2.0',
      id: id + 100,
      method: 'author_submitExtrinsic',
      params: [each],
    }))
    raw.socket.send(JSON.stringify(batch))
  }

  it('come with a transaction, final at once; those sent together share one', async () => {
    submit(await signed(0), await signed(1))
    await raw.until(() => heads() === 2)
    const { block } = await user.api.rpc.chain.getBlock()
    assert.deepEqual([block.header.number.toNumber(), block.extrinsics.length], [1, 3])
  })

  it('wait while only later nonces are there, and then take all of them', async () => {
    submit(await signed(1))
    // Answers on this connection come in order, and a block would have come between.
    for (let trips = 0; trips < 5; trips++) await raw.result('system_name')
    assert.equal(heads(), 1)
    submit(await signed(0))
    await raw.until(() => heads() === 2)
    assert.equal((await user.api.rpc.chain.getBlock()).block.extrinsics.length, 3)
  })

  it('follow until a pool that is larger than a block is empty', async () => {
    const nonces = Array.from({ length: 2 }, (_, nonce) => nonce)
    const large = `0x${'00'.repeat(3 * 1024 * 1024)}`
    const sent = nonces.map(async (nonce) =>
      (await user.tx('system.remark', large).signAsync(user.alice, { nonce })).toHex(),
    )
    submit(...(await Promise.all(sent)))
    await raw.until(() => heads() === 3)
    const { block } = await user.api.rpc.chain.getBlock()
    assert.deepEqual([block.header.number.toNumber(), block.extrinsics.length], [2, 2])
  })

  it('can be asked for', async () => {
    await raw.result('engine_createBlock', true, true)
    await raw.until(() => heads() === 2)
  })
})

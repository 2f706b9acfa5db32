import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { Keyring } from '@polkadot/api'
import type { GenericExtrinsicEra } from '@polkadot/types'
import type { SignatureOptions } from '@polkadot/types/types'
import { u8aToHex } from '@polkadot/util'
import { type Account, account, ChainUser, eventNames, type Transaction } from './chain-user.js'

/** One CAPS. */
const CAPS = 10n ** 18n

describe('transactions on the development chain', () => {
  let user: ChainUser

  beforeEach(async () => {
    user = await ChainUser.start({ transactionFee: CAPS / 1000n })
  })

  afterEach(() => user.stop())

  async function balance(address: string, at?: string): Promise<bigint> {
    const info = (await user.read('system.account', [address], at)) as { data: { free: string | number } }
    return BigInt(info.data.free)
  }

  async function nonce(address: string): Promise<number> {
    return ((await user.read('system.account', [address])) as { nonce: number }).nonce
  }

  /** Signs by hand, so that a test can sign something else than what the chain expects. */
  async function sign(
    transaction: Transaction,
    signer: Account,
    changes: Partial<SignatureOptions> = {},
  ): Promise<Transaction> {
    transaction.sign(signer, {
      blockHash: user.api.genesisHash,
      genesisHash: user.api.genesisHash,
      nonce: await nonce(signer.address),
      runtimeVersion: user.api.runtimeVersion,
      ...changes,
    })
    return transaction
  }

  const remark = () => user.tx('system.remark', '0x00')

  async function refused(transaction: Transaction, code: number, reason: RegExp): Promise<void> {
    await assert.rejects(
      user.provider.send('author_submitExtrinsic', [transaction.toHex()]),
      (error: Error & { code?: number }) => {
        assert.equal(error.code, code)
        assert.match(error.message, reason)
        return true
      },
    )
  }

  it('transfers, charges the fee and counts the nonce', async () => {
    const dave = account('Dave')
    const before = [await balance(user.alice.address), await balance(dave.address)] as const
    const outcome = await user.succeed(user.tx('balances.transferKeepAlive', dave.address, 5n * CAPS), user.alice)
    assert.deepEqual(eventNames(outcome), ['balances.Transfer'])
    assert.equal(await balance(dave.address), before[1] + 5n * CAPS)
    assert.equal(await balance(user.alice.address), before[0] - 5n * CAPS - CAPS / 1000n)
    assert.equal(await nonce(user.alice.address), 1)
    const failed = await user.include([user.tx('balances.transferKeepAlive', dave.address, 10n ** 30n), user.alice])
    assert.equal(failed[0]?.error, 'Token.FundsUnavailable')
    assert.equal(await nonce(user.alice.address), 2, 'a failed call still uses its nonce')
  })

  it('creates accounts by transfer, and reaps them', async () => {
    const fresh = account('fresh')
    await user.fail(user.tx('balances.transferKeepAlive', fresh.address, 1), user.alice, 'Token.BelowMinimum')
    const created = await user.succeed(user.tx('balances.transferKeepAlive', fresh.address, CAPS), user.alice)
    assert.deepEqual(eventNames(created), ['system.NewAccount', 'balances.Endowed', 'balances.Transfer'])
    const all = CAPS - CAPS / 1000n
    await user.fail(user.tx('balances.transferKeepAlive', user.bob.address, all), fresh, 'Token.NotExpendable')
    const left = await balance(fresh.address)
    const reaped = await user.succeed(
      user.tx('balances.transferAllowDeath', user.bob.address, left - CAPS / 1000n),
      fresh,
    )
    assert.deepEqual(eventNames(reaped), ['system.KilledAccount', 'balances.Transfer'])
    assert.equal(await balance(fresh.address), 0n)
  })

  it('refuses an account that cannot pay', async () => {
    await refused(await sign(remark(), account('nobody')), 1010, /Inability to pay some fees/)
  })

  it('refuses a signature over anything else', async () => {
    const otherGenesis = new Uint8Array(32).fill(7)
    await refused(await sign(remark(), user.alice, { genesisHash: otherGenesis }), 1010, /bad signature/)
    const runtimeVersion = { ...user.api.runtimeVersion, specVersion: 99, transactionVersion: 1 }
    await refused(
      await sign(remark(), user.alice, { runtimeVersion } as Partial<SignatureOptions>),
      1010,
      /bad signature/,
    )
    const forged = await sign(remark(), user.alice)
    const bytes = forged.toU8a()
    // The last byte is the remark's own: another call than the one that was signed.
    bytes[bytes.length - 1] = 1
    await refused(user.api.tx(u8aToHex(bytes)), 1010, /bad signature/)
  })

  it('refuses accounts that are not sr25519', async () => {
    const ed25519 = new Keyring({ type: 'ed25519' }).addFromUri('//Alice')
    await refused(await sign(remark(), ed25519), 1010, /bad signature/)
  })

  it('refuses used nonces, holds future ones and takes them in order', async () => {
    await user.succeed(remark(), user.alice)
    await refused(await sign(remark(), user.alice, { nonce: 0 }), 1010, /outdated/)
    const [third, second] = [
      await sign(remark(), user.alice, { nonce: 2 }),
      await sign(remark(), user.alice, { nonce: 1 }),
    ]
    await user.api.rpc.author.submitExtrinsic(third)
    user.chain.sealBlock()
    assert.equal(await nonce(user.alice.address), 1, 'a future transaction waits')
    assert.equal((await user.api.rpc.system.accountNextIndex(user.alice.address)).toNumber(), 1)
    await user.api.rpc.author.submitExtrinsic(second)
    assert.equal((await user.api.rpc.system.accountNextIndex(user.alice.address)).toNumber(), 3)
    assert.equal((await user.api.rpc.author.pendingExtrinsics()).length, 2)
    user.chain.sealBlock()
    assert.equal(await nonce(user.alice.address), 3)
    assert.equal((await user.api.rpc.author.pendingExtrinsics()).length, 0)
  })

  it('takes one of two transactions with the same nonce: the one that tips more', async () => {
    const modest = await sign(remark(), user.alice)
    const statuses: string[] = []
    await modest.send(({ status }) => void statuses.push(status.type))
    await refused(modest, 1013, /Already Imported/)
    await refused(await sign(user.tx('system.remark', '0x01'), user.alice), 1014, /Priority is too low/)
    const generous = await sign(user.tx('system.remark', '0x02'), user.alice, { tip: 5 })
    await user.api.rpc.author.submitExtrinsic(generous)
    user.chain.sealBlock()
    const { block } = await user.api.rpc.chain.getBlock()
    assert.deepEqual(block.extrinsics.map(({ hash }) => hash.toHex()).slice(1), [generous.hash.toHex()])
    assert.deepEqual(statuses, ['Ready', 'Usurped'])
  })

  it('refuses mortal transactions whose time is over, also those that wait', async () => {
    const birth = user.chain.sealBlock()
    const era = user.api.registry.createType<GenericExtrinsicEra>('ExtrinsicEra', { current: birth.number, period: 4 })
    const atBirth = { era, blockHash: birth.hash }
    const mortal = await sign(remark(), user.alice, atBirth)
    // It waits for a lower nonce until it is too old.
    const waiting = await sign(remark(), user.alice, { ...atBirth, nonce: 1 })
    const statuses: string[] = []
    await waiting.send(({ status }) => void statuses.push(status.type))
    for (let block = 0; block < 4; block++) user.chain.sealBlock()
    await refused(mortal, 1010, /bad signature|ancient birth block/)
    assert.equal((await user.api.rpc.author.pendingExtrinsics()).length, 0)
    assert.deepEqual(statuses, ['Future', 'Invalid'])
  })

  it('tells watchers how a transaction fares, until it is final', async () => {
    await user.stop()
    user = await ChainUser.start({ finalityLag: 2 })
    const statuses: string[] = []
    const heard = new EventEmitter()
    const transaction = await sign(remark(), user.alice)
    const until = async (status: string) => {
      while (statuses.at(-1) !== status) await once(heard, 'status')
    }
    await user.api.rpc.author.submitAndWatchExtrinsic(transaction, ({ type }) => {
      statuses.push(type)
      heard.emit('status')
    })
    await until('Ready')
    const { hash } = user.chain.sealBlock()
    await until('InBlock')
    user.chain.sealBlock()
    assert.notEqual((await user.api.rpc.chain.getFinalizedHead()).toHex(), hash)
    user.chain.sealBlock()
    await until('Finalized')
    assert.deepEqual(statuses, ['Ready', 'InBlock', 'Finalized'])
    assert.equal((await user.api.rpc.chain.getFinalizedHead()).toHex(), hash)
  })

  it('refuses calls that nobody signed', async () => {
    await refused(user.tx('timestamp.set', 5), 1010, /not expected/)
  })

  it('answers a dry run without doing anything', async () => {
    const good = await sign(user.tx('balances.transferKeepAlive', user.bob.address, CAPS), user.alice)
    const bad = await sign(user.tx('nft.burnNft', 0), user.alice)
    assert.equal((await user.api.rpc.system.dryRun(good.toHex())).asOk.isOk, true)
    const result = (await user.api.rpc.system.dryRun(bad.toHex())).asOk.asErr
    assert.equal(user.api.registry.findMetaError(result.asModule).name, 'NFTNotFound')
    const stale = await sign(remark(), user.alice, { nonce: 9 })
    assert.equal((await user.api.rpc.system.dryRun(stale.toHex())).asErr.asInvalid.type, 'Future')
    assert.equal(await nonce(user.alice.address), 0)
  })

  it('says what a transaction costs', async () => {
    const { partialFee } = await remark().paymentInfo(user.alice)
    assert.equal(partialFee.toBigInt(), CAPS / 1000n)
  })

  describe('in batches', () => {
    const transfer = (amount: bigint) => user.tx('balances.transferKeepAlive', user.bob.address, amount)
    const tooMuch = 10n ** 30n

    it('stops at the first failure', async () => {
      const outcome = await user.succeed(
        user.tx('utility.batch', [transfer(1n), transfer(tooMuch), transfer(1n)]),
        user.alice,
      )
      assert.deepEqual(eventNames(outcome), ['balances.Transfer', 'utility.ItemCompleted', 'utility.BatchInterrupted'])
    })

    it('undoes everything when all must succeed', async () => {
      const before = await balance(user.bob.address)
      const [outcome] = await user.include([user.tx('utility.batchAll', [transfer(1n), transfer(tooMuch)]), user.alice])
      assert.equal(outcome?.error, 'Token.FundsUnavailable')
      assert.deepEqual(outcome && eventNames(outcome), ['system.ExtrinsicFailed'])
      assert.equal(await balance(user.bob.address), before)
    })

    it('goes on after a failure when forced', async () => {
      const inner = user.tx('utility.batchAll', [transfer(1n), transfer(tooMuch)])
      const outcome = await user.succeed(user.tx('utility.forceBatch', [inner, transfer(1n)]), user.alice)
      assert.deepEqual(eventNames(outcome), [
        'utility.ItemFailed',
        'balances.Transfer',
        'utility.ItemCompleted',
        'utility.BatchCompletedWithErrors',
      ])
    })
  })

  describe('of the committee', () => {
    it('needs a member, and gives no authority to one alone', async () => {
      const create = user.tx('tee.createCluster', 'Public')
      await user.fail(create, user.alice, 'BadOrigin')
      await user.fail(user.governed(create), user.bob, 'NotMember')
      const { method } = create
      await user.fail(user.tx('technicalCommittee.propose', 1, method, 1), user.alice, 'WrongProposalLength')
      await user.fail(user.tx('technicalCommittee.propose', 2, method, 99), user.alice, 'TooManyProposals')
      const alone = await user.succeed(user.tx('technicalCommittee.execute', method, 99), user.alice)
      assert.match(JSON.stringify(alone.events), /"result":\{"Err":"BadOrigin"\}/)
      const together = await user.succeed(user.governed(create), user.alice)
      assert.deepEqual(eventNames(together), ['tee.ClusterAdded', 'technicalCommittee.Executed'])
    })
  })
})

import assert from 'node:assert/strict'
import { ApiPromise, WsProvider } from '@polkadot/api'
import type { Codec } from '@polkadot/types/types'
import { blake2AsHex } from '@polkadot/util-crypto'
import { developmentSigner, startDevelopmentChain } from '../../../src/devchain/index.js'
import { SlotmeshError } from '../../../src/domain/index.js'
import { account, ChainUser, pending } from './chain-user.js'
import { RawClient } from './raw-client.js'

describe('the development chain’s JSON-RPC', () => {
  let user: ChainUser
  let client: RawClient

  before(async () => {
    user = await ChainUser.start()
    client = await RawClient.connect(user.chain.url)
  })

  after(async () => {
    client.close()
    await user.stop()
  })

  for (const generation of [1, 2] as const) {
    it(`lets @polkadot/api connect to generation ${generation} without a complaint`, async () => {
      const printed: string[] = []
      const original = { log: console.log, warn: console.warn, error: console.error }
      const capture = (...parts: unknown[]) => printed.push(parts.join(' '))
      Object.assign(console, { log: capture, warn: capture, error: capture })
      const chain = await startDevelopmentChain({ generation, blockTime: 'manual' })
      try {
        const api = await ApiPromise.create({ provider: new WsProvider(chain.url), throwOnUnknown: true })
        await api.disconnect()
      } finally {
        Object.assign(console, original)
        await chain.stop()
      }
      assert.deepEqual(printed, [])
    })
  }

  it('describes itself', async () => {
    const { api } = user
    assert.equal(api.genesisHash.toHex(), user.chain.genesisHash)
    assert.equal(api.runtimeMetadata.version, 14)
    assert.deepEqual(api.registry.chainTokens, ['CAPS'])
    assert.deepEqual(api.registry.chainDecimals, [18])
    assert.equal(api.registry.chainSS58, 42)
    const indices = api.runtimeMetadata.asV14.pallets.map(({ name, index }) => [name.toString(), index.toNumber()])
    assert.deepEqual(indices, [
      ['System', 0],
      ['Timestamp', 3],
      ['Balances', 4],
      ['TechnicalCommittee', 17],
      ['Utility', 21],
      ['NFT', 29],
      ['Rent', 32],
      ['TEE', 34],
    ])
    assert.equal(api.consts.nft?.shardsNumber?.toString(), '5')
    assert.equal(api.consts.balances?.existentialDeposit?.toString(), `${10n ** 15n}`)
    assert.equal((await api.rpc.system.chainType()).isDevelopment, true)
    assert.equal(
      api.registry.createType('AccountId', developmentSigner('Alice').account).toString(),
      user.alice.address,
    )
  })

  it('chains blocks whose hash is that of their header', async () => {
    const first = user.chain.sealBlock()
    const second = user.chain.sealBlock()
    const header = await user.api.rpc.chain.getHeader(second.hash)
    assert.equal(header.number.toNumber(), second.number)
    assert.equal(header.parentHash.toHex(), first.hash)
    assert.equal(blake2AsHex(header.toU8a()), second.hash)
    assert.equal((await user.api.rpc.chain.getBlockHash(first.number)).toHex(), first.hash)
    const { block } = await user.api.rpc.chain.getBlock(second.hash)
    const [inherent] = block.extrinsics
    assert.equal(`${inherent?.method.section}.${inherent?.method.method}`, 'timestamp.set')
    assert.equal(inherent?.isSigned, false)
    assert.equal(await user.read('system.number', [], second.hash), second.number)
    assert.equal(await user.read('system.blockHash', [first.number], second.hash), first.hash)
    const [event] = await user.eventsAt(second.hash)
    assert.deepEqual([event?.phase.toJSON(), event?.event.method], [{ applyExtrinsic: 0 }, 'ExtrinsicSuccess'])
  })

  it('has the same genesis for the same options, and another for others', async () => {
    const genesisOf = async (options: Parameters<typeof startDevelopmentChain>[0]) => {
      const chain = await startDevelopmentChain({ blockTime: 'manual', ...options })
      await chain.stop()
      return chain.genesisHash
    }
    assert.equal(await genesisOf({}), user.chain.genesisHash)
    const endowed = [account('someone').address].map((address) => user.api.createType('AccountId', address).toHex())
    const hashes = await Promise.all([{}, { generation: 1 as const }, { name: 'other' }, { endowed }].map(genesisOf))
    assert.equal(new Set(hashes).size, 4)
  })

  it('answers as of any block, however old', async () => {
    const nothingYet = user.chain.sealBlock()
    const id = await user.mint('plain', user.bob)
    const minted = (await user.api.rpc.chain.getHeader()).hash.toHex()
    await user.succeed(user.tx('nft.transferNft', id, user.alice.address), user.bob)
    const transferred = (await user.api.rpc.chain.getHeader()).hash.toHex()
    await user.succeed(user.tx('nft.burnNft', id), user.alice)
    const ownerAt = async (at: string) => ((await user.read('nft.nfts', [id], at)) as { owner?: string } | null)?.owner
    assert.equal(await ownerAt(nothingYet.hash), undefined)
    assert.equal(await ownerAt(minted), user.bob.address)
    assert.equal(await ownerAt(transferred), user.alice.address)
    assert.equal(await user.read('nft.nfts', [id]), null)
    const keysAt = async (at: string) => (await (await user.api.at(at)).query.nft?.nfts?.keys())?.length
    assert.deepEqual([await keysAt(nothingYet.hash), await keysAt(minted)], [0, 1])
    const key = user.api.query.nft?.nfts?.key(id) ?? ''
    const answer = await client.call('state_queryStorageAt', [key], nothingYet.hash)
    assert.deepEqual(answer, { jsonrpc: '2.0', id: 1, result: [{ block: nothingYet.hash, changes: [[key, null]] }] })
    const unknown = await client.call('state_getStorage', key, `0x${'12'.repeat(32)}`)
    assert.match(JSON.stringify(unknown), /"code":4003,"message":"Client error: UnknownBlock/)
  })

  it('pages a map, each entry once and in order', async () => {
    const first = Number(await user.read('nft.nextNFTId'))
    const mints = Array.from({ length: 25 }, () => user.tx('nft.createNft', 'x', 0, null, false))
    await user.succeed(user.tx('utility.batchAll', mints), user.bob)
    const seen: number[] = []
    const keys: string[] = []
    for (let startKey: string | undefined; ; ) {
      const options = { args: [], pageSize: 10, ...(startKey === undefined ? {} : { startKey }) }
      const page = (await user.api.query.nft?.nfts?.entriesPaged(options)) ?? []
      for (const [key] of page) {
        seen.push(Number(key.args[0]?.toString()))
        keys.push(key.toHex())
      }
      startKey = keys.at(-1)
      if (page.length < 10) break
    }
    assert.deepEqual(keys, [...keys].sort())
    assert.deepEqual(
      seen.sort((one, other) => one - other),
      Array.from({ length: 25 }, (_, index) => first + index),
    )
  })

  it('notifies every subscriber of heads and of changed storage', async () => {
    const others = await Promise.all(
      [1, 2, 3].map(() => ApiPromise.create({ provider: new WsProvider(user.chain.url) })),
    )
    try {
      const start = (await user.api.rpc.chain.getHeader()).number.toNumber()
      const seen: number[][] = []
      const caughtUp = pending()
      const record = async (
        subscribe: (heard: (header: { number: { toNumber(): number } }) => void) => Promise<unknown>,
      ) => {
        const numbers: number[] = []
        seen.push(numbers)
        await subscribe(({ number }) => {
          numbers.push(number.toNumber())
          if (seen.every((heard) => heard.at(-1) === start + 2)) caughtUp.resolve()
        })
      }
      for (const { rpc } of others) {
        await record((heard) => rpc.chain.subscribeNewHeads(heard))
        await record((heard) => rpc.chain.subscribeFinalizedHeads(heard))
      }
      const watched = account('watched')
      const balances: string[] = []
      await others[0]?.query.system?.account?.(watched.address, (info: Codec) => {
        balances.push(`${(info.toJSON() as { data: { free: string } }).data.free}`)
      })
      user.chain.sealBlock()
      await user.succeed(user.tx('balances.transferKeepAlive', watched.address, 10n ** 15n), user.alice)
      await caughtUp.promise
      for (const numbers of seen) assert.deepEqual(numbers, [start, start + 1, start + 2])
      // The block between did not touch the account.
      assert.deepEqual(balances, ['0', `${10n ** 15n}`])
    } finally {
      await Promise.all(others.map((api) => api.disconnect()))
    }
  })

  it('answers malformed requests with the errors of JSON-RPC', async () => {
    const codeOf = async (answer: Promise<unknown>) => ((await answer) as { error?: { code: number } }).error?.code
    assert.equal(await codeOf(client.ask('not json')), -32700)
    assert.equal(await codeOf(client.ask('{"id":1}')), -32600)
    assert.equal(await codeOf(client.ask('[]')), -32600)
    assert.equal(await codeOf(client.call('chainHead_v1_follow', true)), -32601)
    assert.equal(await codeOf(client.call('toString')), -32601)
    assert.equal(await codeOf(client.call('state_getStorage', 'zz')), -32602)
    assert.equal(await codeOf(client.call('state_getKeysPaged', '0x', 1_000_000)), 4002)
    // A length and so many bytes is what a node can tell without the runtime.
    assert.equal(await codeOf(client.call('author_submitExtrinsic', '0x1234567890')), 1001)
    assert.equal(await codeOf(client.call('author_submitExtrinsic', '0x')), 1001)
    assert.equal(await codeOf(client.call('author_submitExtrinsic', '0x00')), 1002)
    assert.equal(await codeOf(client.call('author_submitExtrinsic', '0x04ff')), 1002)
    assert.equal(await codeOf(client.call('state_call', 'Core_execute_block', '0x')), 4003)
  })

  it('answers a batch of requests in one message', async () => {
    const request = (id: number, method: string) => ({ jsonrpc: '2.0', id, method, params: [] })
    const answer = await client.ask(JSON.stringify([request(1, 'system_name'), request(2, 'nothing_there')]))
    assert.deepEqual(answer, [
      { jsonrpc: '2.0', id: 1, result: 'slotmesh development chain' },
      { jsonrpc: '2.0', id: 2, error: { code: -32601, message: 'Method not found' } },
    ])
  })

  it('bounds the subscriptions of a connection', async () => {
    const greedy = await RawClient.connect(user.chain.url)
    const request = { jsonrpc: '2.0', id: 1, method: 'state_subscribeRuntimeVersion', params: [] }
    const answers = (await greedy.ask(JSON.stringify(Array(1000).fill(request)))) as { error?: unknown }[]
    assert.equal(
      answers.every(({ error }) => error === undefined),
      true,
    )
    const more = (await greedy.ask(JSON.stringify(Array(30).fill(request)))) as { error?: { code: number } }[]
    assert.deepEqual([more[0]?.error, more.at(-1)?.error?.code], [undefined, -32006])
    greedy.close()
  })
})

describe('starting and stopping the development chain', () => {
  it('makes blocks by itself at its block time', async () => {
    const chain = await startDevelopmentChain({ blockTime: 10 })
    const api = await ApiPromise.create({ provider: new WsProvider(chain.url) })
    const reached = pending()
    await api.rpc.chain.subscribeFinalizedHeads(({ number }) => {
      if (number.toNumber() >= 3) reached.resolve()
    })
    await reached.promise
    await api.disconnect()
    await chain.stop()
  })

  it('says in a sentence that its port is in use, and frees it when it stops', async () => {
    const chain = await startDevelopmentChain({ blockTime: 'manual' })
    const port = Number(new URL(chain.url).port)
    await assert.rejects(startDevelopmentChain({ port }), (error: unknown) => {
      assert(error instanceof SlotmeshError)
      assert.equal(error.code, 'devchain/port-in-use')
      assert.match(error.message, new RegExp(`^Port ${port} is already in use; .+\\.$`))
      return true
    })
    await chain.stop()
    const again = await startDevelopmentChain({ port, blockTime: 'manual' })
    await again.stop()
  })
})

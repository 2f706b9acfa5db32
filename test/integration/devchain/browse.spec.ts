import assert from 'node:assert/strict'
import type { Vec } from '@polkadot/types'
import type { EventRecord, Hash } from '@polkadot/types/interfaces'
import { FOREIGN_CHAINS } from '../../support/foreign-chains.js'
import { ChainUser } from './chain-user.js'

const CHAINS = { 'its own metadata': { generation: 2, metadata: () => undefined }, ...FOREIGN_CHAINS } as const

/** What a block explorer and a wallet do, all by `@polkadot/api`. */
for (const [name, { generation, metadata }] of Object.entries(CHAINS)) {
  describe(`@polkadot/api on the development chain with ${name}`, () => {
    let user: ChainUser

    before(async () => {
      user = await ChainUser.start({ generation, metadata: metadata(), blockTime: 'instant' })
    })

    after(() => user.stop())

    /** Signs, sends and follows a transaction until it is final. */
    const send = (call: string, ...args: unknown[]) =>
      new Promise<{ hash: string; names: string[] }>((resolve, reject) => {
        user
          .tx(call as `${string}.${string}`, ...args)
          .signAndSend(user.alice, ({ status, events }) => {
            if (!status.isFinalized) return
            const names = events.map(({ event }) => `${event.section}.${event.method}`)
            resolve({ hash: status.asFinalized.toHex(), names })
          })
          .catch(reject)
      })

    it('signs and sends, and gets the transaction’s events', async () => {
      const { names } = await send('balances.transferKeepAlive', user.bob.address, 1000)
      assert.ok(names.includes('balances.Transfer') && names.at(-1) === 'system.ExtrinsicSuccess', names.join())
    })

    it('shows a block with its extrinsics and their events', async () => {
      const { hash } = await send('system.remarkWithEvent', 'hello')
      const { api } = user
      const { block } = await api.rpc.chain.getBlock(hash)
      const calls = block.extrinsics.map(({ method }) => `${method.section}.${method.method}`)
      assert.deepEqual(calls, ['timestamp.set', 'system.remarkWithEvent'])
      assert.equal(block.extrinsics[1]?.signer.toString(), api.createType('Address', user.alice.address).toString())
      const derived = await api.derive.chain.getBlock(hash)
      const events = derived.extrinsics[1]?.events.map(({ method }) => method) ?? []
      assert.ok(events.includes('Remarked') && events.includes('ExtrinsicSuccess'), events.join())
      const { events: recorded } = await api.derive.tx.events(api.createType<Hash>('Hash', hash))
      assert.equal(block.hash.toHex(), hash)
      assert.ok(recorded.some(({ event }) => event.method === 'Remarked'))
      const number = block.header.number.toNumber()
      assert.equal((await api.derive.chain.bestNumberFinalized()).toNumber(), number)
      assert.equal((await api.derive.chain.getHeader(hash)).number.toNumber(), number)
    })

    it('pages through maps, now and at a block', async () => {
      const { api } = user
      const before = user.chain.sealBlock()
      const batch = Array.from({ length: 5 }, () => user.tx('nft.createNft', 'data', 0, null, false))
      await send('utility.batchAll', batch)
      const nfts = api.query.nft?.nfts
      assert.ok(nfts !== undefined)
      const seen: number[] = []
      let startKey: string | undefined
      for (;;) {
        const page = await nfts.entriesPaged({ args: [], pageSize: 2, ...(startKey === undefined ? {} : { startKey }) })
        seen.push(...page.map(([{ args }]) => Number(args[0])))
        startKey = page.at(-1)?.[0].toHex()
        if (page.length < 2) break
      }
      assert.deepEqual(seen.sort(), [0, 1, 2, 3, 4])
      const then = await api.at(before.hash)
      assert.deepEqual(await then.query.nft?.nfts?.entries(), [])
      assert.equal((await nfts.keys()).length, 5)
      const several = (await nfts.multi([0, 4, 5])).map((nft) => nft.isEmpty)
      assert.deepEqual(several, [false, false, true])
    })

    it('follows the events of every block, and heads', async () => {
      const { api } = user
      const remarks: number[] = []
      const numbers: number[] = []
      let first = 0
      const stops = await Promise.all([
        api.query.system?.events?.((records: Vec<EventRecord>) => {
          remarks.push(records.filter(({ event }) => event.method === 'Remarked').length)
        }),
        api.rpc.chain.subscribeFinalizedHeads(({ number }) => {
          first ||= number.toNumber()
          numbers.push(number.toNumber())
        }),
      ])
      for (let sent = 0; sent < 3; sent++) await send('system.remarkWithEvent', `${sent}`)
      for (const stop of stops) if (typeof stop === 'function') stop()
      assert.deepEqual(
        remarks.filter((count) => count > 0),
        [1, 1, 1],
      )
      assert.deepEqual(numbers, [first, first + 1, first + 2, first + 3])
      assert.ok((await api.derive.accounts.info(user.bob.address)).accountId?.eq(user.bob.address))
    })
  })
}

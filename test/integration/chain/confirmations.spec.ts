import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Blocks } from '../../../src/chain/blocks/blocks.js'
import { Rpc } from '../../../src/chain/connection/rpc.js'
import { RpcSocket } from '../../../src/chain/connection/socket.js'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import type { AccountSigner } from '../../../src/crypto/index.js'
import type { Store } from '../../../src/store/index.js'
import { Ingest } from '../../../src/sync/index.js'
import { Random } from '../../support/random.js'
import { Folders, payloadOf, secret } from '../store/fixture.js'
import { own } from '../sync/fixture.js'
import { ChainWorld, enclaveOf, logger, signal } from './fixture.js'
import { Wire } from './wire.js'

const SUBMIT = 'author_submitAndWatchExtrinsic'
const PROCESS = fileURLToPath(new URL('./confirming-process.js', import.meta.url))

const ascending = (one: number, other: number) => one - other

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

describe('confirmations through faults', () => {
  const folders = new Folders()
  let world: ChainWorld
  let wire: Wire
  let chain: Chain

  before(async function () {
    this.timeout(60_000)
    world = await ChainWorld.start(2, 1)
  })

  after(() => world.stop())

  beforeEach(async () => {
    wire = await Wire.start(world.server.url)
    chain = await connectChain({ endpoints: [wire.url], logger })
  })

  afterEach(async () => {
    await chain.close()
    await wire.stop()
    await folders.clear()
  })

  /** That the chain has counted an enclave's confirmations. */
  async function counted(slot: number, nfts: readonly number[]): Promise<void> {
    const answers = await Promise.all(
      nfts.map((nftId) => world.chain.confirm(enclaveOf(0, slot), { kind: 'secret', nftId }, { signal })),
    )
    assert.deepEqual(new Set(answers.map(({ outcome }) => outcome)), new Set(['already-confirmed']))
  }

  /** What blocks after `after` hold of an account's confirmations, and its nonce. */
  async function confirmedBy(
    { account }: AccountSigner,
    after: number,
  ): Promise<{ shares: number[]; transactions: number; nonce: number }> {
    const socket = await RpcSocket.open(world.server.url, signal)
    const rpc = new Rpc(socket)
    const blocks = new Blocks(rpc, signal)
    const shares: number[] = []
    const transactions = new Set<string>()
    const { number: last } = await rpc.finalisedHead(signal)
    for (let number = after + 1; number <= last; number += 1) {
      for (const event of (await blocks.facts(number)).events) {
        if (event.type !== 'confirmed' || event.enclave !== account) continue
        shares.push(event.nftId)
        transactions.add(`${number} ${event.phase}`)
      }
    }
    const nonce = await rpc.nextNonce(account, signal)
    socket.close()
    return { shares: shares.sort(ascending), transactions: transactions.size, nonce }
  }

  it(`are all final though the connection breaks at any time (SEED=${seed})`, async () => {
    const random = new Random(seed)
    let messages = 0
    let next = 5
    let cuts = 0
    wire.rewrite = (message) => {
      messages += 1
      if (messages >= next && cuts < 3) {
        cuts += 1
        next = messages + 3 + random.below(40)
        wire.cut()
      }
      return [message]
    }
    const nfts = await Promise.all(Array.from({ length: 60 }, () => world.mint('secret')))
    const answers = await Promise.all(
      nfts.map((nftId) => chain.confirm(enclaveOf(0, 0), { kind: 'secret', nftId }, { signal })),
    )
    assert.deepEqual(new Set(answers.map(({ outcome }) => outcome)), new Set(['confirmed']))
    assert.ok(cuts > 0)
    wire.rewrite = (message) => [message]
    await counted(0, nfts)
  }).timeout(60_000)

  it('are sent after a restart when they are owed', async () => {
    const folder = await folders.make()
    const nfts = await Promise.all(Array.from({ length: 8 }, () => world.mint('secret')))
    const keys = nfts.map(secret)
    const ingestOf = (store: Store, lifetime: AbortSignal) =>
      new Ingest({
        signer: enclaveOf(0, 1),
        chain,
        store,
        caughtUp: async () => undefined,
        logger,
        lifetime,
        retryAfterMs: 50,
      })

    // The node is ended while the chain is out of reach; one of them had come through.
    await world.chain.confirm(enclaveOf(0, 1), { kind: 'secret', nftId: nfts[0] ?? 0 }, { signal })
    wire.isUp = false
    wire.cut()
    const first = await folders.open(folder)
    await first.beginSetup(own.identity, 0, [])
    const crash = new AbortController()
    const ingest = ingestOf(first, crash.signal)
    const takes = Promise.allSettled(keys.map((key) => ingest.take(key, payloadOf(key), { signal })))
    while (first.counts().pending < keys.length) await nextTurn()
    crash.abort()
    await Promise.all([takes, ingest.run()])
    await first.close()

    wire.isUp = true
    const second = await folders.open(folder)
    const end = new AbortController()
    const again = ingestOf(second, end.signal)
    const before = wire.requests.length
    const run = again.run()
    for (const key of keys) while (!(await isConfirmed(second, key))) await nextTurn()
    // What reads show is acknowledged a moment later.
    while (again.owed().count > 0) await nextTurn()
    end.abort()
    await run
    const sent = wire.requests.slice(before).filter((method) => method === SUBMIT)
    // The first to be read may go alone, and the others together.
    assert.ok(sent.length <= 2)
    await counted(1, nfts)
  }).timeout(60_000)

  for (const isFinal of [true, false]) {
    const when = isFinal ? 'after' : 'before'

    it(`are on chain once though the process is killed, and started again ${when} they are final`, async () => {
      const slot = isFinal ? 2 : 3
      const nfts = await Promise.all(Array.from({ length: 8 }, () => world.mint('secret')))
      const args = [wire.url, await folders.make(), `${slot}`, ...nfts.map(String)]
      const start = () => fork(PROCESS, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
      const begin = world.chain.finalised().number
      const { faults } = world.server

      const first = start()
      wire.tamper = (result, { method }) => {
        // Before the process hears of it.
        if (method === SUBMIT && first.kill('SIGKILL') && !isFinal) faults.showUpTo = chain.finalised().number
        return result
      }
      assert.deepEqual(await once(first, 'exit'), [null, 'SIGKILL'])
      const submitted = () => wire.requests.filter((method) => method === SUBMIT).length
      assert.ok(submitted() > 0)
      for (let block = 0; block < 3; block += 1) world.server.sealBlock()

      wire.tamper = (result, { method }) => {
        // It has to wait for these blocks: what is in them it must not send again.
        if (method === 'system_accountNextIndex') faults.showUpTo = undefined
        return result
      }
      assert.deepEqual(await once(start(), 'exit'), [0, null])
      const { shares, transactions, nonce } = await confirmedBy(enclaveOf(0, slot), begin)
      assert.deepEqual(shares, nfts.sort(ascending))
      // Nothing was sent again, so that none of its transactions was for nothing.
      assert.equal(nonce, transactions)
    }).timeout(60_000)
  }

  it('are sent once though who has sent them is gone before they are in a block, and asked again at once', async () => {
    const nftId = await world.mint('secret')
    const begin = world.chain.finalised().number
    const former = await connectChain({ endpoints: [wire.url], logger })
    const submitted = new Promise<void>((resolve) => {
      wire.tamper = (result, { method }) => {
        if (method === SUBMIT) resolve()
        return result
      }
    })
    const forgotten = former.confirm(enclaveOf(0, 4), { kind: 'secret', nftId }, { signal })
    await submitted
    await former.close()
    await assert.rejects(forgotten)
    const { outcome } = await chain.confirm(enclaveOf(0, 4), { kind: 'secret', nftId }, { signal })
    assert.equal(outcome, 'already-confirmed')
    const { shares, nonce } = await confirmedBy(enclaveOf(0, 4), begin)
    assert.deepEqual([shares, nonce], [[nftId], 1])
  }).timeout(60_000)

  it('are sent once also where the one that was on its way ends the round', async () => {
    const key = { kind: 'secret', nftId: await world.mint('secret') } as const
    for (const slot of [0, 1, 2, 3]) await world.chain.confirm(enclaveOf(0, slot), key, { signal })
    const before = (await confirmedBy(enclaveOf(0, 4), world.chain.finalised().number)).nonce
    const former = await connectChain({ endpoints: [wire.url], logger })
    const submitted = new Promise<void>((resolve) => {
      wire.tamper = (result, { method }) => {
        if (method === SUBMIT) resolve()
        return result
      }
    })
    const forgotten = former.confirm(enclaveOf(0, 4), key, { signal })
    await submitted
    await former.close()
    await assert.rejects(forgotten)
    assert.equal((await chain.confirm(enclaveOf(0, 4), key, { signal })).outcome, 'already-synced')
    assert.equal((await confirmedBy(enclaveOf(0, 4), world.chain.finalised().number)).nonce, before + 1)
  }).timeout(60_000)

  it('wait for funds and for a seat, and say so', async () => {
    const folder = await folders.make()
    const store = await folders.open(folder)
    await store.beginSetup(own.identity, 0, [])
    const lifetime = new AbortController()
    const nftId = await world.mint('secret')
    const ingest = new Ingest({
      signer: enclaveOf(0, 7),
      chain,
      store,
      caughtUp: async () => undefined,
      logger,
      lifetime: lifetime.signal,
      retryAfterMs: 50,
    })
    const key = secret(nftId)
    await assert.rejects(ingest.take(key, payloadOf(key), { signal }), { outcome: 'no-funds' })
    assert.equal(ingest.owed().lastOutcome, 'no-funds')
    const run = ingest.run()
    while (ingest.owed().lastOutcome !== 'not-registered') await nextTurn()
    assert.equal(ingest.owed().count, 1)
    lifetime.abort()
    await run
  }).timeout(60_000)
})

async function isConfirmed(store: Store, key: ReturnType<typeof secret>): Promise<boolean> {
  return (await store.pending(key))?.confirmed === true
}

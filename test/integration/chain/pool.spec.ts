import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import { type AccountSigner, toSs58 } from '../../../src/crypto/index.js'
import { RawClient } from '../devchain/raw-client.js'
import { ChainWorld, enclaveOf, logger, signal } from './fixture.js'
import { Wire } from './wire.js'

const SUBMIT = 'author_submitAndWatchExtrinsic'

interface Refusal {
  readonly code: number
  readonly message: string
  readonly data?: string
}

const invalid = (data: string): Refusal => ({ code: 1010, message: 'Invalid Transaction', data })

/** With these there is no use in trying again within the same block. */
const LATER: readonly number[] = [1011, 1012, 1016, 1020, 1021]

/** Of `sc-rpc-api`, `author/error.rs`, and `sp-runtime`, `transaction_validity.rs`: those that may pass. */
const PASSING: readonly Refusal[] = [
  {
    code: 1002,
    message: 'Verification Error: Execution failed: Runtime panicked',
    data: 'RuntimeApi("Execution failed: Runtime panicked")',
  },
  invalid('Transaction is outdated'),
  invalid('Transaction has a bad signature'),
  invalid('Transaction has an ancient birth block'),
  invalid('Transaction will be valid in the future'),
  { code: 1011, message: 'Unknown Transaction Validity', data: 'CannotLookup' },
  { code: 1012, message: 'Transaction is temporarily banned' },
  {
    code: 1014,
    message: 'Priority is too low: (5 vs 5)',
    data: 'The transaction has too low priority to replace another transaction already in the pool.',
  },
  {
    code: 1016,
    message: 'Immediately Dropped',
    data: "The transaction couldn't enter the pool because of the limit",
  },
  { code: 1020, message: 'The provided block ID is not valid' },
  { code: 1021, message: 'The pool is not accepting future transactions' },
]

const LASTING: readonly Refusal[] = [
  { code: 1001, message: 'Extrinsic has invalid format: Not enough data to fill buffer' },
  invalid('Transaction call is not expected'),
  invalid('Transaction would exhaust the block limits'),
  invalid('Invalid signing address'),
  invalid('Custom error: 7'),
  { code: 1018, message: 'Unactionable' },
]

describe('a pool that refuses or loses transactions', () => {
  let world: ChainWorld
  let wire: Wire
  let chain: Chain
  let client: RawClient
  let enclave: AccountSigner
  let slot = 0
  /** The transactions that were handed in. */
  let handedIn: unknown[]

  before(async function () {
    this.timeout(60_000)
    world = await ChainWorld.start(2, 1)
    client = await RawClient.connect(world.server.url)
  })

  after(async () => {
    client.socket.terminate()
    await world.stop()
  })

  beforeEach(async () => {
    wire = await Wire.start(world.server.url)
    chain = await connectChain({ endpoints: [wire.url], logger })
    handedIn = []
    slot = (slot + 1) % 5
    enclave = enclaveOf(0, slot)
  })

  afterEach(async () => {
    await chain.close()
    await wire.stop()
  })

  const nonce = async () => Number(await client.result('system_accountNextIndex', toSs58(enclave.account)))

  const confirm = async (nftId: number) => (await chain.confirm(enclave, { kind: 'secret', nftId }, { signal })).outcome

  /** What becomes of each attempt: the wire's own answer, or the chain's when there is none. */
  function answering(answer: (attempt: number, bytes: string) => ReturnType<Wire['intercept']>): void {
    wire.intercept = ({ method, params: [bytes] }) =>
      method === SUBMIT ? answer(handedIn.push(bytes), String(bytes)) : undefined
  }

  const say = (status: unknown, subscription = 'lost') =>
    wire.say(
      JSON.stringify({
        jsonrpc: '2.0',
        method: 'author_extrinsicUpdate',
        params: { subscription, result: status },
      }),
    )

  const seal = (blocks: number) => {
    for (let made = 0; made < blocks; made += 1) world.server.sealBlock()
  }

  /** Confirms one share, and takes care that it was confirmed by so many transactions. */
  async function confirmsWith(transactions: number): Promise<void> {
    const before = await nonce()
    const nftId = await world.mint('secret')
    assert.equal(await confirm(nftId), 'confirmed')
    assert.equal((await nonce()) - before, transactions)
    assert.equal(
      (await world.chain.confirm(enclave, { kind: 'secret', nftId }, { signal })).outcome,
      'already-confirmed',
    )
  }

  const distinct = () => new Set(handedIn).size

  for (const status of [
    'dropped',
    'invalid',
    { usurped: `0x${'5'.repeat(64)}` },
    { finalityTimeout: `0x${'6'.repeat(64)}` },
  ]) {
    it(`hands the same bytes in again after ${JSON.stringify(status)}`, async () => {
      answering((attempt) => {
        if (attempt > 1) return undefined
        setImmediate(say, status)
        return { result: 'lost' }
      })
      const before = chain.finalised().number
      await confirmsWith(1)
      assert.deepEqual([handedIn.length, distinct()], [2, 1])
      assert.ok(chain.finalised().number < before + 14)
    }).timeout(60_000)
  }

  it('hands the same bytes in again when nothing more is heard of them', async () => {
    answering((attempt) => {
      if (attempt > 1) return undefined
      setImmediate(seal, 20)
      return { result: 'lost' }
    })
    await confirmsWith(1)
    assert.deepEqual([handedIn.length, distinct()], [2, 1])
  }).timeout(60_000)

  it('hands in once a block at most while the pool loses everything at once', async () => {
    const heads: number[] = []
    answering((attempt) => {
      if (attempt > 6) return undefined
      heads.push(chain.finalised().number)
      setImmediate(say, 'dropped', `lost-${attempt}`)
      return { result: `lost-${attempt}` }
    })
    await confirmsWith(1)
    assert.equal(distinct(), 1)
    assert.deepEqual(new Set(heads.slice(1)).size, heads.length - 1)
  }).timeout(60_000)

  it('signs anew when a transaction expired', async () => {
    answering((_, bytes) => {
      if (bytes !== handedIn[0]) return undefined
      if (handedIn.length === 1) setImmediate(seal, 70)
      return { result: `lost-${handedIn.length}` }
    })
    await confirmsWith(1)
    assert.equal(distinct(), 2)
  }).timeout(60_000)

  it('signs anew when another transaction has the nonce, before it expires', async () => {
    const before = await nonce()
    const nftId = await world.mint('secret')
    const submitted = new EventEmitter()
    answering((attempt) => {
      submitted.emit('once')
      return attempt === 1 ? { result: 'lost' } : undefined
    })
    const heard = once(submitted, 'once')
    const confirming = confirm(nftId)
    await heard
    const usurper = await world.send(enclave, 'system', 'remark', ['0x00'])
    say({ usurped: `0x${'7'.repeat(64)}` })
    assert.equal(await confirming, 'confirmed')
    assert.ok(chain.finalised().number < usurper.block.number + 16)
    assert.equal((await nonce()) - before, 2)
    assert.equal(distinct(), 2)
  }).timeout(60_000)

  it('does not sign anew what the pool says to have already', async () => {
    answering((attempt, bytes) => {
      if (attempt > 1) return undefined
      void client.result('author_submitExtrinsic', bytes)
      return { error: { code: 1013, message: 'Transaction Already Imported', data: '"0x00"' } }
    })
    await confirmsWith(1)
    assert.equal(distinct(), 1)
  }).timeout(60_000)

  for (const error of PASSING) {
    const name = `${error.code} ${error.data ?? error.message}`

    it(`gets through when a refusal passes: ${name}`, async () => {
      answering((attempt) => (attempt <= 2 ? { error } : undefined))
      await confirmsWith(1)
      assert.deepEqual([handedIn.length, distinct()], [3, 3])
    }).timeout(60_000)

    it(`gives up when a refusal stays, and lets a block come between: ${name}`, async () => {
      const heads: number[] = []
      answering((attempt) => {
        heads.push(chain.finalised().number)
        // The block after the first is made in its time, so that one who does not wait is seen not to.
        if (attempt > 1) setImmediate(seal, 2)
        return { error }
      })
      await assert.rejects(confirm(await world.mint('secret')), { code: 'chain/not-included' })
      assert.equal(heads.length, 10)
      assert.ok(new Set(heads).size >= (LATER.includes(error.code) ? 10 : 9))
    }).timeout(60_000)
  }

  for (const error of LASTING) {
    it(`does not try again: ${error.code} ${error.data ?? error.message}`, async () => {
      answering(() => ({ error }))
      await assert.rejects(confirm(await world.mint('secret')), { code: 'chain/request-refused' })
      assert.equal(handedIn.length, 1)
    }).timeout(60_000)
  }

  for (const data of ['Inability to pay some fees (e.g. account balance too low)', 'Payment']) {
    it(`answers that there are no funds: ${data}`, async () => {
      answering(() => ({ error: invalid(data) }))
      assert.equal(await confirm(await world.mint('secret')), 'no-funds')
      assert.equal(handedIn.length, 1)
    }).timeout(60_000)
  }

  it('halves a batch until a block has room for it, and then sends no larger one', async () => {
    const nfts = await Promise.all(Array.from({ length: 40 }, () => world.mint('secret')))
    const unknown = 1_000_000
    const sizes: boolean[] = []
    answering((_, bytes) => {
      const fits = bytes.length <= 2 * 190
      sizes.push(fits)
      return fits ? undefined : { error: invalid('Transaction would exhaust the block limits') }
    })
    const before = await nonce()
    const answers = await Promise.all([...nfts, unknown].map(confirm))
    assert.deepEqual(answers, [...nfts.map(() => 'confirmed'), 'unknown-nft'])
    const taken = sizes.filter((fits) => fits).length
    assert.equal((await nonce()) - before, taken)
    assert.ok(taken < 10)
    // 41, 21 and 11 were too many, or 21 was the last.
    assert.ok(sizes.indexOf(true) <= 3)
    assert.ok(sizes.slice(sizes.indexOf(true)).every((fits) => fits))
  }).timeout(60_000)

  it('signs anew when the runtime was upgraded after signing', async () => {
    answering((attempt) => {
      if (attempt === 1) {
        world.server.upgrade({})
        seal(1)
      }
      return undefined
    })
    await confirmsWith(1)
    assert.deepEqual([handedIn.length, distinct()], [2, 2])
  }).timeout(60_000)

  it('signs anew when the runtime was upgraded while it waited in the pool', async () => {
    answering((attempt) => {
      if (attempt > 1) return undefined
      world.server.upgrade({})
      setImmediate(() => {
        seal(2)
        say('invalid')
      })
      return { result: 'lost' }
    })
    await confirmsWith(1)
    assert.equal(distinct(), 2)
    assert.ok(handedIn.length < 6)
  }).timeout(60_000)
})

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import { type DevelopmentChain, startDevelopmentChain } from '../../../src/devchain/index.js'
import type { BlockTriggers } from '../../../src/domain/index.js'
import { signal } from './fixture.js'
import { Journal } from './journal.js'
import { Wire } from './wire.js'

const NOWHERE = 'ws://127.0.0.1:1'
const NO_HASH = `0x${'00'.repeat(32)}`
const NOT_THERE = `0x${'ab'.repeat(32)}`

describe('several endpoints of a chain', () => {
  let server: DevelopmentChain
  let first: Wire
  let second: Wire
  let journal: Journal
  let chain: Chain | undefined

  const seal = (blocks: number, on = server) => {
    for (let count = 0; count < blocks; count += 1) on.sealBlock()
  }
  const connect = async (options: Partial<Parameters<typeof connectChain>[0]> = {}): Promise<Chain> => {
    chain = await connectChain({ endpoints: [first.url, second.url], logger: journal, ...options })
    return chain
  }
  const until = async (condition: () => boolean) => {
    while (!condition()) await turn()
  }
  /** The wire's view of the chain ends at a block. */
  const showUpTo = async (wire: Wire, number: number) => {
    const { hash } = await hashOf(number)
    wire.tamper = (result, { method }) => (method === 'chain_getFinalizedHead' ? hash : result)
    wire.rewrite = (message) => (message.includes('chain_finalizedHead') ? [] : [message])
  }
  const hashOf = async (number: number) => {
    const other = await connectChain({ endpoints: [server.url], logger: new Journal() })
    const hash = await other.blockHash(number, { signal })
    await other.close()
    return { number, hash }
  }
  const follow = (from: Chain, after: number) => from.follow(after, { signal })[Symbol.asyncIterator]()
  const read = async (blocks: AsyncIterator<BlockTriggers>, numbers: readonly number[]) => {
    for (const number of numbers) assert.equal((await blocks.next()).value.block.number, number)
  }
  const failureOf = (of: Chain, wire: Wire) =>
    of.health().endpoints.find(({ url }) => url === wire.url)?.lastFailure?.code

  beforeEach(async () => {
    server = await startDevelopmentChain({ blockTime: 'manual', finalityLag: 0 })
    first = await Wire.start(server.url)
    second = await Wire.start(server.url)
    journal = new Journal()
  })

  afterEach(async () => {
    await chain?.close()
    chain = undefined
    await first.stop()
    await second.stop()
    await server.stop()
  })

  it('are used in their order, and again once they are back', async () => {
    first.isUp = false
    const connected = await connect({ endpoints: [NOWHERE, first.url, second.url] })
    assert.equal(connected.health().endpoint, second.url)
    const blocks = follow(connected, 0)
    seal(1)
    await read(blocks, [1])
    first.isUp = true
    second.isUp = false
    second.cut()
    seal(1)
    await read(blocks, [2])
    await journal.until('chain/disconnected', second.url)
    const { state, endpoint, endpoints, finalised } = connected.health()
    assert.deepEqual([state, endpoint, finalised.number], ['connected', first.url, 2])
    assert.deepEqual(
      endpoints.map(({ url }) => url),
      [NOWHERE, first.url, second.url],
    )
    assert.deepEqual(
      endpoints.slice(0, 2).map(({ lastFailure }) => lastFailure?.code),
      ['chain/unreachable', 'chain/unreachable'],
    )
  })

  it('are all named when none answers', async () => {
    first.isUp = false
    await assert.rejects(connect({ endpoints: [NOWHERE, first.url] }), {
      code: 'chain/unreachable',
      message: `No chain answers at ${NOWHERE} or ${first.url}: start one there, or correct the address.`,
    })
  })

  it('are refused when any is no address, or there is none', async () => {
    await assert.rejects(connect({ endpoints: [first.url, 'nowhere'] }), { code: 'chain/bad-endpoint' })
    await assert.rejects(connect({ endpoints: [] }), { code: 'chain/bad-endpoint' })
    assert.equal(first.connections, 0)
  })

  it('are left when they are of another chain', async () => {
    const other = await startDevelopmentChain({ blockTime: 'manual', name: 'another' })
    try {
      const expectedGenesis = server.genesisHash
      const connected = await connect({ endpoints: [other.url, first.url], expectedGenesis })
      assert.equal(connected.health().endpoint, first.url)
      await journal.until('chain/wrong-genesis', other.url)
      const alone = connect({ endpoints: [other.url], expectedGenesis })
      await assert.rejects(alone, { code: 'chain/wrong-genesis', message: new RegExp(other.url) })
      const mixed = connect({ endpoints: [other.url, NOWHERE], expectedGenesis })
      await assert.rejects(mixed, { code: 'chain/unreachable', message: new RegExp(`begins with.*${NOWHERE}`) })
    } finally {
      await other.stop()
    }
  })

  it('are left when they have another block where one was final', async () => {
    second.tamper = (result, { method, params }) =>
      method === 'chain_getBlockHash' && params[0] === 3 ? NO_HASH : result
    seal(3)
    const connected = await connect()
    const blocks = follow(connected, 0)
    await read(blocks, [1, 2, 3])
    first.isUp = false
    first.cut()
    assert.equal((await journal.until('chain/forked', second.url)).level, 'error')
    assert.equal(failureOf(connected, second), 'chain/forked')
    assert.equal(connected.health().state, 'connecting')
    first.isUp = true
    seal(1)
    await read(blocks, [4])
    assert.equal(connected.health().endpoint, first.url)
  })

  it('are left when what they announce does not follow on what was final', async () => {
    seal(1)
    const connected = await connect()
    first.rewrite = (message) => [message.replace(/"parentHash":"[^"]*"/, `"parentHash":"${NO_HASH}"`)]
    seal(1)
    await read(follow(connected, 0), [1, 2])
    assert.equal((await journal.until('chain/forked', first.url)).level, 'error')
    assert.equal(connected.health().endpoint, second.url)
  })

  it('are left when they announce blocks that there are not', async () => {
    const connected = await connect()
    first.rewrite = (message) => [
      message.includes('chain_finalizedHead') ? message.replace(/"number":"[^"]*"/, '"number":"0xfffffff0"') : message,
    ]
    seal(1)
    await journal.until('chain/block-unknown', first.url)
    await read(follow(connected, 0), [1])
    seal(1)
    await read(follow(connected, 1), [2])
    assert.equal(failureOf(connected, second), undefined)
  })

  it('are left when they have less than was final', async () => {
    seal(5)
    await showUpTo(second, 4)
    const connected = await connect()
    first.isUp = false
    first.cut()
    await journal.until('chain/lagging', second.url)
    first.isUp = true
    await until(() => connected.health().state === 'connected')
    assert.equal(connected.health().endpoint, first.url)
  })

  it('are left when they go back', async () => {
    seal(5)
    const connected = await connect()
    const announced = new Promise<string>((resolve) => {
      first.rewrite = (message) => {
        if (message.includes('chain_finalizedHead')) resolve(message)
        return [message]
      }
    })
    seal(1)
    const message = await announced
    await showUpTo(first, 3)
    first.say(message.replace('"0x6"', '"0x3"'))
    await journal.until('chain/lagging', first.url)
    await until(() => connected.health().endpoint === second.url)
    assert.equal(connected.finalised().number, 6)
  })

  it('are left when they are quiet while others go on', async () => {
    seal(1)
    await showUpTo(first, 1)
    const connected = await connect({ quietAfterMs: 50 })
    const blocks = follow(connected, 0)
    seal(1)
    await read(blocks, [1, 2])
    await journal.until('chain/quiet', first.url)
    assert.equal(connected.health().endpoint, second.url)
  })

  it('are left when they are far behind, though they go on', async () => {
    const connected = await connect({ compareEveryMs: 20 })
    seal(20)
    await until(() => connected.finalised().number === 20)
    await showUpTo(first, 20)
    seal(10)
    // As far as that is tolerated; more is not.
    const asked = second.connections
    await until(() => second.connections > asked + 1)
    assert.equal(connected.health().endpoint, first.url)
    seal(1)
    await journal.until('chain/lagging', first.url)
    await read(follow(connected, 30), [31])
    assert.equal(connected.health().endpoint, second.url)
  })

  it('are subscribed to again when only the announcements have ended', async () => {
    const connected = await connect({ endpoints: [first.url], quietAfterMs: 50 })
    first.rewrite = (message) => (message.includes('chain_finalizedHead') ? [] : [message])
    seal(2)
    await read(follow(connected, 0), [1, 2])
    assert.equal(first.requests.filter((method) => method === 'chain_subscribeFinalizedHeads').length, 2)
    first.rewrite = (message) => [message]
    seal(1)
    await read(follow(connected, 2), [3])
    assert.equal(first.connections, 1)
  })

  it('are asked again and again, and not left, when they announce nothing but go on', async () => {
    const connected = await connect({ quietAfterMs: 20 })
    first.rewrite = (message) => (message.includes('chain_finalizedHead') ? [] : [message])
    // The other endpoint is a block ahead whenever it is asked.
    const times: number[] = []
    first.tamper = (result, { method }) => {
      if (method !== 'chain_getFinalizedHead') return result
      times.push(performance.now())
      seal(1)
      return result
    }
    seal(1)
    await until(() => times.length >= 8)
    const [one = 0, , , , , , , last = 0] = times
    assert(last - one < 1_000, 'pauses of 20 ms, which do not grow')
    assert.equal(connected.health().endpoint, first.url)
    assert.equal(first.connections, 1)
    assert.equal(second.connections, 0)
  })

  it('are not left, but asked less and less often, when the whole chain stands still', async () => {
    await connect({ quietAfterMs: 10 })
    const times: number[] = []
    first.tamper = (result, { method }) => {
      if (method === 'chain_getFinalizedHead') times.push(performance.now())
      return result
    }
    await until(() => times.length >= 5)
    const [one = 0, , , , last = 0] = times
    assert(last - one >= 290, 'pauses of 20, 40, 80 and 160 ms')
    assert.equal(first.connections, 1)
    assert(second.connections <= times.length)
    assert.deepEqual(
      journal.entries.filter(({ level }) => level === 'warn'),
      [],
    )
  })

  it('are left when nothing comes from them any more', async () => {
    const connected = await connect({ quietAfterMs: 50, connectTimeoutMs: 100 })
    first.rewrite = () => []
    seal(1)
    await read(follow(connected, 0), [1])
    await journal.until('chain/silent', first.url)
  })

  it('are left when they send garbage, or answer with something else than was asked for', async () => {
    const connected = await connect()
    first.say('{"jsonrpc":')
    await journal.until('chain/malformed-answer', first.url)
    await until(() => connected.health().endpoint === second.url)
    second.tamper = (result, { method }) => (method === 'state_queryStorageAt' ? 17 : result)
    assert.equal(await connected.nft(1, { signal }), undefined)
    await journal.until('chain/malformed-answer', second.url)
    assert.equal(connected.health().endpoint, first.url)
  })

  it('are waited for when none of them can be read', async () => {
    const connected = await connect()
    for (const wire of [first, second]) {
      wire.tamper = (result, { method }) => (method === 'state_getStorage' ? 17 : result)
    }
    const reading = read(follow(connected, 0), [1])
    seal(1)
    await until(() => journal.entries.some(({ message }) => message === 'the latest finalised block could not be read'))
    for (const wire of [first, second]) {
      assert.equal(failureOf(connected, wire), 'chain/malformed-answer')
      wire.tamper = (result) => result
    }
    await reading
  })

  it('are recorded as unreachable when they do not answer the comparison in time', async () => {
    second.rewrite = () => []
    const connected = await connect({ compareEveryMs: 10, connectTimeoutMs: 100 })
    await journal.until('chain/unreachable', second.url)
    assert.equal(failureOf(connected, second), 'chain/unreachable')
    assert.equal(connected.health().endpoint, first.url)
  })

  it('are not believed any more once they are left', async () => {
    first.tamper = (result, { method, params: [asked] }) => {
      if (method !== 'chain_getBlockHash') return result
      if (Array.isArray(result))
        return result.map((hash, index) => ((asked as number[])[index] === 2 ? NOT_THERE : hash))
      return asked === 2 ? NOT_THERE : result
    }
    const connected = await connect()
    const blocks = follow(connected, 0)
    seal(1)
    await read(blocks, [1])
    seal(3)
    await read(blocks, [2, 3, 4])
    assert.equal(connected.health().endpoint, second.url)
  })

  it('are left when what they announce cannot be read from them', async () => {
    // Long enough for the other one to be read from before it is judged in its turn.
    const connected = await connect({ compareEveryMs: 500 })
    first.intercept = ({ method }) =>
      method === 'state_getStorage' ? { error: { code: -32000, message: 'Too many requests' } } : undefined
    seal(12)
    await journal.until('chain/lagging', first.url)
    const blocks = follow(connected, 0)
    await read(blocks, [1])
    assert.equal(connected.health().endpoint, second.url)
  })

  it('are left once for another one when they cannot give a block, for that may have it', async () => {
    seal(4)
    const pruned = { code: 4003, message: 'Client error: UnknownBlock: State already discarded for 0x00' }
    const { hash } = await hashOf(2)
    const withoutBlock = ({ method, params }: { method: string; params: readonly unknown[] }) =>
      method === 'state_getStorage' && params[1] === hash ? { error: pruned } : undefined
    first.intercept = withoutBlock
    const connected = await connect()
    const fails = (block: number) =>
      assert.rejects(read(follow(connected, block - 1), [block]), { code: 'chain/unreadable-block' })
    await fails(2)
    await journal.until('chain/unreadable-block', first.url)
    await read(follow(connected, 1), [2, 3, 4])
    assert.equal(connected.health().endpoint, second.url)

    // Nobody has the next one: after both were tried they are as good as each other.
    const known = new Set((await Promise.all([0, 1, 2, 3, 4].map(hashOf))).map((block) => `${block.hash}`))
    for (const wire of [first, second]) {
      wire.intercept = ({ method, params }) =>
        method === 'state_getStorage' && !known.has(`${params[1]}`) ? { error: pruned } : undefined
    }
    seal(1)
    let isLeft = false
    const leaving = journal.until('chain/unreadable-block', second.url).then(() => {
      isLeft = true
    })
    // The first one has to rest before it is tried again.
    while (!isLeft) await fails(5)
    await leaving
    const connections = () => first.connections + second.connections
    await fails(5)
    const before = connections()
    for (let again = 0; again < 5; again += 1) await fails(5)
    assert.equal(connected.health().endpoint, first.url)
    assert.equal(connections(), before)
  })

  it('are told of in the health, with how old what is known is', async () => {
    seal(1)
    const before = Date.now()
    const connected = await connect()
    const { finalised, since, unreadable } = connected.health()
    assert.deepEqual([finalised.number, finalised.hash], [1, connected.finalised().hash])
    for (const at of [finalised.at, since]) assert(at >= before && at <= Date.now())
    assert.equal(unreadable, undefined)
    const { ageMs } = finalised
    await turn()
    assert(connected.finalisedAgeMs() > ageMs)
    seal(1)
    await until(() => connected.finalised().number === 2)
    assert(connected.finalisedAgeMs() < Date.now() - before)
  })
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { handOver, requireWaiting } from '../../../../src/cli/owner/handing-over.js'
import type { Clock, Cluster, EnclaveSeat, NftFacts, ShareKey } from '../../../../src/domain/index.js'
import { NFT, owner, SYNCED, SYNCING, stranger } from '../../owner/fixture.js'

const KEY: ShareKey = { kind: 'secret', nftId: NFT }
const SHARES = [0, 1, 2, 3, 4].map((slot) => `the share of slot ${slot}, long enough`)
const TIMEOUT_MS = 987_654

type Answer = readonly [http: number, body: Readonly<Record<string, unknown>>]

const BLOCK = 1_000
const WELL: Answer = [200, { block_number: BLOCK }]
const STORED: Answer = [200, { status: 'STORESUCCESS' }]
const BUSY: Answer = [503, { status: 'BUSY', description: 'There is too much to do.' }]

/** Five enclaves that answer as they are told. */
class Enclaves {
  readonly asked: { readonly slot: number; readonly path: string; readonly share: string }[] = []
  health: (slot: number, time: number) => Answer = () => WELL
  store: (slot: number, time: number) => Answer = () => STORED
  #server: Server | undefined

  async start(): Promise<void> {
    this.#server = createServer(async (request, response) => {
      const [, slot = '', path = ''] = /^\/(\d)\/api\/(.+)$/.exec(request.url ?? '') ?? []
      const body = request.method === 'POST' ? Object(await json(request)) : {}
      const index = Number(slot)
      this.asked.push({ slot: index, path, share: String(body.data).split('_')[1] ?? '' })
      const time = this.asked.filter((each) => each.slot === index && each.path === path).length
      const [http, answer] = path === 'health' ? this.health(index, time) : this.store(index, time)
      response.writeHead(http, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    }).listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  stop(): void {
    this.#server?.close()
    this.#server?.closeAllConnections()
  }

  get cluster(): Cluster {
    const { port }: AddressInfo = Object(this.#server?.address())
    const seats = SHARES.map((_, slot) => ({
      account: stranger.account,
      operator: stranger.account,
      cluster: 3,
      slot,
      apiUri: `http://127.0.0.1:${port}/${slot}`,
    }))
    return { id: 3, type: 'public', seats }
  }

  get handedOver(): Enclaves['asked'] {
    return this.asked.filter(({ path }) => path !== 'health')
  }
}

describe('shares that are handed over', () => {
  let enclaves: Enclaves
  let lines: string[]
  let expire: () => void
  let interrupted: AbortController

  beforeEach(async () => {
    enclaves = new Enclaves()
    await enclaves.start()
    lines = []
    expire = () => assert.fail('the time has not begun')
    interrupted = new AbortController()
  })

  afterEach(() => enclaves.stop())

  /** Pauses are over at once; the time for all of it when a test says so. */
  const clock: Clock = {
    now: () => 0,
    after: (ms, callback) => {
      if (ms === TIMEOUT_MS) expire = callback
      else setImmediate(callback)
      return () => undefined
    },
  }

  const handedOver = (
    heard: (line: string) => void = () => undefined,
    seatNow: (slot: number) => EnclaveSeat | undefined = (slot) => enclaves.cluster.seats[slot],
  ) =>
    handOver(
      { cluster: enclaves.cluster, seatNow, key: KEY, owner, shares: SHARES, block: () => BLOCK },
      {
        signal: interrupted.signal,
        timeoutMs: TIMEOUT_MS,
        say: (line) => {
          lines.push(line)
          heard(line)
        },
        clock,
      },
    )

  it('are handed over when all five are in step, and not before', async () => {
    enclaves.health = (slot, time) => (slot === 3 && time < 3 ? [206, { description: 'It has no seat.' }] : WELL)
    await handedOver()
    assert.deepEqual(
      enclaves.asked.slice(-5).map(({ path }) => path),
      Array(5).fill('secret-nft/store-keyshare'),
    )
    assert.deepEqual(enclaves.handedOver.map(({ share }) => share).sort(), SHARES)
    assert.equal(lines.length, 2)
    for (const line of lines) assert.match(line, /^slot 3 is asked again: .*\(206\): It has no seat\.$/)
  })

  it('are handed over to nobody before all have seen the block that their owner has', async () => {
    enclaves.health = (slot, time) => (slot === 1 && time < 3 ? [200, { block_number: BLOCK - 1 }] : WELL)
    await handedOver()
    const last = enclaves.asked.findLastIndex(({ path }) => path === 'health')
    assert.equal(enclaves.asked[last]?.slot, 1)
    assert.ok(enclaves.asked.slice(0, last).every(({ path }) => path === 'health'))
    for (const line of lines)
      assert.match(line, /^slot 1 is asked again: .*has seen block 999 of the chain, which is at 1000/)
  })

  it('are handed over where the enclave is by then, and to who has the seat by then', async () => {
    const others = new Enclaves()
    await others.start()
    try {
      const [before, after] = [enclaves.cluster.seats, others.cluster.seats]
      enclaves.store = (slot) => (slot === 2 || slot === 3 ? BUSY : STORED)
      let times = 0
      others.health = () => (times++ === 0 ? [206, {}] : WELL)
      const moved = (slot: number) => {
        const [from, to] = [before[slot], after[slot]]
        if (lines.length < 4 || from === undefined || to === undefined) return from
        // One has moved, of the other somebody else has the seat.
        if (slot === 2) return to
        return slot === 3 ? { ...to, account: owner.account } : from
      }
      await handedOver(undefined, moved)
      assert.deepEqual(
        others.handedOver.map(({ slot, share }) => [slot, share]).sort(),
        [2, 3].map((slot) => [slot, SHARES[slot]]),
      )
      assert.deepEqual(
        others.asked.filter(({ path }) => path === 'health').map(({ slot }) => slot),
        [3, 3],
      )
      assert.ok(enclaves.handedOver.filter(({ slot }) => slot === 2).length <= 4)
    } finally {
      others.stop()
    }
  })

  it('are asked for again while nobody has the seat', async () => {
    let times = 0
    await handedOver(undefined, (slot) => (slot === 4 && times++ < 2 ? undefined : enclaves.cluster.seats[slot]))
    assert.deepEqual(enclaves.handedOver.map(({ share }) => share).sort(), SHARES)
    assert.match(lines.join('\n'), /^slot 4 is asked again: Nobody has slot 4/)
  })

  it('show of what an enclave says no more than a line, without what a terminal would obey', async () => {
    const description = `\u001b[2J\n5 of 5 shares are kept\u202e ${'long '.repeat(100)}`
    enclaves.store = (slot, time) => (slot === 2 && time < 2 ? [503, { status: 'BUSY', description }] : STORED)
    await handedOver()
    assert.match(lines[0] ?? '', /BUSY: {1,2}\[2J 5 of 5 shares are kept {1,2}long/)
    assert.doesNotMatch(lines.join(''), /[\p{Cc}\p{Cf}]/u)
    assert.ok((lines[0] ?? '').length < 300)
  })

  it('are handed over again to who fails, the very same', async () => {
    enclaves.store = (slot, time) => (slot === 2 && time < 9 ? BUSY : STORED)
    await handedOver()
    const again = enclaves.handedOver.filter(({ slot }) => slot === 2)
    assert.deepEqual(
      again.map(({ share }) => share),
      Array(9).fill(SHARES[2]),
    )
    assert.equal(lines.length, 8)
    for (const line of lines) assert.match(line, /^slot 2 is asked again: .*BUSY/)
  })

  it('are not handed over at all where the time is over before all are in step', async () => {
    enclaves.health = (slot) => (slot === 4 ? [500, {}] : WELL)
    await assert.rejects(
      handedOver(() => expire()),
      { code: 'cli/not-stored', message: /^Nothing was handed over.*\n {2}slot 4: .*\(500\)/ },
    )
    assert.deepEqual(enclaves.handedOver, [])
  })

  it('are said to be where they are when the time is over', async () => {
    enclaves.store = (slot) => (slot === 1 ? BUSY : STORED)
    await assert.rejects(
      handedOver(() => lines.length > 5 && expire()),
      (thrown: Error) => {
        assert.match(thrown.message, /slots 0, 2, 3, 4 have their share of the secret of NFT 7/)
        assert.match(thrown.message, /do not fit those that were taken: burn it and mint another/)
        assert.match(thrown.message, /\n {2}slot 1: .*BUSY/)
        return !SHARES.some((share) => thrown.message.includes(share))
      },
    )
  })

  it('are handed over to nobody else once one has refused for good', async () => {
    const refusal: Answer = [409, { status: 'NFTIDEXISTS', description: 'Another share is held.' }]
    enclaves.store = (slot) => (slot === 1 ? refusal : slot === 2 ? BUSY : STORED)
    await assert.rejects(handedOver(), {
      message: /slots 0, 3, 4 have [\s\S]*slot 1: .*NFTIDEXISTS[\s\S]*slot 2: .*BUSY/,
    })
  })

  it('can be split anew where none was taken', async () => {
    enclaves.store = () => BUSY
    await assert.rejects(
      handedOver(() => lines.length > 5 && expire()),
      { message: /^No enclave .* run this again/ },
    )
  })

  it('are said to be where they are when a person ends it', async () => {
    enclaves.store = (slot) => (slot === 0 ? BUSY : STORED)
    const reason = new Error('SIGINT received')
    await assert.rejects(
      handedOver(() => lines.length === 3 && interrupted.abort(reason)),
      reason,
    )
    assert.match(lines.at(-1) ?? '', /slots 1, 2, 3, 4 have their share/)
  })

  const refusals: readonly [name: string, nft: NftFacts | undefined, sentence: RegExp][] = [
    ['there is no such NFT', undefined, /has no NFT 7/],
    ['it has no secret', { ...SYNCING, isSecret: false }, /to have no secret/],
    ['it is owned by another', { ...SYNCING, owner: stranger.account }, /is owned by/],
    ['it waits for none', SYNCED, /waits for no shares/],
  ]
  for (const [name, nft, sentence] of refusals) {
    it(`are not made where ${name}`, () => {
      assert.throws(() => requireWaiting(KEY, nft, owner.account), { code: 'cli/not-stored', message: sentence })
      requireWaiting(KEY, SYNCING, owner.account)
    })
  }
})

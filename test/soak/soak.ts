import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { ApiPromise, WsProvider } from '@polkadot/api'
import type { Vec } from '@polkadot/types'
import type { EventRecord } from '@polkadot/types/interfaces'
import { type Chain, connectChain } from '../../src/chain/index.js'
import type { EndpointFaults } from '../../src/devchain/index.js'
import { type BlockTriggers, silentLogger, type Trigger } from '../../src/domain/index.js'
import { ChainUser } from '../integration/devchain/chain-user.js'
import { editedMetadata, moveIndices } from '../support/metadata.js'
import { Random } from '../support/random.js'
import { Author } from './author.js'

export interface SoakOptions {
  readonly blocks: number
  readonly seed: number
  /** A line now and then. */
  readonly tell?: (line: string) => void
}

export interface SoakResult {
  readonly triggers: number
  readonly faults: Readonly<Record<string, number>>
  readonly restarts: number
}

/** The chain may be this many blocks ahead of who follows it, so that both following and catching up are met. */
const FURTHEST_BEHIND = 400

/** Blocks between two runtime upgrades. */
const UPGRADE_EVERY = 250

/**
 * Lets a chain grow while its endpoints fail in every way they can, and follows it all the while.
 * @throws AssertionError unless exactly the triggers are met that the chain emitted, in order.
 */
export async function runSoak({ blocks, seed, tell = () => undefined }: SoakOptions): Promise<SoakResult> {
  const random = new Random(seed)
  // The chain's own endpoint stays without fault, for whoever fills the blocks and reads them in the end.
  const user = await ChainUser.start()
  const endpoints = [await user.chain.openEndpoint(), await user.chain.openEndpoint()]
  try {
    const author = await Author.start(user, new Random(seed + 1))
    const first = user.chain.sealBlock().number + 1
    const last = first + blocks - 1
    let block = first - 1
    const follower = new Follower(
      endpoints.map(({ url }) => url),
      first - 1,
    )
    const following = follower.run(last)
    // A failure is met below; until then the chain need not grow any further.
    following.catch(() => undefined)
    const faults = new Faults(
      random,
      endpoints.map((endpoint) => endpoint.faults),
    )
    while (block < last) {
      await author.fill()
      block = user.chain.sealBlock().number
      faults.perhaps()
      if (random.chance(0.002)) follower.restart()
      if ((block - first) % UPGRADE_EVERY === UPGRADE_EVERY - 1) await upgrade(user)
      while (block - follower.cursor > FURTHEST_BEHIND && follower.failure === undefined) {
        // Turns pass much faster than blocks, and so would faults.
        if (random.chance(0.001)) faults.perhaps()
        await turn()
      }
      if (follower.failure !== undefined) break
      if (block % 1000 === 0) tell(`block ${block} of ${last}, taken in up to ${follower.cursor}`)
    }
    faults.heal()
    await following
    assert.deepEqual(follower.seen, await emitted(user, author, first, last))
    return { triggers: follower.seen.length, faults: faults.counts, restarts: follower.restarts }
  } finally {
    await user.stop()
  }
}

/** The next block carries an upgrade, after which the pallets that matter have other indices. */
async function upgrade({ api, chain }: ChainUser): Promise<void> {
  const before = api.runtimeVersion.specVersion.toNumber()
  const metadata = editedMetadata(2, (parts) => {
    moveIndices(parts, 'NFT', before % 3)
    moveIndices(parts, 'TEE', before % 5)
  })
  chain.upgrade({ metadata })
  chain.sealBlock()
  while (api.runtimeVersion.specVersion.toNumber() === before) await turn()
}

/** Follows the chain as a node does: what it has taken in survives, everything else is made anew on a restart. */
class Follower {
  readonly seen: string[] = []
  cursor: number
  restarts = 0
  failure: unknown
  readonly #urls: readonly string[]
  #stop = new AbortController()

  constructor(urls: readonly string[], cursor: number) {
    this.#urls = urls
    this.cursor = cursor
  }

  restart(): void {
    this.#stop.abort()
  }

  async run(last: number): Promise<void> {
    try {
      while (this.cursor < last) {
        this.#stop = new AbortController()
        await this.#follow(last, this.#stop.signal)
      }
    } catch (thrown) {
      this.failure = thrown
      throw thrown
    }
  }

  async #follow(last: number, signal: AbortSignal): Promise<void> {
    const chain = await this.#connect()
    try {
      for await (const block of chain.follow(this.cursor, { signal })) {
        this.#takeIn(block)
        if (this.cursor === last) return
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown
      this.restarts += 1
    } finally {
      await chain.close()
    }
  }

  /** An endpoint may be at fault just when this connects, which a node's operator would see and retry. */
  async #connect(): Promise<Chain> {
    for (;;) {
      try {
        return await connectChain({
          endpoints: this.#urls,
          logger: silentLogger,
          connectTimeoutMs: 500,
          quietAfterMs: 300,
        })
      } catch {
        await turn()
      }
    }
  }

  #takeIn({ block, triggers }: BlockTriggers): void {
    assert.equal(block.number, this.cursor + 1)
    this.seen.push(...triggers.map((trigger) => textOf(block.number, trigger)))
    this.cursor = block.number
  }
}

function textOf(block: number, trigger: Trigger): string {
  const origin = trigger.type === 'synced' ? ` of cluster ${trigger.cluster}` : ''
  return `block ${block}: ${trigger.type} ${trigger.kind} ${trigger.nftId}${origin}`
}

/** Everything that an endpoint can do to who relies on it, at random; one at a time for each. */
class Faults {
  readonly counts: Record<string, number> = {}
  readonly #random: Random
  readonly #endpoints: readonly EndpointFaults[]
  #heal: (() => void)[] = []

  constructor(random: Random, endpoints: readonly EndpointFaults[]) {
    this.#random = random
    this.#endpoints = endpoints
  }

  perhaps(): void {
    if (this.#heal.length > 0 && this.#random.chance(0.05)) this.#heal.shift()?.()
    if (this.#random.chance(0.04)) this.#begin(this.#random.pick(this.#endpoints))
  }

  heal(): void {
    for (const end of this.#heal.splice(0)) end()
  }

  #begin(faults: EndpointFaults): void {
    const [name, begin] = this.#random.pick(Object.entries(FAULTS))
    this.counts[name] = (this.counts[name] ?? 0) + 1
    const end = begin(faults)
    if (end !== undefined) this.#heal.push(end)
  }
}

/** Each returns what ends it, if it does not end by itself. */
const FAULTS: Readonly<Record<string, (faults: EndpointFaults) => (() => void) | undefined>> = {
  drop: (faults) => {
    faults.dropConnections()
    return undefined
  },
  refuse: (faults) => {
    faults.refuseConnections = true
    faults.dropConnections()
    return () => {
      faults.refuseConnections = false
    }
  },
  pause: (faults) => {
    faults.isPaused = true
    return () => {
      faults.isPaused = false
    }
  },
  skip: (faults) => notifications(faults, 'skip'),
  duplicate: (faults) => notifications(faults, 'duplicate'),
  mute: (faults) => notifications(faults, 'none'),
  garbage: (faults) => {
    faults.sendGarbage('{"jsonrpc":')
    return undefined
  },
  slow: (faults) => {
    faults.latency = 20
    return () => {
      faults.latency = 0
    }
  },
  'go back': (faults) => {
    faults.showUpTo = 3
    return () => {
      faults.showUpTo = undefined
    }
  },
}

function notifications(faults: EndpointFaults, mode: EndpointFaults['notifications']): () => void {
  faults.notifications = mode
  return () => {
    faults.notifications = 'deliver'
  }
}

const MEANINGS: Readonly<Record<string, readonly string[]>> = {
  SecretNFTSynced: ['synced secret'],
  CapsuleSynced: ['synced capsule'],
  NFTBurned: ['removed secret', 'removed capsule'],
  CapsuleReverted: ['removed capsule'],
  CapsuleKeyUpdateNotified: ['key-update capsule'],
}

/** What the chain emitted, read by another client than the one that is tested. */
async function emitted({ chain }: ChainUser, author: Author, first: number, last: number): Promise<string[]> {
  // One that has lived through upgrades may take an old block for one of the newest runtime.
  const api = await ApiPromise.create({ provider: new WsProvider(chain.url), noInitWarn: true })
  const texts: string[] = []
  const times = new Map<string, number>()
  for (let block = first; block <= last; block += 1) {
    const at = await api.at(await api.rpc.chain.getBlockHash(block))
    const records = await at.query.system?.events?.<Vec<EventRecord>>()
    for (const { event } of records ?? []) {
      if (event.section !== 'nft') continue
      const nftId = Number(event.data[0])
      for (const meaning of MEANINGS[event.method] ?? []) {
        texts.push(`block ${block}: ${meaning} ${nftId}${origin(meaning, nftId)}`)
      }
    }
  }
  await api.disconnect()
  return texts

  function origin(meaning: string, nftId: number): string {
    const [, kind] = /^synced (.*)$/.exec(meaning) ?? []
    if (kind === undefined) return ''
    const time = times.get(`${kind} ${nftId}`) ?? 0
    times.set(`${kind} ${nftId}`, time + 1)
    return ` of cluster ${author.originsOf(kind, nftId)[time]}`
  }
}

import { setTimeout as pause } from 'node:timers/promises'
import { utf8 } from '../../src/crypto/index.js'
import { type BlockNumber, messageOf, SHARE_SIZE, type ShareKey, shareKeyText } from '../../src/domain/index.js'
import { ownerStoreRequest, type StoreRequest } from '../../src/owner/index.js'
import { account, type ChainWorld, enclaveOf, owner, signal } from '../integration/chain/fixture.js'
import type { Random } from '../support/random.js'

/** Who takes shares: one enclave of a cluster; for the four others somebody confirms at once. */
export interface Taker {
  readonly cluster: number
  /** Undefined while it is down. */
  status(): Promise<{ readonly finalisedBlock: BlockNumber }> | undefined
  /** Resolves when it has answered for the share. */
  store(kind: ShareKey['kind'], request: StoreRequest): Promise<void>
}

interface Given {
  readonly key: ShareKey
  readonly text: string
}

/** Shares that are minted and not yet taken, at most: owners do not run ahead of enclaves that are down. */
const OPEN_AT_ONCE = 12
const MINTED_TOGETHER = 4
const LOOK_AGAIN_AFTER_MS = 100

/** Mints NFTs and hands over their shares, to whom and how fast it is told. */
export class Owners {
  readonly given = new Map<string, Given>()
  /** Why a share was not taken the last time. */
  lastRefusal = 'nobody refused'
  readonly #world: ChainWorld
  readonly #random: Random
  readonly #temporarySigner = account(9_900)

  constructor(world: ChainWorld, random: Random) {
    this.#world = world
    this.#random = random
  }

  /** What an owner gave, if it did. */
  payloadOf(key: ShareKey): Uint8Array | undefined {
    const given = this.given.get(shareKeyText(key))
    return given && utf8(given.text)
  }

  /**
   * Goes on until told to stop, then until all that was minted is taken.
   * @param answeredFor is told of every share that the taker has answered for.
   */
  async supply(
    taker: Taker,
    options: { isEnough: () => boolean; isLarge: boolean; answeredFor: (key: ShareKey) => void; signal: AbortSignal },
  ): Promise<void> {
    const open = new Set<Promise<void>>()
    while (!options.isEnough()) {
      options.signal.throwIfAborted()
      if (open.size + MINTED_TOGETHER > OPEN_AT_ONCE) {
        await Promise.race([...open, pause(LOOK_AGAIN_AFTER_MS)])
        continue
      }
      for (const given of await this.#mint(1 + this.#random.below(MINTED_TOGETHER), options.isLarge)) {
        const handed = this.#syncOne(given, taker, options)
        open.add(handed)
        handed.then(
          () => open.delete(handed),
          () => undefined,
        )
      }
    }
    await Promise.all(open)
  }

  /** Mints so many; resolves with their names when all of a cluster have confirmed them. */
  async give(taker: Taker, count: number, options: { signal: AbortSignal }): Promise<ShareKey[]> {
    const minted = await this.#mint(count, false)
    await Promise.all(minted.map((given) => this.#syncOne(given, taker, options)))
    return minted.map(({ key }) => key)
  }

  async #syncOne(
    given: Given,
    taker: Taker,
    { signal: ended, answeredFor = () => undefined }: { signal: AbortSignal; answeredFor?: (key: ShareKey) => void },
  ): Promise<void> {
    await Promise.all([
      this.#handOver(given, taker, ended).then(() => answeredFor(given.key)),
      ...[1, 2, 3, 4].map((slot) =>
        this.#world.chain.confirm(enclaveOf(taker.cluster, slot), given.key, { signal: ended }),
      ),
    ])
  }

  async #mint(count: number, isLarge: boolean): Promise<Given[]> {
    const { minimum, maximum } = SHARE_SIZE
    const plans = Array.from({ length: count }, () => ({
      kind: this.#random.pick(['secret', 'capsule'] as const),
      length: isLarge ? maximum : minimum + this.#random.below(maximum - minimum),
    }))
    return Promise.all(
      plans.map(async ({ kind, length }) => {
        const key = { kind, nftId: await this.#world.mint(kind) }
        const given = { key, text: `the share of ${shareKeyText(key)} `.padEnd(length, '.') }
        this.given.set(shareKeyText(key), given)
        return given
      }),
    )
  }

  /** Signs anew what has expired, or was not answered for. */
  async #handOver({ key, text: share }: Given, taker: Taker, ended: AbortSignal): Promise<void> {
    for (;;) {
      ended.throwIfAborted()
      try {
        const status = await taker.status()
        if (status !== undefined) {
          const { finalisedBlock: block } = status
          const temporarySigner = this.#temporarySigner
          await taker.store(key.kind, ownerStoreRequest({ owner, temporarySigner, key, share, block, validity: 20 }))
          return
        }
      } catch (thrown) {
        this.lastRefusal = `${shareKeyText(key)}: ${messageOf(thrown)}`
      }
      await pause(LOOK_AGAIN_AFTER_MS, undefined, { signal })
    }
  }
}

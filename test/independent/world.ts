import { setTimeout as pause } from 'node:timers/promises'
import { hex } from '../vectors/tools.js'
import type { RefusalName } from '../vectors/wire.js'
import { Refused } from './outcomes.js'

/** What the conformance suite's target file says, as far as it is used here (docs/conformance.md). */
export interface Target {
  readonly genesisHash: string
  readonly accountSeed: string
  readonly account: string
  readonly cluster: number
  readonly slot: number
  readonly bootstrap: readonly string[]
  readonly quoteUrl: string
  readonly verifyUrl: string
  readonly chainUrl: string
}

export interface Seat {
  readonly account: string
  readonly cluster: number
  readonly slot: number
}

export interface Registry {
  readonly clusters: readonly { readonly cluster: number; readonly type: string }[]
  readonly seats: readonly Seat[]
}

export interface BlockEvent {
  readonly type: string
  readonly kind: 'secret' | 'capsule'
  readonly nftId: number
  readonly cluster: number
}

interface Block extends Registry {
  readonly number: number
  readonly hash: string
  readonly events: readonly BlockEvent[]
}

interface Chain extends Registry {
  readonly finalised: { readonly number: number; readonly hash: string }
  readonly finalisedAgeMs: number
}

/** Between two looks at the chain, in ms. */
const LOOK_MS = 40

/** The chain and the hardware, by the suite's stand-ins for both. */
export class World {
  readonly target: Target
  readonly genesisHash: Uint8Array
  #chain: Chain
  #lookedAt = Date.now()
  readonly #blocks = new Map<number, Promise<Block>>()

  private constructor(target: Target, chain: Chain) {
    this.target = target
    this.genesisHash = unhex(target.genesisHash)
    this.#chain = chain
  }

  static async open(target: Target): Promise<World> {
    return new World(target, await json<Chain>(target.chainUrl))
  }

  /** Follows the chain until the signal aborts; `onBlock` is told every block from 1 on, one after the other. */
  async follow(onBlock: (block: Block) => void, signal: AbortSignal): Promise<void> {
    const looking = this.#look(signal)
    for (let next = 1; !signal.aborted; ) {
      if (next <= this.now) onBlock(await this.block(next++))
      else await pause(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
    await looking
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#chain = await json<Chain>(this.target.chainUrl)
      this.#lookedAt = Date.now()
      await pause(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  get now(): number {
    return this.#chain.finalised.number
  }

  get tip(): { readonly number: number; readonly hash: Uint8Array } {
    return { number: this.now, hash: unhex(this.#chain.finalised.hash) }
  }

  /** Share 4.2: 120 s without a new final block. */
  get isStale(): boolean {
    return this.#chain.finalisedAgeMs + Date.now() - this.#lookedAt > 120_000
  }

  get registry(): Registry {
    return this.#chain
  }

  block(number: number): Promise<Block> {
    const known = this.#blocks.get(number) ?? json<Block>(`${this.target.chainUrl}/blocks/${number}`)
    this.#blocks.set(number, known)
    return known
  }

  async quote(reportData: Uint8Array): Promise<Uint8Array> {
    const { quote } = await json<{ quote: string }>(this.target.quoteUrl, { reportData: hex(reportData) })
    return unhex(quote)
  }

  /** @returns the report data of a genuine quote. @throws Refused */
  async verify(quote: Uint8Array): Promise<Uint8Array> {
    type Answer = { reportData: string } | { refusal: RefusalName }
    const answer = await json<Answer>(this.target.verifyUrl, { quote: hex(quote) })
    if ('refusal' in answer) throw new Refused(answer.refusal)
    return unhex(answer.reportData)
  }
}

/** Share 1.2: why two accounts may not exchange, if so. */
export function barrier({ clusters, seats }: Registry, one: string, other: string): RefusalName | undefined {
  const [here, there] = [one, other].map((account) => seats.find((seat) => seat.account === account))
  if (here === undefined || there === undefined) return 'NOT_REGISTERED'
  if (here.cluster === there.cluster) return 'SAME_CLUSTER'
  if (here.slot !== there.slot) return 'WRONG_SLOT'
  const arePublic = [here, there].every((seat) =>
    clusters.some(({ cluster, type }) => cluster === seat.cluster && type === 'public'),
  )
  return arePublic ? undefined : 'CLUSTER_NOT_PUBLIC'
}

export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replace(/^0x/, ''), 'hex'))
}

async function json<T>(url: string, body?: unknown): Promise<T> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) })
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  return (await response.json()) as T
}

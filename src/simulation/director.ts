import { bounded, type ClusterId, messageOf, pause, SlotmeshError } from '../domain/index.js'
import type { SeededRandom } from './randomness.js'
import type { Recorder } from './record/index.js'
import type { Check } from './report.js'
import { type Action, type Arrivals, nameOf, type Scenario, type Step } from './scenario/index.js'
import type { MintOrder, Stage } from './stage.js'
import { withDeadline } from './wait.js'

export interface DirectorInit {
  readonly scenario: Scenario
  readonly stage: Stage
  readonly recorder: Recorder
  readonly random: SeededRandom
  readonly signal: AbortSignal
}

/**
 * Plays a scenario on a stage, whichever it is: opens it, lets owners come, does step after step, and waits for the
 * rest to settle.
 */
export class Director {
  readonly #init: DirectorInit
  readonly #startedAt: number
  /** How many NFTs were ordered so far: whose turn it is, and what the next one's random choices hang on. */
  #ordered = 0
  /** What owners are at while the timeline goes on. */
  readonly #meanwhile: Promise<void>[] = []

  constructor(init: DirectorInit) {
    this.#init = init
    this.#startedAt = init.stage.clock.now()
  }

  /** Ms since the run began. */
  get elapsed(): number {
    return this.#init.stage.clock.now() - this.#startedAt
  }

  /**
   * @returns what could not be done, as failed checks; none when all went as the scenario says.
   * @throws the signal's reason; what is no finding but a defect.
   */
  async play(): Promise<Check[]> {
    const { scenario, stage, signal } = this.#init
    await stage.open()
    const openedAt = stage.clock.now()
    const failed = new AbortController()
    return await bounded({ signals: [signal, failed.signal] }, async (either) => {
      const arrivals = Promise.all(scenario.arrivals.map((each) => this.#arrive(each, openedAt, either)))
      // Whoever fails first ends the others: a timeline that stands still must not be waited for, nor arrivals.
      const parts = [this.#goOn(openedAt, either), arrivals]
      try {
        await Promise.all(parts)
        await this.#untilSettled(signal)
        return []
      } catch (thrown) {
        signal.throwIfAborted()
        if (!(thrown instanceof SlotmeshError)) throw thrown
        return [{ name: 'Everything happened as the scenario says', passed: false, detail: messageOf(thrown) }]
      } finally {
        failed.abort()
        await Promise.allSettled(parts)
      }
    })
  }

  /** One action, of the timeline or by hand. */
  async perform(action: Action): Promise<void> {
    const { stage, recorder } = this.#init
    recorder.record({ at: this.elapsed, type: 'action', action, text: textOf(action) })
    if (action.type === 'verify') await this.#verify()
    else if (action.type !== 'mint') await stage.perform(action)
    else if (action.meanwhile) this.#mintMeanwhile(this.#ordersOf(action))
    else await stage.mint(this.#ordersOf(action))
  }

  #mintMeanwhile(orders: readonly MintOrder[]): void {
    const minted = this.#init.stage.mint(orders)
    // What fails is met where it is waited for.
    minted.catch(() => undefined)
    this.#meanwhile.push(minted)
  }

  /** @throws SlotmeshError `simulation/not-as-expected` that says who lacks what, or has too much. */
  async #verify(): Promise<void> {
    const checks = await this.#init.stage.audit({ type: 'complete' })
    const failed = checks.filter(({ passed }) => !passed).map(({ name, detail }) => `not so: ${name} (${detail})`)
    if (failed.length > 0) throw new SlotmeshError('simulation/not-as-expected', `On the way ${failed.join('; ')}.`)
  }

  async #goOn(openedAt: number, signal: AbortSignal): Promise<void> {
    const { scenario, stage } = this.#init
    const endsAt = openedAt + (scenario.until ?? Number.POSITIVE_INFINITY)
    for (const { do: action, ...moment } of scenario.timeline) {
      await this.#await(moment, openedAt, signal)
      await this.perform(action)
      if (moment.when === 'settled' && stage.clock.now() >= endsAt) break
    }
    await pause(scenario.runFor, { clock: stage.clock, signal })
  }

  async #await({ at, after, when }: Omit<Step, 'do'>, openedAt: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#init.stage
    if (at !== undefined) await pause(Math.max(0, openedAt + at - clock.now()), { clock, signal })
    if (after !== undefined) await pause(after, { clock, signal })
    if (when === 'settled') await this.#untilSettled(signal)
  }

  async #untilSettled(signal: AbortSignal): Promise<void> {
    const { stage, scenario, recorder } = this.#init
    await this.#untilHandedOver(signal)
    await stage.untilSettled({ timeoutMs: scenario.patience, signal })
    recorder.record({ type: 'settled', totals: await stage.totals(), at: this.elapsed })
  }

  /** What owners have begun meanwhile. */
  async #untilHandedOver(signal: AbortSignal): Promise<void> {
    const { stage, scenario } = this.#init
    const begun = this.#meanwhile.splice(0)
    if (begun.length === 0) return
    const what = () => 'owners to hand over what they have begun with'
    await withDeadline(() => Promise.all(begun), { what, timeoutMs: scenario.patience, signal, clock: stage.clock })
  }

  async #arrive(arrivals: Arrivals, openedAt: number, signal: AbortSignal): Promise<void> {
    const { stage } = this.#init
    const { clock } = stage
    const { every, from, until, burst } = arrivals
    await pause(Math.max(0, openedAt + from - clock.now()), { clock, signal })
    if (burst !== undefined) await stage.mint(Array.from({ length: burst }, () => this.#next(arrivals)))
    if (every === undefined) return
    const minting: Promise<void>[] = []
    const last = openedAt + (until ?? from)
    for (let next = openedAt + from; next <= last; next += every) {
      await pause(Math.max(0, next - clock.now()), { clock, signal })
      const minted = stage.mint([this.#next(arrivals)])
      // What fails is met at the end.
      minted.catch(() => undefined)
      minting.push(minted)
    }
    await Promise.all(minting)
  }

  #next({ kind, cluster, bytes: [least, most] }: Arrivals, usable?: readonly ClusterId[]): MintOrder {
    const { random, stage } = this.#init
    const turn = this.#ordered
    this.#ordered += 1
    return {
      kind: kind === 'mixed' ? (turn % 3 === 2 ? 'capsule' : 'secret') : kind,
      cluster: cluster ?? inTurn(usable ?? stage.clusters(), turn),
      bytes: random.integer(`share-size/${turn}`, least, most),
    }
  }

  #ordersOf({ secrets, capsules, without, clusters }: Extract<Action, { type: 'mint' }>): MintOrder[] {
    const kinds = [...Array<'secret'>(secrets).fill('secret'), ...Array<'capsule'>(capsules).fill('capsule')]
    const usable = this.#init.stage.clusters().slice(0, clusters)
    return kinds.map((kind) => {
      const order = this.#next({ kind, bytes: [64, 256], from: 0 }, usable)
      const others = usable.filter((cluster) => cluster !== without)
      return order.cluster === without ? { ...order, cluster: inTurn(others, this.#ordered) } : order
    })
  }
}

function inTurn(clusters: readonly ClusterId[], turn: number): ClusterId {
  const cluster = clusters[turn % clusters.length]
  if (cluster === undefined) throw new SlotmeshError('simulation/no-cluster', 'There is no public cluster for owners.')
  return cluster
}

/** An action in words, for the log and the page. */
export function textOf(action: Action): string {
  const { type, ...rest } = action
  const words = Object.entries(rest).map(([name, value]) => {
    const text = typeof value === 'object' && 'slot' in value ? nameOf(value) : String(value)
    return `${name} ${text}`
  })
  return [type.replaceAll('-', ' '), ...words].join(', ')
}

import type { ShareKey } from '../domain/index.js'
import { shareKeyText } from '../domain/index.js'
import { check } from './audit.js'
import type { EnclaveState, RunEvent } from './record/index.js'
import type { Check } from './report.js'
import type { Expectation } from './scenario/index.js'

/** Expectations that follow from what was recorded, without a look into enclaves. */
export type RecordedExpectation = Extract<
  Expectation,
  { readonly type: 'replicated' } | { readonly type: 'caught-up' } | { readonly type: 'fan-out' }
>

export function isRecorded(expectation: Expectation): expectation is RecordedExpectation {
  return ['replicated', 'caught-up', 'fan-out'].includes(expectation.type)
}

/**
 * Reads along while a run is recorded, and keeps what these expectations need; of shares, those only that some replica
 * does not have yet.
 */
export class RecordedAudit {
  readonly #expectations: readonly RecordedExpectation[]
  readonly #states = new Map<string, EnclaveState>()
  readonly #privateClusters = new Set<number>()
  /** The replicas that a share is due at, and since when. */
  readonly #due = new Map<string, Set<string>>()
  /** By expectation: how many replicas had a share in time. */
  readonly #inTime = new Map<RecordedExpectation, number>()
  readonly #returning = new Set<string>()
  readonly #served = new Map<string, number>()
  readonly #origins = new Map<number, number>()
  #dueCount = 0
  #catchUps = 0
  #slowest = { enclave: '', ms: 0 }

  constructor(expectations: readonly Expectation[]) {
    this.#expectations = expectations.filter(isRecorded)
  }

  record(event: RunEvent): void {
    switch (event.type) {
      case 'enclave':
        this.#changed(event.enclave, event.state)
        break
      case 'action':
        if (event.action.type !== 'set-access') break
        if (event.action.access === 'private') this.#privateClusters.add(event.action.cluster)
        else this.#privateClusters.delete(event.action.cluster)
        break
      case 'trigger':
        this.#triggered(event, event.cluster)
        break
      case 'stored':
        this.#stored(event, event.enclave, event.ms)
        break
      case 'caught-up':
        this.#returning.delete(event.enclave)
        this.#catchUps += 1
        if (event.ms > this.#slowest.ms) this.#slowest = event
        break
      case 'exchange':
        if (event.code === undefined) this.#served.set(event.provider, (this.#served.get(event.provider) ?? 0) + 1)
        break
    }
  }

  check(expectation: RecordedExpectation): Check {
    switch (expectation.type) {
      case 'replicated':
        return this.#replicated(expectation)
      case 'caught-up':
        return this.#caughtUp(expectation)
      case 'fan-out':
        return this.#fannedOut(expectation)
    }
  }

  #changed(enclave: string, state: EnclaveState): void {
    const before = this.#states.get(enclave)
    this.#states.set(enclave, state)
    if (state === 'down' || state === 'killed') this.#returning.delete(enclave)
    else if (before === 'down' || before === 'killed') this.#returning.add(enclave)
  }

  #triggered(key: ShareKey, origin: number): void {
    this.#origins.set(origin, (this.#origins.get(origin) ?? 0) + 1)
    const due = [...this.#states].flatMap(([enclave, state]) => {
      const cluster = clusterOf(enclave)
      return state === 'running' && cluster !== origin && !this.#privateClusters.has(cluster) ? [enclave] : []
    })
    this.#dueCount += due.length
    this.#due.set(shareKeyText(key), new Set(due))
  }

  #stored(key: ShareKey, enclave: string, ms: number): void {
    const due = this.#due.get(shareKeyText(key))
    if (!due?.delete(enclave)) return
    if (due.size === 0) this.#due.delete(shareKeyText(key))
    for (const expectation of this.#expectations) {
      if (expectation.type !== 'replicated' || ms > expectation.within) continue
      this.#inTime.set(expectation, (this.#inTime.get(expectation) ?? 0) + 1)
    }
  }

  #replicated(expectation: Extract<RecordedExpectation, { type: 'replicated' }>): Check {
    const { within, percent } = expectation
    const inTime = this.#inTime.get(expectation) ?? 0
    const reached = (100 * inTime) / this.#dueCount
    const detail = `${inTime} of ${this.#dueCount} replicas, ${reached.toFixed(2)} %`
    return check(
      `${percent} % of replicas had a new share within ${seconds(within)}`,
      this.#dueCount > 0,
      reached >= percent ? [] : [detail],
      detail,
    )
  }

  #caughtUp({ within }: Extract<RecordedExpectation, { type: 'caught-up' }>): Check {
    const { enclave, ms } = this.#slowest
    const faults = [...this.#returning].map((name) => `${name} came back and has not caught up`)
    if (ms > within) faults.push(`${enclave} took ${seconds(ms)}`)
    return check(
      `Whoever came, or came back, had caught up within ${seconds(within)}`,
      this.#catchUps + this.#returning.size > 0,
      faults,
      `${this.#catchUps} times, ${seconds(ms)} at most`,
    )
  }

  #fannedOut({ exchangesPerTrigger }: Extract<RecordedExpectation, { type: 'fan-out' }>): Check {
    let most = { enclave: '', each: 0 }
    for (const [enclave, served] of this.#served) {
      const origins = this.#origins.get(clusterOf(enclave)) ?? 0
      if (origins > 0 && served / origins > most.each) most = { enclave, each: served / origins }
    }
    const detail = `${most.enclave} served ${most.each.toFixed(2)} exchanges for each`
    return check(
      `No origin served more than ${exchangesPerTrigger} exchanges for each of its shares`,
      most.each > 0,
      most.each > exchangesPerTrigger ? [detail] : [],
      detail,
    )
  }
}

function clusterOf(enclave: string): number {
  return Number(/^c(\d+)-/.exec(enclave)?.[1])
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}

import type { RunEvent, RunListener, RunTotals } from '../record/index.js'
import { placeOf } from '../record/index.js'

/** What happened between two moments at which everybody held everything. */
export interface Phase {
  /** What was done, in words; empty before the first action. */
  readonly actions: readonly string[]
  /** Enclaves at its end. */
  readonly enclaves: number
  /** Shares that the chain called synced. */
  readonly shares: number
  /** Shares that replicas fetched: of each one for all its replicas. */
  readonly fetched: number
  /** Of this phase alone. */
  readonly totals: RunTotals
  /** From the trigger, as its replica saw it, until a share was durable, for the slowest; in ms. 0 when none was. */
  readonly coverageMs: number
  /** From its seat until an enclave held everything, for the slowest of those that had something to fetch; in ms. */
  readonly catchUpMs: number
  /** Exchanges that went well and brought nothing: who was asked did not hold it yet. */
  readonly inVain: number
  /** Exchanges of the provider that served most. */
  readonly busiest: number
  /** Exchanges that went well, by slot. */
  readonly bySlot: readonly number[]
}

/** Listens to a run and takes it apart into its phases. */
export class PhaseListener implements RunListener {
  readonly phases: Phase[] = []
  #actions: string[] = []
  #shares = 0
  #fetched = 0
  #coverageMs = 0
  #catchUpMs = 0
  #inVain = 0
  #served = new Map<string, number>()
  #bySlot: number[] = []
  #before: RunTotals | undefined

  event(event: RunEvent): void {
    switch (event.type) {
      case 'action':
        this.#actions.push(event.text)
        break
      case 'trigger':
        this.#shares += 1
        break
      case 'stored':
        this.#fetched += 1
        this.#coverageMs = Math.max(this.#coverageMs, event.ms)
        break
      case 'caught-up':
        if (event.shares > 0) this.#catchUpMs = Math.max(this.#catchUpMs, event.ms)
        break
      case 'exchange':
        if (event.code === undefined) this.#exchanged(event)
        break
      case 'settled':
        this.#end(event.totals)
        break
      default:
    }
  }

  #exchanged({ provider, shares }: Extract<RunEvent, { type: 'exchange' }>): void {
    if (shares === 0) this.#inVain += 1
    this.#served.set(provider, (this.#served.get(provider) ?? 0) + 1)
    const slot = placeOf(provider)?.slot
    if (slot !== undefined) this.#bySlot[slot] = (this.#bySlot[slot] ?? 0) + 1
  }

  #end(totals: RunTotals): void {
    this.phases.push({
      actions: this.#actions,
      enclaves: totals.enclaves,
      shares: this.#shares,
      fetched: this.#fetched,
      totals: this.#before === undefined ? totals : difference(totals, this.#before),
      coverageMs: this.#coverageMs,
      catchUpMs: this.#catchUpMs,
      inVain: this.#inVain,
      busiest: Math.max(0, ...this.#served.values()),
      bySlot: Array.from(this.#bySlot, (each = 0) => each),
    })
    this.#before = totals
    this.#actions = []
    this.#shares = 0
    this.#fetched = 0
    this.#coverageMs = 0
    this.#catchUpMs = 0
    this.#inVain = 0
    this.#served = new Map()
    this.#bySlot = []
  }
}

function difference(totals: RunTotals, before: RunTotals): RunTotals {
  const of = (key: keyof RunTotals) => totals[key] - before[key]
  return {
    enclaves: of('enclaves'),
    triggers: of('triggers'),
    exchanges: of('exchanges'),
    failedExchanges: of('failedExchanges'),
    attestations: of('attestations'),
    bytes: of('bytes'),
    messages: of('messages'),
    dhtLookups: of('dhtLookups'),
    dhtMessages: of('dhtMessages'),
    busiestServed: of('busiestServed'),
  }
}

import assert from 'node:assert/strict'
import { type Clock, SlotmeshError } from '../../../src/domain/index.js'
import { Director } from '../../../src/simulation/director.js'
import { SeededRandom } from '../../../src/simulation/randomness.js'
import type { RunEvent } from '../../../src/simulation/record/index.js'
import type { Check } from '../../../src/simulation/report.js'
import { parseScenario } from '../../../src/simulation/scenario/index.js'
import type { MintOrder, Stage } from '../../../src/simulation/stage.js'

/** Time that passes as soon as everybody waits for it. */
class JumpingClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly dueAt: number; readonly callback: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { dueAt: this.#now + ms, callback }
    this.#timers.add(timer)
    setImmediate(() => this.#jump())
    return () => this.#timers.delete(timer)
  }

  #jump(): void {
    const [next] = [...this.#timers].sort((one, other) => one.dueAt - other.dueAt)
    if (next === undefined) return
    this.#timers.delete(next)
    this.#now = Math.max(this.#now, next.dueAt)
    next.callback()
    setImmediate(() => this.#jump())
  }
}

/** Writes down when it is told what; `fail` makes it refuse. */
class PaperStage implements Stage {
  readonly clock = new JumpingClock()
  readonly told: string[] = []
  readonly orders: MintOrder[] = []
  fail: string | undefined
  /** How long owners take, in ms. */
  mintsFor = 0
  found: Check = { name: 'All is there', passed: true, detail: 'it is' }

  async open(): Promise<void> {
    this.#tell('open')
  }

  clusters(): readonly number[] {
    return [0, 1, 2]
  }

  async mint(orders: readonly MintOrder[]): Promise<void> {
    this.#tell(`mint ${orders.length}`)
    this.orders.push(...orders)
    if (this.mintsFor === 0) return
    await new Promise<void>((resolve) => this.clock.after(this.mintsFor, resolve))
    this.#tell('minted')
  }

  async perform({ type }: Parameters<Stage['perform']>[0]): Promise<void> {
    this.#tell(type)
  }

  async untilSettled(): Promise<void> {
    this.#tell('settled')
  }

  async audit({ type }: Parameters<Stage['audit']>[0]): Promise<readonly Check[]> {
    this.#tell(`audit ${type}`)
    return [this.found]
  }

  totals = async () => TOTALS
  sample = () => assert.fail()
  rows = () => assert.fail()
  pause = () => undefined
  resume = () => undefined
  step = async () => undefined
  inspect = async () => undefined
  close = async () => undefined

  #tell(what: string): void {
    this.told.push(`${this.clock.now()} ${what}`)
    if (what === this.fail) throw new SlotmeshError('simulation/cannot-be-done', `There is no ${what}.`)
  }
}

const TOTALS = {
  enclaves: 15,
  triggers: 3,
  exchanges: 30,
  failedExchanges: 1,
  attestations: 31,
  bytes: 4_000,
  messages: 500,
  dhtLookups: 20,
  dhtMessages: 200,
  busiestServed: 4,
}

function direct(stage: PaperStage, more: string) {
  const text = `title: A\nwhy: B\nclusters: 3\nexpect: [{ type: complete }]\n${more}`
  const events: RunEvent[] = []
  const { signal } = new AbortController()
  const random = new SeededRandom(`0x${'01'.repeat(32)}`)
  const recorder = { record: (event: RunEvent) => events.push(event) }
  const director = new Director({ scenario: parseScenario(text, 'a.yaml'), stage, recorder, random, signal })
  return { director, events }
}

describe('the director of a run', () => {
  it('does one step after the other, each at its moment, and waits for the rest to settle', async () => {
    const stage = new PaperStage()
    const { director, events } = direct(
      stage,
      `timeline:
  - do: { type: heal }
  - { at: 5 s, do: { type: stranger } }
  - { after: 2 s, do: { type: runtime-upgrade } }
  - { when: settled, do: { type: mint, secrets: 2, capsules: 1, without: 1 } }
runFor: 3 s
`,
    )
    assert.deepEqual(await director.play(), [])
    assert.deepEqual(stage.told, [
      '0 open',
      '0 heal',
      '5000 stranger',
      '7000 runtime-upgrade',
      '7000 settled',
      '7000 mint 3',
      '10000 settled',
    ])
    assert.deepEqual(
      stage.orders.map(({ kind }) => kind),
      ['secret', 'secret', 'capsule'],
    )
    assert.ok(stage.orders.every(({ cluster }) => cluster !== 1))
    assert.deepEqual(
      events.map(({ type, at }) => [type, at]),
      [
        ['action', 0],
        ['action', 5_000],
        ['action', 7_000],
        ['settled', 7_000],
        ['action', 7_000],
        ['settled', 10_000],
      ],
    )
    assert.deepEqual(events.at(-1), { type: 'settled', at: 10_000, totals: TOTALS })
  })

  it('lets owners come in the meantime, and settles when the last of them has', async () => {
    const stage = new PaperStage()
    const { director } = direct(
      stage,
      'arrivals: [{ every: 1 s, from: 1 s, until: 3 s }, { burst: 4, kind: capsule }]\n',
    )
    assert.deepEqual(await director.play(), [])
    assert.deepEqual(stage.told, ['0 open', '0 mint 4', '1000 mint 1', '2000 mint 1', '3000 mint 1', '3000 settled'])
  })

  it('hands what is minted to the first so many clusters, in turn, where an action says so', async () => {
    const stage = new PaperStage()
    const { director } = direct(stage, 'timeline:\n  - do: { type: mint, secrets: 4, clusters: 2, without: 0 }\n')
    assert.deepEqual(await director.play(), [])
    assert.deepEqual(
      stage.orders.map(({ cluster }) => cluster),
      [1, 1, 1, 1],
    )
    const all = new PaperStage()
    const { director: other } = direct(all, 'timeline:\n  - do: { type: mint, secrets: 4, clusters: 2 }\n')
    assert.deepEqual(await other.play(), [])
    assert.deepEqual(
      all.orders.map(({ cluster }) => cluster),
      [0, 1, 0, 1],
    )
  })

  it('finds that something cannot be done, and waits for nobody then', async () => {
    const stage = new PaperStage()
    stage.fail = 'stranger'
    const { director } = direct(
      stage,
      'arrivals: [{ every: 1 h, until: 2 h }]\ntimeline: [{ at: 1 min, do: { type: stranger } }]\n',
    )
    const [check, ...others] = await director.play()
    assert.deepEqual([check?.passed, check?.detail, others], [false, 'There is no stranger.', []])
    assert.equal(stage.clock.now(), 60_000)
  })

  it('does not end before what owners do has failed, or not', async () => {
    const stage = new PaperStage()
    stage.fail = 'mint 1'
    const { director } = direct(stage, 'arrivals: [{ every: 1 s, until: 1 s }]\ntimeline: [{ do: { type: heal } }]\n')
    const [check] = await director.play()
    assert.equal(check?.detail, 'There is no mint 1.')
  })

  it('lets what comes next not wait for owners, where an action says so, but what is to be settled', async () => {
    const stage = new PaperStage()
    stage.mintsFor = 5_000
    const { director } = direct(
      stage,
      `timeline:
  - do: { type: mint, secrets: 1, meanwhile: true }
  - { after: 1 s, do: { type: stranger } }
  - { when: settled, do: { type: heal } }
`,
    )
    assert.deepEqual(await director.play(), [])
    assert.deepEqual(stage.told, [
      '0 open',
      '0 mint 1',
      '1000 stranger',
      '5000 minted',
      '5000 settled',
      '5000 heal',
      '5000 settled',
    ])
  })

  it('waits for owners no longer than its patience, and says what for', async () => {
    const stage = new PaperStage()
    stage.mintsFor = 3_600_000
    const { director } = direct(
      stage,
      'patience: 1 min\ntimeline: [{ do: { type: mint, secrets: 1, meanwhile: true } }]\n',
    )
    const [check] = await director.play()
    assert.equal(check?.detail, 'Waited 60 s for owners to hand over what they have begun with.')
  })

  it('looks whether everybody holds what there is where it is told to, and ends when not', async () => {
    const timeline = 'timeline: [{ do: { type: verify } }, { do: { type: heal } }]\n'
    const stage = new PaperStage()
    assert.deepEqual(await direct(stage, timeline).director.play(), [])
    assert.deepEqual(stage.told, ['0 open', '0 audit complete', '0 heal', '0 settled'])
    const other = new PaperStage()
    other.found = { name: 'All is there', passed: false, detail: 'c1-s2 misses secret/1' }
    const [check] = await direct(other, timeline).director.play()
    assert.equal(check?.detail, 'On the way not so: All is there (c1-s2 misses secret/1).')
    assert.deepEqual(other.told, ['0 open', '0 audit complete'])
  })

  it('leaves out what comes after it has settled once the time is over', async () => {
    const stage = new PaperStage()
    const { director } = direct(
      stage,
      `until: 3 s
timeline:
  - { when: settled, do: { type: heal } }
  - { after: 4 s, do: { type: stranger } }
  - { do: { type: runtime-upgrade } }
  - { when: settled, do: { type: heal } }
  - { do: { type: stranger } }
`,
    )
    assert.deepEqual(await director.play(), [])
    assert.deepEqual(stage.told, [
      '0 open',
      '0 settled',
      '0 heal',
      '4000 stranger',
      '4000 runtime-upgrade',
      '4000 settled',
      '4000 heal',
      '4000 settled',
    ])
  })
})

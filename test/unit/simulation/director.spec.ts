import assert from 'node:assert/strict'
import { type Clock, SlotmeshError } from '../../../src/domain/index.js'
import { Director } from '../../../src/simulation/director.js'
import { SeededRandom } from '../../../src/simulation/randomness.js'
import type { RunEvent } from '../../../src/simulation/record/index.js'
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

  async open(): Promise<void> {
    this.#tell('open')
  }

  clusters(): readonly number[] {
    return [0, 1, 2]
  }

  async mint(orders: readonly MintOrder[]): Promise<void> {
    this.#tell(`mint ${orders.length}`)
    this.orders.push(...orders)
  }

  async perform({ type }: Parameters<Stage['perform']>[0]): Promise<void> {
    this.#tell(type)
  }

  async untilSettled(): Promise<void> {
    this.#tell('settled')
  }

  audit = () => assert.fail()
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
})

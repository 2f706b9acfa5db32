import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type LogFields, type ShareKey, systemClock, type Trigger } from '../../../src/domain/index.js'
import type { Store } from '../../../src/store/index.js'
import { SyncEngine, syncedBlock } from '../../../src/sync/index.js'
import { type ArrowName, LIFE_CYCLE, LifeCycle } from '../../../src/sync/life-cycle.js'
import { capsule, Folders, logger, payloadOf, seal, secret } from '../store/fixture.js'
import { own, peerA, peerB, ScriptedChain, StorePeers, Witness } from './fixture.js'

const all = [own, peerA, peerB].map(({ identity }) => ({ account: identity.account, cluster: identity.seat.cluster }))
const withoutOwn = all.filter(({ account }) => account !== own.identity.account)
const inSlot4 = all.map((seat) => (seat.account === own.identity.account ? { ...seat, slot: 4 } : seat))
const synced = (key: ShareKey, cluster: number): Trigger => ({ type: 'synced', ...key, cluster })

/** An enclave whose chain and slot peers a test has at its hand. */
class Life {
  readonly folders = new Folders()
  readonly chain = new ScriptedChain()
  readonly peers = new StorePeers()
  readonly witness = new Witness()
  /** The arrows that were taken, in this order. */
  readonly arrows: ArrowName[] = []
  #store: Store | undefined
  #location = ''
  #stop: (() => Promise<void>) | undefined

  get store(): Store {
    if (this.#store === undefined) throw new Error('The folder is not open.')
    return this.#store
  }

  async open(): Promise<void> {
    this.#location = await this.folders.make()
    this.#store = await this.folders.open(this.#location)
  }

  async close(): Promise<void> {
    await this.stop()
    await this.folders.clear()
  }

  start(): SyncEngine {
    const stopping = new AbortController()
    const { signer } = own
    const debug = (_: string, { arrow }: LogFields = {}) => {
      if (typeof arrow === 'string' && arrow in LIFE_CYCLE) this.arrows.push(arrow as ArrowName)
    }
    const { chain, store, peers, witness: listener } = this
    const told = { ...logger, debug }
    const engine = new SyncEngine({ signer, chain, store, peers, listener, logger: told, clock: systemClock })
    const running = engine.run(stopping.signal)
    this.#stop = async () => {
      stopping.abort()
      await running
    }
    return engine
  }

  async stop(): Promise<void> {
    await this.#stop?.()
    this.#stop = undefined
  }

  /** Starts an engine that has no memory of the one before, on what that has left in the folder. */
  async startAgain(): Promise<SyncEngine> {
    this.#store = await this.folders.reopen(this.store, this.#location)
    return this.start()
  }

  /** Started in its seat, with all that the chain lists. */
  async run(...listed: ShareKey[]): Promise<SyncEngine> {
    this.chain.synced = listed
    this.chain.assign(all)
    const engine = this.start()
    await this.until('running')
    return engine
  }

  until(state: string): Promise<void> {
    return this.witness.until(() => this.witness.states.at(-1) === state)
  }

  /** A slot peer that is up; the shares are its own. */
  async peerWith(who: typeof peerA, ...shares: ShareKey[]): Promise<Store> {
    const store = await this.folders.open(await this.folders.make())
    await store.beginSetup(who.identity, 0, [])
    await seal(store, who, 1, shares)
    this.peers.up.set(who.identity.account, { store, syncedBlock: 1_000 })
    return store
  }

  /** A final block that is taken in. */
  async takeIn(engine: SyncEngine, ...triggers: Trigger[]): Promise<number> {
    const block = this.chain.finalise(triggers)
    await engine.reached(block, { signal: new AbortController().signal })
    return block
  }

  async holds(key: ShareKey): Promise<boolean> {
    return (await this.store.place(key)) !== undefined
  }
}

/** One for each arrow: what brings it about, and what the enclave does then. */
const TESTS: Record<ArrowName, (life: Life) => Promise<void>> = {
  'started without a seat': async (life) => {
    await life.peerWith(peerA, secret(1))
    life.chain.synced = [secret(1)]
    life.chain.assign(withoutOwn)
    life.start()
    await life.until('unregistered')
    await life.stop()
    assert.deepEqual(life.arrows, ['started without a seat', 'stopped'])
    assert.deepEqual(life.peers.requests, [])
    assert.equal(await life.store.identity(), undefined)
  },

  'started in setup': async (life) => {
    await life.peerWith(peerA, secret(1))
    life.chain.synced = [secret(1), secret(2)]
    life.chain.assign(all)
    life.start()
    await life.witness.until(() => life.holds(secret(1)))
    await life.stop()
    assert.equal(life.store.counts().wants, 1)
    const { incarnation } = (await life.store.identity()) ?? {}
    life.arrows.length = 0
    life.peers.requests.length = 0
    await life.peerWith(peerA, secret(1), secret(2))
    await life.startAgain()
    await life.until('running')
    assert.deepEqual(life.arrows, ['started in setup', 'setup complete'])
    assert.deepEqual(new Set(life.peers.askedOf(peerA)), new Set(['secret/2']))
    assert.equal((await life.store.identity())?.incarnation, incarnation)
  },

  'started again': async (life) => {
    const engine = await life.run()
    const cursor = await life.takeIn(engine, synced(secret(4), 0))
    await life.stop()
    life.chain.finalise([synced(secret(5), 0)])
    life.arrows.length = 0
    await seal(await life.peerWith(peerA, secret(4)), peerA, 3, [secret(5)])
    const again = await life.startAgain()
    await life.witness.until(async () => (await life.holds(secret(4))) && (await life.holds(secret(5))))
    assert.equal(life.arrows[0], 'started again')
    assert.deepEqual(life.chain.followedFrom, [0, cursor])
    assert.equal(again.comparison?.missing, 0)
  },

  registered: async (life) => {
    await life.peerWith(peerA, secret(1), capsule(1), secret(5))
    life.chain.synced = [secret(1), capsule(1), secret(5)]
    life.chain.assign(withoutOwn)
    life.start()
    await life.until('unregistered')
    life.chain.assign(all)
    life.chain.finalise([], true)
    await life.until('running')
    assert.deepEqual(life.witness.states, ['unregistered', 'setup', 'running'])
    assert.deepEqual(life.arrows.slice(1, 3), ['registered', 'setup complete'])
    assert.deepEqual((await life.store.share(capsule(1)))?.payload, payloadOf(capsule(1)))
    assert.equal(await syncedBlock(life.store), 1)
  },

  'registered again': async (life) => {
    await life.peerWith(peerA, secret(1))
    await life.run(secret(1))
    life.chain.assign(withoutOwn)
    life.chain.finalise([], true)
    await life.until('unregistered')
    life.chain.finalise([synced(secret(2), 0)])
    life.chain.assign(all)
    life.chain.finalise([], true)
    await life.witness.until(() => life.peers.askedOf(peerA).includes('secret/2'))
    assert.ok(life.arrows.includes('registered again'))
    assert.equal(await life.holds(secret(1)), true)
    assert.deepEqual(life.peers.askedOf(peerA).filter((key) => key === 'secret/1').length, 1)
  },

  'setup complete': async (life) => {
    await life.peerWith(peerA, secret(1))
    const other = await life.peerWith(peerB)
    life.chain.synced = [secret(1), secret(2)]
    life.chain.assign(all)
    life.start()
    await life.witness.until(() => life.holds(secret(1)))
    assert.deepEqual(life.arrows, ['started in setup'])
    assert.equal(await life.store.isSetupDone(), false)
    await seal(other, peerB, 2, [secret(2)])
    await life.until('running')
    assert.deepEqual(life.arrows, ['started in setup', 'setup complete'])
    assert.equal(await life.store.isSetupDone(), true)
  },

  synced: async (life) => {
    const origin = await life.peerWith(peerA, capsule(3))
    const engine = await life.run(capsule(3))
    await seal(origin, peerA, 2, [capsule(3)], 1)
    await life.takeIn(engine)
    const block = life.chain.finalise([synced(capsule(3), 0)])
    await life.witness.until(async () => (await life.store.place(capsule(3)))?.version === block)
    assert.ok(life.arrows.includes('synced'))
    assert.deepEqual((await life.store.share(capsule(3)))?.payload, payloadOf(capsule(3), 1))
  },

  'to be synced anew': async (life) => {
    await life.peerWith(peerA, capsule(1))
    const engine = await life.run(capsule(1))
    await life.takeIn(engine, { type: 'key-update', kind: 'capsule', nftId: 1 })
    assert.equal(life.arrows.at(-1), 'to be synced anew')
    assert.equal(await life.holds(capsule(1)), true)
    assert.equal(life.store.counts().wants, 0)
  },

  burned: async (life) => {
    await life.peerWith(peerA, secret(1))
    life.chain.synced = [secret(1), secret(2)]
    life.chain.assign(all)
    life.start()
    await life.witness.until(() => life.holds(secret(1)))
    // Also what was still wanted.
    life.chain.finalise([
      { type: 'removed', ...secret(1) },
      { type: 'removed', ...secret(2) },
    ])
    await life.until('running')
    assert.deepEqual(life.arrows, ['started in setup', 'burned', 'burned', 'setup complete'])
    assert.equal(await life.holds(secret(1)), false)
    assert.equal(life.store.counts().wants, 0)
  },

  moved: async (life) => {
    await life.peerWith(peerA, secret(1))
    await life.run(secret(1))
    const before = await life.store.identity()
    life.chain.assign(inSlot4)
    life.chain.finalise([], true)
    await life.until('setup')
    assert.equal(life.arrows.at(-1), 'moved')
    assert.equal(await life.holds(secret(1)), false)
    const after = await life.store.identity()
    assert.equal(after?.seat.slot, 4)
    assert.notEqual(after?.incarnation, before?.incarnation)
  },

  stayed: async (life) => {
    await life.peerWith(peerA, secret(1))
    await life.run(secret(1))
    const { chain } = life
    const follow = chain.follow.bind(chain)
    await life.stop()
    // The other seat is gone as soon as the enclave has let go of the block in which it was seen.
    chain.follow = async function* (...given) {
      try {
        yield* follow(...given)
      } finally {
        chain.assign(all)
      }
    }
    await life.startAgain()
    await untilTaken(life, 'started again')
    chain.assign(inSlot4)
    const block = chain.finalise()
    await untilTaken(life, 'stayed')
    assert.equal(await life.store.cursor(), block)
    assert.equal(await life.holds(secret(1)), true)
    assert.equal(life.peers.askedOf(peerA).length, 1)
  },

  unregistered: async (life) => {
    await life.peerWith(peerA, secret(1), secret(2))
    const engine = await life.run(secret(1))
    life.chain.assign(withoutOwn)
    const block = life.chain.finalise([], true)
    await life.until('unregistered')
    assert.equal(life.arrows.at(-1), 'unregistered')
    life.chain.finalise([synced(secret(2), 0)])
    await life.stop()
    assert.equal(await life.holds(secret(1)), true)
    assert.deepEqual(life.peers.askedOf(peerA), ['secret/1'])
    assert.equal(await life.store.cursor(), block)
    assert.equal(engine.state, 'unregistered')
  },

  stopped: async (life) => {
    life.chain.synced = [secret(1)]
    life.chain.assign(all)
    const engine = life.start()
    await life.until('setup')
    const block = await life.takeIn(engine, synced(secret(2), 0))
    await life.stop()
    assert.deepEqual(life.arrows, ['started in setup', 'synced', 'stopped'])
    assert.equal(life.store.counts().wants, 2)
    assert.equal(await life.store.cursor(), block)
    assert.equal(await life.store.isSetupDone(), false)
  },
}

async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

async function untilTaken(life: Life, arrow: ArrowName): Promise<void> {
  while (life.arrows.at(-1) !== arrow) await new Promise((resolve) => setImmediate(resolve))
}

/** As `docs/life-cycle.md` has them: the arrows of the diagram, and the rows of the table, in which blanks are one. */
function described(): string[] {
  return Object.entries(LIFE_CYCLE).flatMap(([name, { from, when, does, ...rest }]) => [
    ...from.map((state) => `${state} --> ${'to' in rest ? rest.to : state}: ${name}`),
    `| ${name} | ${when} | ${does} |`,
  ])
}

describe('the life cycle of an enclave', () => {
  let life: Life

  beforeEach(async () => {
    life = new Life()
    await life.open()
  })

  afterEach(() => life.close())

  for (const [arrow, test] of Object.entries(TESTS)) it(arrow, () => test(life))

  it('is as the document says', () => {
    const lines = readFileSync('docs/life-cycle.md', 'utf8').split('\n')
    const found = lines.map((line) => line.trim().replace(/\s+/g, ' '))
    const told = found.filter(
      (line) => line.includes(' --> ') || (line.startsWith('| ') && !/^\| (arrow|-)/.test(line)),
    )
    assert.deepEqual(told.sort(), described().sort())
  })

  it('knows no other arrow', () => {
    const told: string[] = []
    const cycle = new LifeCycle((state) => told.push(state))
    const impossible = (arrow: ArrowName) => assert.throws(() => cycle.take(arrow), { code: 'sync/no-such-arrow' })
    for (const arrow of ['setup complete', 'registered', 'moved', 'burned', 'stopped'] as const) impossible(arrow)
    cycle.take('started without a seat')
    for (const arrow of ['started again', 'setup complete', 'moved', 'synced'] as const) impossible(arrow)
    cycle.take('registered')
    cycle.take('setup complete')
    impossible('setup complete')
    cycle.take('stopped')
    cycle.take('started again')
    // Nobody is told twice of one state.
    assert.deepEqual(told, ['unregistered', 'setup', 'running'])
  })

  it('is not running in a seat that it loses while its setup is being marked complete', async () => {
    for (const peer of [peerA, peerB]) await life.peerWith(peer, secret(1))
    life.chain.synced = [secret(1)]
    life.chain.assign(all)
    const [marking, lost, marked] = [new AbortController(), new AbortController(), new AbortController()]
    const { store } = life
    const markSetupDone = store.markSetupDone.bind(store)
    store.markSetupDone = async () => {
      marking.abort()
      await whenAborted(lost.signal)
      const isDone = await markSetupDone()
      marked.abort()
      return isDone
    }
    const engine = life.start()
    await whenAborted(marking.signal)
    life.chain.assign(withoutOwn)
    life.chain.finalise([], true)
    await life.until('unregistered')
    lost.abort()
    await whenAborted(marked.signal)
    await new Promise((resolve) => setImmediate(resolve))
    await life.stop()
    assert.deepEqual(life.witness.states, ['setup', 'unregistered'])
    assert.deepEqual(life.witness.failures, [])
    assert.equal(engine.state, 'unregistered')
  })

  it('takes no setup for complete since an exchange ends that was begun in another seat', async () => {
    const { chain, store, peers, witness } = life
    const [begun, over, begunAnew] = [new AbortController(), new AbortController(), new AbortController()]
    let end: () => void = () => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    peers.request = () => {
      begun.abort()
      return ended
    }
    witness.exchangeDone = () => over.abort()
    chain.synced = [secret(1)]
    chain.assign(all)
    life.start()
    await whenAborted(begun.signal)
    // Whatever is marked while the next setup is begun is written after that.
    const marked: boolean[] = []
    const markSetupDone = store.markSetupDone.bind(store)
    store.markSetupDone = async () => {
      await whenAborted(begunAnew.signal)
      const isDone = await markSetupDone()
      marked.push(isDone)
      return isDone
    }
    const beginSetup = store.beginSetup.bind(store)
    store.beginSetup = async (...setup) => {
      end()
      await whenAborted(over.signal)
      await new Promise((resolve) => setImmediate(resolve))
      await beginSetup(...setup)
      begunAnew.abort()
    }
    chain.synced = [secret(2)]
    chain.assign(inSlot4)
    chain.finalise([], true)
    while (!life.arrows.includes('moved')) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(await store.isSetupDone(), false)
    assert.deepEqual([witness.states.at(-1), store.counts().wants, marked], ['setup', 1, []])
  })
})

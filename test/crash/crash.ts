import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type BlockNumber, type ShareKey, shareKeyText } from '../../src/domain/index.js'
import type { EnclaveNode } from '../../src/node/index.js'
import { ChainWorld, enclaveOf, enclaveSeedOf, signal } from '../integration/chain/fixture.js'
import { Random } from '../support/random.js'
import { SMALLEST_TABLE_BYTES } from '../support/small-tables.js'
import type { Life } from './calls.js'
import { EnclaveChild, Killed } from './enclave-child.js'
import { createNode } from './node.js'
import { Owners, type Taker } from './owners.js'
import { compactionsIn, type Expected, examine } from './remains.js'
import { SentConfirmations } from './sent-confirmations.js'

export interface CrashOptions {
  readonly kills: number
  readonly seed: number
  /** A line now and then. */
  readonly tell?: (line: string) => void
}

export interface CrashResult {
  readonly kills: Readonly<Record<Phase, number>>
  /** Of the kills, those at a write of the store. */
  readonly atWrites: number
  /** Those between the sending of a confirmation and its end. */
  readonly confirming: number
  readonly shares: number
  readonly confirmations: number
  readonly setups: number
  readonly compactions: number
}

/** When it is killed: most often at a write, or between the sending of a confirmation and its end. */
const WAYS = ['starting', 'working', 'writing', 'writing', 'confirming', 'confirming'] as const
/** Where it has none to send. */
const WAYS_OF_REPLICAS = ['starting', 'working', 'writing', 'writing'] as const

/** What the enclave is at when it is killed. The last one needs shares to fetch. */
const PHASES = ['ingest', 'live sync', 'compaction', 'setup'] as const
type Phase = (typeof PHASES)[number]

const VICTIM = 0
const PEER = 1

/** How long after its birth a process is killed at the latest, if it is to be killed while it starts; ms. */
const START_MS = 700
/** And after its start. */
const WORK_MS = 2_000
/** It may have no more to write, or to send. */
const LAST_MS = 5_000
/** A block, and one more until it is final. */
const CONFIRMING_MS = 600
const SUBMISSIONS = 2
/** The first writes of a life are those of taking things in, later ones of what has come to its end. */
const WRITES = [4, 24] as const
const SPIN_MS = 2

/** Until all is confirmed, synced and fetched when nobody is killed any more, ms. */
const SETTLED_WITHIN_MS = 120_000
const LOOK_EVERY_MS = 50

/** What an owner signs is good for twenty blocks, in which a node on a busy machine has to catch up. */
const BLOCK_TIME_MS = 200

/** So many blocks after a crash, whatever was in the pool is in a final one. */
const BLOCKS_TO_FINALITY = 3

/**
 * Kills an enclave's process over and over while it takes shares from owners, fetches others from a slot peer, and its
 * database compacts; looks at what each crash has left; starts it again.
 * @throws AssertionError when a share is lost or corrupt, a confirmation was sent twice, or a want is gone.
 */
export async function runCrash(options: CrashOptions): Promise<CrashResult> {
  const scratch = await mkdtemp(join(tmpdir(), 'slotmesh-crash-'))
  const world = await ChainWorld.start(2, 2, { blockTime: BLOCK_TIME_MS })
  try {
    const crash = await Crash.start(options, scratch, world)
    try {
      return await crash.run()
    } finally {
      await crash.stop()
    }
  } finally {
    await world.stop()
    await rm(scratch, { recursive: true })
  }
}

/** Whether owners hand shares to the victim itself. */
function confirms(phase: Phase): boolean {
  return phase === 'ingest' || phase === 'compaction'
}

class Crash {
  readonly #options: CrashOptions
  readonly #folder: string
  readonly #world: ChainWorld
  readonly #random: Random
  readonly #owners: Owners
  readonly #peer: EnclaveNode
  readonly #sent: SentConfirmations
  readonly #end = new AbortController()
  /** What owners are at; those of former phases hand over what they have minted. */
  readonly #supplies: Promise<void>[] = []
  #spare: EnclaveChild | undefined = new EnclaveChild()
  /** Set while it lives and has started. */
  #victim: EnclaveChild | undefined
  /** What the victim has answered for, and what had been before its folder was made anew. */
  readonly #answeredFor = new Set<string>()
  #before: ReadonlySet<string> = new Set()
  #isNew = true
  readonly #kills: Record<Phase, number> = { ingest: 0, 'live sync': 0, compaction: 0, setup: 0 }
  #atWrites = 0
  #confirming = 0
  #setups = 0
  #compactions = 0

  private constructor(
    options: CrashOptions,
    folder: string,
    world: ChainWorld,
    peer: EnclaveNode,
    sent: SentConfirmations,
  ) {
    this.#options = options
    this.#folder = folder
    this.#world = world
    this.#peer = peer
    this.#sent = sent
    this.#random = new Random(options.seed)
    this.#owners = new Owners(world, new Random(options.seed + 1))
  }

  static async start(options: CrashOptions, scratch: string, world: ChainWorld): Promise<Crash> {
    const chainUrl = world.server.url
    const accountSeed = enclaveSeedOf(PEER, 0)
    const peer = await createNode({ folder: join(scratch, 'peer'), chainUrl, bootstrap: [], accountSeed })
    await peer.start()
    const sent = await SentConfirmations.of(enclaveOf(VICTIM, 0).account, chainUrl)
    return new Crash(options, join(scratch, 'victim'), world, peer, sent)
  }

  async run(): Promise<CrashResult> {
    const { kills } = this.#options
    for (const [at, phase] of PHASES.entries()) {
      const share = Math.floor((kills * (at + 1)) / PHASES.length) - Math.floor((kills * at) / PHASES.length)
      await this.#play(phase, share)
    }
    await this.#settle({ isLast: true })
    return {
      kills: this.#kills,
      atWrites: this.#atWrites,
      confirming: this.#confirming,
      shares: this.#owners.given.size,
      confirmations: this.#sent.counts.size,
      setups: this.#setups,
      compactions: this.#compactions,
    }
  }

  async stop(): Promise<void> {
    this.#end.abort(new Error('The crashes are over.'))
    await Promise.all([this.#victim?.kill(), this.#spare?.kill()])
    await this.#sent.close()
    await this.#peer.stop()
  }

  async #play(phase: Phase, kills: number): Promise<void> {
    if (phase === 'setup') await this.#settle()
    let isEnough = false
    if (confirms(phase)) {
      const answeredFor = (key: ShareKey) => void this.#answeredFor.add(shareKeyText(key))
      this.#supply(this.#victimAsTaker(), { isEnough: () => isEnough, phase, answeredFor })
    }
    if (phase !== 'ingest') {
      this.#supply(this.#peerAsTaker(), { isEnough: () => isEnough, phase, answeredFor: () => undefined })
    }
    for (let kill = 0; kill < kills; kill += 1) {
      if (phase === 'setup') await this.#beginAnew()
      await this.#liveAndDie(phase)
      this.#options.tell?.(`${phase}: killed ${kill + 1} times of ${kills}; ${this.#owners.given.size} shares`)
    }
    // Of few lives each may have ended before there was anything to compact, on a busy machine all the more.
    if (phase === 'compaction' && kills > 0 && this.#compactions === 0) await this.#compactAndDie()
    isEnough = true
  }

  #supply(
    taker: Taker,
    {
      phase,
      ...options
    }: { readonly isEnough: () => boolean; readonly phase: Phase; readonly answeredFor: (key: ShareKey) => void },
  ): void {
    const { signal } = this.#end
    const supplied = this.#owners.supply(taker, { ...options, isLarge: phase === 'compaction', signal })
    // A failure is met when all has settled; until then enclaves can be killed all the same.
    supplied.catch(() => undefined)
    this.#supplies.push(supplied)
  }

  /** A folder of which nothing is left: the same enclave begins its setup from the chain. */
  async #beginAnew(): Promise<void> {
    if (!this.#isNew && this.#random.chance(0.4)) return
    for (const path of [this.#folder, `${this.#folder}.lock`]) await rm(path, { recursive: true, force: true })
    this.#before = new Set([...this.#answeredFor, ...this.#sent.counts.keys()])
    this.#isNew = true
    this.#setups += 1
  }

  #life(phase: Phase): Life {
    return {
      folder: this.#folder,
      chainUrl: this.#world.server.url,
      bootstrap: [],
      accountSeed: enclaveSeedOf(VICTIM, 0),
      deadlyWrite: undefined,
      // Full after some twenty shares.
      tableBytes: phase === 'compaction' ? SMALLEST_TABLE_BYTES : undefined,
    }
  }

  async #liveAndDie(phase: Phase): Promise<void> {
    const random = this.#random
    const way = random.pick<(typeof WAYS)[number]>(confirms(phase) ? WAYS : WAYS_OF_REPLICAS)
    const number = 1 + random.below(random.pick(WRITES))
    const when = random.pick(['before', 'during', 'after'] as const)
    const deadlyWrite = way === 'writing' ? { number, when, spinMs: SPIN_MS * random.fraction() } : undefined
    const deadlySubmission =
      way === 'confirming' ? { number: 1 + random.below(SUBMISSIONS), afterMs: random.below(CONFIRMING_MS) } : undefined
    const endsItself = way === 'writing' || way === 'confirming'
    const killAfterMs = endsItself ? LAST_MS : random.below(way === 'starting' ? START_MS : WORK_MS)

    const child = await this.#born()
    const deadly = { deadlyWrite, deadlySubmission }
    const begun = child.call('live', { ...this.#life(phase), bootstrap: await this.#bootstrap(), ...deadly })
    const started = begun.then(
      () => {
        this.#victim = child
      },
      (thrown) => {
        if (!(thrown instanceof Killed)) throw thrown
      },
    )
    if (way !== 'starting') await started.then(() => this.#untilSeated(child))
    const time = pause(killAfterMs, 'late' as const)
    const ended = await Promise.race([child.ended, time])
    if (ended !== 'late' && way === 'writing') this.#atWrites += 1
    if (ended !== 'late' && way === 'confirming') this.#confirming += 1
    await child.kill()
    await started
    this.#victim = undefined
    this.#kills[phase] += 1
    await this.#examine()
  }

  /** Lives until its database has compacted. */
  async #compactAndDie(): Promise<void> {
    const child = await this.#live('compaction')
    const until = performance.now() + SETTLED_WITHIN_MS
    while ((await compactionsIn(this.#folder)) === 0) {
      assert.ok(performance.now() < until, 'nothing was compacted')
      await pause(LOOK_EVERY_MS)
    }
    await child.kill()
    this.#victim = undefined
    this.#kills.compaction += 1
    await this.#examine()
  }

  /** Until then it takes nothing from owners, and wants nothing. */
  async #untilSeated(child: EnclaveChild): Promise<void> {
    while (child.isAlive) {
      const state = await child.call('status').then(
        (status) => status.state,
        () => undefined,
      )
      if (state !== 'unregistered') return
      await pause(LOOK_EVERY_MS)
    }
  }

  /** Lives until it is told otherwise. */
  async #live(phase: Phase, life: { readonly isLast?: boolean } = {}): Promise<EnclaveChild> {
    const child = await this.#born(life)
    await child.call('live', { ...this.#life(phase), bootstrap: await this.#bootstrap() })
    this.#victim = child
    return child
  }

  /** The next process loads while this one lives, if there is to be one. */
  async #born({ isLast = false } = {}): Promise<EnclaveChild> {
    const child = this.#spare ?? new EnclaveChild()
    await child.ready
    this.#spare = isLast ? undefined : new EnclaveChild()
    return child
  }

  async #bootstrap(): Promise<readonly string[]> {
    return (await this.#peer.status()).multiaddrs
  }

  async #examine(): Promise<void> {
    for (let block = 0; block < BLOCKS_TO_FINALITY; block += 1) this.#world.server.sealBlock()
    await this.#sent.read()
    this.#compactions += await compactionsIn(this.#folder)
    const remains = await examine(this.#folder, this.#expected())
    this.#isNew &&= remains.held + remains.pending + remains.wanted === 0
  }

  #expected(): Expected {
    const kept = new Set([...this.#answeredFor, ...this.#sent.counts.keys()])
    for (const text of this.#before) kept.delete(text)
    return {
      payloadOf: (key) => this.#owners.payloadOf(key),
      kept: [...this.#owners.given].flatMap(([text, { key }]) => (kept.has(text) ? [key] : [])),
      listedAt: (block) => this.#listedAt(block),
      mayBeEmpty: this.#isNew,
    }
  }

  async #listedAt(number: BlockNumber): Promise<ShareKey[]> {
    const { chain } = this.#world
    const listed: ShareKey[] = []
    for await (const { block } of chain.follow(number - 1, { signal })) {
      for await (const page of chain.syncedShares(block, { signal })) listed.push(...page)
      break
    }
    return listed
  }

  /** Nobody is killed until everything that was minted is held by both. */
  async #settle(life: { readonly isLast?: boolean } = {}): Promise<void> {
    const child = await this.#live('ingest', life)
    const isSupplied = Promise.all(this.#supplies).then(() => true)
    const isLate = pause(SETTLED_WITHIN_MS, false, { signal: this.#end.signal, ref: false })
    assert.ok(await Promise.race([isSupplied, isLate]), `owners wait in vain: ${this.#owners.lastRefusal}`)
    const until = performance.now() + SETTLED_WITHIN_MS
    for (;;) {
      const statuses = await Promise.all([child.call('status'), this.#peer.status()])
      const lacks = statuses.map(({ shares: { secret, capsule } }) => this.#owners.given.size - secret - capsule)
      const owed = statuses.map(({ confirmationsOwed: { count } }) => count)
      if ([...lacks, ...owed].every((count) => count === 0)) break
      assert.ok(performance.now() < until, `not settled: shares lacking ${lacks}, confirmations owed ${owed}`)
      await pause(LOOK_EVERY_MS)
    }
    await child.kill()
    this.#victim = undefined
    await this.#examine()
  }

  #victimAsTaker(): Taker {
    return {
      cluster: VICTIM,
      status: () => this.#victim?.call('status'),
      store: async (kind, request) => {
        if (this.#victim === undefined) throw new Killed('It is down.')
        await this.#victim.call('store', kind, request)
      },
    }
  }

  #peerAsTaker(): Taker {
    return {
      cluster: PEER,
      status: () => this.#peer.status(),
      store: async (kind, request) => {
        await this.#peer.storeShare(kind, request, { signal: this.#end.signal })
      },
    }
  }
}

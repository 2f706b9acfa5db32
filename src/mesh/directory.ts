import { EventEmitter, once } from 'node:events'
import {
  type AbortOptions,
  type Connection,
  type Libp2p,
  type Stream,
  type StreamHandler,
  setMaxListeners,
} from '@libp2p/interface'
import {
  type AccountId,
  bounded,
  type Clock,
  type Logger,
  messageOf,
  RateLimit,
  Recent,
  type Registry,
  SlotmeshError,
} from '../domain/index.js'
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion, type Wants } from './directory-messages.js'
import { framesOf } from './frames.js'
import type { KnownRecords } from './known-records.js'
import { LIMITS } from './limits.js'
import { type EnclaveRecord, recordError } from './record.js'

const PROTOCOL = '/ternoa/enclave-directory/1'

interface DirectoryInit {
  readonly libp2p: Pick<Libp2p, 'handle' | 'unhandle' | 'register' | 'unregister'>
  readonly known: KnownRecords
  /** As of the latest finalised block. */
  readonly registry: () => Registry
  /** This enclave's own. */
  readonly account: AccountId
  /** Whether there is time for those of other slots, of whom nobody has asked. */
  readonly isSettled: () => boolean
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly logger: Logger
}

/** A connected peer that speaks the protocol. */
interface Neighbour {
  readonly peer: string
  /** The newest first: an older one may be dead without anybody's knowing yet. */
  connections: Connection[]
  /** Of how many accounts it knows a record, as it has said last. */
  known: number
  /** Of these, how many it had told when it was asked last, or was told since. */
  had: number
  /** Unix ms. */
  askedAt: number
  /** How often it has not answered since it did. */
  failed: number
}

/** Two that are connected know each other's record, and each its own. */
const HANDED_OVER = 2

/** Flaws that an honest peer's record can have: it may have seen another block, or the clocks differ. */
const NO_OFFENCE: readonly string[] = ['expired', 'lifetime', 'not-registered', 'wrong-seat', 'stale'].map(
  (flaw) => `mesh/record-${flaw}`,
)

/**
 * Peers that are connected anyway tell each other the records that the other one lacks. Everybody knows by the chain whom
 * there is to know, so a node names those that it lacks and asks again, ever more rarely, until it knows them: first its
 * slot peers, then those of whom others have asked it in vain, and the rest when it has time. So what an entry point hears
 * spreads to those who entered elsewhere, and costs no connections.
 */
export class Directory {
  readonly #init: DirectoryInit
  readonly #shutdown = new AbortController()
  /** Emits `over` after each round. */
  readonly #rounds = new EventEmitter().setMaxListeners(0)
  readonly #neighbours = new Map<string, Neighbour>()
  readonly #rate: RateLimit
  /** Whom somebody waits for, and how many do. */
  readonly #sought = new Map<AccountId, number>()
  /** Whom others have asked of in vain: who it was, if it was one alone, and when last; Unix ms. */
  readonly #demanded = new Map<AccountId, { readonly by: string | undefined; readonly at: number }>()
  /** Whose known record may be outdated: a newer one is asked of several in the round that comes. */
  readonly #doubted = new Set<AccountId>()
  /** When somebody had no newer record; Unix ms. */
  readonly #confirmed = new Recent<AccountId, number>(LIMITS.knownRecords)
  #topology: string | undefined
  readonly #rateOfStrangers: RateLimit
  /** Answers under way: of peers that no record names, of all, and of each. */
  #strangers = 0
  #answering = 0
  readonly #answeringTo = new Map<string, number>()
  #pauseMs: number = LIMITS.directory.shortestPauseMs
  #roundAt = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined
  #callOff: (() => void) | undefined
  /** When the next round begins; Unix ms. */
  #dueAt = Number.POSITIVE_INFINITY
  #seen: Registry

  constructor(init: DirectoryInit) {
    const { answersPerMinute, answersAtOnce, strangersPerMinute, askers } = LIMITS.directory
    this.#init = init
    this.#seen = init.registry()
    const now = () => init.clock.now()
    this.#rate = new RateLimit({ perMinute: answersPerMinute, atOnce: answersAtOnce, now, remembered: askers })
    this.#rateOfStrangers = new RateLimit({
      perMinute: strangersPerMinute,
      atOnce: answersPerMinute,
      now,
      remembered: 1,
    })
    setMaxListeners(Infinity, this.#shutdown.signal)
  }

  async start(): Promise<void> {
    const { libp2p } = this.#init
    await libp2p.handle(PROTOCOL, this.#serve, {
      maxInboundStreams: LIMITS.directory.streams,
      maxOutboundStreams: LIMITS.directory.streams,
    })
    this.#topology = await libp2p.register(PROTOCOL, { onConnect: (_peer, connection) => this.#met(connection) })
  }

  async stop(): Promise<void> {
    this.#shutdown.abort()
    this.#callOff?.()
    if (this.#topology !== undefined) this.#init.libp2p.unregister(this.#topology)
    await Promise.all([this.#init.libp2p.unhandle(PROTOCOL), this.#running])
  }

  /** Whether there is anybody to ask. */
  get hasNeighbours(): boolean {
    return this.#open().length > 0
  }

  /**
   * Waits until a record of an account is heard of that is known of none, from whomever; for so long, and not at all where
   * nobody is connected or the chain knows no such account. Peers are asked for it meanwhile, as often as they may be.
   *
   * @throws the signal's reason.
   */
  async seek(account: AccountId, { patienceMs, signal }: { patienceMs: number; signal: AbortSignal }): Promise<void> {
    if (!this.hasNeighbours || this.#init.registry().seatOf(account) === undefined) return
    this.#sought.set(account, (this.#sought.get(account) ?? 0) + 1)
    this.#soon(0)
    try {
      await this.#patiently(patienceMs, signal, (limited) => once(this.#init.known.news, account, { signal: limited }))
    } finally {
      const others = (this.#sought.get(account) ?? 1) - 1
      if (others > 0) this.#sought.set(account, others)
      else this.#sought.delete(account)
    }
  }

  /**
   * Asks a few peers whether they know newer records than the one known of an account, and of other slot peers with it, unless
   * they were asked just now; waits for so long.
   *
   * @returns whether somebody answered; what is newer is known by then.
   * @throws the signal's reason.
   */
  async confirm(
    account: AccountId,
    { patienceMs, signal }: { patienceMs: number; signal: AbortSignal },
  ): Promise<boolean> {
    if (this.#isConfirmed(account)) return true
    if (!this.hasNeighbours) return false
    this.#doubted.add(account)
    for (const peer of this.#slotPeers()) if (this.#isDoubtful(peer)) this.#doubted.add(peer)
    this.#soon(0)
    await this.#patiently(patienceMs, signal, async (limited) => {
      while (this.#doubted.has(account)) await once(this.#rounds, 'over', { signal: limited })
    })
    return this.#isConfirmed(account)
  }

  /** Looks whether the chain has seats of whom nothing is known yet. */
  registryMayHaveChanged(): void {
    const [before, now] = [this.#seen, this.#init.registry()]
    if (before === now) return
    this.#seen = now
    const isNew = ({ account }: { readonly account: AccountId }) => before.seatOf(account) === undefined
    if (now.clusters().some(({ seats }) => seats.some(isNew))) this.#again()
  }

  /** @throws the signal's reason; what was not done in time is no error. */
  async #patiently(patienceMs: number, signal: AbortSignal, work: (limited: AbortSignal) => Promise<unknown>) {
    const bounds = { signals: [signal, this.#shutdown.signal], timeoutMs: patienceMs, clock: this.#init.clock }
    try {
      await bounded(bounds, work)
    } catch {
      signal.throwIfAborted()
    }
  }

  #met(connection: Connection): void {
    const peer = connection.remotePeer.toString()
    const neighbour = this.#neighbours.get(peer)
    if (neighbour !== undefined && isOpen(neighbour)) {
      neighbour.connections = [connection, ...neighbour.connections.filter(({ status }) => status === 'open')]
      neighbour.failed = 0
      return
    }
    for (const gone of [...this.#neighbours.values()].filter((each) => !isOpen(each)))
      this.#neighbours.delete(gone.peer)
    // Who comes in asks by itself for what it lacks, and tells by that how much it knows.
    const askedAt = connection.direction === 'outbound' ? Number.NEGATIVE_INFINITY : this.#init.clock.now()
    this.#neighbours.set(peer, { peer, connections: [connection], known: 0, had: HANDED_OVER, askedAt, failed: 0 })
    this.#pauseMs = LIMITS.directory.shortestPauseMs
    this.#soon(LIMITS.directory.firstMs * (0.5 + this.#init.random()))
  }

  /** Whether somebody waits for what is asked. */
  get #isAwaited(): boolean {
    return this.#sought.size + this.#doubted.size > 0
  }

  #open(): Neighbour[] {
    return [...this.#neighbours.values()].filter(isOpen)
  }

  readonly #serve: StreamHandler = async (stream, connection) => {
    const peer = connection.remotePeer.toString()
    try {
      await this.#inPlace(peer, () => this.#inTime((options) => this.#answer(stream, options, peer)))
    } catch (thrown) {
      stream.abort(thrown instanceof Error ? thrown : new Error(messageOf(thrown)))
      this.#init.logger.debug('A question to the directory was not answered', { peer, reason: messageOf(thrown) })
    }
  }

  /** PeerIds are free: those that no record names have half of the places and one rate together. @throws SlotmeshError */
  async #inPlace(peer: string, work: () => Promise<void>): Promise<void> {
    const { answersAtOnce, streams } = LIMITS.directory
    const isStranger = !this.#init.known.names(peer)
    const own = this.#answeringTo.get(peer) ?? 0
    const isRoom =
      own < streams && this.#answering < answersAtOnce && !(isStranger && this.#strangers >= answersAtOnce / 2)
    if (!this.#rate.take(peer) || !isRoom || (isStranger && !this.#rateOfStrangers.take(''))) throw busy()
    this.#answering += 1
    this.#answeringTo.set(peer, own + 1)
    if (isStranger) this.#strangers += 1
    try {
      await work()
    } finally {
      this.#answering -= 1
      if (isStranger) this.#strangers -= 1
      const left = (this.#answeringTo.get(peer) ?? 1) - 1
      if (left === 0) this.#answeringTo.delete(peer)
      else this.#answeringTo.set(peer, left)
    }
  }

  async #answer(stream: Stream, options: AbortOptions, peer: string): Promise<void> {
    const frames = framesOf(stream, LIMITS.directory.requestBytes)
    const frame = await frames.read(options)
    const question = decodeQuestion(frame.subarray())
    const records: Uint8Array[] = []
    // Of each record its tag and length, and of the message the count.
    let bytes = 16
    for (const [account, sequence] of question.wants) {
      const record = this.#init.known.current(account)?.record
      if (record === undefined) this.#demand(account, peer)
      else if (record.sequence > sequence && bytes + record.bytes.length + 4 <= LIMITS.directory.answerBytes) {
        bytes += record.bytes.length + 4
        records.push(record.bytes)
      }
    }
    const neighbour = this.#neighbours.get(peer)
    if (neighbour !== undefined) {
      neighbour.known = this.#counted(peer, question.known)
      if (neighbour.known > neighbour.had) this.#soon(0)
      neighbour.had += records.length
    }
    const answer = encodeAnswer({ records, known: this.#init.known.size })
    await frames.write(answer, options)
    await stream.close(options)
  }

  /** How many a peer knows, by its own word: of those that no record names it counts nothing. */
  #counted(peer: string, known: number): number {
    return this.#init.known.names(peer) ? Math.min(known, LIMITS.knownRecords) : 0
  }

  /** Somebody else wants to know of an account that is not known here either. */
  #demand(account: AccountId, peer: string): void {
    const { registry, account: own, clock } = this.#init
    if (account === own || registry().seatOf(account) === undefined) return
    const before = this.#demanded.get(account)
    if (before === undefined && this.#demanded.size >= LIMITS.knownRecords) return
    const by = before === undefined || before.by === peer ? peer : undefined
    this.#demanded.set(account, { by, at: before?.at ?? clock.now() })
    if (before === undefined) this.#again()
  }

  /** There is more to ask for than before. */
  #again(): void {
    this.#pauseMs = LIMITS.directory.shortestPauseMs
    // Who had nothing else may have that.
    for (const neighbour of this.#neighbours.values()) neighbour.had = 0
    this.#soon(0)
  }

  /** Has a round begin so much later, but not too soon after the last one, and not later than it would anyway. */
  #soon(ms: number): void {
    if (this.#running !== undefined || this.#shutdown.signal.aborted) return
    const now = this.#init.clock.now()
    const wait = Math.max(ms, LIMITS.directory.gapMs - Math.max(0, now - this.#roundAt))
    if (now + wait < this.#dueAt) this.#set(wait)
  }

  #set(ms: number): void {
    this.#callOff?.()
    this.#dueAt = this.#init.clock.now() + ms
    this.#callOff = this.#init.clock.after(ms, () => void (this.#running ?? this.#round()))
  }

  /** One at a time; when it is over, the next is set. Never rejects. */
  #round(): Promise<void> {
    this.#callOff?.()
    this.#dueAt = Number.POSITIVE_INFINITY
    this.#running = this.#askSome().finally(() => {
      this.#running = undefined
      this.#roundAt = this.#init.clock.now()
      this.#rounds.emit('over')
      if (this.#shutdown.signal.aborted) return
      const { gapMs, pauseGrowth, longestPauseMs } = LIMITS.directory
      this.#set(this.#isAwaited ? gapMs : this.#pauseMs * (0.75 + this.#init.random() / 2))
      this.#pauseMs = Math.min(pauseGrowth * this.#pauseMs, longestPauseMs)
    })
    return this.#running
  }

  async #askSome(): Promise<void> {
    const asked = new Set<Neighbour>()
    const doubted = [...this.#doubted]
    const answered = new Set<AccountId>()
    const before = this.#init.known.size
    while (asked.size < LIMITS.directory.peersPerRound && !this.#shutdown.signal.aborted) {
      const neighbour = this.#next(asked)
      if (neighbour === undefined) break
      asked.add(neighbour)
      const wants = this.#wants(neighbour.peer)
      if (wants.size === 0) continue
      neighbour.askedAt = this.#init.clock.now()
      if (await this.#ask(neighbour, wants)) for (const account of wants.keys()) answered.add(account)
    }
    // There is more to come where that came from, and others wait for it.
    const isRelay = this.#demanded.size > 0 && this.#init.known.size > before
    if (isRelay) this.#pauseMs = LIMITS.directory.shortestPauseMs
    for (const account of doubted) {
      this.#doubted.delete(account)
      if (answered.has(account)) this.#confirmed.set(account, this.#init.clock.now())
    }
  }

  /**
   * Whom to ask next, of those who were not asked just now. First of those that answer: one whose own record ends before long; else
   * the one that has learned the most since it was asked last, and not from this node; else one that this node has chosen to be
   * connected with. And last the one that was asked longest ago, so that nobody is heard alone who only says that it knows much.
   */
  #next(asked: ReadonlySet<Neighbour>): Neighbour | undefined {
    const { peersPerRound, gapMs, seldomMs } = LIMITS.directory
    const open = this.#open()
      .filter((each) => !asked.has(each) && !this.#isWithin(each.askedAt, gapMs))
      .sort((one, other) => one.failed - other.failed || one.askedAt - other.askedAt)
    const [oldest] = open
    const any = oldest && (this.#isAwaited || !this.#isWithin(oldest.askedAt, seldomMs)) ? oldest : undefined
    if (asked.size === peersPerRound - 1) return any
    const answering = open.filter(({ failed }) => failed === 0)
    const ending = answering.find(({ peer }) => {
      const own = this.#init.known.of(peer)
      return own !== undefined && this.#isEnding(own)
    })
    const news = ({ known, had }: Neighbour): number => known - had
    const [informed] = answering.filter((each) => news(each) > 0).sort((one, other) => news(other) - news(one))
    const chosen = answering.find(({ connections }) => connections.some(({ direction }) => direction === 'outbound'))
    return ending ?? informed ?? chosen ?? any
  }

  /** As many as one request to a peer may have, those that matter most first. */
  #wants(peer: string): Map<AccountId, number> {
    const { known, account: own, isSettled } = this.#init
    const wants = new Map<AccountId, number>()
    const add = (account: AccountId, isWanted: boolean) => {
      if (isWanted && wants.size < LIMITS.directory.wants) wants.set(account, known.sequenceOf(account))
    }
    for (const account of this.#sought.keys()) add(account, this.#isDue(account))
    for (const account of this.#doubted) add(account, true)
    for (const account of this.#dueSlotPeers()) add(account, true)
    for (const [account, { by, at }] of this.#demanded) {
      if (known.current(account) !== undefined || !this.#isWithin(at, LIMITS.directory.demandMs)) {
        this.#demanded.delete(account)
      } else add(account, by !== peer)
    }
    if (isSettled()) this.#addOthers(add)
    // One from an earlier life of this enclave may be newer than its own: then it needs another.
    if (wants.size > 0) add(own, true)
    return wants
  }

  /** Those of other slots; where they are too many, others of them each time. */
  #addOthers(add: (account: AccountId, isWanted: boolean) => void): void {
    const { registry, random } = this.#init
    const clusters = registry().clusters()
    const begin = Math.floor(random() * clusters.length)
    for (const { seats } of [...clusters.slice(begin), ...clusters.slice(0, begin)]) {
      for (const { account } of seats) add(account, this.#isDue(account))
    }
  }

  /** Where they are too many for one request, from another one on each time: no one is left out for long. */
  #dueSlotPeers(): AccountId[] {
    const due = this.#slotPeers().filter((account) => this.#isDue(account))
    if (due.length <= LIMITS.directory.wants) return due
    const begin = Math.floor(this.#init.random() * due.length)
    return [...due.slice(begin), ...due.slice(0, begin)]
  }

  #slotPeers(): AccountId[] {
    const { registry, account } = this.#init
    return registry()
      .slotPeersOf(account)
      .map((seat) => seat.account)
  }

  /** Whether nothing is known of it, or not for much longer. */
  #isDue(account: AccountId): boolean {
    const { known, account: own } = this.#init
    if (account === own) return false
    const record = known.current(account)?.record
    return record === undefined || this.#isEnding(record)
  }

  #isEnding({ expiresAt }: EnclaveRecord): boolean {
    return expiresAt - this.#init.clock.now() < LIMITS.directory.renewBeforeMs
  }

  /** Whether it will have to be asked for before long, if it is looked up. */
  #isDoubtful(account: AccountId): boolean {
    const seenAt = this.#init.known.current(account)?.seenAt
    const lastAt = Math.max(seenAt ?? Number.POSITIVE_INFINITY, this.#confirmed.get(account) ?? 0)
    return !this.#isWithin(lastAt, LIMITS.resolve.freshMs / 2) && seenAt !== undefined
  }

  #isConfirmed(account: AccountId): boolean {
    return this.#isWithin(this.#confirmed.get(account) ?? Number.NEGATIVE_INFINITY, LIMITS.resolve.freshMs)
  }

  #isWithin(at: number, ms: number): boolean {
    const age = this.#init.clock.now() - at
    return age >= 0 && age < ms
  }

  /** @returns whether it has answered, and as it should; never rejects. */
  async #ask(neighbour: Neighbour, wants: Wants): Promise<boolean> {
    const { known, logger } = this.#init
    let stream: Stream | undefined
    try {
      const bytes = await this.#inTime(async (options) => {
        const connection = neighbour.connections.find(({ status }) => status === 'open')
        if (connection === undefined) throw new Error('It is not connected any more.')
        stream = await connection.newStream(PROTOCOL, options)
        const frames = framesOf(stream, LIMITS.directory.answerBytes)
        await frames.write(encodeQuestion({ wants, known: known.size }), options)
        const frame = await frames.read(options)
        await stream.close(options)
        return frame.subarray()
      }, LIMITS.directory.askMs)
      const answer = decodeAnswer(bytes)
      neighbour.known = this.#counted(neighbour.peer, answer.known)
      neighbour.had = neighbour.known
      neighbour.failed = 0
      await this.#takeAll(this.#asked(answer.records, wants))
      return true
    } catch (thrown) {
      const reason = messageOf(thrown)
      stream?.abort(thrown instanceof Error ? thrown : new Error(reason))
      if (this.#shutdown.signal.aborted) return false
      // What it says is of no use: it is not asked again on this connection.
      if (isOffence(thrown)) this.#neighbours.delete(neighbour.peer)
      neighbour.failed += 1
      logger.debug('A peer has not told what it knows', { peer: neighbour.peer, reason })
      return false
    }
  }

  /**
   * @throws SlotmeshError when one of them is none, was not asked for, is not newer, or comes twice, or too many are not true by clock
   * and registry: then none is taken, and those behind are not looked at.
   */
  #asked(records: readonly Uint8Array[], wants: Wants): EnclaveRecord[] {
    const left = new Map(wants)
    let outdated = 0
    return records.map((bytes) => {
      const record = this.#init.known.parse(bytes)
      const sequence = left.get(record.account)
      if (sequence === undefined || record.sequence <= sequence) {
        throw recordError('unasked', 'A peer has sent an enclave record that it was not asked for.')
      }
      left.delete(record.account)
      if (!this.#init.known.isTrue(record)) outdated += 1
      if (outdated > LIMITS.directory.outdated) {
        throw recordError('outdated', 'A peer has sent too many enclave records that have ended or name another seat.')
      }
      return record
    })
  }

  /** @throws SlotmeshError at the first that no honest peer has: those behind it are not looked at. */
  async #takeAll(records: readonly EnclaveRecord[]): Promise<void> {
    for (const record of records) {
      this.#shutdown.signal.throwIfAborted()
      try {
        await this.#init.known.take(record)
      } catch (thrown) {
        if (!(thrown instanceof SlotmeshError) || !NO_OFFENCE.includes(thrown.code)) throw thrown
      }
    }
  }

  #inTime<T>(work: (options: AbortOptions) => Promise<T>, timeoutMs: number = LIMITS.directory.timeoutMs): Promise<T> {
    const bounds = { signals: [this.#shutdown.signal], timeoutMs, clock: this.#init.clock }
    return bounded(bounds, (signal) => work({ signal }))
  }
}

function isOpen({ connections }: Neighbour): boolean {
  return connections.some(({ status }) => status === 'open')
}

/** What an honest peer does not send; that it sends nothing, or nothing in time, is none. */
function isOffence(thrown: unknown): boolean {
  return (
    thrown instanceof SlotmeshError ||
    (thrown instanceof Error && /^(InvalidDataLength|StreamBuffer)/.test(thrown.name))
  )
}

function busy(): SlotmeshError {
  return new SlotmeshError('mesh/directory-busy', 'The peer asks more often than it may, or too many ask at once.')
}

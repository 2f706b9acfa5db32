import { randomBytes } from 'node:crypto'
import { createQuoteVerifier, type QuoteVerifier, staticCollateral } from '../attestation/index.js'
import { type AccountSigner, fromHex } from '../crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  type ClusterId,
  type ShareKey,
  type ShareKind,
  shareKeyText,
} from '../domain/index.js'
import { OriginLog } from '../provenance/index.js'
import type { Refusal } from '../share/index.js'
import { type Batch, type End, HelloBody, type SuiteKey, toWireRun, type WantLists } from '../share/raw/index.js'
import { Deviation, demand, NotJudged, PeerBusy } from './deviation.js'
import { type KnownShare, Library } from './library.js'
import { type Asked, type Member, Members } from './members.js'
import { pause } from './pause.js'
import { type Answer, describeAnswer, type RawProvider, type RawRequester } from './raw.js'
import { type Reception, receive } from './reception.js'
import { MEASUREMENT, type Minted, type OriginCluster, SLOT, Stage } from './stage.js'
import { listsFor } from './wants.js'

/** What the peer has to fetch before the cases begin. */
const BASELINE = { secrets: 110, capsules: 12, formerShares: 2 }

/** NFTs that lack one confirmation are kept in stock, so many of each origin at a time. */
const STOCK = 16

/** Blocks before the peer comes, at least: more than a token stands for. */
const TOKEN_PAST = 25

/** How long the peer has to do what it does by itself: to fetch, or to erase. */
const PATIENCE_MS = 10_000

/** An NFT that is never minted. */
export const UNHELD = 0xfff0_0000

/** How long the suite waits for the peer to see a block. */
const SETTLE_MS = 3_000

/** All that a run has: the world, the suite's enclaves, and what they hold. */
export class Bench {
  readonly stage: Stage
  readonly library: Library
  readonly members: Members
  readonly verifier: QuoteVerifier
  /** The logs of the origins' enclaves in the peer's slot. */
  readonly logs: readonly OriginLog[]
  /** Shares that the peer has had time to fetch; see {@link awaitBaseline}. */
  readonly baseline: KnownShare[] = []
  readonly #stock: Minted[] = []
  #turn = 0
  /** The newest block that the peer has shown to have seen. */
  #peerAt: BlockNumber = 0
  #baselineFailure: string | undefined

  private constructor(stage: Stage, library: Library, members: Members) {
    this.stage = stage
    this.library = library
    this.members = members
    this.verifier = createQuoteVerifier({
      rootCertificate: stage.pki.rootCertificate,
      collateral: staticCollateral(stage.pki.collateral),
      policy: { allowedMeasurements: [{ mrEnclave: MEASUREMENT.mrEnclave }] },
    })
    this.logs = stage.cast.origins.map(({ enclaves }) => {
      const seat = enclaves[SLOT]
      if (seat === undefined) throw new Error('A cluster has five seats.')
      return new OriginLog(stage.view.genesisHash, seat.signer, seat)
    })
  }

  /** Builds the world, in which everything is ready for the peer to come. */
  static async open(signal: AbortSignal): Promise<Bench> {
    const stage = await Stage.open(signal)
    const closing = [() => stage.close()]
    try {
      const library = new Library(() => stage.now)
      const members = await Members.create(stage, library, signal)
      closing.unshift(() => members.stop())
      const bench = new Bench(stage, library, members)
      await bench.#fill()
      await members.start()
      return bench
    } catch (thrown) {
      for (const close of closing) await close()
      throw thrown
    }
  }

  async close(): Promise<void> {
    await this.members.stop()
    await this.stage.close()
  }

  async #fill(): Promise<void> {
    const { stage } = this
    const [first, second, third] = stage.cast.origins
    if (first === undefined || second === undefined || third === undefined) throw new Error('There are three origins.')
    const { former } = stage.cast
    const thirdBefore = { ...third, enclaves: third.enclaves.map((each, slot) => (slot === SLOT ? former : each)) }
    const formerLog = new OriginLog(stage.view.genesisHash, former.signer, former)
    await this.#release(await stage.mint('secret', thirdBefore, BASELINE.formerShares), formerLog)
    await stage.succeed()
    await this.#release(await stage.mint('secret', first, BASELINE.secrets))
    await this.#release(await stage.mint('capsule', second, BASELINE.capsules))
    await this.#release(await stage.mint('secret', third, 3))
    // Tokens are to have a past to lie in.
    await stage.sealBlocks(TOKEN_PAST)
  }

  async #release(minted: readonly Minted[], log = this.#logOf(minted[0]?.origin)): Promise<void> {
    const version = await this.stage.sync(minted)
    for (const [at, { key }] of minted.entries()) {
      this.baseline.push(this.library.add(log, key, version, payload(sizeOf(at))))
    }
  }

  #logOf(origin: OriginCluster | undefined): OriginLog {
    const log = this.logs.find(({ seat }) => seat.cluster === origin?.cluster)
    if (log === undefined) throw new Error('The cluster has no log.')
    return log
  }

  /** Has an NFT synced that the peer will want from now on. */
  async plant(kind: ShareKind = 'secret'): Promise<KnownShare> {
    const [planted] = await (await this.reserve([kind])).release()
    if (planted === undefined) throw new Error('Nothing was planted.')
    return planted
  }

  /**
   * NFTs of one kind and origin that lack one confirmation.
   * @param options.size bytes of each share.
   * @param options.originOf the cluster they are to be of.
   */
  async reserve(
    kinds: readonly ShareKind[],
    { size = 40, originOf }: { size?: number; originOf?: ClusterId } = {},
  ): Promise<Reserved> {
    const origin = this.stage.cast.origins.find(({ cluster }) => cluster === originOf) ?? this.#nextOrigin()
    const minted: Minted[] = []
    for (const kind of kinds) minted.push(await this.#fromStock(kind, origin))
    return {
      keys: minted.map(({ key }) => key),
      release: async () => {
        const version = await this.stage.sync(minted)
        const log = this.#logOf(origin)
        return minted.map(({ key }) => this.library.add(log, key, version, payload(size)))
      },
    }
  }

  #nextOrigin(): OriginCluster {
    const { origins } = this.stage.cast
    this.#turn += 1
    const origin = origins[this.#turn % origins.length]
    if (origin === undefined) throw new Error('There are no origins.')
    return origin
  }

  async #fromStock(kind: ShareKind, origin: OriginCluster): Promise<Minted> {
    const fits = (each: Minted) => each.key.kind === kind && each.origin === origin
    if (!this.#stock.some(fits)) this.#stock.push(...(await this.stage.mint(kind, origin, STOCK)))
    const at = this.#stock.findIndex(fits)
    const [taken] = this.#stock.splice(at, 1)
    if (taken === undefined) throw new Error('Nothing was minted.')
    return taken
  }

  /** Has a capsule synced anew by its cluster. @returns the new version. */
  async renew(old: KnownShare): Promise<KnownShare> {
    const origin = this.stage.cast.origins.find(({ cluster }) => cluster === old.log.seat.cluster)
    if (origin === undefined) throw new Error('The share has no origin.')
    const version = await this.stage.syncAnew({ key: old.key, origin })
    return this.library.add(old.log, old.key, version, payload(old.payload.length))
  }

  /** Another one each time. */
  takeNumber(): number {
    this.#turn += 1
    return this.#turn
  }

  /** The peer has shown that it has seen this block. */
  sawPeerAt(block: BlockNumber): void {
    if (block <= this.stage.now) this.#peerAt = Math.max(this.#peerAt, block)
  }

  get peerAt(): BlockNumber {
    return this.#peerAt
  }

  /** Remembers why nothing that needs fetched shares can be judged. */
  baselineFailed(reason: string): void {
    this.#baselineFailure = reason
  }

  requireBaseline(): void {
    if (this.#baselineFailure !== undefined) throw new NotJudged(this.#baselineFailure)
  }
}

/** NFTs whose shares the peer will want when they are released. */
export interface Reserved {
  readonly keys: readonly ShareKey[]
  /** Has them synced, in one block, and makes their shares. */
  release(): Promise<KnownShare[]>
}

/** From the smallest to the largest that is allowed, so that together they take more than one batch. */
function sizeOf(at: number): number {
  return at === 0 ? 16 : 3_000
}

function payload(bytes: number): Uint8Array {
  return new Uint8Array(randomBytes(bytes))
}

/** What one case has: the bench, and what it has opened, which is closed when the case is over. */
export class CaseBench {
  readonly bench: Bench
  readonly signal: AbortSignal
  readonly warnings: string[] = []
  readonly #sides: { abort(): void }[] = []

  constructor(bench: Bench, signal: AbortSignal) {
    this.bench = bench
    this.signal = signal
  }

  end(): void {
    this.bench.members.forgetScript()
    for (const side of this.#sides) side.abort()
  }

  /** A deviation from what SHOULD be. */
  expect(condition: boolean, otherwise: string): void {
    if (!condition) this.warnings.push(otherwise)
  }

  get stage(): Stage {
    return this.bench.stage
  }

  /** Opens a stream to the peer. */
  async open({ member, as }: { member?: Member; as?: AccountSigner } = {}): Promise<RawRequester> {
    const side = await this.bench.members.ask(member ?? this.bench.members.next(), this.signal, as)
    this.#sides.push(side)
    return side
  }

  /** An exchange up to the Challenge, without a lie. */
  async challenged(options: { member?: Member; as?: AccountSigner } = {}): Promise<ChallengedSide> {
    const side = await this.open(options)
    await side.hello()
    const challenge = await side.challenge()
    this.bench.sawPeerAt(challenge.body.token?.blockNumber ?? 0)
    return { side, ...challenge }
  }

  /**
   * Waits until the peer has seen what the suite sees of the chain; gives up after a while without a word.
   * @param outcast a member that may not exchange just now.
   */
  async settle(outcast?: Member): Promise<void> {
    const until = Date.now() + SETTLE_MS
    const { now } = this.stage
    while (this.bench.peerAt < now && Date.now() < until) {
      this.signal.throwIfAborted()
      const member = this.bench.members.next()
      if (member === outcast) continue
      const { side } = await this.challenged({ member })
      side.abort()
    }
  }

  /** One whole exchange without a lie, in which everything that the peer sends is checked. */
  async fetch(lists: Partial<WantLists>, options: { member?: Member; as?: AccountSigner } = {}): Promise<Fetched> {
    const { side } = await this.challenged(options)
    await side.request(lists)
    return this.receive(side, lists)
  }

  /** From the Grant on. */
  async receive(side: RawRequester, lists: Partial<WantLists>): Promise<Fetched> {
    await side.grant()
    const { secrets = new Uint8Array(), capsules = new Uint8Array() } = lists
    const reception = await receive(side, this.bench.library, { secrets, capsules })
    const after = await side.answer()
    demand(after.type === 'closed', `after its End came ${describeAnswer(after)}`)
    await side.close()
    return reception
  }

  /** Want lists for what nobody holds. */
  unheldLists(): WantLists {
    return listsFor([{ kind: 'secret', nftId: UNHELD }])
  }

  listsFor(shares: readonly Pick<KnownShare, 'key'>[], minimumVersion?: BlockNumber): WantLists {
    return listsFor(
      shares.map(({ key }) => key),
      minimumVersion,
    )
  }

  /** A Hello's body with other offers. */
  withSuites(body: Uint8Array, suites: readonly SuiteKey[]): Uint8Array {
    return HelloBody.encode({ ...HelloBody.decode(body), suites: [...suites] })
  }

  /** Whether the peer gives a share to who asks for it, and that it is the one that was planted. */
  async holds(share: Pick<KnownShare, 'key'>): Promise<boolean> {
    const { shares } = await this.fetch(listsFor([share.key]))
    return shares.has(shareKeyText(share.key))
  }

  /** A quote of a member's enclave over report data of any kind. */
  quoteOver(reportData: Uint8Array): Promise<Uint8Array> {
    return this.bench.members.next().quotes.quote(reportData, { signal: this.signal })
  }

  /** A quote that a member made for an exchange before; it is no longer of use. */
  async earlierQuote(member: Member): Promise<Uint8Array> {
    const digest = new Uint8Array(randomBytes(32))
    return member.quotes.quote(member.seat.signer.sign(digest), { signal: this.signal })
  }

  bytesOf(account: AccountId): Uint8Array {
    return fromHex(account)
  }

  nextAccount(): Uint8Array {
    return fromHex(this.bench.members.next().seat.signer.account)
  }

  /** Three shares in a row of one log, which the peer has fetched. */
  async neighbours(): Promise<readonly [KnownShare, KnownShare, KnownShare]> {
    const [one, two, three] = await (await this.bench.reserve(['secret', 'secret', 'secret'])).release()
    if (one === undefined || two === undefined || three === undefined) throw new Error('Too few were planted.')
    await this.untilHeld(one.key, two.key, three.key)
    return [one, two, three]
  }

  /** Looks again and again. @throws Deviation with `otherwise` when it has not come true in time. */
  async until(look: () => Promise<boolean>, otherwise: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!(await look())) {
      demand(Date.now() < deadline, otherwise)
      await pause(200, this.signal)
    }
  }

  /** Waits until the peer holds shares that it can fetch from honest members. */
  async untilHeld(...keys: readonly ShareKey[]): Promise<void> {
    let missing = keys
    for (let pauseMs = 50; missing.length > 0; pauseMs = Math.min(2 * pauseMs, 1_000)) {
      const { shares } = await this.fetch(listsFor(missing))
      missing = missing.filter((key) => !shares.has(shareKeyText(key)))
      if (missing.length > 0) await pause(pauseMs, this.signal)
    }
  }

  /** Has something synced, and the exchange that the peer comes with played by hand from its beginning. */
  async lure<T>(play: (side: RawProvider, member: Member) => Promise<T>): Promise<T> {
    const playing = this.atHello(play)
    const [result] = await Promise.all([playing, this.bench.plant()])
    return result
  }

  /**
   * Has shares synced, and the exchange in which the peer asks for them played by hand, from its Request on.
   * @throws NotJudged when the peer asks for only some of them.
   */
  async lureFor<T>(
    count: number,
    play: (lured: Lured) => Promise<T>,
    options: { kind?: ShareKind; size?: number; originOf?: ClusterId } = {},
  ): Promise<T> {
    const { kind = 'secret', ...rest } = options
    const reserved = await this.bench.reserve(Array<ShareKind>(count).fill(kind), rest)
    const [first] = reserved.keys
    if (first === undefined) throw new Error('Nothing was reserved.')
    // The peer may come before the suite itself has seen the block.
    let released: Promise<KnownShare[]> | undefined
    const playing = this.atRequest(first, async (side, asked, member) => {
      const shares = (await released) ?? []
      const all = shares.every(({ key }) => asked.includes(key))
      if (!all) throw new NotJudged('the peer asks for shares that were synced together one by one')
      return play({ side, asked, member, shares })
    })
    released = reserved.release()
    const [result] = await Promise.all([playing, released])
    return result
  }

  /** One Batch with these shares in runs of one each, and an End that accounts for them. */
  async giveAndEnd(side: RawProvider, asked: Asked, shares: readonly KnownShare[]): Promise<void> {
    const runs = await Promise.all(shares.map(({ key, log }) => log.run(log.indexOf(key), 1)))
    await side.sendSealed({ batch: batchOf({ runs: runs.map(toWireRun) }) })
    await side.sendSealed({ end: endFor(asked, shares.length) })
    await side.close()
  }

  /**
   * That the peer did not keep what it should not have: what it gives of these shares is what was planted.
   * @throws Deviation
   */
  async demandUnspoilt(keys: readonly ShareKey[]): Promise<void> {
    await this.fetch(listsFor(keys))
  }

  /** Has the peer's next exchange answered by hand, from its beginning. */
  atHello<T>(play: (side: RawProvider, member: Member) => Promise<T>): Promise<T> {
    return this.bench.members.play(
      {
        at: 'hello',
        play: (side, member) => {
          this.#sides.push(side)
          return play(side, member)
        },
      },
      this.signal,
    )
  }

  /** Has the peer's next exchange in which it wants this share answered by hand, from its Request on. */
  atRequest<T>(key: ShareKey, play: (side: RawProvider, asked: Asked, member: Member) => Promise<T>): Promise<T> {
    return this.bench.members.play(
      {
        at: key,
        play: async (side, member, asked) => {
          this.#sides.push(side)
          if (asked === undefined) throw new Error('The script began too early.')
          return play(side, asked, member)
        },
      },
      this.signal,
    )
  }
}

/** An exchange in which the peer asks for what was synced for it. */
export interface Lured {
  readonly side: RawProvider
  readonly asked: Asked
  readonly member: Member
  readonly shares: readonly KnownShare[]
}

export interface ChallengedSide extends Awaited<ReturnType<RawRequester['challenge']>> {
  readonly side: RawRequester
}

export type Fetched = Reception & { readonly end: End }

/** A Batch with nothing else in it. */
export function batchOf(batch: Partial<Batch>): Batch {
  return { runs: [], secretsNotHeld: new Uint8Array(), capsulesNotHeld: new Uint8Array(), ...batch }
}

/** An End after some of what was asked for; it says that it is unfinished when more was. */
export function endFor({ ranges }: Asked, shareCount: number, notHeldCount = 0): End {
  const isAll = ranges.every(({ length }) => length > 0) && total(ranges) === shareCount + notHeldCount
  return { shareCount, notHeldCount, unfinished: !isAll }
}

function total(ranges: Asked['ranges']): number {
  return ranges.reduce((sum, { length }) => sum + length, 0)
}

/** The peer must refuse with one of these. @throws Deviation; PeerBusy when that was not what was asked for. */
export function demandRefusal(answer: Answer<object>, ...codes: Refusal[]): void {
  if (answer.type === 'refusal' && codes.includes(answer.code)) return
  if (answer.type === 'refusal' && answer.code === 'BUSY') throw new PeerBusy(answer.retryAfterMs)
  throw new Deviation(`${describeAnswer(answer)} came instead of Refusal ${codes.join(' or ')}`)
}

/** The peer must reset the stream without a word. */
export function demandReset(answer: Answer<object>): void {
  if (answer.type === 'refusal' && answer.code === 'BUSY') throw new PeerBusy(answer.retryAfterMs)
  demand(answer.type === 'reset', `${describeAnswer(answer)} came instead of a reset`)
}

/** The peer must end the exchange, one way or the other, without going on. */
export function demandEnd(answer: Answer<object>): void {
  const isEnd = answer.type === 'reset' || answer.type === 'closed' || answer.type === 'refusal'
  demand(isEnd, `${describeAnswer(answer)} came instead of the end of the exchange`)
}

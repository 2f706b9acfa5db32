import {
  type BlockNumber,
  type NftId,
  type ShareKey,
  type ShareKind,
  SlotmeshError,
  shareKeyText,
} from '../../domain/index.js'
import type { LogHead, ShareRun, VerifiedRun } from '../../provenance/index.js'
import type { BlockChange, Identity, PendingShare, StoreCounts, StoredShare, Want } from '../../store/index.js'
import type { ServingStore, SyncStore } from '../../sync/index.js'
import { COSTS } from './costs.js'
import type { OriginLog, OriginLogs, SharedShare } from './logs.js'
import type { Processor } from './processor.js'

interface Held {
  readonly share: SharedShare
  /** Size of the head under which it was verified. */
  readonly size: number
}

/** Secrets before capsules, each by NFT id: the order of the real store. */
function placeOf({ kind, nftId }: ShareKey): number {
  return kind === 'secret' ? nftId : 2 ** 32 + nftId
}

/**
 * A node's folder, in memory: it outlives the node's process. It takes the decisions of the real store, write by write;
 * payloads and logs are held once for all nodes. That folders are altered or set back is not modelled.
 */
export class ModelStore implements SyncStore, ServingStore {
  readonly #logs: OriginLogs
  readonly #onWrite: () => void
  readonly #held = new Map<number, Held>()
  readonly #wants = new Map<number, Want>()
  readonly #pending = new Map<number, PendingShare>()
  readonly #shares: Record<ShareKind, number> = { secret: 0, capsule: 0 }
  #processor: Processor
  #identity: Identity | undefined
  #cursor: BlockNumber | undefined
  #isSetupDone = false

  /** @param onWrite told after each write that could have changed what is held or wanted. */
  constructor(processor: Processor, logs: OriginLogs, onWrite: () => void) {
    this.#processor = processor
    this.#logs = logs
    this.#onWrite = onWrite
  }

  /** For the node's next life. */
  openedBy(processor: Processor): void {
    this.#processor = processor
  }

  get current(): { readonly cursor: BlockNumber; readonly wants: number; readonly held: number } {
    return { cursor: this.#cursor ?? 0, wants: this.#wants.size, held: this.#held.size }
  }

  /** All that is held. */
  *held(): Generator<SharedShare> {
    for (const { share } of this.#held.values()) yield share
  }

  heldOf(key: ShareKey): SharedShare | undefined {
    return this.#held.get(placeOf(key))?.share
  }

  async identity(): Promise<Identity | undefined> {
    return this.#identity
  }

  async cursor(): Promise<BlockNumber | undefined> {
    return this.#cursor
  }

  async isAltered(): Promise<boolean> {
    return false
  }

  async isSetupDone(): Promise<boolean> {
    return this.#isSetupDone
  }

  markSetupDone(): Promise<boolean> {
    return this.#write(0, () => {
      if (this.#wants.size > 0) return false
      this.#isSetupDone = true
      return true
    })
  }

  async compare(keys: readonly ShareKey[]): Promise<{ lacking: ShareKey[]; held: number }> {
    const lacking = keys.filter((key) => !this.#held.has(placeOf(key)) && !this.#wants.has(placeOf(key)))
    return { lacking, held: keys.filter((key) => this.#held.has(placeOf(key))).length }
  }

  async *places(): AsyncGenerator<ShareKey> {
    for (const { key } of this.held()) yield key
  }

  eraseShares(block: BlockNumber, keys: readonly ShareKey[]): Promise<void> {
    return this.#write(0, () => {
      for (const key of keys) if ((this.heldOf(key)?.version ?? 0) <= block) this.#remove(placeOf(key))
    })
  }

  /** Of altered folders only, which there are none of here. */
  resumePoint(): Promise<BlockNumber | undefined> {
    return this.cursor()
  }

  /** Likewise: no proof is ever lost. */
  async vouchAnew(): Promise<number> {
    return 0
  }

  openWants(wants: readonly Want[]): Promise<void> {
    return this.#write(wants.length * WANT_BYTES, () => {
      for (const want of wants) this.#openWant(want)
    })
  }

  async beginSetup(
    identity: Identity,
    cursor: BlockNumber,
    wants: Iterable<Want> | AsyncIterable<Want>,
  ): Promise<void> {
    const opening: Want[] = []
    for await (const want of wants) opening.push(want)
    await this.#write(opening.length * WANT_BYTES, () => {
      this.#wants.clear()
      for (const want of opening) this.#openWant(want)
      this.#identity = identity
      this.#cursor = cursor
      this.#isSetupDone = false
    })
  }

  async applyBlock(
    block: BlockNumber,
    changes: readonly BlockChange[],
    signHead: (head: Omit<LogHead, 'signature' | 'account'>) => LogHead,
  ): Promise<{ missingOwn: ShareKey[] }> {
    const identity = this.#required()
    if (this.#cursor === undefined || block <= this.#cursor) {
      throw new SlotmeshError('store/cursor', `Block ${block} is not after block ${this.#cursor}.`)
    }
    // The cursor alone is written with the next block that brings something, as far as a processor can tell.
    if (changes.length === 0) {
      this.#cursor = block
      return NOTHING_MISSING
    }
    return this.#write(changes.length * WANT_BYTES, () => {
      const missingOwn: ShareKey[] = []
      let log: OriginLog | undefined
      const appended: SharedShare[] = []
      for (const change of changes) {
        const key = change.type === 'removed' ? change.key : change.want.key
        const place = placeOf(key)
        const isOwn = change.type === 'synced' && change.want.origin === identity.seat.cluster
        const pending = isOwn ? this.#pending.get(place) : undefined
        this.#pending.delete(place)
        if (change.type === 'removed') {
          this.#remove(place)
          this.#wants.delete(place)
        } else if (pending === undefined) {
          if (this.#openWant(change.want) && isOwn) missingOwn.push(key)
        } else {
          log ??= this.#logs.of(identity)
          appended.push(log.append(key, block, pending.payload))
          this.#wants.delete(place)
        }
      }
      log?.sign(signHead, identity)
      for (const share of appended) this.#hold(share, share.log.size)
      this.#cursor = block
      return { missingOwn }
    })
  }

  putRun(
    run: VerifiedRun,
    provider: { readonly newestAsOf: BlockNumber },
  ): Promise<{ stored: ShareKey[]; closed: Want[]; contradicted: ShareKey[]; wasSetBack: boolean }> {
    const bytes = run.shares.reduce((sum, { payload }) => sum + payload.length + WANT_BYTES, 0)
    return this.#write(bytes, () => {
      const { head } = run
      const { seat } = this.#required()
      if (head.slot !== seat.slot)
        throw new SlotmeshError('store/wrong-slot', 'The shares offered are of another slot.')
      const log = this.#logs.find(head)
      const stored: ShareKey[] = []
      const closed: Want[] = []
      for (const [at, { leaf }] of run.shares.entries()) {
        const place = placeOf(leaf)
        const want = this.#wants.get(place)
        const isNamed = want?.origin !== undefined && leaf.version === want.minimumVersion
        if (want !== undefined && isNamed && head.cluster !== want.origin) continue
        const share = log?.shares[run.first + at]
        if (share === undefined) throw new SlotmeshError('store/fork', 'The origin has no such share in its log.')
        const held = this.#held.get(place)?.share
        const isNewer = held === undefined || leaf.version > held.version
        const isWanted = want !== undefined && leaf.version >= want.minimumVersion
        if (isNewer && (isWanted || (held !== undefined && leaf.kind === 'capsule'))) {
          this.#hold(share, head.size)
          stored.push(share.key)
        }
        if (want !== undefined && satisfies(want, leaf.version, provider.newestAsOf)) {
          this.#wants.delete(place)
          closed.push(want)
        }
      }
      return { stored, closed, contradicted: [], wasSetBack: false }
    })
  }

  putPending(pending: PendingShare): Promise<void> {
    return this.#write(pending.payload.length, () => {
      this.#pending.set(placeOf(pending.key), pending)
    })
  }

  async wantsOf(keys: readonly ShareKey[]): Promise<Want[]> {
    return keys.flatMap((key) => this.#wants.get(placeOf(key)) ?? [])
  }

  async *wants(options: Parameters<SyncStore['wants']>[0] = {}): AsyncGenerator<Want> {
    for await (const wants of this.wantPages(options)) yield* wants
  }

  async *wantPages({ from, skips }: Parameters<SyncStore['wantPages']>[0] = {}): AsyncGenerator<Want[]> {
    const first = from === undefined ? 0 : placeOf(from)
    const places = [...this.#wants.keys()].filter((place) => place >= first).sort((one, other) => one - other)
    for (const place of places) {
      const want = this.#wants.get(place)
      if (want !== undefined && !skips?.(want.key)) yield [want]
    }
  }

  settleUnsure(wants: readonly Want[]): Promise<Want[]> {
    return this.#write(wants.length * WANT_BYTES, () => {
      const unsure = wants.filter((want) => this.#unsureVersion(this.#wants.get(placeOf(want.key))) !== undefined)
      for (const { key } of unsure) this.#wants.delete(placeOf(key))
      return unsure
    })
  }

  lowestUnsure(): BlockNumber | undefined {
    let lowest: BlockNumber | undefined
    for (const want of this.#wants.values()) {
      const version = this.#unsureVersion(want)
      if (version !== undefined && version < (lowest ?? Number.POSITIVE_INFINITY)) lowest = version
    }
    return lowest
  }

  counts(): StoreCounts {
    return { shares: this.#shares, wants: this.#wants.size, pending: this.#pending.size }
  }

  lowestWanted(): BlockNumber | undefined {
    let lowest: BlockNumber | undefined
    for (const { minimumVersion } of this.#wants.values()) {
      if (lowest === undefined || minimumVersion < lowest) lowest = minimumVersion
    }
    return lowest
  }

  async heldFrom(from: ShareKey, limit: number): Promise<NftId[]> {
    const ids = [...this.#held.values()].filter(
      ({ share: { key } }) => key.kind === from.kind && key.nftId >= from.nftId,
    )
    return ids
      .map(({ share }) => share.key.nftId)
      .sort((one, other) => one - other)
      .slice(0, limit)
  }

  async newest(key: ShareKey): Promise<StoredShare | undefined> {
    const held = this.#held.get(placeOf(key))
    if (held === undefined || this.#wants.has(placeOf(key))) return undefined
    const { share, size } = held
    const { leaf, version, origin, index, payload } = share
    const place = {
      version,
      origin,
      log: share.log.id,
      index,
      size,
      payloadHash: leaf.payloadHash,
      bytes: payload.length,
    }
    return { payload: payload.slice(), leaf, place }
  }

  async *runs(
    wanted: readonly { readonly key: ShareKey; readonly minimumVersion: BlockNumber }[],
    options: Parameters<ServingStore['runs']>[1],
  ): AsyncGenerator<ShareRun, { notHeld: ShareKey[] }> {
    const { newestAsOf = 0 } = options
    const located: Held[] = []
    const notHeld: ShareKey[] = []
    for (const { key, minimumVersion } of wanted) {
      const held = this.#held.get(placeOf(key))
      const isHeld = held !== undefined && held.share.version >= minimumVersion
      if (isHeld && this.#isNewest(held.share, newestAsOf)) located.push(held)
      else notHeld.push(key)
    }
    for (const run of contiguous(located.sort(inLogOrder), options.maximumBytes)) {
      options.signal.throwIfAborted()
      await this.#processor.work(COSTS.storeRead * run.length)
      yield await runOf(run)
    }
    return { notHeld }
  }

  eraseAll(): Promise<void> {
    return this.#write(0, () => {
      this.#held.clear()
      this.#wants.clear()
      this.#pending.clear()
      this.#shares.secret = 0
      this.#shares.capsule = 0
      this.#identity = undefined
      this.#cursor = undefined
      this.#isSetupDone = false
    })
  }

  /** One atomic write, done when its time is over. */
  async #write<T>(bytes: number, work: () => T): Promise<T> {
    await this.#processor.work(COSTS.storeWrite + bytes * COSTS.storeWriteByte)
    const result = work()
    this.#onWrite()
    return result
  }

  #openWant(want: Want): boolean {
    const place = placeOf(want.key)
    const held = this.#held.get(place)?.share
    if (held !== undefined && satisfies(want, held.version, 0)) return false
    const open = this.#wants.get(place)
    this.#wants.set(place, open === undefined ? want : joined(open, want))
    return true
  }

  #isNewest({ key, version }: SharedShare, block: BlockNumber): boolean {
    const place = placeOf(key)
    const want = this.#wants.get(place)
    if (this.#pending.has(place) || (want !== undefined && version < want.minimumVersion)) return false
    return this.#unsureVersion(want) === undefined || version >= block
  }

  /** What is held, where there may be a newer version. */
  #unsureVersion(want: Want | undefined): BlockNumber | undefined {
    if (want === undefined) return undefined
    const version = this.heldOf(want.key)?.version
    const isUnsure = version !== undefined && version >= want.minimumVersion && !satisfies(want, version, 0)
    return isUnsure ? version : undefined
  }

  #hold(share: SharedShare, size: number): void {
    const place = placeOf(share.key)
    this.#remove(place)
    this.#held.set(place, { share, size })
    this.#shares[share.key.kind] += 1
  }

  #remove(place: number): void {
    const held = this.#held.get(place)
    if (held === undefined) return
    this.#held.delete(place)
    this.#shares[held.share.key.kind] -= 1
  }

  #required(): Identity {
    if (this.#identity !== undefined) return this.#identity
    throw new SlotmeshError('store/no-seat', 'The store has no seat yet; begin its setup first.')
  }
}

/** What a want, or a share beside its payload, takes on disk; rounded up. */
const WANT_BYTES = 128

const NOTHING_MISSING: { missingOwn: ShareKey[] } = { missingOwn: [] }

function satisfies(want: Want, version: BlockNumber, syncedTo: BlockNumber): boolean {
  if (version < want.minimumVersion) return false
  return want.key.kind === 'secret' || Math.max(version, syncedTo) >= want.asOf
}

function joined(open: Want, want: Want): Want {
  const newer = open.minimumVersion > want.minimumVersion ? open : want
  return { ...newer, asOf: Math.max(open.asOf, want.asOf) }
}

function inLogOrder(one: Held, other: Held): number {
  const [first, second] = [one.share, other.share]
  if (first.log === second.log) return first.index - second.index
  return first.log.id.account < second.log.id.account ? -1 : 1
}

function* contiguous(located: readonly Held[], maximumBytes: number): Generator<Held[]> {
  let run: Held[] = []
  let bytes = 0
  for (const next of located) {
    const last = run.at(-1)?.share
    const follows = last !== undefined && next.share.log === last.log && next.share.index === last.index + 1
    if (run.length > 0 && (!follows || bytes + next.share.payload.length > maximumBytes)) {
      yield run
      run = []
      bytes = 0
    }
    run.push(next)
    bytes += next.share.payload.length
  }
  if (run.length > 0) yield run
}

async function runOf(located: readonly Held[]): Promise<ShareRun> {
  const [first, last] = [located[0], located.at(-1)]
  if (first === undefined || last === undefined) throw new RangeError('A run has at least one share.')
  const { log, index, key } = first.share
  const head = log.head(last.size)
  const proof = await log.prove({ first: index, count: located.length, size: last.size })
  if (head === undefined || proof === undefined) {
    throw new SlotmeshError('store/tampered', `Nothing proves ${shareKeyText(key)}.`)
  }
  // The reader zeroes what it gets.
  const shares = located.map(({ share }) => ({ leaf: share.leaf, payload: share.payload.slice() }))
  return { head, first: index, shares, proof }
}

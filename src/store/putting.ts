import { equalBytes } from '../crypto/index.js'
import { type BlockNumber, type ShareKey, SlotmeshError } from '../domain/index.js'
import { numberOf } from '../inventory/index.js'
import type { LogHead, LogId, LogNode, NodePosition, VerifiedRun } from '../provenance/index.js'
import type { Changes } from './changes.js'
import { logOf } from './own-log.js'
import { HEADS, logText, NEWEST, NODES, type PagedTable, PLACES, payloadPagesOf, WANTS } from './records.js'
import type { Transaction } from './transaction.js'
import type { Identity, SharePlace, Want } from './types.js'
import { isProofWanted, satisfies } from './wants.js'

/** What the provider of a run says. */
export interface RunProvider {
  /** It gives nothing of which a newer version was synced at or below this block. */
  readonly newestAsOf: BlockNumber
}

export interface PutRun {
  readonly stored: ShareKey[]
  readonly closed: Want[]
  /** Of which another payload is held in the very version; it is kept, and so is the want. */
  readonly contradicted: ShareKey[]
  readonly wasSetBack: boolean
}

/** What may be put in one write: while one is under way others gather. */
const [SHARES_PER_WRITE, BYTES_PER_WRITE] = [4_096, 1_048_576]

/** To change one share is to write its pages, with whatever else is on them: so many bytes of pages in one write. */
const PAGE_BYTES_PER_WRITE = 8_388_608

/** The most that a page of places and the one of wants beside it come to, and a page of payloads. */
const [PLACE_PAGE_BYTES, PAYLOAD_PAGE_BYTES] = [9_000, 33_000]

/** What is left of the room of one write. */
class Room {
  readonly #pages = new Map<number, Set<string | number>>()
  #shares = 0
  #bytes = 0
  #pageBytes = 0

  /** @returns false when there is no room for the share, unless it would be the first. */
  admits(key: ShareKey, payload: Uint8Array): boolean {
    const payloads = payloadPagesOf({ bytes: payload.length })
    this.#shares += 1
    this.#bytes += payload.length
    this.#add(PLACES, key, PLACE_PAGE_BYTES)
    if (payloads !== undefined) this.#add(payloads, key, PAYLOAD_PAGE_BYTES)
    if (this.#shares === 1) return true
    return this.#shares <= SHARES_PER_WRITE && this.#bytes <= BYTES_PER_WRITE && this.#pageBytes <= PAGE_BYTES_PER_WRITE
  }

  #add(table: PagedTable<ShareKey, unknown>, key: ShareKey, bytes: number): void {
    const pages = this.#pages.get(table.prefix) ?? new Set()
    this.#pages.set(table.prefix, pages)
    const page = table.pageOf(key)
    if (pages.has(page)) return
    pages.add(page)
    this.#pageBytes += bytes
  }
}

/** A run that is to be put, and who waits for that. */
export class WaitingRun {
  readonly run: VerifiedRun
  readonly provider: RunProvider
  readonly isPut: Promise<PutRun>
  /** What was put of it when it was written with others has failed: it is put by itself. */
  isAlone = false
  /** Shares of it that are put. */
  at = 0
  /** Whether its head and nodes are held, since something of it was stored. */
  isProved = false
  #sofar: PutRun = { stored: [], closed: [], contradicted: [], wasSetBack: false }
  #settle: { readonly put: (done: PutRun) => void; readonly failed: (reason: unknown) => void } | undefined

  constructor(run: VerifiedRun, provider: RunProvider) {
    this.run = run
    this.provider = provider
    this.isPut = new Promise((put, failed) => {
      this.#settle = { put, failed }
    })
  }

  get isDone(): boolean {
    return this.at === this.run.shares.length
  }

  put(until: number, { stored, closed, contradicted, wasSetBack }: PutRun): void {
    this.at = until
    this.isProved ||= stored.length > 0
    const sofar = this.#sofar
    sofar.stored.push(...stored)
    sofar.closed.push(...closed)
    sofar.contradicted.push(...contradicted)
    this.#sofar = { ...sofar, wasSetBack: sofar.wasSetBack || wasSetBack }
    if (this.isDone) this.#settle?.put(this.#sofar)
  }

  failed(reason: unknown): void {
    this.#settle?.failed(reason)
  }
}

/** Of a waiting run, what one write puts. */
export class RunPart {
  readonly waiting: WaitingRun
  /** The shares that it offers. */
  readonly offered: readonly ShareKey[]
  readonly #until: number
  #outcome: { readonly put: PutRun } | { readonly refused: RunError } | undefined

  constructor(waiting: WaitingRun, offered: readonly ShareKey[]) {
    this.waiting = waiting
    this.offered = offered
    this.#until = waiting.at + offered.length
  }

  /** What is wrong with the run itself is told when the write has been made, and leaves the others alone. */
  async take(changes: Changes, isAnyPending: boolean): Promise<void> {
    const { run, provider, at, isProved } = this.waiting
    const part = { from: at, keys: this.offered, isProved }
    try {
      this.#outcome = { put: await takeRun(changes, run, part, provider, isAnyPending) }
    } catch (thrown) {
      if (!(thrown instanceof RunError)) throw thrown
      this.#outcome = { refused: thrown }
    }
  }

  /** The write has been made. @returns the run where there is more of it to be put. */
  written(): WaitingRun | undefined {
    const outcome = this.#outcome
    if (outcome === undefined) return this.waiting
    if ('refused' in outcome) {
      this.waiting.failed(outcome.refused)
      return undefined
    }
    this.waiting.put(this.#until, outcome.put)
    return this.waiting.isDone ? undefined : this.waiting
  }
}

/** Takes as much from the front as one write may put, and one share in any case. */
export function nextParts(waiting: WaitingRun[]): RunPart[] {
  const room = new Room()
  const parts: RunPart[] = []
  for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
    if (next.isAlone && parts.length > 0) break
    const offered: ShareKey[] = []
    let isFull = false
    for (let at = next.at; at < next.run.shares.length && !isFull; at += 1) {
      const { leaf, payload } = shareAt(next.run, at)
      const key: ShareKey = { kind: leaf.kind, nftId: leaf.nftId }
      isFull = !room.admits(key, payload)
      if (!isFull) offered.push(key)
    }
    if (offered.length === 0 && isFull) break
    waiting.shift()
    parts.push(new RunPart(next, offered))
    if (isFull || next.isAlone) break
  }
  return parts
}

/**
 * Puts what is wanted of a part of a run; see `Store.putRun`. All that it offers is loaded.
 *
 * @param isAnyPending whether something may be pending.
 * @throws ForkError, SlotmeshError `store/wrong-slot`; nothing is changed then.
 */
async function takeRun(
  changes: Changes,
  run: VerifiedRun,
  part: { readonly from: number; readonly keys: readonly ShareKey[]; readonly isProved: boolean },
  provider: RunProvider,
  isAnyPending: boolean,
): Promise<PutRun> {
  const { transaction } = changes
  const { head } = run
  const log: LogId = { account: head.account, incarnation: head.incarnation }
  const identity = changes.identity()
  if (head.slot !== identity.seat.slot) throw wrongSlotError(identity, head)
  const newest = (await transaction.get(NEWEST, log)) ?? 0
  const newNodes = part.isProved ? [] : await nodesNotHeld(transaction, run, log)
  const wasSetBack = logText(log) === logText(logOf(identity)) && head.size > newest
  if (wasSetBack) changes.beginIncarnation()

  const stored = new Map<number, ShareKey>()
  const closed: Want[] = []
  const contradicted: ShareKey[] = []
  let at = part.from
  for (const key of part.keys) {
    const { leaf, payload } = shareAt(run, at)
    const index = run.first + at
    at += 1
    const open = transaction.known(WANTS, key)
    const want = open && { key, ...open }
    if (want !== undefined && isOfAnotherOrigin(want, leaf.version, head)) continue
    const held = transaction.known(PLACES, key)
    const isProof = want !== undefined && leaf.version === held?.version && isProofWanted(want, held)
    if (isProof && !equalBytes(leaf.payloadHash, held.payloadHash)) {
      // Nobody can say here which of the two is the right one.
      contradicted.push(key)
      continue
    }
    if (isProof || isNews(leaf, want, held)) {
      changes.putShare(leaf, payload, { log, origin: head.cluster, index, size: head.size }, held)
      stored.set(numberOf(key), key)
      // It was of the round that has ended with this, also where no block has told of that.
      if (isAnyPending) changes.dropPendingAsOf(leaf.version, key)
    }
    if (want !== undefined && satisfies(want, leaf.version, provider.newestAsOf)) {
      changes.closeWant(key, open)
      closed.push(want)
    } else if (isProof) {
      // It can be proved again, and it is still to be found out whether it is the newest.
      changes.narrowWant({ ...want, origin: undefined })
    }
  }
  if (stored.size > 0 && !part.isProved) {
    const name = { log, size: head.size }
    if (!transaction.has(HEADS, name)) transaction.put(HEADS, name, head)
    if (head.size > newest) transaction.put(NEWEST, log, head.size)
    for (const at of newNodes) transaction.put(NODES, { log, at }, at.hash)
  }
  return { stored: [...stored.values()], closed, contradicted, wasSetBack }
}

function shareAt({ shares }: VerifiedRun, at: number): VerifiedRun['shares'][number] {
  const share = shares[at]
  if (share === undefined) throw new RangeError(`A run of ${shares.length} shares has none at ${at}.`)
  return share
}

/** Whether it is newer than what is held, and wanted or at least a version of what was. */
function isNews(
  leaf: VerifiedRun['shares'][number]['leaf'],
  want: Want | undefined,
  held: SharePlace | undefined,
): boolean {
  if (held !== undefined && leaf.version <= held.version) return false
  const isWanted = want !== undefined && leaf.version >= want.minimumVersion
  return isWanted || (held !== undefined && leaf.kind === 'capsule')
}

/** The chain has named the cluster that synced this very version: no other can vouch for it. */
function isOfAnotherOrigin(want: Want, version: BlockNumber, head: LogHead): boolean {
  return want.origin !== undefined && version === want.minimumVersion && head.cluster !== want.origin
}

/** Of the nodes that prove the run. @throws ForkError where it contradicts what is held of its log. */
async function nodesNotHeld(transaction: Transaction, { head, nodes }: VerifiedRun, log: LogId): Promise<LogNode[]> {
  const known = await transaction.get(HEADS, { log, size: head.size })
  if (known !== undefined && !equalBytes(known.root, head.root)) throw new ForkError(head, undefined)
  await transaction.preload(
    NODES,
    nodes.map((at) => ({ log, at })),
  )
  return nodes.filter((at) => {
    const held = transaction.known(NODES, { log, at })
    const { level, index, hash } = at
    if (held !== undefined && !equalBytes(held, hash)) throw new ForkError(head, { level, index })
    return held === undefined
  })
}

/** The run is not one to be put; nothing of it was. */
export class RunError extends SlotmeshError {}

/** The run's head contradicts what is held of the same log, in the node at `position` or (undefined) in the root. */
export class ForkError extends RunError {
  readonly position: NodePosition | undefined

  constructor(head: LogHead, position: NodePosition | undefined) {
    super(
      'store/fork',
      `The log of ${head.account} at size ${head.size} contradicts what is held of the same log; nothing under it was stored.`,
    )
    this.position = position
  }
}

function wrongSlotError(identity: Identity, head: LogHead): RunError {
  return new RunError(
    'store/wrong-slot',
    `The shares offered are of slot ${head.slot} and this enclave sits in slot ${identity.seat.slot}; none was stored.`,
  )
}

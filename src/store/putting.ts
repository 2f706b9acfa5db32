import { equalBytes } from '../crypto/index.js'
import { type BlockNumber, type ShareKey, SlotmeshError } from '../domain/index.js'
import { numberOf } from '../inventory/index.js'
import type { LogHead, LogId, LogNode, NodePosition, VerifiedRun } from '../provenance/index.js'
import type { Changes } from './changes.js'
import { logOf } from './own-log.js'
import { HEADS, logText, NEWEST, NODES, PLACES, WANTS } from './records.js'
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

/** A run that is to be put, and who waits for that. */
export class WaitingRun {
  readonly run: VerifiedRun
  readonly provider: RunProvider
  readonly isPut: Promise<PutRun>
  #settle: { readonly put: (done: PutRun) => void; readonly failed: (reason: unknown) => void } | undefined
  #done: PutRun | undefined

  constructor(run: VerifiedRun, provider: RunProvider) {
    this.run = run
    this.provider = provider
    this.isPut = new Promise((put, failed) => {
      this.#settle = { put, failed }
    })
  }

  /** As far as it goes in the write that is being made. */
  set done(done: PutRun) {
    this.#done = done
  }

  /** The write has been made. */
  written(): void {
    if (this.#done !== undefined) this.#settle?.put(this.#done)
  }

  failed(reason: unknown): void {
    this.#settle?.failed(reason)
  }
}

/** Takes as many of the waiting runs from the front as one write may put, and one in any case. */
export function nextRuns(waiting: WaitingRun[]): WaitingRun[] {
  let [shares, bytes, count] = [0, 0, 0]
  for (const { run } of waiting) {
    shares += run.shares.length
    for (const { payload } of run.shares) bytes += payload.length
    if (count > 0 && (shares > SHARES_PER_WRITE || bytes > BYTES_PER_WRITE)) break
    count += 1
  }
  return waiting.splice(0, count)
}

/** The shares that a run offers. */
export function offeredIn(run: VerifiedRun): ShareKey[] {
  return run.shares.map(({ leaf }) => ({ kind: leaf.kind, nftId: leaf.nftId }))
}

/**
 * Puts what is wanted of a run; see `Store.putRun`. All that is offered is loaded.
 *
 * @param isAnyPending whether something may be pending.
 * @throws ForkError, SlotmeshError `store/wrong-slot`; nothing is changed then.
 */
export async function takeRun(
  changes: Changes,
  run: VerifiedRun,
  provider: RunProvider,
  isAnyPending: boolean,
): Promise<PutRun> {
  const { transaction } = changes
  const { head } = run
  const log: LogId = { account: head.account, incarnation: head.incarnation }
  const identity = changes.identity()
  if (head.slot !== identity.seat.slot) throw wrongSlotError(identity, head)
  const newest = (await transaction.get(NEWEST, log)) ?? 0
  const newNodes = await nodesNotHeld(transaction, run, log)
  const wasSetBack = logText(log) === logText(logOf(identity)) && head.size > newest
  if (wasSetBack) changes.beginIncarnation()

  const stored = new Map<number, ShareKey>()
  const closed: Want[] = []
  const contradicted: ShareKey[] = []
  for (const [at, { leaf, payload }] of run.shares.entries()) {
    const key: ShareKey = { kind: leaf.kind, nftId: leaf.nftId }
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
      changes.putShare(leaf, payload, { log, origin: head.cluster, index: run.first + at, size: head.size })
      stored.set(numberOf(key), key)
      // It was of the round that has ended with this, also where no block has told of that.
      if (isAnyPending) changes.dropPendingAsOf(leaf.version, key)
    }
    if (want !== undefined && satisfies(want, leaf.version, provider.newestAsOf)) {
      changes.closeWant(key)
      closed.push(want)
    } else if (isProof) {
      // It can be proved again, and it is still to be found out whether it is the newest.
      changes.narrowWant({ ...want, origin: undefined })
    }
  }
  if (stored.size > 0) {
    const name = { log, size: head.size }
    if (!transaction.has(HEADS, name)) transaction.put(HEADS, name, head)
    if (head.size > newest) transaction.put(NEWEST, log, head.size)
    for (const at of newNodes) transaction.put(NODES, { log, at }, at.hash)
  }
  return { stored: [...stored.values()], closed, contradicted, wasSetBack }
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

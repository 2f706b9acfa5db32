import { zero } from '../crypto/index.js'
import type { BlockNumber, ShareKey } from '../domain/index.js'
import type { ShareRun } from '../provenance/index.js'
import { ListWriter } from './id-lists.js'
import { compareKeys, toWireKey, toWireRun } from './messages.js'
import { BATCH_BYTES, EXCHANGE_SHARES } from './protocol.js'
import type { ShareSource } from './source.js'
import { type Portion, portionsOf, type WantLists } from './wants.js'
import type { SealedContent, Batch as WireBatch } from './wire/share.js'

/** What one Sealed message is to carry. */
interface Batch {
  readonly runs: readonly ShareRun[]
  readonly notHeld: readonly ShareKey[]
  readonly cursor: ShareKey | undefined
}

/** Field tags, lengths and numbers of a share and of a run on the wire, and of a hash of its proof; rounded up. */
const WIRE_BYTES = { share: 24, run: 256, hash: 34 } as const

/** What a provider sends when it has granted an exchange (SPEC 4.7, 6.2): batches, then the End. */
export class Sending {
  readonly #shares: ShareSource
  readonly #mayGoOn: () => boolean
  readonly #newestAsOf: BlockNumber
  readonly #signal: AbortSignal
  #sent = 0
  #notHeld = 0

  /**
   * @param mayGoOn whether the requester still may have what it asks for; asked before each message.
   * @param options.newestAsOf as the requester was told.
   */
  constructor(
    shares: ShareSource,
    mayGoOn: () => boolean,
    { newestAsOf, signal }: { newestAsOf: BlockNumber; signal: AbortSignal },
  ) {
    this.#shares = shares
    this.#mayGoOn = mayGoOn
    this.#newestAsOf = newestAsOf
    this.#signal = signal
  }

  /** Shares sent so far. */
  get sent(): number {
    return this.#sent
  }

  /**
   * One batch is read when the one before has been taken, and its payloads are zeroed when it has been taken.
   *
   * @param lists that `checkWants` has passed.
   */
  async *contents(lists: WantLists): AsyncGenerator<SealedContent> {
    let unfinished = false
    const portions = portionsOf(lists, (from, limit) => this.#shares.heldFrom(from, limit))
    for await (const portion of portions) {
      const whole = fitted(portion, EXCHANGE_SHARES - this.#sent)
      unfinished = !(yield* this.#portion(whole)) || whole !== portion
      if (unfinished) break
    }
    unfinished ||= !this.#mayGoOn()
    yield { end: { shareCount: this.#sent, notHeldCount: this.#notHeld, unfinished } }
  }

  /** @returns false when it was given up because the requester lost its right. */
  async *#portion(portion: Portion): AsyncGenerator<SealedContent, boolean> {
    for await (const batch of this.#batches(portion)) {
      try {
        if (!this.#mayGoOn()) return false
        for (const run of batch.runs) this.#sent += run.shares.length
        this.#notHeld += batch.notHeld.length
        yield { batch: toWireBatch(batch) }
      } finally {
        forget(batch.runs)
      }
    }
    return true
  }

  async *#batches({ wanted, isOpen, cursor }: Portion): AsyncGenerator<Batch> {
    const [newestAsOf, signal] = [this.#newestAsOf, this.#signal]
    const source = this.#shares.runs(wanted, { maximumBytes: BATCH_BYTES, signal, newestAsOf })
    let runs: ShareRun[] = []
    let bytes = 0
    try {
      for (;;) {
        const next = await source.next()
        if (next.done) {
          const notHeld = isOpen ? [] : [...next.value.notHeld].sort(compareKeys)
          const last = { runs, notHeld, cursor }
          runs = []
          if (last.runs.length > 0 || notHeld.length > 0 || cursor !== undefined) yield last
          return
        }
        const more = wireBytes(next.value)
        const full = bytes > 0 && bytes + more > BATCH_BYTES ? runs : undefined
        if (full !== undefined) [runs, bytes] = [[], 0]
        runs.push(next.value)
        bytes += more
        if (full !== undefined) yield { runs: full, notHeld: [], cursor: undefined }
      }
    } finally {
      forget(runs)
      // Lets the source release what it reads from, however the exchange ended.
      await source.return({ notHeld: [] })
    }
  }
}

/** No more of a portion than there is room for in the exchange. */
function fitted(portion: Portion, room: number): Portion {
  if (portion.wanted.length <= room) return portion
  const cursor = portion.wanted[room]?.key
  return { ...portion, wanted: portion.wanted.slice(0, room), cursor }
}

function wireBytes({ shares, proof }: ShareRun): number {
  const payloads = shares.reduce((bytes, { payload }) => bytes + payload.length, 0)
  const hashes = proof.left.length + proof.right.length
  return payloads + shares.length * WIRE_BYTES.share + hashes * WIRE_BYTES.hash + WIRE_BYTES.run
}

function toWireBatch({ runs, notHeld, cursor }: Batch): WireBatch {
  const [secrets, capsules] = [new ListWriter('ids'), new ListWriter('ids')]
  for (const { kind, nftId } of notHeld) (kind === 'secret' ? secrets : capsules).add(nftId)
  return {
    runs: runs.map(toWireRun),
    secretsNotHeld: secrets.finish(),
    capsulesNotHeld: capsules.finish(),
    cursor: cursor && toWireKey(cursor),
  }
}

function forget(runs: readonly ShareRun[]): void {
  for (const run of runs) zero(...run.shares.map(({ payload }) => payload))
}

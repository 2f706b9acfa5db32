import { equalBytes, sha256 } from '../crypto/index.js'
import { type BlockHash, type ShareKey, shareKeyText } from '../domain/index.js'
import { type LogHead, leafHash, verifyHead, verifyRange } from '../provenance/index.js'
import { type Batch, type End, fromWireRun, ListReader, type WantLists } from '../share/raw/index.js'
import { Deviation, demand, judged } from './deviation.js'
import type { Library } from './library.js'
import type { RawRequester } from './raw.js'
import { askedFor, type WantedRange } from './wants.js'

/** What the peer gave, after everything in it was checked. */
export interface Reception {
  /** By `shareKeyText`. */
  readonly shares: ReadonlyMap<string, { readonly version: number; readonly payload: Uint8Array }>
  readonly notHeld: ReadonlySet<string>
  readonly batches: readonly { readonly payloadBytes: number; readonly cursor: ShareKey | undefined }[]
  /** Of each run, in the order in which they came. */
  readonly heads: readonly LogHead[]
}

/**
 * Takes everything from the Grant to the End, and checks it as SPEC 4.7, 6.2 and 6.3 have a requester do, and against
 * what the suite has planted.
 * @throws Deviation
 */
export async function receive(
  side: RawRequester,
  library: Library,
  lists: WantLists,
): Promise<Reception & { end: End }> {
  const account = new Account(library, side.party.genesisHash, askedFor(lists).ranges)
  for (;;) {
    const { batch, end, bytes } = await side.sealed()
    demand(bytes.length <= 655_360, `a Sealed message has ${bytes.length} bytes`)
    if (end !== undefined) {
      account.conclude(end)
      const { shares, notHeld, batches, heads } = account
      return { shares, notHeld, batches, heads, end }
    }
    if (batch === undefined) throw new Deviation('a Sealed message holds neither a Batch nor an End')
    account.take(batch)
  }
}

class Account implements Reception {
  readonly shares = new Map<string, { version: number; payload: Uint8Array }>()
  readonly notHeld = new Set<string>()
  readonly batches: { payloadBytes: number; cursor: ShareKey | undefined }[] = []
  readonly heads: LogHead[] = []
  readonly #library: Library
  readonly #genesisHash: BlockHash
  readonly #ranges: readonly WantedRange[]
  #cursor: ShareKey | undefined

  constructor(library: Library, genesisHash: BlockHash, ranges: readonly WantedRange[]) {
    this.#library = library
    this.#genesisHash = genesisHash
    this.#ranges = ranges
  }

  take({ runs, secretsNotHeld, capsulesNotHeld, cursor }: Batch): void {
    const holds = runs.length > 0 || secretsNotHeld.length > 0 || capsulesNotHeld.length > 0 || cursor !== undefined
    demand(holds, 'a Batch holds nothing')
    let payloadBytes = 0
    for (const wire of runs) {
      const run = judged('a Run is malformed', () => fromWireRun(wire))
      for (const share of run.shares) {
        payloadBytes += share.payload.length
        this.#takeShare(share, run.head)
      }
      const { head } = run
      this.heads.push(head)
      judged('a head is not signed by its account', () => verifyHead(this.#genesisHash, head))
      const leaves = run.shares.map(({ key, version, payload }) =>
        leafHash({ ...key, version, payloadHash: sha256(payload) }),
      )
      judged('a range proof does not hold', () => verifyRange(head, run.first, leaves, run.proof))
    }
    for (const [kind, list] of [['secret', secretsNotHeld] as const, ['capsule', capsulesNotHeld] as const]) {
      for (const nftId of judged('an id list is malformed', () => idsIn(list))) this.#takeNotHeld({ kind, nftId })
    }
    const key = cursor && judged('a cursor is malformed', () => keyOf(cursor))
    if (key !== undefined) this.#goTo(key)
    this.batches.push({ payloadBytes, cursor: key })
  }

  #takeShare({ key, version, payload }: ReturnType<typeof fromWireRun>['shares'][number], head: LogHead): void {
    const name = shareKeyText(key)
    const range = this.#ranges.find((each) => isIn(each, key))
    if (range === undefined) throw new Deviation(`it sent ${name}, which was not asked for`)
    demand(!this.shares.has(name), `it sent ${name} twice`)
    demand(!this.notHeld.has(name), `it sent ${name}, which it had named as not held`)
    demand(version >= range.minimumVersion, `it sent ${name} of version ${version}, before ${range.minimumVersion}`)
    demand(!this.#isPast(key), `it sent ${name} behind its cursor`)
    const known = this.#library.get(key)
    demand(known !== undefined, `it sent ${name}, which was never synced, or is erased`)
    // A version that was replaced is not known any more.
    if (version >= known.version) {
      demand(version === known.version, `it sent ${name} of version ${version}, which was never synced`)
      demand(equalBytes(known.payload, payload), `it sent ${name} with another payload than the one that was synced`)
    }
    const { account, cluster, slot } = head
    const { signer, seat } = known.log
    const isOfOrigin = account === signer.account && cluster === seat.cluster && slot === seat.slot
    demand(isOfOrigin, `it sent ${name} under a head of ${account}, which is not its origin`)
    this.shares.set(name, { version, payload: payload.slice() })
  }

  #takeNotHeld(key: ShareKey): void {
    const name = shareKeyText(key)
    const isAsked = this.#ranges.some((each) => each.length > 0 && isIn(each, key))
    demand(isAsked, `it named ${name} as not held, which was not asked for in a closed range`)
    demand(!this.shares.has(name), `it named ${name} as not held after it had sent it`)
    demand(!this.notHeld.has(name), `it named ${name} as not held twice`)
    demand(!this.#isPast(key), `it named ${name} as not held behind its cursor`)
    this.notHeld.add(name)
  }

  #goTo(cursor: ShareKey): void {
    demand(!this.#isPast(cursor), 'its cursor goes back')
    for (const { kind, first, length } of this.#ranges) {
      // What lies before the last cursor has been accounted for.
      const from = this.#cursor?.kind === kind ? Math.max(first, this.#cursor.nftId) : first
      for (
        let nftId = this.#isPast({ kind, nftId: from }) ? first + length : from;
        nftId < first + length;
        nftId += 1
      ) {
        if (!isBefore({ kind, nftId }, cursor)) break
        const name = shareKeyText({ kind, nftId })
        demand(
          this.shares.has(name) || this.notHeld.has(name),
          `its cursor is past ${name}, of which nothing was heard`,
        )
      }
    }
    this.#cursor = cursor
  }

  #isPast(key: ShareKey): boolean {
    return this.#cursor !== undefined && isBefore(key, this.#cursor)
  }

  conclude({ shareCount, notHeldCount, unfinished }: End): void {
    demand(shareCount === this.shares.size, `its End counts ${shareCount} shares, of ${this.shares.size} sent`)
    demand(notHeldCount === this.notHeld.size, `its End counts ${notHeldCount} not held, of ${this.notHeld.size} named`)
    if (unfinished) return
    for (const { kind, first, length } of this.#ranges) {
      for (let nftId = first; nftId < first + length; nftId += 1) {
        const name = shareKeyText({ kind, nftId })
        demand(this.shares.has(name) || this.notHeld.has(name), `its End leaves out ${name}`)
      }
    }
  }
}

function isIn({ kind, first, length }: WantedRange, key: ShareKey): boolean {
  return kind === key.kind && key.nftId >= first && (length === 0 || key.nftId < first + length)
}

function isBefore(one: ShareKey, other: ShareKey): boolean {
  if (one.kind !== other.kind) return one.kind === 'secret'
  return one.nftId < other.nftId
}

function* rangesIn(list: Uint8Array): Generator<{ first: number; length: number }> {
  const reader = new ListReader(list, 'ids')
  while (reader.next()) yield { first: reader.first, length: reader.length }
}

function idsIn(list: Uint8Array): number[] {
  return [...rangesIn(list)].flatMap(({ first, length }) => Array.from({ length }, (_, at) => first + at))
}

function keyOf({ kind, nftId }: { kind: string; nftId: number }): ShareKey {
  if (kind === 'SECRET') return { kind: 'secret', nftId }
  if (kind === 'CAPSULE') return { kind: 'capsule', nftId }
  throw new Error(`it is of kind ${kind}`)
}

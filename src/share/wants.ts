import {
  type BlockNumber,
  type ClusterId,
  type NftId,
  type ShareKey,
  type ShareKind,
  SlotmeshError,
  U32_MAX,
} from '../domain/index.js'
import { ListReader, ListWriter } from './id-lists.js'
import { malformed } from './messages.js'
import { REQUEST_LIMITS } from './protocol.js'
import type { RequestBody } from './wire/share.js'

/** A want as it goes over the wire: this share, synced at this block or later. */
export interface WantedShare {
  readonly key: ShareKey
  readonly minimumVersion: BlockNumber
}

/** A want, and the cluster that the chain says it comes from, where a trigger told. */
export interface Wanted extends WantedShare {
  readonly origin?: ClusterId | undefined
}

/** Everything of one kind from an NFT id on that was synced at this block or later. */
export interface OpenWant {
  readonly from: ShareKey
  readonly minimumVersion: BlockNumber
}

/** The want lists of a Request. */
export type WantLists = Pick<RequestBody, 'secrets' | 'capsules'>

const KINDS = ['secret', 'capsule'] as const satisfies ShareKind[]

const LISTS = { secret: 'secrets', capsule: 'capsules' } as const satisfies Record<ShareKind, keyof WantLists>

/**
 * What a requester has asked for in one exchange, and what of it is still to come: some 17 bytes for each share asked
 * for, and an entry of a set for each that came of an open want.
 */
export class Outstanding {
  /** As they go into the Request. */
  readonly lists: WantLists
  readonly #asked: Readonly<Record<ShareKind, AskedOfKind>>
  #left: number

  /**
   * @param wants each key once, in any order; the order of kinds (secrets first) and ids saves sorting.
   * @param open at most one of each kind, above all wants of its kind.
   * @throws SlotmeshError `share/wants` when they are none, over {@link REQUEST_LIMITS}, or not as said.
   */
  constructor(wants: Iterable<Wanted>, open: readonly OpenWant[] = []) {
    const ofKind: Record<ShareKind, Wanted[]> = { secret: [], capsule: [] }
    this.#left = 0
    for (const want of wants) {
      this.#left += 1
      if (this.#left > REQUEST_LIMITS.shares) throw wantsError()
      ofKind[want.key.kind].push(want)
    }
    const asked = (kind: ShareKind) => {
      const [everything, another] = open.filter(({ from }) => from.kind === kind)
      if (another !== undefined) throw wantsError()
      return new AskedOfKind(ofKind[kind], everything)
    }
    this.#asked = { secret: asked('secret'), capsule: asked('capsule') }
    this.lists = { secrets: this.#asked.secret.list(), capsules: this.#asked.capsule.list() }
    const bytes = this.lists.secrets.length + this.lists.capsules.length
    if (bytes === 0 || bytes > REQUEST_LIMITS.listBytes) throw wantsError()
  }

  /** Shares asked for one by one of which nothing has been heard. */
  get left(): number {
    return this.#left
  }

  /** A share has come. @returns what was asked, or undefined when it was not, or has been taken already. */
  take(key: ShareKey): Omit<Wanted, 'key'> | undefined {
    return this.#takeClosed(key) ?? this.#asked[key.kind].takeOpen(key.nftId)
  }

  /** The provider does not hold it. @returns false unless it was asked for by itself and is still to come. */
  takeNotHeld(key: ShareKey): boolean {
    return this.#takeClosed(key) !== undefined
  }

  #takeClosed(key: ShareKey): Omit<Wanted, 'key'> | undefined {
    const taken = this.#asked[key.kind].take(key.nftId)
    if (taken !== undefined) this.#left -= 1
    return taken
  }
}

class AskedOfKind {
  readonly #ids: Uint32Array
  readonly #minimumVersions: Uint32Array
  /** NaN where it is not known. */
  readonly #origins: Float64Array
  readonly #isTaken: Uint8Array
  readonly #open: OpenWant | undefined
  readonly #takenOfOpen = new Set<NftId>()

  constructor(wants: Wanted[], open: OpenWant | undefined) {
    if (!isAscending(wants)) wants.sort((one, other) => one.key.nftId - other.key.nftId)
    this.#ids = Uint32Array.from(wants, ({ key }) => key.nftId)
    this.#minimumVersions = Uint32Array.from(wants, ({ minimumVersion }) => minimumVersion)
    this.#origins = Float64Array.from(wants, ({ origin }) => origin ?? Number.NaN)
    this.#isTaken = new Uint8Array(wants.length)
    this.#open = open
    const last = wants.at(-1)
    const meetsOpen = last !== undefined && open !== undefined && open.from.nftId <= last.key.nftId
    const hasTwins = wants.some(({ key }, at) => wants[at + 1]?.key.nftId === key.nftId)
    if (meetsOpen || hasTwins) throw wantsError()
  }

  list(): Uint8Array {
    const writer = new ListWriter('wants')
    for (const [at, id] of this.#ids.entries()) writer.add(id, this.#minimumVersions[at])
    if (this.#open !== undefined) writer.addOpen(this.#open.from.nftId, this.#open.minimumVersion)
    return writer.finish()
  }

  take(id: NftId): Omit<Wanted, 'key'> | undefined {
    const at = this.#indexOf(id)
    const minimumVersion = this.#minimumVersions[at]
    if (this.#ids[at] !== id || minimumVersion === undefined || this.#isTaken[at] !== 0) return undefined
    this.#isTaken[at] = 1
    const origin = this.#origins[at]
    return { minimumVersion, origin: Number.isNaN(origin) ? undefined : origin }
  }

  takeOpen(id: NftId): Omit<Wanted, 'key'> | undefined {
    if (this.#open === undefined || id < this.#open.from.nftId || this.#takenOfOpen.has(id)) return undefined
    this.#takenOfOpen.add(id)
    return this.#open
  }

  /** Where the id is, or would be. */
  #indexOf(id: NftId): number {
    let [low, high] = [0, this.#ids.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ids[middle] ?? 0) < id) low = middle + 1
      else high = middle
    }
    return low
  }
}

function isAscending(wants: readonly Wanted[]): boolean {
  return wants.every(({ key }, at) => key.nftId < (wants[at + 1]?.key.nftId ?? Number.POSITIVE_INFINITY))
}

function wantsError(): SlotmeshError {
  const { shares, listBytes } = REQUEST_LIMITS
  return new SlotmeshError(
    'share/wants',
    `An exchange asks for 1 to ${shares} shares, each once, in lists of at most ${listBytes} bytes; ask for fewer at once.`,
  )
}

/** What a provider deals with at a time: bounds what it holds of a request, besides the lists themselves. */
export interface Portion {
  readonly wanted: readonly WantedShare[]
  /** Found in an open range: then nobody needs to be told what is not held. */
  readonly isOpen: boolean
  /** All that is wanted before it is in this portion or an earlier one; none after the last possible id. */
  readonly cursor: ShareKey | undefined
}

/** The largest portion, in shares. */
export const PORTION_SHARES = 8_192

/** The first, with which the requester has something to do while the next is looked up; each is twice the one before. */
export const FIRST_PORTION_SHARES = 512

/** SPEC 4.5, 1: checks the lists of a Request whole. @throws RefusalError MALFORMED */
export function checkWants(lists: WantLists): void {
  const bytes = lists.secrets.length + lists.capsules.length
  if (bytes === 0 || bytes > REQUEST_LIMITS.listBytes) malformed()
  let shares = 0
  for (const kind of KINDS) {
    const reader = new ListReader(lists[LISTS[kind]], 'wants')
    while (reader.next()) {
      shares += reader.length
      if (shares > REQUEST_LIMITS.shares) malformed()
    }
  }
}

/**
 * Goes through what is wanted in ascending order of kind and id.
 *
 * @param lists that {@link checkWants} has passed.
 * @param heldFrom the ids held of a kind from an id on, ascending, at most so many.
 */
export async function* portionsOf(
  lists: WantLists,
  heldFrom: (from: ShareKey, limit: number) => Promise<readonly NftId[]>,
): AsyncGenerator<Portion> {
  let wanted: WantedShare[] = []
  let most = FIRST_PORTION_SHARES
  const next = (wanted: readonly WantedShare[], options: { isOpen: boolean }) => {
    most = Math.min(2 * most, PORTION_SHARES)
    return portion(wanted, options)
  }
  for (const kind of KINDS) {
    const reader = new ListReader(lists[LISTS[kind]], 'wants')
    while (reader.next()) {
      const { first, length, minimumVersion } = reader
      for (let nftId = first; nftId < first + length; nftId += 1) {
        wanted.push({ key: { kind, nftId }, minimumVersion })
        if (wanted.length < most) continue
        yield next(wanted, { isOpen: false })
        wanted = []
      }
      if (length > 0) continue
      if (wanted.length > 0) yield next(wanted, { isOpen: false })
      wanted = []
      let from: ShareKey | undefined = { kind, nftId: first }
      while (from?.kind === kind) {
        const ids = await heldFrom(from, most)
        if (ids.length === 0) break
        const held = next(
          ids.map((nftId) => ({ key: { kind, nftId }, minimumVersion })),
          { isOpen: true },
        )
        yield held
        from = held.cursor
      }
    }
  }
  if (wanted.length > 0) yield next(wanted, { isOpen: false })
}

function portion(wanted: readonly WantedShare[], { isOpen }: { isOpen: boolean }): Portion {
  const last = wanted.at(-1)?.key
  return { wanted, isOpen, cursor: last && keyAfter(last) }
}

function keyAfter({ kind, nftId }: ShareKey): ShareKey | undefined {
  if (nftId < U32_MAX) return { kind, nftId: nftId + 1 }
  return kind === 'secret' ? { kind: 'capsule', nftId: 0 } : undefined
}

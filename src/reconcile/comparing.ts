import type { BlockNumber, ShareKey } from '../domain/index.js'
import {
  childOf,
  DEEPEST_LEVEL,
  fanOutAt,
  type HeldShares,
  type Item,
  keyOf,
  type Prefix,
  ROOT,
} from '../inventory/index.js'
import { isSame, type Part } from './parts.js'
import { inOrder } from './prefixes.js'
import { DIFFERENCES_LISTED, PART_ITEMS, PROVIDER_LIMITS, QUESTION_PREFIXES } from './protocol.js'

/** A share of which the two sides hold different versions, or one of them none. */
export interface Difference {
  readonly key: ShareKey
  readonly here: BlockNumber | undefined
  readonly there: BlockNumber | undefined
}

/** In what two sides differ, as one of them says; nothing of it is proved. */
export interface Differences {
  /** Held there, and not here, or here in an older version; some of them when there are many. */
  readonly ahead: readonly Difference[]
  /** Held here, and not there, or there in an older version; some of them when there are many. */
  readonly behind: readonly Difference[]
  /** All that were met, also those that are not listed. */
  readonly counts: {
    readonly lackingHere: number
    readonly olderHere: number
    readonly lackingThere: number
    readonly olderThere: number
  }
  /** Whether all was gone through that differs, and all that is ahead there is listed. */
  readonly isComplete: boolean
}

/** Prefixes that are asked for at once, unseen: so far down all shares of this side may be in one or two parts. */
const UNSEEN_PREFIXES = 32

/**
 * The requester's way down the tree (SPEC 4.3): which prefixes to ask for next, and what the answers come to. It goes to
 * the end in one part before it begins another, so that what it finds is found whole, and it ends: by the depth of the tree,
 * by the number of Questions, and by how much there is room for.
 */
export class Comparing {
  readonly #held: HeldShares
  /** To be asked for; the last ones first. */
  readonly #open: Prefix[] = []
  readonly #turn: number
  readonly #ahead: Difference[] = []
  readonly #behind: Difference[] = []
  readonly #counts = { lackingHere: 0, olderHere: 0, lackingThere: 0, olderThere: 0 }
  /** Of the question that is being answered: all that was asked for, and what of it is known to differ. */
  #asked = new Set<number>()
  #differing = new Set<number>()
  #questions = 0
  /** Of that question, what has not been answered yet. */
  #unanswered = 0

  /** @param turn which child is the first of all, from 0 to below 1; not always the same. */
  constructor(held: HeldShares, turn: number) {
    this.#held = held
    this.#turn = turn
  }

  get questions(): number {
    return this.#questions
  }

  /** What to ask for, in order; undefined when nothing is left, or enough is known. */
  next(): readonly Prefix[] | undefined {
    const isFirst = this.#questions === 0
    if (!isFirst && (this.#open.length === 0 || this.#isEnough())) return undefined
    const asked = isFirst ? this.#unseen() : inOrder(this.#open.splice(-QUESTION_PREFIXES))
    this.#questions += 1
    this.#unanswered = asked.length
    this.#asked = new Set(asked.map(nameOf))
    // Of what is asked for unseen it shows as it goes whether it differs: the first one is what all are parts of.
    this.#differing = new Set((isFirst ? asked.slice(0, 1) : asked).map(nameOf))
    return asked
  }

  /** To be called for each prefix of the question, in its order. */
  take(prefix: Prefix, part: Part): void {
    this.#unanswered -= 1
    if (!this.#differing.has(nameOf(prefix))) return
    if ('items' in part) {
      this.#compareItems(prefix, part.items)
      return
    }
    for (const child of this.#differingOf(prefix, part.children)) {
      if (this.#asked.has(nameOf(child))) this.#differing.add(nameOf(child))
      else this.#open.push(child)
    }
  }

  result(): Differences {
    const { lackingHere, olderHere } = this.#counts
    const isAnswered = this.#open.length === 0 && this.#unanswered === 0
    const isComplete = isAnswered && this.#ahead.length === lackingHere + olderHere
    return { ahead: this.#ahead, behind: this.#behind, counts: { ...this.#counts }, isComplete }
  }

  #isEnough(): boolean {
    return this.#questions >= PROVIDER_LIMITS.questions || this.#ahead.length >= DIFFERENCES_LISTED
  }

  /** All shares, and parts that all or nearly all of those here are in: each level that they spare is a round trip. */
  #unseen(): Prefix[] {
    const unseen: Prefix[] = [ROOT]
    for (const prefix of unseen) {
      if (prefix.level === DEEPEST_LEVEL || this.#held.count(prefix) <= PART_ITEMS) continue
      const children = Array.from({ length: fanOutAt(prefix.level) }, (_, index) => childOf(prefix, index))
      const filled = children.filter((child) => this.#held.count(child) > 0)
      if (filled.length <= 2 && unseen.length + filled.length <= UNSEEN_PREFIXES) unseen.push(...filled)
    }
    return inOrder(unseen)
  }

  /** The children that are to be looked at; of what is not there at all it is known here what that is. */
  #differingOf(prefix: Prefix, told: readonly Uint8Array[]): Prefix[] {
    const differing: Prefix[] = []
    const first = Math.floor(this.#turn * told.length)
    const own = this.#held.children(prefix)
    for (let step = 0; step < told.length; step += 1) {
      const index = (first + step) % told.length
      const [here, there] = [own[index], told[index]]
      if (here === undefined || there === undefined || isSame(here, there)) continue
      const child = childOf(prefix, index)
      if (there.length > 0) differing.push(child)
      else this.#lackingThere(child, here.count, [])
    }
    return differing
  }

  #compareItems(prefix: Prefix, items: readonly Item[]): void {
    let known = 0
    for (const { share, version: there } of items) {
      const here = this.#held.versionOf(share)
      if (here !== undefined) known += 1
      if (here === there) continue
      const difference = { key: keyOf(share), here, there }
      if (here !== undefined && here > there) {
        this.#counts.olderThere += 1
        list(this.#behind, difference)
      } else {
        if (here === undefined) this.#counts.lackingHere += 1
        else this.#counts.olderHere += 1
        list(this.#ahead, difference)
      }
    }
    this.#lackingThere(prefix, this.#held.count(prefix) - known, items)
  }

  #lackingThere(prefix: Prefix, count: number, except: readonly Item[]): void {
    if (count === 0) return
    this.#counts.lackingThere += count
    const room = DIFFERENCES_LISTED - this.#behind.length
    if (room <= 0) return
    const told = new Set(except.map(({ share }) => share))
    for (const { share, version } of this.#held.items(prefix, room + told.size)) {
      if (told.has(share)) continue
      list(this.#behind, { key: keyOf(share), here: version, there: undefined })
    }
  }
}

function list(differences: Difference[], difference: Difference): void {
  if (differences.length < DIFFERENCES_LISTED) differences.push(difference)
}

/** A number that no other prefix has. */
function nameOf({ level, first }: Prefix): number {
  return first * 16 + level
}

import type { BlockNumber } from '../domain/index.js'
import { addSum, changeSum, fingerprintOf, noSum } from './fingerprint.js'
import { fanOutAt, type Prefix, ROOT, sizeAt } from './trie.js'

/** Shares that stand together; the smaller, the less is hashed for a question, and the more memory each share takes. */
const RUN_SHARES = 128

/** Neighbours that come to no more than this become one. */
const SPARSE_SHARES = 64

/** Neighbours in the order of their numbers. */
interface Run {
  readonly numbers: Float64Array
  readonly versions: Uint32Array
  readonly sum: Uint32Array
  length: number
}

/** What is found of a part so far. */
interface Part {
  count: number
  readonly sum: Uint32Array
}

/** How many shares a part of the tree has, and what they are known by; no bytes of a part that has none. */
export interface Summary {
  readonly count: number
  readonly fingerprint: Uint8Array
}

/** A share by its number. */
export interface Item {
  readonly share: number
  readonly version: BlockNumber
}

/** What those who compare ask of what is held; see {@link Inventory}. */
export type HeldShares = Pick<Inventory, 'size' | 'versionOf' | 'count' | 'summary' | 'children' | 'items'>

/**
 * Which shares are held in which versions, in memory, so that what is held in any part of the tree of all shares is
 * summed up within some milliseconds: runs of neighbours, in order, each with the sum of its hashes. Where a part ends
 * within a run the shares of that run are hashed anew, except for those of its largest stretch.
 *
 * 17 bytes for each share where they came in order, some 25 where they came in any, whatever the ids are; a hash or two
 * for each change.
 */
export class Inventory {
  #runs: Run[] = []
  #size = 0

  /** Shares held. */
  get size(): number {
    return this.#size
  }

  /** In place of another version, if one is held. */
  set(share: number, version: BlockNumber): void {
    const at = Math.max(0, this.#runAt(share))
    const run = this.#runs[at]
    if (run === undefined) {
      this.#runs.push(runOf([share], [version]))
      this.#size += 1
      return
    }
    const position = positionIn(run, share)
    if (run.numbers[position] === share && position < run.length) {
      changeSum(run.sum, share, run.versions[position] ?? 0, -1)
      changeSum(run.sum, share, version, 1)
      run.versions[position] = version
      return
    }
    this.#size += 1
    if (run.length < RUN_SHARES) insert(run, position, share, version)
    // What comes in order fills one run after the other.
    else if (position === run.length) this.#runs.splice(at + 1, 0, runOf([share], [version]))
    else {
      this.#split(at)
      const half = share > (this.#runs[at + 1]?.numbers[0] ?? 0) ? this.#runs[at + 1] : this.#runs[at]
      if (half !== undefined) insert(half, positionIn(half, share), share, version)
    }
  }

  delete(share: number): void {
    const at = this.#runAt(share)
    const run = this.#runs[at]
    if (run === undefined) return
    const position = positionIn(run, share)
    if (position === run.length || run.numbers[position] !== share) return
    this.#size -= 1
    changeSum(run.sum, share, run.versions[position] ?? 0, -1)
    run.numbers.copyWithin(position, position + 1, run.length)
    run.versions.copyWithin(position, position + 1, run.length)
    run.length -= 1
    if (run.length === 0) this.#runs.splice(at, 1)
    else this.#join(at)
  }

  clear(): void {
    this.#runs = []
    this.#size = 0
  }

  versionOf(share: number): BlockNumber | undefined {
    const run = this.#runs[this.#runAt(share)]
    if (run === undefined) return undefined
    const position = positionIn(run, share)
    return position < run.length && run.numbers[position] === share ? run.versions[position] : undefined
  }

  count(prefix: Prefix): number {
    const end = prefix.first + sizeAt(prefix.level)
    let count = 0
    for (let at = Math.max(0, this.#runAt(prefix.first)); at < this.#runs.length; at += 1) {
      const run = this.#runs[at]
      if (run === undefined || firstOf(run) >= end) break
      const isWhole = firstOf(run) >= prefix.first && lastOf(run) < end
      count += isWhole ? run.length : positionIn(run, end) - positionIn(run, prefix.first)
    }
    return count
  }

  /** Of all that is held. */
  summary(): Summary {
    const [part] = this.#summaries(ROOT, 1)
    return part ?? NOTHING
  }

  /** Of each part that the prefix is divided into, in order. */
  children(prefix: Prefix): Summary[] {
    return this.#summaries(prefix, fanOutAt(prefix.level))
  }

  /** The first `most` shares of a part, in order. */
  items({ level, first }: Prefix, most: number): Item[] {
    const end = first + sizeAt(level)
    const items: Item[] = []
    for (let at = Math.max(0, this.#runAt(first)); at < this.#runs.length; at += 1) {
      const run = this.#runs[at]
      if (run === undefined || firstOf(run) >= end) break
      const last = positionIn(run, end)
      for (let position = positionIn(run, first); position < last; position += 1) {
        if (items.length === most) return items
        items.push({ share: run.numbers[position] ?? 0, version: run.versions[position] ?? 0 })
      }
    }
    return items
  }

  #summaries({ level, first }: Prefix, parts: number): Summary[] {
    const size = sizeAt(level) / parts
    const end = first + sizeAt(level)
    const found: Part[] = Array.from({ length: parts }, () => ({ count: 0, sum: noSum() }))
    for (let at = Math.max(0, this.#runAt(first)); at < this.#runs.length; at += 1) {
      const run = this.#runs[at]
      if (run === undefined || firstOf(run) >= end) break
      const index = Math.floor((firstOf(run) - first) / size)
      const part = found[index]
      if (part !== undefined && Math.floor((lastOf(run) - first) / size) === index) {
        addTo(part, run.length, run.sum)
        continue
      }
      this.#addParts(run, found, (share) => Math.floor((share - first) / size))
    }
    return found.map(({ count, sum }) => (count === 0 ? NOTHING : { count, fingerprint: fingerprintOf(count, sum) }))
  }

  /** Of a run that is of several parts, or lies partly beyond them all, what most of it is of is what the rest leaves of its sum. */
  #addParts(run: Run, found: readonly Part[], indexOf: (share: number) => number): void {
    const stretches: { readonly index: number; readonly from: number; readonly to: number }[] = []
    for (let from = 0, to = 0; from < run.length; from = to) {
      const index = indexOf(run.numbers[from] ?? 0)
      for (to = from + 1; to < run.length && indexOf(run.numbers[to] ?? 0) === index; ) to += 1
      stretches.push({ index, from, to })
    }
    const sumOf = ({ from, to }: { from: number; to: number }) => {
      const sum = noSum()
      for (let at = from; at < to; at += 1) changeSum(sum, run.numbers[at] ?? 0, run.versions[at] ?? 0, 1)
      return sum
    }
    const inside = stretches.filter(({ index }) => found[index] !== undefined)
    const [most] = inside.toSorted((one, other) => other.to - other.from - (one.to - one.from))
    if (most === undefined) return
    const beyond = stretches.filter(({ index }) => found[index] === undefined)
    const isShorter = beyond.reduce((length, { from, to }) => length + to - from, 0) < most.to - most.from
    const left = run.sum.slice()
    const hashed = isShorter ? stretches.filter((each) => each !== most) : inside
    for (const stretch of hashed) {
      const sum = sumOf(stretch)
      addSum(left, sum, -1)
      const part = found[stretch.index]
      if (part !== undefined) addTo(part, stretch.to - stretch.from, sum)
    }
    const part = found[most.index]
    if (isShorter && part !== undefined) addTo(part, most.to - most.from, left)
  }

  /** The last run that begins at or before a number; -1 when all begin after it. */
  #runAt(share: number): number {
    const last = this.#runs.length - 1
    const lastRun = this.#runs[last]
    // A setup takes them in order.
    if (lastRun !== undefined && firstOf(lastRun) <= share) return last
    let [low, high] = [0, this.#runs.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const run = this.#runs[middle]
      if (run !== undefined && firstOf(run) <= share) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #split(at: number): void {
    const run = this.#runs[at]
    if (run === undefined) return
    const half = run.length >>> 1
    const [one, other] = [
      runOf(run.numbers.subarray(0, half), run.versions.subarray(0, half)),
      runOf(run.numbers.subarray(half, run.length), run.versions.subarray(half, run.length)),
    ]
    this.#runs.splice(at, 1, one, other)
  }

  /** With the next one, where both are nearly empty. */
  #join(at: number): void {
    const [run, next] = [this.#runs[at], this.#runs[at + 1]]
    if (run === undefined || next === undefined || run.length + next.length > SPARSE_SHARES) return
    run.numbers.set(next.numbers.subarray(0, next.length), run.length)
    run.versions.set(next.versions.subarray(0, next.length), run.length)
    run.length += next.length
    addSum(run.sum, next.sum)
    this.#runs.splice(at + 1, 1)
  }
}

const NOTHING: Summary = { count: 0, fingerprint: new Uint8Array() }

function runOf(numbers: ArrayLike<number>, versions: ArrayLike<number>): Run {
  const run = {
    numbers: new Float64Array(RUN_SHARES),
    versions: new Uint32Array(RUN_SHARES),
    sum: noSum(),
    length: numbers.length,
  }
  run.numbers.set(numbers)
  run.versions.set(versions)
  for (let at = 0; at < numbers.length; at += 1) changeSum(run.sum, numbers[at] ?? 0, versions[at] ?? 0, 1)
  return run
}

function addTo(part: Part, count: number, sum: Uint32Array): void {
  part.count += count
  addSum(part.sum, sum)
}

function firstOf(run: Run): number {
  return run.numbers[0] ?? 0
}

function lastOf(run: Run): number {
  return run.numbers[run.length - 1] ?? 0
}

/** Where a number is in a run, or else where it would be put. */
function positionIn(run: Run, share: number): number {
  let [low, high] = [0, run.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((run.numbers[middle] ?? 0) < share) low = middle + 1
    else high = middle
  }
  return low
}

function insert(run: Run, position: number, share: number, version: BlockNumber): void {
  run.numbers.copyWithin(position + 1, position, run.length)
  run.versions.copyWithin(position + 1, position, run.length)
  run.numbers[position] = share
  run.versions[position] = version
  run.length += 1
  changeSum(run.sum, share, version, 1)
}

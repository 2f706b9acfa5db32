import type { Distribution } from './events.js'

/** Fine bins for percentiles, so that none is off by more than 2.4 %; ten of them make one bin of the distribution. */
const FINE_PER_DECADE = 100
const FINE_PER_BIN = 10
/** What is shorter, ms, is in the first bin; what is longer, in the last. */
const SHORTEST = 0.1
const DECADES = 10
const LAST = DECADES * FINE_PER_DECADE

/** Durations, counted on a logarithmic scale: as much memory and time for each, however many there are. */
export class LogHistogram {
  readonly #fine = new Uint32Array(LAST + 1)
  #count = 0
  #max = 0

  /** @param ms not negative */
  add(ms: number): void {
    const place = Math.ceil(Math.log10(ms / SHORTEST) * FINE_PER_DECADE - 1e-9)
    const index = Math.min(LAST, Math.max(0, place))
    this.#fine[index] = (this.#fine[index] ?? 0) + 1
    this.#count += 1
    this.#max = Math.max(this.#max, ms)
  }

  get distribution(): Distribution {
    return {
      count: this.#count,
      p50: this.#percentile(50),
      p90: this.#percentile(90),
      p99: this.#percentile(99),
      max: this.#max,
      bins: this.#bins(),
    }
  }

  /** By nearest rank: the upper edge of the fine bin that it is in. */
  #percentile(percent: number): number {
    const rank = Math.ceil((percent / 100) * this.#count)
    let seen = 0
    for (const [index, count] of this.#fine.entries()) {
      seen += count
      if (count > 0 && seen >= rank) return Math.min(edgeOf(index), this.#max)
    }
    return 0
  }

  /** From the first that is not empty to the last. */
  #bins(): Distribution['bins'] {
    const bins: { upTo: number; count: number }[] = []
    for (let bin = 0; bin * FINE_PER_BIN <= LAST; bin += 1) {
      const last = bin * FINE_PER_BIN
      const count = this.#fine
        .subarray(Math.max(0, last - FINE_PER_BIN + 1), last + 1)
        .reduce((sum, each) => sum + each, 0)
      bins.push({ upTo: edgeOf(last), count })
    }
    const first = bins.findIndex(({ count }) => count > 0)
    return first === -1 ? [] : bins.slice(first, bins.findLastIndex(({ count }) => count > 0) + 1)
  }
}

/** Of a fine bin, in ms, rounded so that it reads well. */
function edgeOf(index: number): number {
  return Number((SHORTEST * 10 ** (index / FINE_PER_DECADE)).toPrecision(4))
}

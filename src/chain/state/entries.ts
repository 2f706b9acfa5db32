import type { BlockHash, Hex } from '../../domain/index.js'
import type { Entry, Rpc } from '../connection/rpc.js'

/** Entries asked for at once: Substrate gives no more keys than these. */
const PAGE = 1000

/** Has a request made again for as long as the chain is out of reach, or not. */
export type Persist = <T>(work: () => Promise<T>) => Promise<T>

const once: Persist = (work) => work()

/**
 * Every entry of a map at a block, a page at a time. While a page is in the reader's hands the values of the next one
 * and the keys of the one after are on their way, so three pages are in memory however many there are.
 * @throws what requests throw, `chain/malformed-answer` for pages that contradict one another.
 */
export async function* readEntries(
  rpc: Rpc,
  prefix: Hex,
  at: BlockHash,
  signal: AbortSignal,
  persist: Persist = once,
): AsyncGenerator<readonly Entry[]> {
  const keysAfter = (after: Hex | undefined) =>
    ahead(persist(() => rpc.keys(prefix, { size: PAGE, after, at }, signal)))
  let keys = keysAfter(undefined)
  let entries: Promise<readonly Entry[]> | undefined
  for (;;) {
    const page = await keys
    // Short pages are not the last ones at every endpoint; an empty one is.
    if (page.length === 0) break
    keys = keysAfter(page.at(-1))
    const next = ahead(persist(() => rpc.entries(page, at, signal)))
    if (entries !== undefined) yield await entries
    entries = next
  }
  if (entries !== undefined) yield await entries
}

/** A failure is met in the promise's turn. */
function ahead<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

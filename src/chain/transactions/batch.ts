import type { BlockNumber } from '../../domain/index.js'
import { CallFailedError, unreadableBlock } from '../errors.js'
import type { ChainEvent, Runtime } from '../runtime/runtime.js'

/** Best first: the one goes on after a failure and tells of every item, the other stops there. */
export const BATCH_METHODS = ['force_batch', 'batch'] as const

export type BatchMethod = (typeof BATCH_METHODS)[number]

/** How a call fared; `failure` is the error's name. */
export interface ItemResult {
  readonly failure: string | undefined
}

const DONE: ItemResult = { failure: undefined }

/**
 * How each of `count` calls in one extrinsic fared, by their position, from the extrinsic's events. A plain batch that
 * was interrupted has results up to the failure only.
 * @param method the batch they were in; undefined for a call alone
 * @throws CallFailedError when a batch failed as a whole; SlotmeshError `chain/unreadable-block` when its events do not
 * tell of every item.
 */
export function resultsOf(
  runtime: Pick<Runtime, 'errorName'>,
  events: readonly ChainEvent[],
  { method, count, block }: { method: BatchMethod | undefined; count: number; block: BlockNumber },
): ItemResult[] {
  const failed = events.find(({ pallet, name }) => pallet === 'system' && name === 'ExtrinsicFailed')
  if (failed !== undefined) {
    const failure = runtime.errorName(failed.data.dispatchError ?? null)
    if (method === undefined) return [{ failure }]
    throw new CallFailedError(`utility.${method}`, failure)
  }
  if (method === undefined) return [DONE]
  // The calls in it are none of this pallet, so all of its events are about the batch.
  const told = events.filter(({ pallet }) => pallet === 'utility')
  if (method === 'batch') {
    const interruption = told.find(({ name }) => name === 'BatchInterrupted')
    if (interruption !== undefined) {
      const { index, error } = interruption.data
      const done = Number(index)
      if (!Number.isInteger(done) || done < 0 || done >= count) throw unclear(block)
      return [...Array<ItemResult>(done).fill(DONE), { failure: runtime.errorName(error ?? null) }]
    }
    if (told.some(({ name }) => name === 'BatchCompleted')) return Array<ItemResult>(count).fill(DONE)
    throw unclear(block)
  }
  const results = told.flatMap(({ name, data }): ItemResult[] => {
    if (name === 'ItemCompleted') return [DONE]
    return name === 'ItemFailed' ? [{ failure: runtime.errorName(data.error ?? null) }] : []
  })
  if (results.length !== count) throw unclear(block)
  return results
}

function unclear(block: BlockNumber): Error {
  return unreadableBlock(block, 'Utility events', 'they do not tell of every call in a batch')
}

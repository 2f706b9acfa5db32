import type { BlockNumber } from '../../domain/index.js'
import { CallFailedError, unreadableBlock } from '../errors.js'
import type { Plain } from '../runtime/plain.js'
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
    const failure = runtime.errorName(dispatchErrorIn(failed))
    if (method === undefined) return [{ failure }]
    throw new CallFailedError(`utility.${method}`, failure)
  }
  if (method === undefined) return [DONE]
  // The calls in it are none of this pallet, so all of its events are about the batch.
  const told = events.filter(({ pallet }) => pallet === 'utility')
  if (method === 'batch') {
    const interruption = told.find(({ name }) => name === 'BatchInterrupted')
    if (interruption !== undefined) {
      const done = Number(interruption.data.index ?? interruption.data['0'])
      if (!Number.isInteger(done) || done < 0 || done >= count) throw unclear(block)
      return [...Array<ItemResult>(done).fill(DONE), { failure: runtime.errorName(dispatchErrorIn(interruption)) }]
    }
    if (told.some(({ name }) => name === 'BatchCompleted')) return Array<ItemResult>(count).fill(DONE)
    throw unclear(block)
  }
  const results = told.flatMap((event): ItemResult[] => {
    if (event.name === 'ItemCompleted') return [DONE]
    return event.name === 'ItemFailed' ? [{ failure: runtime.errorName(dispatchErrorIn(event)) }] : []
  })
  if (results.length !== count) throw unclear(block)
  return results
}

/** The dispatch error that an event reports; metadata need not name its fields. */
export function dispatchErrorIn({ name, data }: ChainEvent): Plain {
  const [first, second] = [data['0'], data['1']]
  if (name === 'ExtrinsicFailed') return data.dispatchError ?? first ?? null
  return data.error ?? (name === 'BatchInterrupted' ? second : first) ?? null
}

function unclear(block: BlockNumber): Error {
  return unreadableBlock(block, 'Utility events', 'they do not tell of every call in a batch')
}

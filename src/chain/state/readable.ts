import type { z } from 'zod'
import type { BlockRef } from '../../domain/index.js'
import { unreadableBlock } from '../errors.js'
import type { Plain } from '../runtime/plain.js'
import type { StorageItem } from '../runtime/runtime.js'
import { reasonOf } from '../runtime/shapes.js'

/** @throws SlotmeshError `chain/unreadable-block` in place of whatever reading throws. */
export function readable<T>(block: BlockRef, item: StorageItem, read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    throw unreadableBlock(block.number, item.name, reasonOf(thrown))
  }
}

/** @throws SlotmeshError `chain/unreadable-block`. */
export function readAs<T>(shape: z.ZodType<T>, block: BlockRef, item: StorageItem, read: () => Plain): T {
  return readable(block, item, () => shape.parse(read()))
}

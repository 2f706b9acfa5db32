export { FINGERPRINT_BYTES } from './fingerprint.js'
export { type HeldShares, Inventory, type Item, type Summary } from './inventory.js'
export { ShareSet } from './share-set.js'
export {
  childOf,
  DEEPEST_LEVEL,
  fanOutAt,
  isPrefix,
  keyOf,
  NUMBERS,
  numberOf,
  type Prefix,
  ROOT,
  sizeAt,
} from './trie.js'

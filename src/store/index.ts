export { requireStore, requireWholeCopy, restoreStore } from './backup.js'
export { opensUnder, resealStore } from './reseal.js'
export { openStore, type Store } from './store.js'
export type * from './types.js'

export { type LinkShape, PLAIN_LINK } from './link.js'
export { type LinkTable, Shaping } from './shaping.js'

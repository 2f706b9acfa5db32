export { messageOf, SlotmeshError } from './errors.js'
export * from './identifiers.js'
export * from './registry.js'
export type * from './trigger.js'

export * from './compact-range.js'
export * from './fork.js'
export * from './log.js'
export type * from './run.js'

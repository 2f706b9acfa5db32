export * from './compact-range.js'
export * from './log.js'
export type * from './run.js'

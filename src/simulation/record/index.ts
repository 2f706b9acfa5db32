export type * from './events.js'
export type * from './recorder.js'

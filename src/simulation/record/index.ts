export type * from './events.js'
export { readRun } from './read.js'
export {
  createRecorder,
  type RecordedRun,
  type Recorder,
  type RunListener,
  type RunRecorder,
  type RunResult,
} from './recorder.js'
export { placeOf, samplesOf } from './samples.js'

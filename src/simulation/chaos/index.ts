export type { Chooser } from './moves.js'
export { type ChaosOptions, chaosScenario } from './scenario.js'
export { Troublemaker } from './timeline.js'

/*
 * The package's second door, `slotmesh/simulation`: the simulation, and what it is made of, for trying things out.
 */
export { createDevelopmentPki, type DevelopmentPki, type SimulatedPlatform } from '../attestation/development/index.js'
export {
  type DevelopmentChain,
  type DevelopmentChainOptions,
  developmentSigner,
  startDevelopmentChain,
} from '../devchain/index.js'
export { Actors, type ActorsOptions, type Candidate, type Minted } from './actors.js'
export { type ChaosOptions, chaosScenario } from './chaos/index.js'
export { DEFAULT_SCENARIO, type SimulationOptions, simulationOptions, type WatchedRun } from './options.js'
export type { SimulationEvent, SimulationProgress } from './progress.js'
export { freshSeed } from './randomness.js'
export type { Mode, RunTotals } from './record/index.js'
export {
  createRecorder,
  type RecordedRun,
  type RunEvent,
  type RunHeader,
  type RunOutcome,
  type RunRecorder,
  readRun,
} from './record/index.js'
export {
  type Check,
  type EnclaveRow,
  formatReport,
  percentile,
  type SimulationReport,
  type Timing,
} from './report.js'
export { formatScale, type ScaleOptions, type SizeResult, studyScale } from './scale/index.js'
export { type NamedScenario, type Scenario, scenarioSchema, shippedScenarios } from './scenario/index.js'
export { runSimulation } from './simulation.js'
export {
  type CompareOptions,
  type Comparison,
  compareRuns,
  formatComparison,
  formatHtmlComparison,
  type RunControls,
  type RunningView,
  reportFileOf,
  type ServeOptions,
  serveView,
  writePage,
  writeReport,
} from './view/index.js'

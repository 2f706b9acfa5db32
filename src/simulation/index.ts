/**
 * The package's second door: the simulation ({@link runSimulation}), and what it is made of, for trying things out.
 *
 * @module slotmesh/simulation
 */
export { createDevelopmentPki, type DevelopmentPki, type SimulatedPlatform } from '../attestation/development/index.js'
export {
  type BlockTime,
  type DevelopmentAccount,
  type DevelopmentChain,
  type DevelopmentChainOptions,
  developmentSigner,
  type Endpoint,
  type EndpointFaults,
  type EndpointOptions,
  type Generation,
  type NotificationMode,
  startDevelopmentChain,
  type Upgrade,
} from '../devchain/index.js'
export type { BlockTriggers, RegistryChange } from '../domain/index.js'
export { type Access, Actors, type ActorsOptions, type Candidate, type Minted } from './actors.js'
export { type ChaosOptions, chaosScenario } from './chaos/index.js'
export { DEFAULT_SCENARIO, type SimulationOptions, simulationOptions, type WatchedRun } from './options.js'
export type { Overrides } from './overrides.js'
export type { SimulationEvent, SimulationProgress } from './progress.js'
export { freshSeed } from './randomness.js'
export type {
  CoveragePoint,
  Distribution,
  EnclaveState,
  LagPoint,
  Mode,
  NodeTotals,
  RunTotals,
  Sample,
} from './record/index.js'
export {
  createRecorder,
  type RecordedRun,
  type Recorder,
  type RunEvent,
  type RunHeader,
  type RunListener,
  type RunOutcome,
  type RunRecorder,
  type RunResult,
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
export { formatScale, type Phase, type ScaleOptions, type SizeResult, studyScale } from './scale/index.js'
export {
  type Action,
  type Arrivals,
  type EnclaveName,
  type Expectation,
  type Link,
  type NamedScenario,
  type Scenario,
  type Step,
  scenarioSchema,
  shippedScenarios,
} from './scenario/index.js'
export { runSimulation } from './simulation.js'
export {
  type ComparedRow,
  type CompareOptions,
  type Comparison,
  compareRuns,
  formatComparison,
  formatHtmlComparison,
  type RunControls,
  type RunningView,
  reportFileOf,
  type ServeOptions,
  type ShownRun,
  serveView,
  writePage,
  writeReport,
} from './view/index.js'

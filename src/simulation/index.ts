export { type SimulationOptions, simulationOptions } from './options.js'
export type { SimulationEvent, SimulationProgress } from './progress.js'
export {
  type Check,
  type EnclaveRow,
  formatReport,
  percentile,
  type SimulationReport,
  type Timing,
} from './report.js'
export { runSimulation } from './simulation.js'

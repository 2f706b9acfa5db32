export type { TcbStatus } from './collateral.js'
export { type PccsAnswer, type SimulatedPccs, startSimulatedPccs } from './pccs.js'
export {
  createDevelopmentPki,
  type DevelopmentPki,
  type SimulatedPlatform,
} from './pki.js'

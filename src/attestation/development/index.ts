export type { TcbStatus } from './collateral.js'
export { type PccsAnswer, type SimulatedPccs, startSimulatedPccs } from './pccs.js'
export {
  createDevelopmentPki,
  type DevelopmentPki,
  type DevelopmentPkiOptions,
  type SimulatedPlatform,
  type SimulatedPlatformOptions,
} from './pki.js'

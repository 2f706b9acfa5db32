export type { TcbStatus } from './collateral.js'
export {
  createDevelopmentPki,
  type DevelopmentPki,
  type DevelopmentPkiOptions,
  type SimulatedPlatform,
  type SimulatedPlatformOptions,
} from './pki.js'

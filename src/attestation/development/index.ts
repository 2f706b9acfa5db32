export type { TcbStatus } from './collateral.js'
export {
  createDevelopmentPki,
  type DevelopmentPki,
  type SimulatedPlatform,
} from './pki.js'

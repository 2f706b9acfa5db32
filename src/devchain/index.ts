export { type DevelopmentAccount, developmentAccounts, developmentSigner } from './accounts.js'
export {
  type DevelopmentChain,
  type DevelopmentChainOptions,
  startDevelopmentChain,
  type Upgrade,
} from './development-chain.js'
export { type Generation, movedMetadata } from './metadata/index.js'
export type { Endpoint, EndpointOptions } from './rpc/endpoint.js'
export type { EndpointFaults, NotificationMode } from './rpc/faults.js'
export type { BlockTime } from './sealing.js'

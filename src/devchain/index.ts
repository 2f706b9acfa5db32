export { developmentAccounts, developmentSigner } from './accounts.js'
export {
  type DevelopmentChain,
  type DevelopmentChainOptions,
  startDevelopmentChain,
  type Upgrade,
} from './development-chain.js'
export { movedMetadata } from './metadata/index.js'
export type { Endpoint } from './rpc/endpoint.js'
export type { EndpointFaults, NotificationMode } from './rpc/faults.js'

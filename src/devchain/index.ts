export { type DevelopmentAccount, developmentSigner } from './accounts.js'
export {
  type DevelopmentChain,
  type DevelopmentChainOptions,
  startDevelopmentChain,
} from './development-chain.js'
export type { Generation } from './metadata/index.js'

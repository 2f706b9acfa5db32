export { developmentSigner } from './accounts.js'
export {
  type DevelopmentChain,
  type DevelopmentChainOptions,
  startDevelopmentChain,
} from './development-chain.js'

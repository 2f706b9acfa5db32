export {
  BACKUP_TIMEOUT_MS,
  type ControlPeer,
  type ControlRegistry,
  type ControlStatus,
  nodeAsks,
  PROOF_TIMEOUT_MS,
  ProofSchema,
  RegistrySchema,
  StatusSchema,
} from './asks.js'
export { askNode } from './client.js'
export type { ControlErrorCode } from './errors.js'
export { controlSocketOf } from './protocol.js'
export { RecentErrors } from './recent-errors.js'
export { type Ask, type ControlServer, serveControl } from './server.js'

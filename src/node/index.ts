export { type NodeIdentity, nodeIdentity } from './identity.js'
export { createEnclaveNode } from './node.js'
export type { Offender, OffenderStatus } from './offenders.js'
export type {
  EnclaveNode,
  EnclaveNodeConfig,
  NodeEvent,
  NodeProblem,
  NodeState,
  NodeStatus,
  PeerExchange,
  PeerProof,
  ReconciliationHealth,
  ReconciliationReport,
  SlotPeer,
  WantAge,
} from './types.js'

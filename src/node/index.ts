export type { MeshMetrics } from '../mesh/index.js'
export { type NodeIdentity, nodeIdentity } from './identity.js'
export { createEnclaveNode, type NodeParts } from './node.js'
export type { Offender, OffenderStatus, ShutOut } from './offenders.js'
export type {
  EnclaveNode,
  EnclaveNodeConfig,
  NodeEvent,
  NodeEventOf,
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

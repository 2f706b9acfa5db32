export { createEnclaveNode } from './node.js'
export type { EnclaveNode, EnclaveNodeConfig, NodeEvent, NodeState, NodeStatus } from './types.js'

export { createEnclaveNode } from './node.js'
export { silentLogger } from './silent-logger.js'
export type { EnclaveNode, EnclaveNodeConfig, NodeEvent, NodeState, NodeStatus } from './types.js'

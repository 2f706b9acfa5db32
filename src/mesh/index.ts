export type { MeshQueryEvent, MeshTable, TableEvents } from './dht.js'
export type { DhtTraffic } from './dht-traffic.js'
export {
  createMeshHost,
  createMeshHostOn,
  type MeshHost,
  type MeshHostInit,
  type MeshMetrics,
  type MeshNode,
  type MeshTransport,
  type NodeParts,
} from './host.js'
export { KnownRecords } from './known-records.js'
export { LIMITS as MESH_LIMITS } from './limits.js'
export { type EnclaveRecord, parseRecord, type RecordCodec, recordError, signRecord } from './record.js'

export type { DhtTraffic } from './dht-traffic.js'
export { createMeshHost, type MeshHost, type MeshHostInit, type MeshTransport } from './host.js'

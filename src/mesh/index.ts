export { createMeshHost, type MeshHost, type MeshHostInit } from './host.js'
export type { ResolvedEnclave } from './resolver.js'

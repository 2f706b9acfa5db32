export { createMeshHost, type MeshHost, type MeshHostInit } from './host.js'

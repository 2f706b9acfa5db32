export { type Comparison, type EngineParts, SyncEngine, syncedBlock } from './engine.js'
export { Ingest, IngestError, type IngestParts, type OwedConfirmations } from './ingest.js'
export type { SharePeers, SyncChain, SyncListener, SyncState } from './parts.js'
export { Serving } from './serving.js'

export { type Comparison, type EngineParts, SyncEngine, type SyncStore, syncedBlock } from './engine.js'
export { Ingest, IngestError, type IngestParts, type OwedConfirmations } from './ingest.js'
export type { ConfirmationOutcome, SharePeers, SyncChain, SyncListener, SyncState } from './parts.js'
export { Serving, type ServingStore } from './serving.js'

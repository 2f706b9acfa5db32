/**
 * The library's public face: a node of the mesh ({@link createEnclaveNode}), what it is given, and what its owners sign.
 * Several nodes can live in one process. Everything else in this package is its own business.
 *
 * @module slotmesh
 */

export type { ApiLimits, ApiSettings, ShareViews } from './api/index.js'
export {
  createDevelopmentPki,
  type DevelopmentPki,
  type DevelopmentPkiOptions,
  type SimulatedPlatform,
  type SimulatedPlatformOptions,
  type TcbStatus,
} from './attestation/development/index.js'
export {
  type AttestationErrorCode,
  type AttestationPolicy,
  type CollateralFailure,
  type CollateralHealth,
  type CollateralRequest,
  type CollateralSource,
  type EnclaveMeasurement,
  type ExcusableTcbStatus,
  type HardwareOptions,
  type HeldCollateral,
  hardwareQuoteSource,
  type MeasurementRule,
  type PccsAddress,
  type Published,
  type QuoteCollateral,
  type QuoteSource,
  type QuoteSourceChoice,
  type SgxBuildRule,
  type SgxMeasurement,
  type SgxSignerRule,
  staticCollateral,
  type TcbException,
  type TdxMeasurement,
  type TdxRule,
  type Tee,
} from './attestation/index.js'
export type { ChainHealth, ConnectionHealth, Crawl, EndpointFailure, SeatChange } from './chain/index.js'
export { type AccountSigner, accountSigner, type ForgetfulSigner } from './crypto/index.js'
export {
  type AccountId,
  type BlockHash,
  type BlockNumber,
  type BlockRef,
  type Cluster,
  type ClusterId,
  type ClusterType,
  type EnclaveSeat,
  type Hex,
  type KeyUpdateTrigger,
  type LogFields,
  type Logger,
  type NftId,
  type OffenceKind,
  type Registry,
  type RemovedTrigger,
  type ShareKey,
  type ShareKind,
  type SlotId,
  SlotmeshError,
  type SyncedTrigger,
  type Trigger,
} from './domain/index.js'
export type { DhtTraffic, MeshMetrics, MeshTransport } from './mesh/index.js'
export { createMetrics, type NodeMetrics, type WatchedNode } from './metrics/index.js'
export {
  createEnclaveNode,
  type EnclaveNode,
  type EnclaveNodeConfig,
  type NodeEvent,
  type NodeEventOf,
  type NodeParts,
  type NodeProblem,
  type NodeState,
  type NodeStatus,
  type Offender,
  type OffenderStatus,
  type PeerExchange,
  type PeerProof,
  type ReconciliationHealth,
  type ReconciliationReport,
  type ShutOut,
  type SlotPeer,
  type WantAge,
} from './node/index.js'
export {
  type IntervalRequest,
  OwnerRequestError,
  type OwnerRequestStatus,
  ownerStoreRequest,
  type RemoveRequest,
  type RequesterType,
  type RetrieveOrder,
  type RetrieveRequest,
  retrieveRequest,
  type StoreOrder,
  type StoreRequest,
} from './owner/index.js'
export {
  parseSealingKeySource,
  type SealingKeyOptions,
  type SealingKeySource,
  sealingKey,
} from './sealing-key/index.js'
export type { Suite } from './share/index.js'
export { resealStore, type StoreIntegrity, type View } from './store/index.js'
export {
  type Comparison,
  type ConfirmationOutcome,
  type DifferenceCause,
  IngestError,
  type OwedConfirmations,
  type Reconciled,
} from './sync/index.js'

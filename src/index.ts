/** The library's public face. Everything else in this package is its own business. */

export type { ApiLimits, ApiSettings, ShareViews } from './api/index.js'
export {
  createDevelopmentPki,
  type DevelopmentPki,
  type SimulatedPlatform,
} from './attestation/development/index.js'
export type {
  AttestationPolicy,
  CollateralHealth,
  CollateralRequest,
  CollateralSource,
  EnclaveMeasurement,
  MeasurementRule,
  PccsAddress,
  QuoteCollateral,
  QuoteSource,
  QuoteSourceChoice,
  SgxMeasurement,
  TcbException,
  TdxMeasurement,
} from './attestation/index.js'
export { hardwareQuoteSource, staticCollateral } from './attestation/index.js'
export { type AccountSigner, accountSigner } from './crypto/index.js'
export type { AccountId, Hex, LogFields, Logger, ShareKey, ShareKind } from './domain/index.js'
export { SlotmeshError } from './domain/index.js'
export { createMetrics, type NodeMetrics } from './metrics/index.js'
export {
  createEnclaveNode,
  type EnclaveNode,
  type EnclaveNodeConfig,
  type NodeEvent,
  type NodeProblem,
  type NodeState,
  type NodeStatus,
  type Offender,
  type OffenderStatus,
  type PeerProof,
  type ReconciliationHealth,
  type ReconciliationReport,
  type SlotPeer,
} from './node/index.js'
export {
  type IntervalRequest,
  OwnerRequestError,
  ownerStoreRequest,
  type RemoveRequest,
  type RetrieveRequest,
  retrieveRequest,
  type StoreRequest,
} from './owner/index.js'
export { parseSealingKeySource, type SealingKeySource, sealingKey } from './sealing-key/index.js'
export { resealStore, type StoreIntegrity, type View } from './store/index.js'
export { type Comparison, type DifferenceCause, IngestError, type Reconciled } from './sync/index.js'

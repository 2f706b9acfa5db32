export type { EnclaveMeasurement, Published, SgxMeasurement, TdxMeasurement, Tee } from './claims.js'
export { type CollateralRequest, type CollateralSource, type QuoteCollateral, staticCollateral } from './collateral.js'
export { type AttestationCheck, AttestationError, type AttestationErrorCode } from './errors.js'
export type { PccsAddress } from './pccs/client.js'
export type { CollateralFailure, CollateralHealth, HeldCollateral } from './pccs/health.js'
export {
  type CollateralCache,
  type PccsCollateral,
  pccsCollateral,
} from './pccs/source.js'
export {
  type AttestationPolicy,
  EXCUSABLE_TCB_STATUSES,
  type ExcusableTcbStatus,
  type MeasurementRule,
  type SgxBuildRule,
  type SgxSignerRule,
  type TcbException,
  type TdxRule,
} from './policy.js'
export { trustsSimulatedQuotes } from './root.js'
export type { QuoteSource } from './source.js'
export { type HardwareOptions, hardwareQuoteSource, type QuoteSourceChoice } from './sources/detect.js'
export type { QuoteSourceError, QuoteSourceErrorCode } from './sources/errors.js'
export { createQuoteVerifier, inspectQuote, type QuoteVerifier, type VerifiedQuote } from './verifier.js'

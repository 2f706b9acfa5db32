export { ownerStoreRequest, type RetrieveOrder, retrieveRequest, type StoreOrder } from './client.js'
export { enclaveAt, requireHealthAt, retrieveAt, storeAt } from './enclave-api.js'
export { alreadyHeld, keyNotExist, OwnerRequestError, type OwnerRequestStatus } from './errors.js'
export { combineShares, splitSecret } from './secret-sharing.js'
export {
  type AuthorisedInterval,
  type AuthorisedRetrieve,
  type AuthorisedStore,
  type MetricsRequestFacts,
  type OwnerRequestFacts,
  type StoreOptions,
  verifyIntervalRequest,
  verifyRemoveRequest,
  verifyRetrieveRequest,
  verifyStoreRequest,
} from './verify.js'
export type { IntervalRequest, RemoveRequest, RequesterType, RetrieveRequest, StoreRequest } from './wire.js'

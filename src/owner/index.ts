export { ownerStoreRequest, type RetrieveOrder, retrieveRequest, type StoreOrder } from './client.js'
export { alreadyHeld, keyNotExist, OwnerRequestError, type OwnerRequestStatus } from './errors.js'
export {
  type AuthorisedRetrieve,
  type AuthorisedStore,
  type OwnerRequestFacts,
  type StoreOptions,
  verifyRetrieveRequest,
  verifyStoreRequest,
} from './verify.js'
export type { RequesterType, RetrieveRequest, StoreRequest } from './wire.js'

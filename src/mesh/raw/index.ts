/* The room's second door, for those who must be able to lie: enclave records taken apart. */
export { recordKey } from '../record.js'
export { EnclaveRecord as SignedEnclaveRecord, EnclaveRecordBody } from '../wire/record.js'

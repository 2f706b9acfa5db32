/* The room's second door, for those who must be able to lie: enclave records and messages of the directory taken apart. */
export { recordKey } from '../record.js'
export {
  DirectoryAnswer,
  DirectoryRequest,
  EnclaveRecord as SignedEnclaveRecord,
  EnclaveRecordBody,
} from '../wire/record.js'

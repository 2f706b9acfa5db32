export { SealingKeyError, type SealingKeyErrorCode } from './errors.js'
export { createKeyFile } from './files.js'
export { sealingKey } from './key.js'
export { parseSealingKeySource, type SealingKeySource } from './source.js'

export * from './bytes.js'
export * from './digest.js'
export * from './sr25519.js'
export * from './ss58.js'

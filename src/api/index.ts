export type { ApiBackend, ApiStatus, ShareViews } from './backend.js'
export { type ApiServer, startApi } from './server.js'
export { type ApiLimits, type ApiSettings, checkApi } from './settings.js'

export { type RunningStatusPage, type StatusPageOptions, serveStatusPage } from './serve.js'

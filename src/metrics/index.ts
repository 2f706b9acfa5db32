export { createMetrics, type NodeMetrics, type WatchedNode } from './node-metrics.js'
export { serveMetrics } from './serve.js'

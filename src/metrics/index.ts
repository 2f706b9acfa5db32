export { createMetrics, type NodeMetrics, type WatchedNode } from './node-metrics.js'

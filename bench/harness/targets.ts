/** What is aimed at; the ids stay as they are, since results of different commits are compared by them. */
export interface Target {
  /** What is measured. */
  readonly what: string
  /** What it is measured against, at least or at most `value` times; absent where `value` is an amount. */
  readonly against?: string
  /** At most where less is better. */
  readonly bound: 'at least' | 'at most'
  readonly value: number
  /** Of an amount. */
  readonly unit?: string
}

const LEVEL = 'LevelDB batches of the same records alone'
const HYPERCORE = 'hypercore replication into its own storage'
const FEW = 'the same with 10,000 shares'
const MILLION = '1,000,000 shares of 64 bytes'
const LARGE = '30,000 shares of 3,000 bytes'

export const TARGETS = {
  'bootstrap-3k-stream': {
    what: 'setup of a new enclave, shares of 3,000 bytes, durable',
    against: 'the raw libp2p stream of the same bytes',
    bound: 'at least',
    value: 0.5,
  },
  'bootstrap-64-level': {
    what: 'setup of a new enclave, shares of 64 bytes, durable',
    against: LEVEL,
    bound: 'at least',
    value: 0.35,
  },
  'bootstrap-3k-hypercore': {
    what: 'setup of a new enclave, shares of 3,000 bytes, durable',
    against: HYPERCORE,
    bound: 'at least',
    value: 4,
  },
  'bootstrap-64-hypercore': {
    what: 'setup of a new enclave, shares of 64 bytes, durable',
    against: HYPERCORE,
    bound: 'at least',
    value: 10,
  },
  'memory-requester-growth': {
    what: `peak memory of the requester, ${MILLION}`,
    against: FEW,
    bound: 'at most',
    value: 1.25,
  },
  'memory-provider-growth': {
    what: `peak memory of the provider, ${MILLION}`,
    against: FEW,
    bound: 'at most',
    value: 1.25,
  },
  'memory-requester': { what: `peak memory of the requester, ${MILLION}`, bound: 'at most', value: 350, unit: 'MB' },
  'memory-provider': { what: `peak memory of the provider, ${MILLION}`, bound: 'at most', value: 350, unit: 'MB' },
  'memory-requester-3k': { what: `peak memory of the requester, ${LARGE}`, bound: 'at most', value: 350, unit: 'MB' },
  'memory-provider-3k': { what: `peak memory of the provider, ${LARGE}`, bound: 'at most', value: 350, unit: 'MB' },
  'live-parts': {
    what: 'from a trigger to one share that is durable at a replica',
    against: 'the sum of its parts, each alone, signatures by @scure/sr25519',
    bound: 'at most',
    value: 2.5,
  },
  'crawl-no-latency': {
    what: 'crawl after downtime, no latency',
    against: 'api.at(hash) block by block',
    bound: 'at least',
    value: 20,
  },
  'crawl-latency': {
    what: 'crawl after downtime, 50 ms for each call',
    against: 'api.at(hash) block by block',
    bound: 'at least',
    value: 10,
  },
  'reconciliation-bytes': {
    what: 'reconciliation of two sets of 1,000,000 that differ in 10, on the wire',
    bound: 'at most',
    value: 64,
    unit: 'KB',
  },
  'reconciliation-time': {
    what: 'reconciliation of two sets of 1,000,000 that differ in 10',
    bound: 'at most',
    value: 1_000,
    unit: 'ms',
  },
  'idle-processor': { what: 'an idle node', bound: 'at most', value: 1, unit: '% of a core' },
  'idle-memory': { what: 'an idle node, memory', bound: 'at most', value: 150, unit: 'MB' },
  'discovery-found': {
    what: 'slot peers found, 250 nodes in one process',
    bound: 'at least',
    value: 100,
    unit: '%',
  },
  'discovery-growth': {
    what: 'cost of discovery per node, 250 nodes',
    against: 'the same with 25: no more than log 250 / log 25',
    bound: 'at most',
    value: 1.72,
  },
  'attestation-sgx-cold': {
    what: 'one more SGX quote of a known platform',
    against: 'the first one of a platform',
    bound: 'at most',
    value: 0.1,
  },
  'attestation-tdx-cold': {
    what: 'one more TDX quote of a known platform',
    against: 'the first one of a platform',
    bound: 'at most',
    value: 0.1,
  },
  'attestation-sgx-signatures': {
    what: 'one more SGX quote of a known platform',
    against: 'its two signatures alone',
    bound: 'at most',
    value: 2,
  },
  'attestation-tdx-signatures': {
    what: 'one more TDX quote of a known platform',
    against: 'its two signatures alone',
    bound: 'at most',
    value: 2,
  },
  'snapshot-memory': {
    what: 'peak memory of the list of all synced shares, 1,000,000 NFTs',
    against: 'the same with 100,000',
    bound: 'at most',
    value: 1.25,
  },
} as const satisfies Readonly<Record<string, Target>>

export type TargetId = keyof typeof TARGETS

/** What a target has come to. */
export interface Verdict {
  readonly id: TargetId
  readonly isMet: boolean
}

/** @param measured the median: a ratio, or an amount in the target's unit. */
export function judge(id: TargetId, measured: number): Verdict {
  const { bound, value } = TARGETS[id]
  return { id, isMet: bound === 'at least' ? measured >= value : measured <= value }
}

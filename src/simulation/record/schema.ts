import { z } from 'zod'
import type { Action } from '../scenario/index.js'
import type { RunEvent, RunHeader, RunOutcome } from './events.js'

/*
 * The lines of a run's file, for those who read one that may be anybody's. What is not known here is passed over: a later
 * version may tell more.
 */

const name = z.string().max(64)
const text = z.string().max(10_000)
const number = z.number()
const count = z.number().min(0)
const kind = z.enum(['secret', 'capsule'])
const readonlyRecord = <Value extends z.ZodType>(value: Value) => z.record(name, value).readonly()

export const HEADER: z.ZodType<RunHeader> = z.object({
  format: z.literal('slotmesh-run/1'),
  scenario: text,
  title: text,
  why: text,
  mode: z.enum(['live', 'processes', 'discrete']),
  seed: text,
  startedAt: text,
  clusters: count,
  blockTimeMs: count,
  machine: z.object({ node: text, processors: count, platform: text }),
})

const sample = z.object({ held: count, wanted: count, lag: number })

/** In the form that it has after it was read from a scenario; it is only shown. */
const action = z.custom<Action>((value) => typeof value === 'object' && value !== null && 'type' in value)

const totals = z.object({
  enclaves: count,
  triggers: count,
  exchanges: count,
  failedExchanges: count,
  attestations: count,
  bytes: count,
  messages: count,
  dhtLookups: count,
  dhtMessages: count,
  busiestServed: count,
})

const EVENT: z.ZodType<RunEvent> = z.discriminatedUnion('type', [
  z.object({
    at: number,
    type: z.literal('enclave'),
    enclave: name,
    state: z.enum(['down', 'killed', 'unregistered', 'setup', 'running']),
    note: text.exactOptional(),
  }),
  z.object({ at: number, type: z.literal('block'), block: count }),
  z.object({ at: number, type: z.literal('trigger'), block: count, kind, nftId: count, cluster: count }),
  z.object({
    at: number,
    type: z.literal('exchange'),
    requester: name,
    provider: name,
    shares: count,
    bytes: count,
    ms: count,
    code: text.exactOptional(),
  }),
  z.object({ at: number, type: z.literal('stored'), enclave: name, kind, nftId: count, from: name, ms: count }),
  z.object({ at: number, type: z.literal('caught-up'), enclave: name, ms: count, shares: count }),
  z.object({ at: number, type: z.literal('action'), action, text }),
  z.object({
    at: number,
    type: z.literal('sample'),
    listed: count,
    enclaves: readonlyRecord(sample),
    complete: z
      .array(z.string().regex(/^(\d{1,5}(-\d{1,5})?(,|$))*$/))
      .max(5)
      .readonly()
      .exactOptional(),
  }),
  z.object({ at: number, type: z.literal('settled'), totals }),
  z.object({ at: number, type: z.literal('note'), text }),
])

const distribution = z.object({
  count,
  p50: count,
  p90: count,
  p99: count,
  max: count,
  bins: z.array(z.object({ upTo: count, count })).readonly(),
})

const OUTCOME: z.ZodType<RunOutcome> = z.object({
  type: z.literal('outcome'),
  passed: z.boolean(),
  checks: z.array(z.object({ name: text, passed: z.boolean(), detail: text })).readonly(),
  durationMs: count,
  wallMs: count,
  totals,
  distributions: z.object({ replication: distribution, catchUp: distribution, exchange: distribution }),
  coverage: z.array(z.object({ at: number, due: count, held: count })).readonly(),
  lag: z.array(z.object({ at: number, median: number, worst: number })).readonly(),
  nodes: readonlyRecord(
    z.object({ served: count, requested: count, failed: count, bytesServed: count, bytesReceived: count }),
  ),
  leftOut: readonlyRecord(count),
})

export const LINE = z.union([EVENT, OUTCOME])

import { z } from 'zod'
import { enclaveName } from './names.js'
import { duration } from './units.js'

/** What must hold at the end. */
export const EXPECTATIONS = z.discriminatedUnion('type', [
  /** Every enclave that is up and official holds exactly what the chain lists, and all agree on versions. */
  z.strictObject({ type: z.literal('complete') }),
  /** Any `threshold` slots of any cluster give every secret back, and so do the replicas without their origin. */
  z.strictObject({ type: z.literal('recovery') }),
  /** Impostors and strangers hold nothing, and were refused for the right reason. */
  z.strictObject({ type: z.literal('outsiders-get-nothing') }),
  /** Of all shares that were synced while their replica was up, this part was durable there within the time. */
  z.strictObject({ type: z.literal('replicated'), within: duration, percent: z.number().min(0).max(100).default(100) }),
  /** From its seat (or its restart) until it held all there was, no enclave took longer. */
  z.strictObject({ type: z.literal('caught-up'), within: duration }),
  /** An enclave fetched what it had missed while it was down, and nothing that it had. */
  z.strictObject({ type: z.literal('resumed'), enclave: enclaveName }),
  /** An enclave tried a peer that was down, and got everything elsewhere. */
  z.strictObject({ type: z.literal('failed-over'), enclave: enclaveName, peer: enclaveName }),
  /** Official enclaves refused one another only for what passes. */
  z.strictObject({ type: z.literal('no-needless-refusals') }),
  /** What one enclave was made to serve, in exchanges for each share that it was the origin of, at most. */
  z.strictObject({ type: z.literal('fan-out'), exchangesPerTrigger: z.number().min(1) }),
])

/**
 * One thing that must hold at the end.
 * @useDeclaredType
 */
export type Expectation = z.infer<typeof EXPECTATIONS>

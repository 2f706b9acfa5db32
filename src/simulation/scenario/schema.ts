import { z } from 'zod'
import { ACTIONS } from './actions.js'
import { EXPECTATIONS } from './expectations.js'
import { clusterRange, regionName } from './names.js'
import { bandwidth, duration, fraction } from './units.js'

/**
 * Owners mint NFTs and hand their shares over: one `every` so often while it lasts, or `burst` of them at once.
 * `cluster` names who gets the shares; all public clusters in turn when it is absent.
 */
const ArrivalsSchema = z.strictObject({
  kind: z.enum(['secret', 'capsule', 'mixed']).default('mixed'),
  every: duration.optional(),
  burst: z.int().min(1).max(1_000_000).optional(),
  from: duration.default(0),
  until: duration.optional(),
  cluster: z.int().min(0).max(9_999).optional(),
  /** Bytes of a share, both ends included. */
  bytes: z
    .tuple([z.int().min(16).max(3_000), z.int().min(16).max(3_000)])
    .readonly()
    .default([64, 256]),
})

/** One direction of a link; both directions are alike. What is left out is as on the machine itself. */
const LinkSchema = z.strictObject({
  between: z.tuple([regionName, regionName]).readonly().optional(),
  /** One way. */
  latency: duration.default(0),
  /** Added at random, evenly, to each piece. */
  jitter: duration.default(0),
  /** Of packets; TCP makes a delay of it. */
  loss: fraction.default(0),
  bandwidth: bandwidth.optional(),
})

/**
 * When something happens: `at` so long after the first clusters are up, `after` so long after what stands before it, or
 * `when` it has come to rest: `settled` (everybody who is up holds what the chain lists). At once when there is none.
 */
const MomentSchema = z.strictObject({
  at: duration.optional(),
  after: duration.optional(),
  when: z.enum(['settled']).optional(),
})

const StepSchema = MomentSchema.extend({ do: ACTIONS })

export const ScenarioSchema = z.strictObject({
  title: z.string().min(1).max(120),
  /** One sentence: what is to be learned from it. */
  why: z.string().min(1).max(400),
  /** Public clusters of five enclaves that are there from the beginning. */
  clusters: z.int().min(1).max(5_000),
  chain: z
    .strictObject({
      generation: z.union([z.literal(1), z.literal(2)]).default(2),
      blockTime: duration.default(6_000),
      /** Blocks that must follow a block before it is final. */
      finalityLag: z.int().min(0).max(100).default(1),
    })
    .prefault({}),
  /** Which clusters are where, for links and faults; `*` is everywhere. Clusters in none are in `elsewhere`. */
  regions: z.record(regionName, clusterRange).default({}),
  links: z.array(LinkSchema).max(256).readonly().default([]),
  arrivals: z.array(ArrivalsSchema).max(64).readonly().default([]),
  timeline: z.array(StepSchema).max(10_000).readonly().default([]),
  /** What stands in the timeline behind the first `when: settled` after so long is left out; counted as `at` is. */
  until: duration.optional(),
  /** How long it goes on after the last step of the timeline, at least. */
  runFor: duration.default(0),
  /** How long it may take to settle at the end, and at each `when: settled`. */
  patience: duration.default(120_000),
  /** Shares, of the five, that recover a secret. */
  threshold: z.int().min(2).max(5).default(3),
  expect: z.array(EXPECTATIONS).min(1).max(64).readonly(),
})

/**
 * A whole scenario, as a file of it says; times are ms by now.
 * @useDeclaredType
 */
export type Scenario = z.infer<typeof ScenarioSchema>
/**
 * How owners mint NFTs while it lasts.
 * @useDeclaredType
 */
export type Arrivals = z.infer<typeof ArrivalsSchema>
/**
 * What a link between two regions is like.
 * @useDeclaredType
 */
export type Link = z.infer<typeof LinkSchema>
/**
 * One step of a timeline: when, and what is done.
 * @useDeclaredType
 */
export type Step = z.infer<typeof StepSchema>

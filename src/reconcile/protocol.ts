/**
 * `/ternoa/reconcile/1` as data: identifier and limits. Clauses refer to `protocols/reconcile/1/SPEC.md`.
 */

/** SPEC 2: negotiated by multistream-select. */
export const RECONCILE_PROTOCOL = '/ternoa/reconcile/1'

/** SPEC 4.3: prefixes of one Question. */
export const QUESTION_PREFIXES = 256

/** SPEC 4.3: of a prefix with no more shares than this the shares themselves are told. */
export const PART_ITEMS = 32

/**
 * SPEC 5.3: after so much work, in ms, comparing rests for so many times as long: a prefix can take 2 to 5 ms, and a
 * Question more than half a second. A sprint, in ms of work, rests only as long as it took, so that a session that finds
 * little is soon over. A clock that ran on while the machine slept makes no rest longer than the longest.
 */
export const PACE = { workMs: 2, restTimes: 4, longestRestMs: 200, sprint: { perMinute: 600, atOnce: 150 } } as const

/** SPEC 5.1: the largest message of each kind, in bytes, enforced on its length prefix. */
export const MESSAGE_BYTES = {
  hello: 256,
  question: 2 * 1024,
  summary: 256,
  // 256 Parts of 16 fingerprints, or of 32 items of 10 bytes.
  answer: 96 * 1024,
} as const

/** SPEC 3: numbers read of a message, tags and lengths included: of an Answer's Parts three fields each. */
export const NUMBERS_READ = { small: 64, answer: 4 * 2 * QUESTION_PREFIXES + 64 } as const

/** SPEC 5.2: how long a side waits for the other, in ms. */
export const TIMEOUT_MS = { lookUp: 5_000, first: 10_000, next: 30_000, session: 120_000 } as const

/** SPEC 4.3, 4.2 of share/1: without a new final block for this long, in ms, a view of the chain is too old to act on. */
export const OLDEST_VIEW_MS = 120_000

/** SPEC 5.3: what a provider takes on. */
export const PROVIDER_LIMITS = {
  // More than ten thousand single differences.
  questions: 64,
  // Of the processor, in ms. The worst Question takes 0.6 s where ids are dense; all that one comparison lists takes one or two.
  workPerAccountPerMinute: 2_000,
  sessions: 4,
  // Who had a place no longer ago than that gives it up to another who had none, when all are taken.
  backMs: 600_000,
  // Streams of one peer, most of which bring no session, and of all together whom no enclave record names.
  streamsPerPeerPerMinute: 30,
  streamsOfStrangersPerMinute: 120,
  // An enclave compares itself once in an hour, and when it is told to.
  sessionsPerAccountPerMinute: 6,
  sessionsPerMinute: 60,
  // For those who say that they are slot peers and whose record has not come here: it may be on its way.
  lookUpsPerMinute: 30,
  retryAfterMs: 30_000,
  // Accounts, and peers, of which it is remembered how often they came; some 200 bytes each.
  remembered: 4_096,
} as const

/** Of each list of differences, what one session brings; the rest is counted, or left for the next one. */
export const DIFFERENCES_LISTED = 512

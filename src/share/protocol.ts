/**
 * `/ternoa/share/1` as data: identifiers, suites and limits. Clauses refer to `protocols/share/1/SPEC.md`.
 */

/** SPEC 2: negotiated by multistream-select. */
export const SHARE_PROTOCOL = '/ternoa/share/1'

/** SPEC 5.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM of RFC 9180. */
export const SUITE_X25519 = 1

/** SPEC 5.1: the same with X-Wing, the hybrid of ML-KEM-768 and X25519 of draft-connolly-cfrg-xwing-kem. */
export const SUITE_X_WING = 2

/** SPEC 5.1: all suites, the strongest first. */
export const SUITES = [SUITE_X_WING, SUITE_X25519] as const

/**
 * The number of a suite that shares are sealed in: 1 is X25519, 2 is X-Wing (SPEC 5.1).
 * @useDeclaredType
 */
export type Suite = (typeof SUITES)[number]

/** SPEC 4.3: the most suites that a Hello may offer. */
export const OFFERED_SUITES = 8

/** SPEC 4.2: bounds of a token, in blocks; the reference system's. `grace`: SPEC 4.7, for an exchange that is to end. */
export const TOKEN = { validity: 20, future: 2, grace: 10 } as const

/**
 * SPEC 4.2: without a new final block for this long, in ms, a view of the chain is too old to act on: 20 blocks of 6 s,
 * for which a token stands at most.
 */
export const OLDEST_VIEW_MS = 120_000

/** SPEC 8: the largest message of each kind, in bytes, enforced on its length prefix. */
export const MESSAGE_BYTES = {
  // Fixed fields and at most 8 suites of 1.2 KB keys (X-Wing's).
  hello: 16 * 1024,
  // A DCAP quote with its certificate chain is 4 to 5 KB; the verifier itself takes 16 KiB at most.
  challenge: 20 * 1024,
  // The want lists, a quote, and an encapsulated key.
  request: 2 * 1024 * 1024 + 32 * 1024,
  grant: 4 * 1024,
  // One batch (see BATCH_BYTES), and as much again for fields, proofs, and what is not held.
  sealed: 640 * 1024,
  refusal: 512,
} as const

/** SPEC 3: numbers read of a message, tags and lengths included: two for each field, of at most 256. */
export const NUMBERS_READ = 512

/** SPEC 8: payload bytes after which a provider closes a batch; large batches amortise sealing and database writes. */
export const BATCH_BYTES = 256 * 1024

/** SPEC 8.2: what one Request may ask for one by one, and the bytes of its want lists. */
export const REQUEST_LIMITS = { shares: 524_288, listBytes: 2 * 1024 * 1024 } as const

/** SPEC 8.2: the most shares that one exchange brings; more of an open want comes in the next. */
export const EXCHANGE_SHARES = 524_288

/** SPEC 8: how long a side waits for the other's next message, in ms. */
export const PHASE_TIMEOUT_MS = {
  // Nothing to compute for the requester: only the network.
  hello: 10_000,
  // Making and checking a quote, on a loaded machine.
  handshake: 30_000,
  // Storing one batch durably on a slow disk.
  batch: 60_000,
} as const

/** SPEC 8: what a provider takes on at once, and how often. */
export const PROVIDER_LIMITS = {
  // Each holds about one batch in memory.
  exchanges: 16,
  // A peer, and an account, needs one; two while a cut one is being noticed.
  exchangesPerPeer: 2,
  // Twice the Hellos: streams of which nothing comes are for cut lines.
  streamsPerPeerPerMinute: 240,
  // Before its signature is checked a peer has proved only its PeerId: two signature checks each second on average.
  hellosPerPeerPerMinute: 120,
  // PeerIds cost nothing, so those that have not proved to be an account's share a budget: 2.5 % of a core, and 150 ms of
  // it at a time.
  hellosOfUnknown: { perMinute: 600, atOnce: 60 },
  // Each costs a quote and a quote verification, about 20 ms of CPU.
  exchangesPerAccountPerMinute: 120,
  // Accounts that have proved themselves and wait for a place, one exchange each; a Hello is all that they hold.
  waiting: 64,
  // A requester waits 30 s for its Challenge, and the quotes are to be made in that time, too. In ms.
  waitMs: 10_000,
  // Busy peers come back after this long, in ms; after longer when others wait already.
  retryAfterMs: 2_000,
  // Peers and accounts that are remembered, for their rates, standing and turn; some 200 bytes each.
  remembered: 10_000,
} as const

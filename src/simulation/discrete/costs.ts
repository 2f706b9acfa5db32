/**
 * What things cost, in ms of a node's processor, unless said otherwise. Measured on two cores of an AMD EPYC with Node
 * 20: "bench" by `npm run bench` (docs/performance.md), "prototype" one by one before the product was written, "here" by
 * calling the product's own function in a loop. What was measured in processor time on a busy machine is divided by 1.65:
 * so much longer X-Wing took there (24.8 ms an exchange) than on an idle one (15 ms), when a library had all of it.
 */
export const COSTS = {
  /** sr25519, `@scure/sr25519`; prototype. */
  sign: 1.5,
  verify: 2.5,
  /** Ed25519 by `node:crypto`; prototype. */
  peerSign: 0.04,
  peerVerify: 0.11,
  /** A simulated quote; here, busy. On hardware it is some ms of the quoting enclave. */
  quote: 0.06,
  /** A quote of a platform not seen before, and one more of it; bench, SGX. */
  quoteVerificationCold: 13.9,
  quoteVerificationWarm: 0.38,
  /**
   * X25519 and X-Wing: a key pair, a context for sending, one for receiving; prototype. An exchange takes two of each. X-Wing
   * is as its library was, 15 ms; our own takes a third of that or less (docs/decisions/0008-x-wing.md).
   */
  x25519: { keys: 0.3, encapsulate: 1.7, decapsulate: 1.7 },
  xWing: { keys: 1.2, encapsulate: 3.6, decapsulate: 2.8 },
  /** Sealing or opening a message: 0.27 ms for 256 KB; prototype. */
  sealMessage: 0.06,
  sealByte: 0.27 / (256 * 1024),
  /** One atomic write to the store, and each byte of it; prototype (`classic-level`, AES-GCM). */
  storeWrite: 0.25,
  storeWriteByte: 7e-6,
  /** A share read and opened. */
  storeRead: 0.05,
  /** Each side of a new connection: with identify and the peer store, 36 ms for both, and its end; here, busy. */
  dialSide: 11,
  /** Each side of a new stream: 2.9 ms for both, and its end; here, busy. */
  streamSide: 0.85,
  /** A message that is taken from the wire, and each of its bytes: 280 MB/s; prototype. */
  message: 0.05,
  messageByte: 1 / 280_000,
  /** A request of the DHT, each side. */
  dhtRequest: 0.4,
  /** A block that holds nothing for us: 2,889 blocks/s; bench. */
  block: 0.35,
  /** Checking an owner's request, and the confirmation that goes to the chain. */
  ingest: 8,
} as const

/** On the wire, in bytes. */
export const BYTES = {
  /** TCP, IP, Noise and Yamux around each message. */
  frame: 80,
  /** TCP, Noise with its certificates, multistream, identify: both ways together. */
  dial: 2_600,
  /** A request of the DHT and its answer: a key, eight peers with their addresses, perhaps a record. */
  dhtRequest: 120,
  dhtAnswer: 1_100,
  /** What a loss costs is one of these. */
  segment: 1_460,
} as const

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** Every bound of the mesh, each with its reason. Those of enclave records are normative: `enclave-record/1/SPEC.md`. */
export const LIMITS = {
  record: {
    /** Eight addresses of 128 bytes, two signatures and the fixed fields are under 1.4 KB; the rest is room to grow. */
    bytes: 2048,
    /** A host has a handful of interfaces; more would make every dial of it slow. */
    multiaddrs: 8,
    /** The longest DNS name that people use, and a port. */
    multiaddrBytes: 128,
    /** A record outlives a long outage of its enclave, but not a day of silence. */
    lifetimeMs: 2 * hour,
    /** The longest that others accept: what is signed today must not be replayable next year. */
    maximumLifetimeMs: 24 * hour,
    /** Three more chances before the record expires, and one node's upkeep stays below one lookup a minute. */
    renewalMs: 30 * minute,
  },

  /** Distinct accounts whose records are remembered; only registered ones are, so this is 2,000 clusters. */
  knownRecords: 10_000,

  resolve: {
    /** A record this young is believed without a connection to its host; older ones are looked up again. */
    freshMs: 30 * second,
    /** Lookups before giving up: an enclave that is found at all is found by the second. */
    attempts: 3,
    /** One lookup; kad-dht gives each request at least five seconds. */
    attemptMs: 10 * second,
    /** Before the second attempt, doubled for the third. */
    pauseMs: 250,
    /** Lookups at a time; each asks a dozen peers. */
    parallelLookups: 4,
    /** Distinct accounts waiting for a lookup: more than any enclave has slot peers, or anyone sensible asks for. */
    queuedLookups: 10_000,
    /**
     * Holders that must name the same record before a lookup ends early, when one was known before: it may have
     * moved, and some holders not know it yet. Of an enclave that is not known at all the first answer is welcome.
     */
    quorum: 3,
    /** Asking an enclave that is in nobody's table where it is, dialling it, and hearing who it is. */
    dialMs: 15 * second,
    /** How long it is left alone then, when that did not find it. */
    dialAgainMs: minute,
  },

  publish: {
    /** One put: a lookup and a request to each of the nearest. */
    putMs: 30 * second,
    /** Between puts while peers still arrive or some refused, and its growth with each put up to the longest. */
    shortestGapMs: 2 * second,
    gapGrowth: 3,
    longestGapMs: 5 * minute,
  },

  handOver: {
    /** Two connections can be open to a peer that dialled while it was dialled. */
    streams: 2,
    timeoutMs: 10 * second,
  },

  directory: {
    /** Accounts in one request: all slot peers in a mesh of a thousand clusters. */
    wants: 1_024,
    /** So many accounts, each with a sequence. */
    requestBytes: 48 * 1_024,
    /** Some thousand records with an address or two each, in one frame. */
    answerBytes: 256 * 1_024,
    /** Records in one answer that clock or registry refute: views differ by a few blocks, in which few enclaves move or end. */
    outdated: 64,
    /** Two connections can be open to a peer that dialled while it was dialled. */
    streams: 2,
    timeoutMs: 10 * second,
    /** Answers under way at a time: 4 MiB, whoever reads them slowly. */
    answersAtOnce: 16,
    /** One peer's answer: it has it in memory, and others are asked after it. */
    askMs: 2 * second,
    /** Answered to one peer in a minute: twice what a peer asks that asks as often as it may. */
    answersPerMinute: 60,
    /** Answered in a minute to all peers together that no record names: newcomers are some, and a stranger can be many. */
    strangersPerMinute: 300,
    /** Peers whose questions are counted. */
    askers: 1_000,
    /** Peers that are asked in one round, one after the other, until nothing is wanted any more. */
    peersPerRound: 4,
    /** Between rounds, and between questions to one peer, at least. */
    gapMs: 2 * second,
    /** After a peer has connected: its own record comes first, and others that come together need one round only. */
    firstMs: second / 5,
    /** Between questions to one that does not seem to know much, while nobody waits for an answer. */
    seldomMs: minute / 2,
    /** Between rounds while somebody is unknown, and its growth with each up to the longest. */
    shortestPauseMs: 2 * second,
    pauseGrowth: 3,
    longestPauseMs: 5 * minute,
    /** What has less time left is asked for anew: its enclave has renewed it twice by then. */
    renewBeforeMs: hour,
    /** How long what others have asked for in vain is looked for. */
    demandMs: 10 * minute,
    /**
     * How long a look-up trusts that the directory will tell, before it asks the DHT, which costs connections: in a mesh
     * that is too small to mind them, in one that this node has just entered and that may not know all yet, and else.
     */
    patienceMs: { small: second, entering: 15 * second, settled: 3 * second },
  },

  bootstrap: {
    /** Addresses in the configuration; each is kept connected. */
    addresses: 32,
    shortestPauseMs: 250,
    longestPauseMs: minute,
  },

  entry: {
    /** Addresses from the chain that are tried before the next pause, when a host knows nobody. */
    dialsPerRound: 4,
    /** An enclave's API that is asked for its host's addresses: as long as a slow handshake, and one name server's patience. */
    apiMs: 8 * second,
    resolveMs: 2 * second,
    /** A health report has some hundred bytes, and eight addresses. */
    apiBytes: 16_384,
    /** A DNS name, a port and a PeerId, in text. */
    multiaddrLetters: 512,
    /** The configured addresses, if there are any, come first. */
    shortestPauseMs: second,
    longestPauseMs: minute,
  },

  connections: {
    /** Eight in each of the table's few buckets on both sides, slot peers, and room; each costs about 100 KB. */
    total: 300,
    /** Peers whose addresses and protocols libp2p remembers, strangers among them: about 1 KB each. */
    rememberedPeers: 5_000,
    /** Connections that are still proving who they are: a mesh that starts at once does so within a second or two. */
    pending: 100,
    /** New connections per second from one address: many nodes may live behind one, and a stranger gains little. */
    inboundPerSecond: 50,
    /** Of one peer: both sides may have dialled at once, and one be about to close. */
    perPeer: 4,
    /** Places that are kept for who comes next, of those that are open and of those that are pending. */
    spare: 20,
    /** Dials in progress: more would only make all of them slower, and in an overloaded process time out together. */
    parallelDials: 10,
    /** TCP, Noise and Yamux take 15 ms of work; this is for peers that are overloaded or far away. */
    dialMs: 20 * second,
    /** Liveness checks. A busy event loop (quotes, many nodes in one process) must not cost a connection. */
    pingIntervalMs: minute,
    pingTimeoutMs: 20 * second,
    /** Streams of all protocols on one connection: records and lookups need a dozen, shares a few. */
    streams: 128,
  },

  dht: {
    /**
     * Kademlia's k: peers in each bucket, and holders of each record. Enclaves stay up, so less than the 20 of public
     * networks does; and each costs a connection.
     */
    bucketSize: 8,
    /** Requests in flight on one connection in each direction. */
    streams: 32,
    /** Requests in flight in one lookup; a mesh is small, so more would only make every node ask every other. */
    parallelRequests: 5,
    /** The first look for neighbours; in a mesh that starts at once, everyone is busy with everyone. */
    meetingMs: 30 * second,
    /** How often a node that is connected, but in nobody's table, tries to get in. */
    entryIntervalMs: 5 * second,
    /**
     * After entering, until the node joins the table of a mesh of more than so many enclaves, give or take: it costs
     * dozens of connections, and until then the directory makes the node known. Up to twice as long, so that those which
     * entered together do not join together.
     */
    settleMs: 2 * minute,
    smallMesh: 16,
    /** Neighbours change when nodes come and go, which puts and lookups notice too. */
    selfQueryIntervalMs: 5 * minute,
  },
} as const

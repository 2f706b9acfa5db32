import { row } from './lists.js'
import { KEMS } from './sealing.js'
import { altered, ascii, concat, H, made } from './tools.js'
import {
  type ChallengeBody,
  encodeChallenge,
  encodeChallengeBody,
  encodeGrant,
  encodeHello,
  encodeHelloBody,
  encodeRefusal,
  encodeRequest,
  encodeRequestBody,
  type HelloBody,
  nested,
  type RefusalName,
  type RequestBody,
  uint,
} from './wire.js'
import {
  blockHash,
  blockHashes,
  type Cluster,
  type ClusterType,
  digest,
  genesisHash,
  NOW,
  type Outcome,
  provider,
  registry,
  requester,
  SLOT,
  stranger,
  token,
  transcript,
} from './world.js'

/** What a receiver knows besides the message. */
interface World {
  readonly now: number
  /** How long ago the receiver first saw block `now`. */
  readonly viewAgeSeconds: number
  readonly registry: readonly Cluster[]
  /** Which suites the receiver allows, the strongest first. */
  readonly suites: readonly number[]
}

const WORLD: World = { now: NOW, viewAgeSeconds: 3, registry, suites: [2, 1] }

const CHAIN = { genesisHash, blockHashes: blockHashes(970, 1_003) }

const SEEDS = { requester: requester.seed, provider: provider.seed, stranger: stranger.seed }

const PEERS = { requester: requester.peer, provider: provider.peer }

const ABOUT_WORLD =
  '`world` is what the receiver knows besides; a case that has members of its own there has them in place of these.'

function seats(of: {
  readonly requester?: { cluster?: number; slot?: number; type?: ClusterType }
  readonly provider?: { cluster?: number; slot?: number; type?: ClusterType }
}): Pick<World, 'registry'> {
  const cluster = (account: Uint8Array, id: number, seat: { cluster?: number; slot?: number; type?: ClusterType }) => ({
    cluster: seat.cluster ?? id,
    type: seat.type ?? ('public' as const),
    seats: [{ account, slot: seat.slot ?? SLOT }],
  })
  return {
    registry: [
      ...(of.requester === undefined ? [] : [cluster(requester.account, 1, of.requester)]),
      ...(of.provider === undefined ? [] : [cluster(provider.account, 2, of.provider)]),
    ],
  }
}

const ONE_CLUSTER: Pick<World, 'registry'> = {
  registry: [
    {
      cluster: 1,
      type: 'public',
      seats: [
        { account: requester.account, slot: SLOT },
        { account: provider.account, slot: SLOT },
      ],
    },
  ],
}

const NOT_SEATED = seats({ requester: {} })
const OTHER_SLOT = seats({ requester: {}, provider: { slot: SLOT + 1 } })
const PRIVATE = seats({ requester: {}, provider: { type: 'private' } })

/** Behind all known fields: one of each wire type. */
const UNKNOWN_FIELDS = concat(
  uint(90, 7),
  nested(91, ascii('of a later version')),
  Uint8Array.of(0xe5, 0x05, 1, 2, 3, 4),
)

/** An X25519 public key of nobody: nobody opens anything in these files. */
const ANY_KEY = made('any key')

// ---- Hello ----------------------------------------------------------------------------------------------------------

interface HelloChanges {
  readonly body?: Partial<HelloBody>
  readonly suffix?: Uint8Array
  readonly sign?: (T1: Uint8Array) => Uint8Array
  readonly peers?: typeof PEERS
  /** The suite that the provider chooses, unless it is 1. */
  readonly suite?: number
  readonly world?: Partial<World>
}

/** Hellos, and what a provider answers. */
export async function helloVectors() {
  const xWingKey = (await KEMS[2].keyPair('offered')).publicKey
  const built = ({ body = {}, suffix = new Uint8Array(), sign, peers = PEERS }: HelloChanges) => {
    const fields: HelloBody = {
      genesisHash,
      account: requester.account,
      nonce: made('nonce of the requester'),
      token: token(),
      suites: [{ suite: 1, publicKey: ANY_KEY }],
      ...body,
    }
    const bytes = concat(encodeHelloBody(fields), suffix)
    const [, T1 = bytes] = transcript(peers, [bytes])
    return { T1, body: bytes, signature: sign?.(T1) ?? requester.sign(digest('hello', T1)) }
  }
  const judged = (clause: string, name: string, outcome: Outcome, changes: HelloChanges = {}) => {
    const { T1, body, signature } = built(changes)
    const message = encodeHello(body, signature)
    const suite = outcome === 'accepted' ? (changes.suite ?? 1) : undefined
    return { name, clause, message, T1, world: changes.world, outcome: outcome as Outcome | 'closed', suite }
  }
  const framed = (clause: string, name: string, outcome: RefusalName | 'closed', message: Uint8Array) => ({
    name,
    clause,
    message,
    T1: undefined,
    world: undefined,
    outcome,
    suite: undefined,
  })
  const right = built({})
  const offers = { x25519: { suite: 1, publicKey: ANY_KEY }, xWing: { suite: 2, publicKey: xWingKey } }
  const suites = (...numbers: number[]) => numbers.map((suite) => ({ suite, publicKey: ANY_KEY }))
  const flaws: readonly [RefusalName, HelloChanges][] = [
    ['MALFORMED', { body: { nonce: made('short', 31) } }],
    ['UNKNOWN_CHAIN', { body: { genesisHash: made('another genesis') } }],
    ['NOT_READY', { world: { viewAgeSeconds: 121 } }],
    ['WRONG_SLOT', { world: OTHER_SLOT }],
    ['UNSUPPORTED_SUITE', { body: { suites: suites(77) } }],
    ['TOKEN_EXPIRED', { body: { token: token(970) } }],
    ['BAD_SIGNATURE', { sign: (T1) => stranger.sign(digest('hello', T1)) }],
  ]
  return {
    about: `Clause 4.3: \`message\` is the RequesterMessage that comes first. ${ABOUT_WORLD} \`outcome\` is \`accepted\` (a Challenge in \`suite\` is sent), the refusal that is sent, or \`closed\` where the provider ends the stream without one. \`T1\` is over the body, as the provider sees the peers.`,
    seeds: SEEDS,
    requesterPeer: PEERS.requester,
    providerPeer: PEERS.provider,
    providerAccount: provider.account,
    ...CHAIN,
    world: WORLD,
    cases: [
      judged('4.3', 'right', 'accepted'),
      judged('3', 'unknown fields in the body', 'accepted', { suffix: UNKNOWN_FIELDS }),
      judged('4.3, 1', 'a suite that nobody knows, without a key, and one known', 'accepted', {
        body: {
          suites: [
            { suite: 77, publicKey: new Uint8Array() },
            { suite: 1, publicKey: ANY_KEY },
          ],
        },
      }),
      judged('4.3, 1', 'eight suites', 'accepted', { body: { suites: suites(70, 71, 72, 73, 74, 75, 76, 1) } }),
      judged('4.4', 'both suites, the strongest first', 'accepted', {
        body: { suites: [offers.xWing, offers.x25519] },
        suite: 2,
      }),
      judged('4.4', 'both suites, the strongest last', 'accepted', {
        body: { suites: [offers.x25519, offers.xWing] },
        suite: 2,
      }),
      judged('4.4', 'both suites, to a provider that allows suite 1 alone', 'accepted', {
        body: { suites: [offers.xWing, offers.x25519] },
        world: { suites: [1] },
      }),
      judged('4.3, 1', 'a suite that is not chosen, without a key', 'accepted', {
        body: { suites: [{ suite: 2, publicKey: new Uint8Array() }, offers.x25519] },
        world: { suites: [1] },
      }),
      judged('4.2', 'a token of 20 blocks ago', 'accepted', { body: { token: token(NOW - 20) } }),
      judged('4.2', 'a token of two blocks ahead', 'accepted', { body: { token: token(NOW + 2) } }),
      judged('4.2', 'a view that is 119 s old', 'accepted', { world: { viewAgeSeconds: 119 } }),

      framed('3', 'no message', 'MALFORMED', new Uint8Array()),
      framed('3', 'an unknown message', 'MALFORMED', UNKNOWN_FIELDS),
      framed('3', 'no protocol buffers', 'MALFORMED', ascii('GET / HTTP/1.1\r\n\r\n')),
      framed('3', 'a Hello cut short', 'MALFORMED', encodeHello(right.body, right.signature).subarray(0, 100)),
      framed('3', 'a body cut short', 'MALFORMED', encodeHello(right.body.subarray(0, 40), right.signature)),
      framed('3', 'a Request in its place', 'MALFORMED', encodeRequest(right.body, right.signature)),
      framed(
        '7',
        'a Refusal in its place',
        'closed',
        encodeRefusal({ code: 14, sentence: 'Not now.', retryAfterMs: 0 }),
      ),
      framed('7', 'a Refusal of code 0', 'MALFORMED', encodeRefusal({ code: 0, sentence: '', retryAfterMs: 0 })),
      framed(
        '7',
        'a Refusal of an unknown code',
        'MALFORMED',
        encodeRefusal({ code: 18, sentence: '', retryAfterMs: 0 }),
      ),

      judged('4.3, 1', 'a genesis hash of 31 bytes', 'MALFORMED', { body: { genesisHash: genesisHash.subarray(1) } }),
      judged('4.3, 1', 'an account of 33 bytes', 'MALFORMED', {
        body: { account: concat(requester.account, Uint8Array.of(0)) },
      }),
      judged('4.3, 1', 'a nonce of 31 bytes', 'MALFORMED', { body: { nonce: made('short', 31) } }),
      judged('4.3, 1', 'a nonce of 33 bytes', 'MALFORMED', { body: { nonce: made('long', 33) } }),
      judged('4.3, 1', 'no nonce', 'MALFORMED', { body: { nonce: new Uint8Array() } }),
      judged('4.3, 1', 'no token', 'MALFORMED', { body: { token: undefined } }),
      judged('4.3, 1', 'a token whose hash has 31 bytes', 'MALFORMED', {
        body: { token: { ...token(), blockHash: blockHash(NOW).subarray(1) } },
      }),
      judged('4.3, 1', 'no suites', 'MALFORMED', { body: { suites: [] } }),
      judged('4.3, 1', 'nine suites', 'MALFORMED', { body: { suites: suites(70, 71, 72, 73, 74, 75, 76, 77, 1) } }),
      judged('4.3, 1', 'one suite twice', 'MALFORMED', { body: { suites: suites(1, 1) } }),
      judged('4.3, 1', 'a suite that nobody knows twice', 'MALFORMED', { body: { suites: suites(77, 1, 77) } }),
      judged('4.3, 2', 'of another chain', 'UNKNOWN_CHAIN', { body: { genesisHash: made('another genesis') } }),
      judged('4.3, 3', 'a view that is 121 s old', 'NOT_READY', { world: { viewAgeSeconds: 121 } }),
      judged('4.3, 4', 'the provider has no seat', 'NOT_REGISTERED', { world: NOT_SEATED }),
      judged('4.3, 4', 'the requester has no seat', 'NOT_REGISTERED', { world: seats({ provider: {} }) }),
      judged('4.3, 4', 'a stranger, signing for itself', 'NOT_REGISTERED', {
        body: { account: stranger.account },
        sign: (T1) => stranger.sign(digest('hello', T1)),
      }),
      judged('4.3, 4', 'the provider itself', 'SAME_CLUSTER', {
        body: { account: provider.account },
        sign: (T1) => provider.sign(digest('hello', T1)),
      }),
      judged('4.3, 4', 'of the same cluster', 'SAME_CLUSTER', { world: ONE_CLUSTER }),
      judged('4.3, 4', 'of another slot', 'WRONG_SLOT', { world: OTHER_SLOT }),
      judged('4.3, 4', 'of a private cluster', 'CLUSTER_NOT_PUBLIC', {
        world: seats({ requester: { type: 'private' }, provider: {} }),
      }),
      judged('4.3, 5', 'only suites that nobody knows', 'UNSUPPORTED_SUITE', { body: { suites: suites(77, 0) } }),
      judged('4.3, 5', 'suite 1 alone, to a provider that allows suite 2 alone', 'UNSUPPORTED_SUITE', {
        world: { suites: [2] },
      }),
      judged('4.3, 5', 'suite 2 alone, to a provider that allows suite 1 alone', 'UNSUPPORTED_SUITE', {
        body: { suites: [offers.xWing] },
        world: { suites: [1] },
      }),
      judged('4.3, 7', 'a token that has expired', 'TOKEN_EXPIRED', { body: { token: token(NOW - 21) } }),
      judged('4.3, 7', 'a token of three blocks ahead', 'TOKEN_IN_FUTURE', { body: { token: token(NOW + 3) } }),
      judged('4.3, 7', 'a token anchored in another chain', 'UNKNOWN_CHAIN', {
        body: { token: { ...token(), blockHash: made('another chain') } },
      }),
      judged('4.3, 7', 'a token valid for 21 blocks', 'MALFORMED', { body: { token: token(NOW, 21) } }),
      judged('4.3, 8', 'signed by another', 'BAD_SIGNATURE', { sign: (T1) => stranger.sign(digest('hello', T1)) }),
      judged('4.3, 8', 'signed by the provider', 'BAD_SIGNATURE', { sign: (T1) => provider.sign(digest('hello', T1)) }),
      judged('4.3, 8', 'signed for a quote', 'BAD_SIGNATURE', {
        sign: (T1) => requester.sign(digest('requester', T1)),
      }),
      judged('4.3, 8', 'the transcript hash signed without a tag', 'BAD_SIGNATURE', {
        sign: (T1) => requester.sign(T1),
      }),
      judged('4.3, 8', 'the signature of another Hello', 'BAD_SIGNATURE', {
        body: { nonce: made('another nonce') },
        sign: () => right.signature,
      }),
      judged('4.3, 8', 'a suite struck off behind the signature', 'BAD_SIGNATURE', {
        body: { suites: [offers.x25519] },
        sign: () => built({ body: { suites: [offers.xWing, offers.x25519] } }).signature,
      }),
      judged('4.3, 8', 'signed in a connection from another peer', 'BAD_SIGNATURE', {
        sign: () => built({ peers: { ...PEERS, requester: stranger.peer } }).signature,
      }),
      judged('4.3, 8', 'signed in a connection to another peer', 'BAD_SIGNATURE', {
        sign: () => built({ peers: { ...PEERS, provider: stranger.peer } }).signature,
      }),
      judged('4.3, 8', 'signed with the peers exchanged', 'BAD_SIGNATURE', {
        sign: () => built({ peers: { requester: PEERS.provider, provider: PEERS.requester } }).signature,
      }),
      judged('4.3, 8', 'one bit of the signature altered', 'BAD_SIGNATURE', {
        sign: () => altered(right.signature, 40),
      }),

      ...flaws.map(([outcome], at) => {
        const worst = flaws.slice(at).map(([, changes]) => changes)
        return judged('4.3', `all that can be wrong from ${outcome} on`, outcome, {
          body: Object.assign({}, ...worst.map(({ body }) => body)),
          world: Object.assign({}, ...worst.map(({ world }) => world)),
          sign: worst.find(({ sign }) => sign !== undefined)?.sign ?? fail(),
        })
      }),
    ],
  }
}

function fail(): never {
  throw new Error('there is always a flaw left')
}

// ---- Quotes ---------------------------------------------------------------------------------------------------------

/** What the receiver's verification of a quote says: the report data, or why the quote is refused (clause 4.6). */
type Verification = { readonly reportData: Uint8Array } | { readonly refusal: RefusalName }

const QUOTE_REFUSALS: readonly RefusalName[] = [
  'QUOTE_INVALID',
  'TCB_BELOW_POLICY',
  'MEASUREMENT_NOT_ALLOWED',
  'DEBUG_ENCLAVE',
  'NOT_READY',
]

const ABOUT_QUOTES =
  'The quotes are any bytes here; `verification` is what their verification tells: the report data, or the refusal that clause 4.6 asks for.'

// ---- Challenge ------------------------------------------------------------------------------------------------------

interface ChallengeChanges {
  readonly body?: Partial<ChallengeBody>
  readonly suffix?: Uint8Array
  readonly verification?: (T3: Uint8Array) => Verification
  readonly world?: Partial<World>
}

/** Challenges, and what a requester answers. */
export async function challengeVectors() {
  const xWingKey = (await KEMS[2].keyPair('of the provider')).publicKey
  const T2 = made('T2')
  const quote = made('quote of the provider', 100)
  const built = ({ body = {}, suffix = new Uint8Array(), verification }: ChallengeChanges) => {
    const fields: ChallengeBody = {
      account: provider.account,
      nonce: made('nonce of the provider'),
      token: token(),
      suite: 1,
      publicKey: ANY_KEY,
      syncedBlock: 990,
      takenInBlock: 995,
      ...body,
    }
    const bytes = concat(encodeChallengeBody(fields), suffix)
    const T3 = H('ternoa/share/1/transcript', T2, ascii('challenge-body'), bytes)
    return {
      T3,
      body: bytes,
      verification: verification?.(T3) ?? { reportData: provider.sign(digest('provider', T3)) },
    }
  }
  const judged = (clause: string, name: string, outcome: Outcome, changes: ChallengeChanges = {}) => {
    const { T3, body, verification } = built(changes)
    const message = encodeChallenge(body, quote)
    return { name, clause, message, T3, verification, world: changes.world, outcome: outcome as Outcome | 'closed' }
  }
  const framed = (clause: string, name: string, outcome: RefusalName | 'closed', message: Uint8Array) => ({
    name,
    clause,
    message,
    T3: undefined,
    verification: undefined,
    world: undefined,
    outcome,
  })
  const right = built({})
  const bound = (sign: (T3: Uint8Array) => Uint8Array): ChallengeChanges => ({
    verification: (T3) => ({ reportData: sign(T3) }),
  })
  const refused = (refusal: RefusalName): ChallengeChanges => ({ verification: () => ({ refusal }) })
  const flaws: readonly [RefusalName, ChallengeChanges][] = [
    ['BAD_SIGNATURE', { body: { account: stranger.account } }],
    ['MALFORMED', { body: { nonce: made('short', 31) } }],
    ['UNSUPPORTED_SUITE', { body: { suite: 77 } }],
    ['WRONG_SLOT', { world: OTHER_SLOT }],
    ['TOKEN_EXPIRED', { body: { token: token(970) } }],
    ['MALFORMED', { body: { takenInBlock: 989 } }],
    ['DEBUG_ENCLAVE', refused('DEBUG_ENCLAVE')],
    ['BINDING_MISMATCH', bound((T3) => stranger.sign(digest('provider', T3)))],
    ['MALFORMED', { body: { publicKey: new Uint8Array(32) } }],
  ]
  return {
    about: `Clauses 4.4 and 4.6: \`message\` is the ProviderMessage that answers a Hello. ${ABOUT_QUOTES} ${ABOUT_WORLD} \`outcome\` is \`accepted\` (a Request is sent), the refusal that is sent, or \`closed\` where the requester ends the stream without one. \`T3\` is over \`T2\` and the body.`,
    seeds: SEEDS,
    requesterAccount: requester.account,
    providerAccount: provider.account,
    ...CHAIN,
    T2,
    world: WORLD,
    cases: [
      judged('4.4', 'right', 'accepted'),
      judged('3', 'unknown fields in the body', 'accepted', { suffix: UNKNOWN_FIELDS }),
      judged('4.4', 'a provider that does not know up to which block it lacks nothing', 'accepted', {
        body: { syncedBlock: 0 },
      }),
      judged('4.4', 'a provider that has taken in nothing yet', 'accepted', {
        body: { syncedBlock: 0, takenInBlock: 0 },
      }),
      judged('4.4, 6', 'a provider that is sure of all, up to the block of its token', 'accepted', {
        body: { syncedBlock: NOW, takenInBlock: NOW },
      }),

      judged('4.4', 'in suite 2', 'accepted', { body: { suite: 2, publicKey: xWingKey } }),

      framed('3', 'no message', 'MALFORMED', new Uint8Array()),
      framed('3', 'no protocol buffers', 'MALFORMED', ascii('HTTP/1.1 400 Bad Request\r\n\r\n')),
      framed('3', 'a Grant in its place', 'MALFORMED', encodeGrant(ANY_KEY)),
      framed('3', 'a body cut short', 'MALFORMED', encodeChallenge(right.body.subarray(0, 40), quote)),
      framed('7', 'a Refusal', 'closed', encodeRefusal({ code: 15, sentence: 'Later.', retryAfterMs: 2_000 })),
      framed('7', 'a Refusal of code 0', 'MALFORMED', encodeRefusal({ code: 0, sentence: '', retryAfterMs: 0 })),
      framed(
        '7',
        'a Refusal of an unknown code',
        'MALFORMED',
        encodeRefusal({ code: 18, sentence: '', retryAfterMs: 0 }),
      ),

      judged('4.4, 1', 'of another account', 'BAD_SIGNATURE', {
        body: { account: stranger.account },
        ...bound((T3) => stranger.sign(digest('provider', T3))),
      }),
      judged('4.4, 1', 'of the requester itself', 'BAD_SIGNATURE', {
        body: { account: requester.account },
        ...bound((T3) => requester.sign(digest('provider', T3))),
      }),
      judged('3', 'an account of 31 bytes', 'MALFORMED', { body: { account: provider.account.subarray(1) } }),
      judged('4.4, 2', 'a nonce of 31 bytes', 'MALFORMED', { body: { nonce: made('short', 31) } }),
      judged('4.4, 2', 'a nonce of 33 bytes', 'MALFORMED', { body: { nonce: made('long', 33) } }),
      judged('4.4, 3', 'a suite that was not offered', 'UNSUPPORTED_SUITE', { body: { suite: 77 } }),
      judged('4.4, 3', 'no suite', 'UNSUPPORTED_SUITE', { body: { suite: 0 } }),
      judged('4.4, 3', 'suite 1, to a requester that has offered suite 2 alone', 'UNSUPPORTED_SUITE', {
        world: { suites: [2] },
      }),
      judged('4.4, 3', 'suite 2, to a requester that has offered suite 1 alone', 'UNSUPPORTED_SUITE', {
        body: { suite: 2, publicKey: xWingKey },
        world: { suites: [1] },
      }),
      judged('4.4, 4', 'the provider has lost its seat', 'NOT_REGISTERED', { world: NOT_SEATED }),
      judged('4.4, 4', 'the requester has lost its seat', 'NOT_REGISTERED', { world: seats({ provider: {} }) }),
      judged('4.4, 4', 'in one cluster by now', 'SAME_CLUSTER', { world: ONE_CLUSTER }),
      judged('4.4, 4', 'in two slots by now', 'WRONG_SLOT', { world: OTHER_SLOT }),
      judged('4.4, 4', 'in a private cluster by now', 'CLUSTER_NOT_PUBLIC', { world: PRIVATE }),
      judged('4.4, 5', 'no token', 'MALFORMED', { body: { token: undefined } }),
      judged('4.4, 5', 'a token valid for 21 blocks', 'MALFORMED', { body: { token: token(NOW, 21) } }),
      judged('4.4, 5', 'a token that has expired', 'TOKEN_EXPIRED', { body: { token: token(NOW - 21) } }),
      judged('4.4, 5', 'a token of three blocks ahead', 'TOKEN_IN_FUTURE', { body: { token: token(NOW + 3) } }),
      judged('4.4, 5', 'a token anchored in another chain', 'UNKNOWN_CHAIN', {
        body: { token: { ...token(), blockHash: made('another chain') } },
      }),
      judged('4.4, 6', 'a synced block that is not taken in', 'MALFORMED', {
        body: { syncedBlock: 996, takenInBlock: 995 },
      }),
      judged('4.4, 6', 'a synced block, and nothing that is taken in', 'MALFORMED', { body: { takenInBlock: 0 } }),
      judged('4.4, 6', 'more taken in than the token says is final', 'MALFORMED', {
        body: { token: token(NOW - 1), takenInBlock: NOW },
      }),
      ...QUOTE_REFUSALS.map((refusal) => judged('4.6', `a quote that is ${refusal}`, refusal, refused(refusal))),
      judged(
        '4.4, 8',
        'report data of another account',
        'BINDING_MISMATCH',
        bound((T3) => stranger.sign(digest('provider', T3))),
      ),
      judged(
        '4.4, 8',
        'report data of the requester’s role',
        'BINDING_MISMATCH',
        bound((T3) => provider.sign(digest('requester', T3))),
      ),
      judged(
        '4.4, 8',
        'report data over T2',
        'BINDING_MISMATCH',
        bound(() => provider.sign(digest('provider', T2))),
      ),
      judged(
        '4.4, 8',
        'report data over T4',
        'BINDING_MISMATCH',
        bound((T3) =>
          provider.sign(digest('provider', H('ternoa/share/1/transcript', T3, ascii('challenge-quote'), quote))),
        ),
      ),
      judged(
        '4.4, 8',
        'report data of another exchange',
        'BINDING_MISMATCH',
        bound((T3) => provider.sign(digest('provider', altered(T3)))),
      ),
      judged(
        '4.4, 8',
        'a digest in place of a signature',
        'BINDING_MISMATCH',
        bound((T3) => concat(digest('provider', T3), new Uint8Array(32))),
      ),
      judged('4.4, 8', 'a key put in place of another', 'BINDING_MISMATCH', {
        body: { publicKey: made('another key') },
        verification: () => right.verification,
      }),
      judged('4.5', 'a key of 31 bytes', 'MALFORMED', { body: { publicKey: ANY_KEY.subarray(1) } }),
      judged('4.5', 'a key of 33 bytes', 'MALFORMED', { body: { publicKey: concat(ANY_KEY, Uint8Array.of(0)) } }),
      judged('4.5', 'no key', 'MALFORMED', { body: { publicKey: new Uint8Array() } }),
      judged('4.5', 'a key of suite 1 in suite 2', 'MALFORMED', { body: { suite: 2 } }),
      judged('4.5', 'a key of suite 2 in suite 1', 'MALFORMED', { body: { publicKey: xWingKey } }),
      judged('5.1', 'a key that gives a shared secret of zeroes', 'MALFORMED', {
        body: { publicKey: new Uint8Array(32) },
      }),

      ...flaws.map(([outcome], at) => {
        const worst = flaws.slice(at).map(([, changes]) => changes)
        return judged('4.4', `all that can be wrong from ${outcome} on, ${worst.length} in all`, outcome, {
          ...worst.find(({ verification }) => verification !== undefined),
          body: Object.assign({}, ...worst.map(({ body }) => body)),
          world: Object.assign({}, ...worst.map(({ world }) => world)),
        })
      }),
    ],
  }
}

// ---- Request --------------------------------------------------------------------------------------------------------

interface RequestChanges {
  readonly body?: Partial<RequestBody>
  readonly suffix?: Uint8Array
  readonly verification?: (T5: Uint8Array) => Verification
  /** The suite of the exchange, unless it is 1. */
  readonly suite?: number
  /** The key that the requester's Hello offered. */
  readonly offeredKey?: Uint8Array
}

/** Requests, and what a provider answers. */
export async function requestVectors() {
  const xWingKey = (await KEMS[2].keyPair('offered')).publicKey
  const T4 = made('T4')
  const quote = made('quote of the requester', 100)
  const built = ({ body = {}, suffix = new Uint8Array(), verification }: RequestChanges) => {
    const fields: RequestBody = {
      encapsulatedKey: made('any encapsulated key'),
      secrets: row(5, 3, 0, 1, 1, 600, 990, 0, 1),
      capsules: new Uint8Array(),
      ...body,
    }
    const bytes = concat(encodeRequestBody(fields), suffix)
    const T5 = H('ternoa/share/1/transcript', T4, ascii('request-body'), bytes)
    return {
      T5,
      body: bytes,
      verification: verification?.(T5) ?? { reportData: requester.sign(digest('requester', T5)) },
    }
  }
  const judged = (clause: string, name: string, outcome: Outcome, changes: RequestChanges = {}) => {
    const { T5, body, verification } = built(changes)
    const message = encodeRequest(body, quote)
    const { suite = 1, offeredKey = ANY_KEY } = changes
    return { name, clause, suite, offeredKey, message, T5, verification, outcome: outcome as Outcome | 'closed' }
  }
  const framed = (clause: string, name: string, outcome: RefusalName | 'closed', message: Uint8Array) => ({
    name,
    clause,
    suite: 1,
    offeredKey: ANY_KEY,
    message,
    T5: undefined,
    verification: undefined,
    outcome,
  })
  const right = built({})
  const bound = (sign: (T5: Uint8Array) => Uint8Array): RequestChanges => ({
    verification: (T5) => ({ reportData: sign(T5) }),
  })
  const refused = (refusal: RefusalName): RequestChanges => ({ verification: () => ({ refusal }) })
  const none = new Uint8Array()
  const badLists = { secrets: row(5, 3) }
  const badKey = { encapsulatedKey: new Uint8Array(32) }
  return {
    about: `Clauses 4.5 and 4.6: \`message\` is the RequesterMessage that answers a Challenge of \`suite\`, to a Hello that offered \`offeredKey\` for it. ${ABOUT_QUOTES} \`outcome\` is \`accepted\` (a Grant is sent), the refusal that is sent, or \`closed\` where the provider ends the stream without one. \`T5\` is over \`T4\` and the body. Many more want lists are in lists.json.`,
    seeds: SEEDS,
    requesterAccount: requester.account,
    T4,
    cases: [
      judged('4.5', 'right', 'accepted'),
      judged('3', 'unknown fields in the body', 'accepted', { suffix: UNKNOWN_FIELDS }),
      judged('6.1', 'capsules alone', 'accepted', { body: { secrets: none, capsules: row(0, 1, 0) } }),
      judged('6.1', 'everything', 'accepted', { body: { secrets: row(0, 0, 0), capsules: row(0, 0, 0) } }),

      judged('4.5', 'in suite 2', 'accepted', {
        body: { encapsulatedKey: made('any encapsulated key', 1_120) },
        suite: 2,
        offeredKey: xWingKey,
      }),

      framed('3', 'no message', 'MALFORMED', none),
      framed('3', 'a Hello again', 'MALFORMED', encodeHello(right.body, made('signature', 64))),
      framed('3', 'a body cut short', 'MALFORMED', encodeRequest(right.body.subarray(0, 20), quote)),
      framed('7', 'a Refusal', 'closed', encodeRefusal({ code: 9, sentence: 'No.', retryAfterMs: 0 })),
      framed(
        '7',
        'a Refusal of an unknown code',
        'MALFORMED',
        encodeRefusal({ code: 99, sentence: '', retryAfterMs: 0 }),
      ),

      judged('4.5, 1', 'no wants', 'MALFORMED', { body: { secrets: none } }),
      judged('4.5, 1', 'secrets that are no list', 'MALFORMED', { body: badLists }),
      judged('4.5, 1', 'capsules that are no list', 'MALFORMED', { body: { capsules: row(5) } }),
      judged('4.5, 1', 'too many', 'MALFORMED', { body: { secrets: row(0, 524_289, 0) } }),
      ...QUOTE_REFUSALS.map((refusal) => judged('4.6', `a quote that is ${refusal}`, refusal, refused(refusal))),
      judged(
        '4.5, 3',
        'report data of another account',
        'BINDING_MISMATCH',
        bound((T5) => stranger.sign(digest('requester', T5))),
      ),
      judged(
        '4.5, 3',
        'report data of the provider',
        'BINDING_MISMATCH',
        bound((T5) => provider.sign(digest('requester', T5))),
      ),
      judged(
        '4.5, 3',
        'report data of the provider’s role',
        'BINDING_MISMATCH',
        bound((T5) => requester.sign(digest('provider', T5))),
      ),
      judged(
        '4.5, 3',
        'report data as in Hello',
        'BINDING_MISMATCH',
        bound((T5) => requester.sign(digest('hello', T5))),
      ),
      judged(
        '4.5, 3',
        'report data over T4',
        'BINDING_MISMATCH',
        bound(() => requester.sign(digest('requester', T4))),
      ),
      judged(
        '4.5, 3',
        'report data of another exchange',
        'BINDING_MISMATCH',
        bound((T5) => requester.sign(digest('requester', altered(T5)))),
      ),
      judged('4.5, 3', 'wants put in place of others', 'BINDING_MISMATCH', {
        body: { secrets: row(0, 0, 0) },
        verification: () => right.verification,
      }),
      judged('4.5, 4', 'an encapsulated key of 31 bytes', 'MALFORMED', {
        body: { encapsulatedKey: made('short', 31) },
      }),
      judged('4.5, 4', 'an encapsulated key of 33 bytes', 'MALFORMED', { body: { encapsulatedKey: made('long', 33) } }),
      judged('4.5, 4', 'no encapsulated key', 'MALFORMED', { body: { encapsulatedKey: none } }),
      judged('5.1', 'an encapsulated key that gives a shared secret of zeroes', 'MALFORMED', { body: badKey }),
      judged('4.5, 4', 'a key offered that has 31 bytes', 'MALFORMED', { offeredKey: made('short', 31) }),
      judged('4.5, 4', 'no key offered', 'MALFORMED', { offeredKey: none }),
      judged('5.1', 'a key offered that gives a shared secret of zeroes', 'MALFORMED', {
        offeredKey: new Uint8Array(32),
      }),

      judged('4.5, 4', 'an encapsulated key of suite 1 in suite 2', 'MALFORMED', { suite: 2, offeredKey: xWingKey }),
      judged('4.5, 4', 'a key of suite 1 offered in suite 2', 'MALFORMED', {
        body: { encapsulatedKey: made('any encapsulated key', 1_120) },
        suite: 2,
      }),

      judged('4.5', 'wants that are none come before a quote that is none', 'MALFORMED', {
        body: badLists,
        ...refused('QUOTE_INVALID'),
      }),
      judged('4.5', 'a quote that is none comes before a key that is none', 'QUOTE_INVALID', {
        body: badKey,
        ...refused('QUOTE_INVALID'),
      }),
      judged('4.5', 'report data of another comes before a key that is none', 'BINDING_MISMATCH', {
        body: badKey,
        ...bound((T5) => stranger.sign(digest('requester', T5))),
      }),
    ],
  }
}

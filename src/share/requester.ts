import { createHash, randomBytes } from 'node:crypto'
import { fromHex, verifySignature, zero } from '../crypto/index.js'
import {
  type BlockNumber,
  type ClusterId,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
  synchronisationBarrier,
} from '../domain/index.js'
import { leafHash, type VerifiedRun, verifyHead, verifyRange } from '../provenance/index.js'
import type { Frames } from './frames.js'
import {
  accountFrom,
  decode,
  fromRanges,
  fromWireRun,
  malformed,
  readFromProvider,
  sized,
  tokenFrom,
  toRanges,
  type UnverifiedRun,
  type WantedShare,
} from './messages.js'
import type { Counterpart, Party } from './party.js'
import { REQUEST_LIMITS, SUITE_X25519, TOKEN } from './protocol.js'
import { attestationRefusal, BARRIER_REFUSALS, RefusalError } from './refusals.js'
import { createOpener, ephemeralKeys, offerPreSharedKey } from './sealing.js'
import { finish, finishRefused, phase } from './session.js'
import { checkToken, hasFreshView, issueToken } from './tokens.js'
import { helloDigest, quoteDigest, Transcript } from './transcript.js'
import {
  ChallengeBody,
  type End,
  HelloBody,
  RequestBody,
  RequesterMessage,
  SealedContent,
  type WantedRange,
} from './wire/share.js'

/** A want, and the cluster that the chain says it comes from, where a trigger told. */
export interface Wanted extends WantedShare {
  readonly origin?: ClusterId | undefined
}

/** What an exchange brought. */
export interface ExchangeResult {
  readonly received: number
  /** Asked for, and not held by the provider. */
  readonly notHeld: readonly ShareKey[]
  /** The provider stopped before all was sent, because a token ran out: ask again for the rest. */
  readonly unfinished: boolean
  /** The provider misses nothing that was synced at or below this block. */
  readonly providerSyncedBlock: BlockNumber
}

export interface ExchangeRequest {
  /** At most {@link REQUEST_LIMITS}.shares, each key once; any {@link REQUEST_LIMITS}.ranges of them fit. */
  readonly wants: readonly Wanted[]
  /** Takes each run as it is verified; the exchange waits for it, and zeroes the payloads afterwards. */
  readonly onRun: (run: VerifiedRun, providerSyncedBlock: BlockNumber) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * The requester's side of one exchange (SPEC 4): Hello, Challenge, Request, then sealed Batches and the End.
 *
 * @throws RefusedError when the provider refuses; RefusalError when this side does (the provider is told which);
 * SlotmeshError `share/stale-view`, `share/cut`, `share/oversized`, `share/unsealing`, `share/unasked`, `share/incomplete`,
 * `share/origin`, `provenance/*`; or the signal's reason. Runs that `onRun` got before that are good.
 */
export async function requestShares(
  party: Party,
  provider: Counterpart,
  frames: Frames,
  request: ExchangeRequest,
): Promise<ExchangeResult> {
  try {
    const result = await exchange(party, provider, frames, request)
    await finish(frames, request.signal)
    return result
  } catch (thrown) {
    await finishRefused(frames, thrown, (refusal) => RequesterMessage.encode({ refusal }))
    throw thrown
  }
}

async function exchange(
  party: Party,
  provider: Counterpart,
  frames: Frames,
  { wants, onRun, signal }: ExchangeRequest,
): Promise<ExchangeResult> {
  const { signer, chain, attestation } = party
  const wanted = wantedRanges(wants)
  if (!hasFreshView(chain)) throw staleView()
  const transcript = new Transcript({
    genesisHash: chain.genesisHash,
    requesterPeer: party.peer,
    providerPeer: provider.peer,
  })

  // Hello: who asks, and a key pair made for this exchange alone.
  const keys = await ephemeralKeys()
  const hello = HelloBody.encode({
    genesisHash: fromHex(chain.genesisHash),
    account: fromHex(signer.account),
    nonce: new Uint8Array(randomBytes(32)),
    token: issueToken(chain),
    suites: [{ suite: SUITE_X25519, publicKey: keys.publicKey }],
  })
  const signature = signer.sign(helloDigest(transcript.add('hello-body', hello)))
  transcript.add('hello-signature', signature)
  await phase('handshake', signal, (options) =>
    frames.write(RequesterMessage.encode({ hello: { body: hello, signature } }), options),
  )

  // Challenge: is it the enclave that was meant, may it, and is it genuine, here and now? Cheap questions first.
  const challenge = await phase('handshake', signal, (options) => readFromProvider(frames, 'challenge', options))
  const offer = decode(ChallengeBody, challenge.body)
  if (accountFrom(offer.account) !== provider.account) throw new RefusalError('BAD_SIGNATURE')
  sized(offer.nonce, 32)
  if (offer.suite !== SUITE_X25519) throw new RefusalError('UNSUPPORTED_SUITE')
  const barrier = synchronisationBarrier(chain.registry(), signer.account, provider.account)
  if (barrier !== undefined) throw new RefusalError(BARRIER_REFUSALS[barrier])
  await checkToken(tokenFrom(offer.token), chain, { signal })
  const providerDigest = quoteDigest('provider', transcript.add('challenge-body', challenge.body))
  const { reportData } = await attestation.verify(challenge.quote).catch((thrown: unknown) => {
    throw attestationRefusal(thrown)
  })
  if (!verifySignature(provider.account, providerDigest, reportData)) throw new RefusalError('BINDING_MISMATCH')
  const challengeHash = transcript.add('challenge-quote', challenge.quote)

  // Request: this enclave's own proof, and what it wants.
  const { encapsulatedKey, preSharedKey } = await offerPreSharedKey(offer.publicKey, challengeHash)
  const body = RequestBody.encode({ encapsulatedKey, wants: wanted })
  const digest = quoteDigest('requester', transcript.add('request-body', body))
  const quote = await phase('handshake', signal, (options) => attestation.quote(signer.sign(digest), options))
  const finalHash = transcript.add('request-quote', quote)
  await phase('handshake', signal, (options) =>
    frames.write(RequesterMessage.encode({ request: { body, quote } }), options),
  )

  // Grant, sealed batches, sealed End.
  const grant = await phase('handshake', signal, (options) => readFromProvider(frames, 'grant', options))
  const opener = await createOpener(keys, grant.encapsulatedKey, { challengeHash, finalHash, preSharedKey })
  const outstanding = new Map<string, Wanted>(wants.map((want) => [shareKeyText(want.key), want]))
  for (;;) {
    const { ciphertext } = await phase('batch', signal, (options) => readFromProvider(frames, 'sealed', options))
    const plaintext = await opener.open(ciphertext)
    try {
      const content = decode(SealedContent, plaintext)
      if (content.end !== undefined) return conclude(content.end, wants.length, outstanding, offer.syncedBlock)
      const runs = content.batch?.runs ?? malformed()
      if (runs.length === 0) malformed()
      for (const run of runs) {
        const verified = await verifyRun(party, fromWireRun(run), outstanding, { signal })
        await onRun(verified, offer.syncedBlock)
        for (const { leaf } of verified.shares) outstanding.delete(shareKeyText(leaf))
      }
    } finally {
      zero(plaintext)
    }
  }
}

function staleView(): SlotmeshError {
  return new SlotmeshError(
    'share/stale-view',
    'No new final block was seen for too long to ask for shares; check the connection to the chain.',
  )
}

function wantedRanges(wants: readonly Wanted[]): WantedRange[] {
  const ranges = toRanges(wants)
  const { ranges: mostRanges, shares: mostShares } = REQUEST_LIMITS
  if (wants.length === 0 || wants.length > mostShares || ranges.length > mostRanges) {
    throw new SlotmeshError(
      'share/wants',
      `An exchange asks for 1 to ${mostShares} shares in at most ${mostRanges} ranges; ask for fewer at once.`,
    )
  }
  return ranges
}

/** Is each share one that was asked for, and vouched for by the enclave whose share it is? (SPEC 6.3) */
async function verifyRun(
  { signer, chain }: Party,
  { head, first, shares, proof }: UnverifiedRun,
  outstanding: ReadonlyMap<string, Wanted>,
  options: { signal: AbortSignal },
): Promise<VerifiedRun> {
  const newestPossible = chain.finalised().number + TOKEN.future
  const seen = new Set<string>()
  for (const { key, version } of shares) {
    const text = shareKeyText(key)
    const want = seen.has(text) ? undefined : outstanding.get(text)
    seen.add(text)
    const asked = want !== undefined && version >= want.minimumVersion && version <= newestPossible
    // A capsule may have been synced anew meanwhile, by another cluster; a secret never is.
    const isNamedVersion = key.kind === 'secret' || version === want?.minimumVersion
    const isOfAnother = isNamedVersion && want?.origin !== undefined && want.origin !== head.cluster
    if (!asked || isOfAnother) {
      throw new SlotmeshError('share/unasked', `The peer sent ${text}, which was not asked for like this.`)
    }
  }
  const seat = chain.registry().seatOf(signer.account)
  if (seat === undefined || head.slot !== seat.slot) throw originError(head)
  for (const version of new Set(shares.map((share) => share.version))) {
    if (!(await satThere(chain, head, version, options))) throw originError(head)
  }
  verifyHead(chain.genesisHash, head)
  const vouched = shares.map(({ key, version, payload }) => ({
    leaf: { ...key, version, payloadHash: new Uint8Array(createHash('sha256').update(payload).digest()) },
    payload,
  }))
  const nodes = verifyRange(
    head,
    first,
    vouched.map(({ leaf }) => leafHash(leaf)),
    proof,
  )
  return { head, first, shares: vouched, proof, nodes }
}

/** Whether the log's account has, or had when the share was synced, the seat that it speaks for. */
async function satThere(
  chain: Party['chain'],
  { account, cluster, slot }: VerifiedRun['head'],
  version: BlockNumber,
  options: { signal: AbortSignal },
): Promise<boolean> {
  if (chain.registry().seatAt(cluster, slot)?.account === account) return true
  if (version > chain.finalised().number) return false
  const block = { number: version, hash: await chain.blockHash(version, options) }
  return (await chain.registryAt(block, options)).seatAt(cluster, slot)?.account === account
}

function originError({ account, cluster, slot }: VerifiedRun['head']): SlotmeshError {
  return new SlotmeshError(
    'share/origin',
    `The peer sent shares of ${account}, which did not sit in cluster ${cluster}, slot ${slot}; none was stored.`,
  )
}

/** The End must account for everything that was asked for, so that a cut stream cannot pass for a whole one. */
function conclude(
  end: End,
  asked: number,
  outstanding: ReadonlyMap<string, Wanted>,
  providerSyncedBlock: BlockNumber,
): ExchangeResult {
  const received = asked - outstanding.size
  const notHeld = fromRanges(end.notHeld).map(({ key }) => key)
  const accountedFor = notHeld.every((key) => outstanding.has(shareKeyText(key)))
  const complete = end.unfinished || notHeld.length === outstanding.size
  if (end.shareCount !== received || !accountedFor || !complete) {
    throw new SlotmeshError('share/incomplete', 'The peer’s End does not match what it has sent.')
  }
  return { received, notHeld, unfinished: end.unfinished, providerSyncedBlock }
}

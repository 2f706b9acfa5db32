import { fromHex, sha256, toHex } from '../crypto/index.js'
import {
  type BlockNumber,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
  synchronisationBarrier,
  systemClock,
} from '../domain/index.js'
import type { Frames } from '../framing/index.js'
import { leafHash, type VerifiedRun, verifyHead, verifyRange } from '../provenance/index.js'
import { CRYPTOGRAPHY } from './cryptography.js'
import { ListReader } from './id-lists.js'
import {
  accountFrom,
  compareKeys,
  decode,
  decodeSealed,
  fromWireKey,
  fromWireRun,
  malformed,
  readFromProvider,
  sized,
  tokenFrom,
  type UnverifiedRun,
} from './messages.js'
import type { Counterpart, Party } from './party.js'
import { EXCHANGE_SHARES, TOKEN } from './protocol.js'
import { attestationRefusal, BARRIER_REFUSALS, RefusalError } from './refusals.js'
import { allowedSuites } from './sealing.js'
import { finish, finishRefused, phase } from './session.js'
import type { Knowledge } from './source.js'
import { Taking } from './taking.js'
import { checkToken, hasFreshView, isLongExpired, issueToken } from './tokens.js'
import { helloDigest, quoteDigest, Transcript } from './transcript.js'
import { type OpenWant, Outstanding, type Wanted } from './wants.js'
import { type Batch, ChallengeBody, type End, HelloBody, RequestBody, RequesterMessage } from './wire/share.js'

/** What an exchange brought. */
export interface ExchangeResult {
  readonly received: number
  /** How many were asked for and are not held by the provider. */
  readonly notHeld: number
  /** The provider stopped before all was sent, because a token or the room in one exchange ran out: ask for the rest. */
  readonly unfinished: boolean
  /** All that was asked for before this key has been dealt with: where to go on with an open want. */
  readonly cursor: ShareKey | undefined
  /** Of the shares received, says the provider. */
  readonly provider: Knowledge
}

export interface ExchangeRequest {
  /** At most {@link REQUEST_LIMITS}.shares, each key once. */
  readonly wants: Iterable<Wanted>
  /** At most one of each kind, above the wants of that kind. */
  readonly open?: readonly OpenWant[]
  /** Takes each run as it is verified; the exchange waits for it, and zeroes the payloads afterwards. */
  readonly onRun: (run: VerifiedRun, provider: Knowledge) => Promise<void>
  /** Takes each key of `wants` that the provider says it does not hold. */
  readonly onNotHeld?: (key: ShareKey) => void
  /** Takes the provider's quote before it is looked at. */
  readonly onQuote?: (quote: Uint8Array) => void
  /** Called when the peer has proved that it is the enclave that was meant. */
  readonly onProved?: () => void
  /** Called when the provider has granted, so many ms after the Hello was begun. */
  readonly onGranted?: (ms: number) => void
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
    await finish(frames, { signal: request.signal, clock: party.clock })
    return result
  } catch (thrown) {
    await finishRefused(frames, thrown, (refusal) => RequesterMessage.encode({ refusal }), party.clock)
    throw thrown
  }
}

async function exchange(
  party: Party,
  provider: Counterpart,
  frames: Frames,
  { wants, open, onRun, onNotHeld, onQuote, onProved, onGranted, signal }: ExchangeRequest,
): Promise<ExchangeResult> {
  const { signer, chain, attestation, clock = systemClock, cryptography = CRYPTOGRAPHY } = party
  const { verifySignature } = cryptography
  const bounds = { signal, clock }
  const begun = clock.now()
  const outstanding = new Outstanding(wants, open)
  if (!hasFreshView(chain)) throw staleView()
  const transcript = new Transcript({
    genesisHash: chain.genesisHash,
    requesterPeer: party.peer,
    providerPeer: provider.peer,
  })

  // Hello: who asks, and key pairs made for this exchange alone.
  using offered = await cryptography.offeredKeys(allowedSuites(party.suites))
  const token = issueToken(chain)
  const hello = HelloBody.encode({
    genesisHash: fromHex(chain.genesisHash),
    account: fromHex(signer.account),
    nonce: cryptography.nonce(32),
    token,
    suites: [...offered.keys],
  })
  const signature = signer.sign(helloDigest(transcript.add('hello-body', hello)))
  transcript.add('hello-signature', signature)
  await phase('handshake', bounds, (options) =>
    frames.write(RequesterMessage.encode({ hello: { body: hello, signature } }), options),
  )

  // Challenge: is it the enclave that was meant, may it, and is it genuine, here and now? Cheap questions first.
  const challenge = await phase('handshake', bounds, (options) => readFromProvider(frames, 'challenge', options))
  const offer = decode(ChallengeBody, challenge.body)
  if (accountFrom(offer.account) !== provider.account) throw new RefusalError('BAD_SIGNATURE')
  sized(offer.nonce, 32)
  const keys = offered.keys.find(({ suite }) => suite === offer.suite)
  if (keys === undefined) throw new RefusalError('UNSUPPORTED_SUITE')
  const barrier = synchronisationBarrier(chain.registry(), signer.account, provider.account)
  if (barrier !== undefined) throw new RefusalError(BARRIER_REFUSALS[barrier])
  const providerToken = tokenFrom(offer.token)
  await checkToken(providerToken, chain, { signal })
  const known: Knowledge = { newestAsOf: offer.syncedBlock, takenIn: offer.takenInBlock }
  if (known.newestAsOf > known.takenIn || known.takenIn > providerToken.blockNumber) malformed()
  const providerDigest = quoteDigest('provider', transcript.add('challenge-body', challenge.body))
  onQuote?.(challenge.quote)
  const { reportData } = await attestation.verify(challenge.quote).catch((thrown: unknown) => {
    throw attestationRefusal(thrown)
  })
  if (!verifySignature(provider.account, providerDigest, reportData)) throw new RefusalError('BINDING_MISMATCH')
  onProved?.()
  const challengeHash = transcript.add('challenge-quote', challenge.quote)

  // Request: this enclave's own proof, and what it wants.
  using presharing = await cryptography.offerPreSharedKey(
    { suite: keys.suite, publicKey: offer.publicKey },
    challengeHash,
  )
  const { encapsulatedKey, preSharedKey } = presharing
  const body = RequestBody.encode({ encapsulatedKey, ...outstanding.lists })
  const digest = quoteDigest('requester', transcript.add('request-body', body))
  const quote = await phase('handshake', bounds, (options) => attestation.quote(signer.sign(digest), options))
  const finalHash = transcript.add('request-quote', quote)
  await phase('handshake', bounds, (options) =>
    frames.write(RequesterMessage.encode({ request: { body, quote } }), options),
  )

  // Grant, sealed batches, sealed End.
  const grant = await phase('handshake', bounds, (options) => readFromProvider(frames, 'grant', options))
  const opener = await cryptography.createOpener(keys, grant.encapsulatedKey, {
    challengeHash,
    finalHash,
    preSharedKey,
  })
  onGranted?.(clock.now() - begun)
  const receiving = new Receiving(party, outstanding)
  const taking = new Taking(onRun, known)
  const batchBounds = { signal: AbortSignal.any([signal, taking.failed]), clock }
  const readSealed = async (): Promise<Uint8Array> => {
    const { ciphertext } = await phase('batch', batchBounds, (options) => readFromProvider(frames, 'sealed', options))
    return opener.open(ciphertext)
  }
  /** @returns the End, when it was that. */
  const goThrough = async (plaintext: Uint8Array): Promise<End | undefined> => {
    const content = decodeSealed(plaintext)
    if (content.end !== undefined) return content.end
    if (isLongExpired(token, chain)) throw outlivedError()
    const batch = content.batch ?? malformed()
    for await (const run of receiving.runsOf(batch, { signal })) taking.take(run)
    for (const key of receiving.notHeldOf(batch)) onNotHeld?.(key)
    receiving.goTo(batch)
    return undefined
  }
  try {
    for (;;) {
      const plaintext = await readSealed()
      const end = await goThrough(plaintext).finally(() => taking.endMessage(plaintext))
      if (end === undefined) continue
      await taking.end()
      return { ...receiving.conclude(end), provider: known }
    }
  } finally {
    await taking.settled()
  }
}

function staleView(): SlotmeshError {
  return new SlotmeshError(
    'share/stale-view',
    'No new final block was seen for too long to ask for shares; check the connection to the chain.',
  )
}

function outlivedError(): SlotmeshError {
  return new SlotmeshError(
    'share/cut',
    'The exchange went on long after the own token had expired: what the peer has sent is held back on the way.',
  )
}

/** One for each origin will do, unless a provider holds many under old heads. */
const REMEMBERED_HEADS = 4_096

/** Batches of one exchange that only move its cursor: a portion in which nothing is held has one. */
const EMPTY_BATCHES = 1_024

/** The requester's account of one exchange, once it is granted (SPEC 4.7, 6.2, 6.3). */
class Receiving {
  readonly #party: Party
  readonly #outstanding: Outstanding
  /** The heads whose signatures have been checked: a provider sends all runs of a log under one, if it can. */
  readonly #checkedHeads = new Set<string>()
  #emptyBatches = 0
  #received = 0
  #notHeld = 0
  #cursor: ShareKey | undefined

  constructor(party: Party, outstanding: Outstanding) {
    this.#party = party
    this.#outstanding = outstanding
  }

  /** The runs of a batch, each verified when it is its turn. */
  async *runsOf({ runs, ...rest }: Batch, options: { signal: AbortSignal }): AsyncGenerator<VerifiedRun> {
    const isEmpty = runs.length === 0 && rest.secretsNotHeld.length === 0 && rest.capsulesNotHeld.length === 0
    if (isEmpty && rest.cursor === undefined) malformed()
    if (isEmpty) this.#emptyBatches += 1
    if (this.#emptyBatches > EMPTY_BATCHES) throw endlessError()
    for (const run of runs) {
      this.#received += run.shares.length
      if (this.#received > EXCHANGE_SHARES) malformed()
      yield this.#verify(fromWireRun(run), options)
    }
  }

  /** What the provider does not hold, key by key. @throws RefusalError MALFORMED when that was not the question. */
  *notHeldOf({ secretsNotHeld, capsulesNotHeld }: Batch): Generator<ShareKey> {
    for (const [kind, list] of [['secret', secretsNotHeld] as const, ['capsule', capsulesNotHeld] as const]) {
      const reader = new ListReader(list, 'ids')
      while (reader.next()) {
        for (let nftId = reader.first; nftId < reader.first + reader.length; nftId += 1) {
          if (!this.#outstanding.takeNotHeld({ kind, nftId })) malformed()
          this.#notHeld += 1
          yield { kind, nftId }
        }
      }
    }
  }

  goTo({ cursor }: Batch): void {
    if (cursor === undefined) return
    const key = fromWireKey(cursor)
    if (this.#cursor !== undefined && compareKeys(key, this.#cursor) < 0) malformed()
    this.#cursor = key
  }

  /** The End must account for everything that was asked for, so that a cut stream cannot pass for a whole one. */
  conclude({ shareCount, notHeldCount, unfinished }: End): Omit<ExchangeResult, 'provider'> {
    const isComplete = unfinished || this.#outstanding.left === 0
    if (shareCount !== this.#received || notHeldCount !== this.#notHeld || !isComplete) {
      throw new SlotmeshError('share/incomplete', 'The peer’s End does not match what it has sent.')
    }
    return { received: this.#received, notHeld: this.#notHeld, unfinished, cursor: this.#cursor }
  }

  /** Is each share one that was asked for, and vouched for by the enclave whose share it is? (SPEC 6.3) */
  async #verify(run: UnverifiedRun, options: { signal: AbortSignal }): Promise<VerifiedRun> {
    const { head, first, shares, proof } = run
    const { signer, chain } = this.#party
    for (const share of shares) this.#requireAsked(share, head)
    const seat = chain.registry().seatOf(signer.account)
    if (seat === undefined) throw originError(head, { cause: doubt() })
    if (head.slot !== seat.slot) throw originError(head)
    for (const version of new Set(shares.map((share) => share.version))) {
      if (!(await satThere(chain, head, version, options))) throw originError(head, { cause: doubt() })
    }
    this.#requireSigned(head)
    const vouched = shares.map(({ key, version, payload }) => ({
      leaf: { kind: key.kind, nftId: key.nftId, version, payloadHash: sha256(payload) },
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

  #requireAsked({ key, version }: UnverifiedRun['shares'][number], head: VerifiedRun['head']): void {
    const want = this.#outstanding.take(key)
    const newestPossible = this.#party.chain.finalised().number + TOKEN.future
    if (want === undefined || version < want.minimumVersion) throw unaskedError(key)
    // A capsule may have been synced anew meanwhile, by another cluster; a secret never is.
    const isNamedVersion = key.kind === 'secret' || version === want.minimumVersion
    const isOfAnother = isNamedVersion && want.origin !== undefined && want.origin !== head.cluster
    if (version > newestPossible || isOfAnother) throw unaskedError(key, { cause: doubt() })
  }

  #requireSigned(head: VerifiedRun['head']): void {
    const { account, incarnation, cluster, slot, size, root, signature } = head
    const text = [account, incarnation, cluster, slot, size, toHex(root), toHex(signature)].join('/')
    if (this.#checkedHeads.has(text)) return
    const { chain, cryptography = CRYPTOGRAPHY } = this.#party
    verifyHead(chain.genesisHash, head, cryptography.verifySignature)
    if (this.#checkedHeads.size >= REMEMBERED_HEADS) this.#checkedHeads.clear()
    this.#checkedHeads.add(text)
  }
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

function endlessError(): SlotmeshError {
  return new SlotmeshError('share/endless', 'The peer sends batches without end in which there is nothing.')
}

function unaskedError(key: ShareKey, options?: ErrorOptions): SlotmeshError {
  const sentence = `The peer sent ${shareKeyText(key)}, which was not asked for like this.`
  return new SlotmeshError('share/unasked', sentence, options)
}

function originError({ account, cluster, slot }: VerifiedRun['head'], options?: ErrorOptions): SlotmeshError {
  const sentence = `The peer sent shares of ${account}, which did not sit in cluster ${cluster}, slot ${slot}; none was stored.`
  return new SlotmeshError('share/origin', sentence, options)
}

/** The cause where an honest peer can have been misled by the share's own enclave, or sees another block of the chain. */
function doubt(): SlotmeshError {
  return new SlotmeshError('share/doubtful', 'The peer may have taken it in good faith.')
}

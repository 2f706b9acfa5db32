import { pipe } from 'it-pipe'
import { fromHex, toHex } from '../crypto/index.js'
import { type AccountId, bounded, synchronisationBarrier, systemClock } from '../domain/index.js'
import type { Frames } from '../framing/index.js'
import type { Admission } from './admission.js'
import { CRYPTOGRAPHY } from './cryptography.js'
import { decode, helloFrom, readFromRequester } from './messages.js'
import type { Party } from './party.js'
import { attestationRefusal, BARRIER_REFUSALS, RefusalError } from './refusals.js'
import { allowedSuites, type Sealer, strongest } from './sealing.js'
import { Sending } from './sending.js'
import { type Bounds, finish, finishRefused, phase } from './session.js'
import type { ShareSource } from './source.js'
import { checkToken, hasExpired, hasFreshView, issueToken } from './tokens.js'
import { helloDigest, quoteDigest, Transcript } from './transcript.js'
import { checkWants } from './wants.js'
import { ChallengeBody, ProviderMessage, RequestBody, SealedContent } from './wire/share.js'

export interface ServedExchange {
  readonly account: AccountId
  readonly sent: number
}

export interface ServeOptions {
  readonly signal: AbortSignal
  /** Called when the requester has proved that it is this account's enclave, and is genuine. */
  readonly onProved?: (account: AccountId) => void
  /** Called when it was granted what it asks for, so many ms after its Hello had come. */
  readonly onGranted?: (ms: number) => void
}

/**
 * The provider's side of one exchange (SPEC 4).
 *
 * @throws RefusalError when this side refuses (the requester is told which), RefusedError when the requester does,
 * SlotmeshError `share/cut` and `share/oversized`, or the signal's reason. The stream is finished in every case.
 */
export async function serveExchange(
  party: Party,
  shares: ShareSource,
  admission: Admission,
  requesterPeer: Uint8Array,
  frames: Frames,
  options: ServeOptions,
): Promise<ServedExchange> {
  try {
    const served = await exchange(party, shares, admission, requesterPeer, frames, options)
    await finish(frames, { signal: options.signal, clock: party.clock })
    return served
  } catch (thrown) {
    await finishRefused(frames, thrown, (refusal) => ProviderMessage.encode({ refusal }), party.clock)
    throw thrown
  }
}

async function exchange(
  party: Party,
  shares: ShareSource,
  admission: Admission,
  requesterPeer: Uint8Array,
  frames: Frames,
  { signal, onProved, onGranted }: ServeOptions,
): Promise<ServedExchange> {
  const { signer, chain, attestation, clock = systemClock, cryptography = CRYPTOGRAPHY } = party
  const { verifySignature } = cryptography
  const bounds = { signal, clock }
  const transcript = new Transcript({
    genesisHash: chain.genesisHash,
    requesterPeer,
    providerPeer: party.peer,
  })

  // Hello: everything that can be refused cheaply is refused before a signature is checked or a quote is made.
  const helloMessage = await phase('hello', bounds, (options) => readFromRequester(frames, 'hello', options))
  const begun = clock.now()
  const hello = helloFrom(helloMessage.body)
  if (toHex(hello.genesisHash) !== chain.genesisHash) throw new RefusalError('UNKNOWN_CHAIN')
  if (!hasFreshView(chain)) throw new RefusalError('NOT_READY')
  const requester = toHex(hello.account)
  const barrier = synchronisationBarrier(chain.registry(), requester, signer.account)
  if (barrier !== undefined) throw new RefusalError(BARRIER_REFUSALS[barrier])
  const offer = strongest(hello.suites, allowedSuites(party.suites))
  admission.admitHello(requester)
  await checkToken(hello.token, chain, { signal })
  const digest = helloDigest(transcript.add('hello-body', helloMessage.body))
  if (!verifySignature(requester, digest, helloMessage.signature)) throw new RefusalError('BAD_SIGNATURE')
  await bounded({ signals: [signal, frames.ended] }, (waiting) =>
    admission.admitAccount(requester, { signal: waiting }),
  )
  transcript.add('hello-signature', helloMessage.signature)

  // Challenge: this enclave's proof, fresh for this requester.
  using keys = await cryptography.ephemeralKeys(offer.suite)
  const known = await shares.knowledge()
  const token = issueToken(chain)
  // Before a restart the chain may have been read from an endpoint that was further.
  const takenIn = Math.min(known.takenIn, token.blockNumber)
  const newestAsOf = Math.min(known.newestAsOf, takenIn)
  const challenge = ChallengeBody.encode({
    account: fromHex(signer.account),
    nonce: cryptography.nonce(32),
    token,
    suite: keys.suite,
    publicKey: keys.publicKey,
    syncedBlock: newestAsOf,
    takenInBlock: takenIn,
  })
  const ownDigest = quoteDigest('provider', transcript.add('challenge-body', challenge))
  const quote = await phase('handshake', bounds, (options) => attestation.quote(signer.sign(ownDigest), options))
  const challengeHash = transcript.add('challenge-quote', quote)
  await phase('handshake', bounds, (options) =>
    frames.write(ProviderMessage.encode({ challenge: { body: challenge, quote } }), options),
  )

  // Request: is the requester genuine, here and now?
  const request = await phase('handshake', bounds, (options) => readFromRequester(frames, 'request', options))
  const { encapsulatedKey, secrets, capsules } = decode(RequestBody, request.body)
  const lists = { secrets, capsules }
  checkWants(lists)
  const requesterDigest = quoteDigest('requester', transcript.add('request-body', request.body))
  const { reportData } = await attestation.verify(request.quote).catch((thrown: unknown) => {
    throw attestationRefusal(thrown)
  })
  if (!verifySignature(requester, requesterDigest, reportData)) throw new RefusalError('BINDING_MISMATCH')
  onProved?.(requester)
  const finalHash = transcript.add('request-quote', request.quote)

  // Grant, then everything sealed to the requester's enclave alone.
  const preSharedKey = await cryptography.takePreSharedKey(keys, encapsulatedKey, challengeHash)
  const sealer = await cryptography.createSealer(offer, { challengeHash, finalHash, preSharedKey })
  await phase('handshake', bounds, (options) =>
    frames.write(ProviderMessage.encode({ grant: { encapsulatedKey: sealer.encapsulatedKey } }), options),
  )
  onGranted?.(clock.now() - begun)
  // The shares are of the slot that both had when it began: not for one of another slot, though both have moved there.
  const slot = chain.registry().seatOf(signer.account)?.slot
  const mayGoOn = () =>
    hasFreshView(chain) &&
    chain.registry().seatOf(signer.account)?.slot === slot &&
    synchronisationBarrier(chain.registry(), requester, signer.account) === undefined &&
    !hasExpired(hello.token, chain)
  const sending = new Sending(shares, mayGoOn, { newestAsOf, signal })
  await pipe(
    sending.contents(lists),
    (source) => sealedMessages(source, sealer),
    (source) => writeAll(frames, source, bounds),
  )
  return { account: requester, sent: sending.sent }
}

async function* sealedMessages(source: AsyncIterable<SealedContent>, sealer: Sealer): AsyncGenerator<Uint8Array> {
  for await (const content of source) {
    const ciphertext = await sealer.seal(SealedContent.encode(content))
    yield ProviderMessage.encode({ sealed: { ciphertext } })
  }
}

async function writeAll(frames: Frames, messages: AsyncIterable<Uint8Array>, bounds: Bounds): Promise<void> {
  for await (const message of messages) await phase('batch', bounds, (options) => frames.write(message, options))
}

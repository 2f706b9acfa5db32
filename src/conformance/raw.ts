import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import * as varint from 'uint8-varint'
import { type AccountSigner, fromHex } from '../crypto/index.js'
import { type BlockHash, bounded, messageOf, SlotmeshError } from '../domain/index.js'
import type { Refusal } from '../share/index.js'
import {
  ChallengeBody,
  createOpener,
  createSealer,
  type EphemeralKeys,
  ephemeralKeys,
  Frames,
  HelloBody,
  helloDigest,
  isRefusal,
  type Opener,
  offerPreSharedKey,
  ProviderMessage,
  quoteDigest,
  RefusalCode,
  RequestBody,
  RequesterMessage,
  SealedContent,
  type Sealer,
  SUITE_X25519,
  SUITES,
  type Suite,
  type SuiteKey,
  type Token,
  Transcript,
  takePreSharedKey,
  type WantLists,
} from '../share/raw/index.js'
import { Deviation, PeerBusy } from './deviation.js'

/*
 * Both sides of the protocol taken apart into their messages, so that a case can lie in any one of them, leave one out
 * or cut it short. Left alone they follow the protocol.
 */

/** Who speaks. */
export interface RawParty {
  readonly signer: AccountSigner
  readonly genesisHash: BlockHash
  /** The multihash of the PeerId that the stream is of. */
  readonly peer: Uint8Array
  token(): Token
  quote(reportData: Uint8Array): Promise<Uint8Array>
}

/** What the other side did next. */
export type Answer<Message> =
  | { readonly type: 'message'; readonly message: Message; readonly bytes: Uint8Array }
  | { readonly type: 'refusal'; readonly code: Refusal; readonly sentence: string; readonly retryAfterMs: number }
  /** It ended its side between two messages. */
  | { readonly type: 'closed' }
  | { readonly type: 'reset' }
  /** It did nothing while it was waited for. */
  | { readonly type: 'silence' }

/** What a raw side changes: fields before the body is encoded, the bytes after they were signed or quoted. */
export interface Lies<Body> {
  readonly body?: Partial<Body>
  readonly signer?: AccountSigner
  /** The bytes of the body, from which everything else follows, where encoding cannot give them. */
  readonly encoded?: (body: Uint8Array) => Uint8Array
  /** Alters the body after it went into the signature or the quote. */
  readonly afterwards?: (body: Uint8Array) => Uint8Array
  /** In place of the digest that is signed. */
  readonly digest?: (right: Uint8Array) => Uint8Array
  /** Another quote (or, in Hello, signature) than the right one. */
  readonly proof?: (right: Uint8Array, digest: Uint8Array) => Uint8Array | Promise<Uint8Array>
  /** Appended to the whole message. */
  readonly trailer?: Uint8Array
  /** In Hello the suites offered, in Challenge the one chosen; suite 1 by default, which everyone implements. */
  readonly suites?: readonly Suite[]
}

/** Longest message that a peer may send, and what lies above it. */
const READ_LIMIT = 3 * 1024 * 1024

abstract class RawSide<Message extends { refusal?: { code: RefusalCode; sentence: string; retryAfterMs: number } }> {
  readonly party: RawParty
  readonly stream: Stream
  readonly transcript: Transcript
  readonly #frames: Frames
  #signal: AbortSignal

  constructor(
    party: RawParty,
    stream: Stream,
    peers: { requesterPeer: Uint8Array; providerPeer: Uint8Array },
    signal: AbortSignal,
  ) {
    this.party = party
    this.stream = stream
    this.#frames = new Frames(stream)
    this.#signal = signal
    this.transcript = new Transcript({ genesisHash: party.genesisHash, ...peers })
  }

  protected abstract decode(bytes: Uint8Array): Message

  /** Every wait from now on ends when this signal aborts. */
  limit(signal: AbortSignal): void {
    this.#signal = signal
  }

  /** What the other side does next. @throws Deviation when it sends what cannot be decoded. */
  async answer(timeoutMs?: number): Promise<Answer<Message>> {
    let bytes: Uint8Array | undefined
    try {
      const bounds = { signals: [this.#signal], ...(timeoutMs !== undefined && { timeoutMs }) }
      bytes = await bounded(bounds, (signal) => this.#frames.read(READ_LIMIT, { signal }))
    } catch (thrown) {
      this.#signal.throwIfAborted()
      if (thrown instanceof SlotmeshError && thrown.code === 'share/cut') return { type: 'reset' }
      if (thrown instanceof Error && thrown.name === 'TimeoutError') return { type: 'silence' }
      if (thrown instanceof SlotmeshError) throw new Deviation(`it sent a message that is far too long`)
      throw thrown
    }
    if (bytes === undefined) return { type: 'closed' }
    let message: Message
    try {
      message = this.decode(bytes)
    } catch (thrown) {
      throw new Deviation(`it sent a message that cannot be decoded: ${messageOf(thrown)}`)
    }
    if (message.refusal === undefined) return { type: 'message', message, bytes }
    const { code, sentence, retryAfterMs } = message.refusal
    if (!isRefusal(code)) throw new Deviation(`it sent a Refusal of code ${code}`)
    return { type: 'refusal', code, sentence, retryAfterMs }
  }

  /** The next message. @throws Deviation when something else comes; PeerBusy when it is refused so. */
  async message(): Promise<{ message: Message; bytes: Uint8Array }> {
    const answer = await this.answer()
    if (answer.type === 'message') return answer
    if (answer.type === 'refusal' && answer.code === 'BUSY') throw new PeerBusy(answer.retryAfterMs)
    throw new Deviation(`${describeAnswer(answer)} where a message was due`)
  }

  /** A message behind its length. */
  async send(message: Uint8Array): Promise<void> {
    try {
      await this.#frames.write(message, { signal: this.#signal })
    } catch (thrown) {
      this.#signal.throwIfAborted()
      // The other side has ended the stream already: what it does is read next.
      if (!(thrown instanceof SlotmeshError && thrown.code === 'share/cut')) throw thrown
    }
  }

  /** Bytes as they are. */
  sendBytes(bytes: Uint8Array): void {
    if (this.stream.writeStatus === 'writable') this.stream.send(bytes)
  }

  /** The length of a message that is not sent. */
  announce(length: number): void {
    this.sendBytes(varint.encode(length))
  }

  /** Ends this side only. */
  async close(): Promise<void> {
    await this.stream.close({ signal: this.#signal })
  }

  abort(): void {
    this.stream.abort(new Error('the case is over'))
  }
}

export class RawRequester extends RawSide<ProviderMessage> {
  readonly #keys = new Map<number, EphemeralKeys>()
  #challenge: ChallengeBody | undefined
  #challengeHash = new Uint8Array()
  #finalHash = new Uint8Array()
  #preSharedKey = new Uint8Array()
  #opener: Opener | undefined

  protected decode(bytes: Uint8Array): ProviderMessage {
    return ProviderMessage.decode(bytes)
  }

  async keys(suite: Suite = SUITE_X25519): Promise<EphemeralKeys> {
    const keys = this.#keys.get(suite) ?? (await ephemeralKeys(suite))
    this.#keys.set(suite, keys)
    return keys
  }

  /** The encoded message, and all that the transcript needs of it. */
  async helloMessage(lies: Lies<HelloBody> = {}): Promise<Uint8Array> {
    const { genesisHash, signer } = this.party
    const { suites = [SUITE_X25519] } = lies
    const right = HelloBody.encode({
      genesisHash: fromHex(genesisHash),
      account: fromHex((lies.signer ?? signer).account),
      nonce: new Uint8Array(randomBytes(32)),
      token: this.party.token(),
      suites: await Promise.all(suites.map((suite) => this.keys(suite))),
      ...lies.body,
    })
    const body = lies.encoded?.(right) ?? right
    const digest = helloDigest(this.transcript.add('hello-body', body))
    const rightSignature = (lies.signer ?? signer).sign(lies.digest?.(digest) ?? digest)
    const signature = (await lies.proof?.(rightSignature, digest)) ?? rightSignature
    this.transcript.add('hello-signature', signature)
    const message = RequesterMessage.encode({ hello: { body: lies.afterwards?.(body) ?? body, signature } })
    return joined(message, lies.trailer)
  }

  async hello(lies: Lies<HelloBody> = {}): Promise<void> {
    await this.send(await this.helloMessage(lies))
  }

  /** @throws Deviation when something else comes. */
  async challenge(): Promise<{ body: ChallengeBody; quote: Uint8Array; digest: Uint8Array }> {
    const { message, bytes } = await this.message()
    if (bytes.length > 20_480) throw new Deviation(`its Challenge has ${bytes.length} bytes`)
    return this.takeChallenge(message)
  }

  /** Goes on with a message that was read already. @throws Deviation when it is something else. */
  takeChallenge(message: ProviderMessage): { body: ChallengeBody; quote: Uint8Array; digest: Uint8Array } {
    const { challenge } = message
    if (challenge === undefined) throw new Deviation(`${nameOf(message)} came where a Challenge was due`)
    const digest = quoteDigest('provider', this.transcript.add('challenge-body', challenge.body))
    this.#challengeHash = new Uint8Array(this.transcript.add('challenge-quote', challenge.quote))
    this.#challenge = ChallengeBody.decode(challenge.body)
    return { body: this.#challenge, quote: challenge.quote, digest }
  }

  /** @param lies `encoded` gets the right body and gives the one to be sent; the transcript takes that. */
  async request(lists: Partial<WantLists>, lies: Lies<RequestBody> & { role?: 'provider' } = {}): Promise<void> {
    if (this.#challenge === undefined) throw new Error('There was no Challenge.')
    const { suite, publicKey } = this.#challenge
    const offered = await offerPreSharedKey({ suite: knownSuite(suite), publicKey }, this.#challengeHash)
    this.#preSharedKey = new Uint8Array(offered.preSharedKey)
    const rightBody = RequestBody.encode({
      encapsulatedKey: offered.encapsulatedKey,
      secrets: new Uint8Array(),
      capsules: new Uint8Array(),
      ...lists,
      ...lies.body,
    })
    const body = lies.encoded?.(rightBody) ?? rightBody
    const digest = quoteDigest(lies.role ?? 'requester', this.transcript.add('request-body', body))
    const right = await this.party.quote((lies.signer ?? this.party.signer).sign(lies.digest?.(digest) ?? digest))
    const quote = (await lies.proof?.(right, digest)) ?? right
    this.#finalHash = new Uint8Array(this.transcript.add('request-quote', quote))
    const message = RequesterMessage.encode({ request: { body: lies.afterwards?.(body) ?? body, quote } })
    await this.send(joined(message, lies.trailer))
  }

  /** @throws Deviation when something else comes, or a key that is none. */
  async grant(): Promise<void> {
    const { message } = await this.message()
    const { grant } = message
    if (grant === undefined) throw new Deviation(`${nameOf(message)} came where a Grant was due`)
    try {
      const keys = await this.keys(knownSuite(this.#challenge?.suite ?? SUITE_X25519))
      this.#opener = await createOpener(keys, grant.encapsulatedKey, {
        challengeHash: this.#challengeHash,
        finalHash: this.#finalHash,
        preSharedKey: this.#preSharedKey,
      })
    } catch (thrown) {
      throw new Deviation(`its Grant holds no key: ${messageOf(thrown)}`)
    }
  }

  /** @throws Deviation when something else comes, or what does not open as the next message. */
  async sealed(): Promise<SealedContent & { bytes: Uint8Array }> {
    const { message, bytes } = await this.message()
    const { sealed } = message
    if (sealed === undefined) throw new Deviation(`${nameOf(message)} came where a Sealed was due`)
    if (this.#opener === undefined) throw new Error('There was no Grant.')
    try {
      return { ...SealedContent.decode(await this.#opener.open(sealed.ciphertext)), bytes }
    } catch (thrown) {
      throw new Deviation(`a Sealed message does not open: ${messageOf(thrown)}`)
    }
  }
}

export class RawProvider extends RawSide<RequesterMessage> {
  #keys: EphemeralKeys | undefined
  #offers: readonly SuiteKey[] = []
  #challengeHash = new Uint8Array()
  #finalHash = new Uint8Array()
  #encapsulatedKey = new Uint8Array()
  #sealer: Sealer | undefined

  protected decode(bytes: Uint8Array): RequesterMessage {
    return RequesterMessage.decode(bytes)
  }

  /** Of one suite in an exchange. */
  async keys(suite: Suite = SUITE_X25519): Promise<EphemeralKeys> {
    this.#keys ??= await ephemeralKeys(suite)
    return this.#keys
  }

  /** @throws Deviation when something else comes. */
  async hello(): Promise<{ body: HelloBody; signature: Uint8Array; digest: Uint8Array; bytes: Uint8Array }> {
    const { message, bytes } = await this.message()
    const { hello } = message
    if (hello === undefined) throw new Deviation(`${nameOf(message)} came where a Hello was due`)
    const digest = helloDigest(this.transcript.add('hello-body', hello.body))
    this.transcript.add('hello-signature', hello.signature)
    const body = HelloBody.decode(hello.body)
    this.#offers = body.suites
    return { body, signature: hello.signature, digest, bytes }
  }

  async challengeMessage(lies: Lies<ChallengeBody> & { role?: 'requester' } = {}): Promise<Uint8Array> {
    const { signer } = this.party
    const { suite, publicKey } = await this.keys(lies.suites?.[0])
    const right = ChallengeBody.encode({
      account: fromHex(signer.account),
      nonce: new Uint8Array(randomBytes(32)),
      token: this.party.token(),
      suite,
      publicKey,
      syncedBlock: 0,
      takenInBlock: 0,
      ...lies.body,
    })
    const body = lies.encoded?.(right) ?? right
    const digest = quoteDigest(lies.role ?? 'provider', this.transcript.add('challenge-body', body))
    const rightQuote = await this.party.quote((lies.signer ?? signer).sign(lies.digest?.(digest) ?? digest))
    const quote = (await lies.proof?.(rightQuote, digest)) ?? rightQuote
    this.#challengeHash = new Uint8Array(this.transcript.add('challenge-quote', quote))
    const message = ProviderMessage.encode({ challenge: { body: lies.afterwards?.(body) ?? body, quote } })
    return joined(message, lies.trailer)
  }

  async challenge(lies: Lies<ChallengeBody> & { role?: 'requester' } = {}): Promise<void> {
    await this.send(await this.challengeMessage(lies))
  }

  /** @throws Deviation when something else comes. */
  async request(): Promise<{ body: RequestBody; quote: Uint8Array; digest: Uint8Array; bytes: Uint8Array }> {
    const { message, bytes } = await this.message()
    const { request } = message
    if (request === undefined) throw new Deviation(`${nameOf(message)} came where a Request was due`)
    const digest = quoteDigest('requester', this.transcript.add('request-body', request.body))
    this.#finalHash = new Uint8Array(this.transcript.add('request-quote', request.quote))
    const body = RequestBody.decode(request.body)
    this.#encapsulatedKey = new Uint8Array(body.encapsulatedKey)
    return { body, quote: request.quote, digest, bytes }
  }

  async sendGrant(encapsulatedKey: Uint8Array): Promise<void> {
    await this.send(ProviderMessage.encode({ grant: { encapsulatedKey } }))
  }

  async sendCiphertext(ciphertext: Uint8Array): Promise<void> {
    await this.send(ProviderMessage.encode({ sealed: { ciphertext } }))
  }

  /** A Sealed message that is not sealed. */
  async sendPlain(content: SealedContent): Promise<void> {
    await this.sendCiphertext(SealedContent.encode(content))
  }

  async refuse(code: Refusal, sentence = '', retryAfterMs = 0): Promise<void> {
    await this.send(ProviderMessage.encode({ refusal: { code: RefusalCode[code], sentence, retryAfterMs } }))
    await this.close()
  }

  /** @param lies a pre-shared key in place of the one that only the two enclaves can know. */
  async grant(lies: { preSharedKey?: Uint8Array; encapsulatedKey?: Uint8Array } = {}): Promise<void> {
    const keys = await this.keys()
    const { suite } = keys
    const offer = this.#offers.find((each) => each.suite === suite)
    if (offer === undefined) throw new Deviation(`it does not offer suite ${suite}`)
    this.#sealer = await judgedLater('the keys in its Hello and Request are none', async () => {
      const right = await takePreSharedKey(keys, this.#encapsulatedKey, this.#challengeHash)
      return createSealer(
        { suite, publicKey: offer.publicKey },
        {
          challengeHash: this.#challengeHash,
          finalHash: this.#finalHash,
          preSharedKey: lies.preSharedKey ?? right,
        },
      )
    })
    const encapsulatedKey = lies.encapsulatedKey ?? this.#sealer.encapsulatedKey
    await this.send(ProviderMessage.encode({ grant: { encapsulatedKey } }))
  }

  /** A Sealed message that is yet to be sent, of any plaintext. */
  async seal(content: SealedContent | Uint8Array): Promise<Uint8Array> {
    if (this.#sealer === undefined) throw new Error('There was no Grant.')
    const plaintext = content instanceof Uint8Array ? content : SealedContent.encode(content)
    return ProviderMessage.encode({ sealed: { ciphertext: await this.#sealer.seal(plaintext) } })
  }

  async sendSealed(content: SealedContent | Uint8Array): Promise<void> {
    await this.send(await this.seal(content))
  }
}

function knownSuite(suite: number): Suite {
  const found = SUITES.find((each) => each === suite)
  if (found === undefined) throw new Deviation(`its Challenge is in suite ${suite}, which was not offered`)
  return found
}

async function judgedLater<T>(what: string, judge: () => Promise<T>): Promise<T> {
  try {
    return await judge()
  } catch (thrown) {
    throw new Deviation(`${what}: ${messageOf(thrown)}`)
  }
}

/** As it stands in a sentence. */
export function describeAnswer(answer: Answer<object>): string {
  switch (answer.type) {
    case 'message':
      return nameOf(answer.message)
    case 'refusal':
      return `Refusal ${answer.code}`
    case 'closed':
      return 'the end of its side'
    case 'reset':
      return 'a reset'
    case 'silence':
      return 'nothing'
  }
}

function nameOf(message: object): string {
  const [kind = 'an empty message'] = Object.entries(message).flatMap(([name, value]) => (value ? [name] : []))
  return kind === 'an empty message' ? kind : `a ${kind[0]?.toUpperCase()}${kind.slice(1)}`
}

function joined(message: Uint8Array, trailer: Uint8Array | undefined): Uint8Array {
  return trailer === undefined ? message : new Uint8Array(Buffer.concat([message, trailer]))
}

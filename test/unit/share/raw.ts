import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import * as varint from 'uint8-varint'
import { type AccountSigner, fromHex } from '../../../src/crypto/index.js'
import { Frames } from '../../../src/framing/index.js'
import type { Party } from '../../../src/share/party.js'
import { SUITE_X25519, type Suite } from '../../../src/share/protocol.js'
import {
  createOpener,
  createSealer,
  type EphemeralKeys,
  ephemeralKeys,
  type Opener,
  offerPreSharedKey,
  type Sealer,
  takePreSharedKey,
} from '../../../src/share/sealing.js'
import { issueToken } from '../../../src/share/tokens.js'
import { helloDigest, quoteDigest, Transcript } from '../../../src/share/transcript.js'
import { type OpenWant, Outstanding, type WantedShare } from '../../../src/share/wants.js'
import {
  ChallengeBody,
  HelloBody,
  ProviderMessage,
  RequestBody,
  RequesterMessage,
  SealedContent,
} from '../../../src/share/wire/share.js'
import { soon } from './fixture.js'

/*
 * Both sides of the protocol taken apart into their messages, so that a test can lie in any one of them. Left alone
 * they follow the protocol.
 */

interface Peers {
  readonly requesterPeer: Uint8Array
  readonly providerPeer: Uint8Array
}

/** What a raw side changes: fields before the body is encoded, the bytes after they were signed or quoted. */
interface Lies<Body> {
  readonly body?: Partial<Body>
  readonly signer?: AccountSigner
  /** Alters the encoded body before it goes into the signature or the quote. */
  readonly before?: (body: Uint8Array) => Uint8Array
  /** Alters the encoded body after it went into the signature or the quote. */
  readonly afterwards?: (body: Uint8Array) => Uint8Array
  /** Another quote (or, in Hello, signature) than the right one, which it is given. */
  readonly proof?: (right: Uint8Array, digest: Uint8Array) => Uint8Array | Promise<Uint8Array>
}

/** A row of varints, as want lists and id lists are. */
export function row(...numbers: number[]): Uint8Array {
  return Uint8Array.from(numbers.flatMap((number) => [...varint.encode(number)]))
}

abstract class RawSide {
  readonly frames: Frames
  readonly transcript: Transcript
  protected readonly party: Party
  /** The one suite that this side knows. */
  suite: Suite = SUITE_X25519
  #keys: EphemeralKeys | undefined

  constructor(party: Party, stream: Stream, peers: Peers) {
    this.party = party
    this.frames = new Frames(stream)
    this.transcript = new Transcript({ genesisHash: party.chain.genesisHash, ...peers })
  }

  async keys(): Promise<EphemeralKeys> {
    this.#keys ??= await ephemeralKeys(this.suite)
    return this.#keys
  }

  /** The next message's bytes, or undefined when the other side has ended the stream. */
  protected async receive(): Promise<Uint8Array | undefined> {
    return this.frames.read(1024 * 1024, { signal: soon() })
  }

  async send(bytes: Uint8Array): Promise<void> {
    await this.frames.write(bytes, { signal: soon() })
  }

  async close(): Promise<void> {
    await this.frames.close({ signal: soon(), lingerMs: 10_000 })
  }
}

export class RawRequester extends RawSide {
  #challengeHash = new Uint8Array()
  #finalHash = new Uint8Array()
  #preSharedKey = new Uint8Array()
  #providerKey = new Uint8Array()
  #opener: Opener | undefined

  async next(): Promise<ProviderMessage> {
    const bytes = await this.receive()
    return bytes === undefined ? {} : ProviderMessage.decode(bytes)
  }

  async hello(lies: Lies<HelloBody> = {}): Promise<void> {
    const { chain, signer } = this.party
    const encoded = HelloBody.encode({
      genesisHash: fromHex(chain.genesisHash),
      account: fromHex(signer.account),
      nonce: new Uint8Array(randomBytes(32)),
      token: issueToken(chain),
      suites: [await this.keys()],
      ...lies.body,
    })
    const body = lies.before?.(encoded) ?? encoded
    const digest = helloDigest(this.transcript.add('hello-body', body))
    const right = (lies.signer ?? signer).sign(digest)
    const signature = (await lies.proof?.(right, digest)) ?? right
    this.transcript.add('hello-signature', signature)
    await this.send(RequesterMessage.encode({ hello: { body: lies.afterwards?.(body) ?? body, signature } }))
  }

  async challenge(): Promise<{ body: ChallengeBody; quote: Uint8Array }> {
    const { challenge } = await this.next()
    if (challenge === undefined) throw new Error('expected a Challenge')
    this.transcript.add('challenge-body', challenge.body)
    this.#challengeHash = new Uint8Array(this.transcript.add('challenge-quote', challenge.quote))
    const body = ChallengeBody.decode(challenge.body)
    this.#providerKey = new Uint8Array(body.publicKey)
    return { body, quote: challenge.quote }
  }

  async request(wants: readonly WantedShare[], lies: Lies<RequestBody> = {}, open?: OpenWant[]): Promise<void> {
    const { lists } = new Outstanding(wants, open)
    const offered = await offerPreSharedKey({ suite: this.suite, publicKey: this.#providerKey }, this.#challengeHash)
    this.#preSharedKey = new Uint8Array(offered.preSharedKey)
    const encoded = RequestBody.encode({ encapsulatedKey: offered.encapsulatedKey, ...lists, ...lies.body })
    const body = lies.before?.(encoded) ?? encoded
    const digest = quoteDigest('requester', this.transcript.add('request-body', body))
    const right = await this.party.attestation.quote((lies.signer ?? this.party.signer).sign(digest), {
      signal: soon(),
    })
    const quote = (await lies.proof?.(right, digest)) ?? right
    this.#finalHash = new Uint8Array(this.transcript.add('request-quote', quote))
    await this.send(RequesterMessage.encode({ request: { body: lies.afterwards?.(body) ?? body, quote } }))
  }

  async sealed(): Promise<SealedContent> {
    if (this.#opener === undefined) {
      const { grant } = await this.next()
      if (grant === undefined) throw new Error('expected a Grant')
      this.#opener = await createOpener(await this.keys(), grant.encapsulatedKey, {
        challengeHash: this.#challengeHash,
        finalHash: this.#finalHash,
        preSharedKey: this.#preSharedKey,
      })
    }
    const { sealed } = await this.next()
    if (sealed === undefined) throw new Error('expected a Sealed')
    return SealedContent.decode(await this.#opener.open(sealed.ciphertext))
  }
}

export class RawProvider extends RawSide {
  #challengeHash = new Uint8Array()
  #finalHash = new Uint8Array()
  #requesterKey = new Uint8Array()
  #encapsulatedKey = new Uint8Array()
  #sealer: Sealer | undefined

  async next(): Promise<RequesterMessage> {
    const bytes = await this.receive()
    return bytes === undefined ? {} : RequesterMessage.decode(bytes)
  }

  async hello(): Promise<HelloBody> {
    const { hello } = await this.next()
    if (hello === undefined) throw new Error('expected a Hello')
    this.transcript.add('hello-body', hello.body)
    this.transcript.add('hello-signature', hello.signature)
    const body = HelloBody.decode(hello.body)
    this.#requesterKey = new Uint8Array(body.suites.find(({ suite }) => suite === this.suite)?.publicKey ?? [])
    return body
  }

  async challenge(lies: Lies<ChallengeBody> & { role?: 'requester' } = {}): Promise<void> {
    const { chain, signer, attestation } = this.party
    const encoded = ChallengeBody.encode({
      account: fromHex(signer.account),
      nonce: new Uint8Array(randomBytes(32)),
      token: issueToken(chain),
      suite: this.suite,
      publicKey: (await this.keys()).publicKey,
      syncedBlock: 90,
      takenInBlock: 95,
      ...lies.body,
    })
    const body = lies.before?.(encoded) ?? encoded
    const digest = quoteDigest(lies.role ?? 'provider', this.transcript.add('challenge-body', body))
    const right = await attestation.quote((lies.signer ?? signer).sign(digest), { signal: soon() })
    const quote = (await lies.proof?.(right, digest)) ?? right
    this.#challengeHash = new Uint8Array(this.transcript.add('challenge-quote', quote))
    await this.send(ProviderMessage.encode({ challenge: { body: lies.afterwards?.(body) ?? body, quote } }))
  }

  async request(): Promise<RequestBody> {
    const { request } = await this.next()
    if (request === undefined) throw new Error('expected a Request')
    this.transcript.add('request-body', request.body)
    this.#finalHash = new Uint8Array(this.transcript.add('request-quote', request.quote))
    const body = RequestBody.decode(request.body)
    this.#encapsulatedKey = new Uint8Array(body.encapsulatedKey)
    return body
  }

  /** @param preSharedKey in place of the one that only the two enclaves can know. */
  async grant(lies: { preSharedKey?: Uint8Array; encapsulatedKey?: Uint8Array } = {}): Promise<void> {
    const right = await takePreSharedKey(await this.keys(), this.#encapsulatedKey, this.#challengeHash)
    this.#sealer = await createSealer(
      { suite: this.suite, publicKey: this.#requesterKey },
      {
        challengeHash: this.#challengeHash,
        finalHash: this.#finalHash,
        preSharedKey: lies.preSharedKey ?? right,
      },
    )
    const encapsulatedKey = lies.encapsulatedKey ?? this.#sealer.encapsulatedKey
    await this.send(ProviderMessage.encode({ grant: { encapsulatedKey } }))
  }

  /** A Sealed message that is yet to be sent. @param alter changes what is in it before it is sealed. */
  async seal(content: SealedContent, alter = (bytes: Uint8Array) => bytes): Promise<Uint8Array> {
    if (this.#sealer === undefined) throw new Error('no Grant was sent')
    const ciphertext = await this.#sealer.seal(alter(SealedContent.encode(content)))
    return ProviderMessage.encode({ sealed: { ciphertext } })
  }

  async sendSealed(content: SealedContent): Promise<void> {
    await this.send(await this.seal(content))
  }

  /** Hello to Grant, without a lie. */
  async handshake(): Promise<void> {
    await this.hello()
    await this.challenge()
    await this.request()
    await this.grant()
  }
}

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { accountSigner, fromHex, toHex, verifySignature } from '../../../src/crypto/index.js'
import { SlotmeshError } from '../../../src/domain/index.js'
import { Frames } from '../../../src/framing/index.js'
import type { Attestation, Party } from '../../../src/share/party.js'
import type { Suite } from '../../../src/share/protocol.js'
import { serveExchange } from '../../../src/share/provider.js'
import { type Refusal, RefusalError, RefusedError } from '../../../src/share/refusals.js'
import { requestShares } from '../../../src/share/requester.js'
import { issueToken } from '../../../src/share/tokens.js'
import { helloDigest, quoteDigest, Transcript } from '../../../src/share/transcript.js'
import {
  ChallengeBody,
  HelloBody,
  ProviderMessage,
  RefusalCode,
  RequesterMessage,
} from '../../../src/share/wire/share.js'
import { connectedStreams, MemoryShares, secret, soon } from '../share/fixture.js'
import { chainFrom, vectorsOf } from './vectors.js'

const hello = vectorsOf('share/1/vectors/hello.json')
const signerOf = (seed: string) => accountSigner(fromHex(seed))
const [requester, provider] = [signerOf(hello.seeds.requester), signerOf(hello.seeds.provider)]
const requesterPeer = fromHex(hello.requesterPeer)
const providerPeer = fromHex(hello.providerPeer)

/** Makes any quotes; what verifying one tells is for the vector to say. */
function attestation(verify: () => Uint8Array = () => new Uint8Array(64)): Attestation {
  return { quote: async () => randomBytes(100), verify: async () => ({ reportData: verify() }) }
}

/** What refuses a quote in the way that the peer is then told. */
const FAILURES: Partial<Record<Refusal, string>> = {
  QUOTE_INVALID: 'attestation/quote-invalid',
  TCB_BELOW_POLICY: 'attestation/tcb-below-policy',
  MEASUREMENT_NOT_ALLOWED: 'attestation/measurement-not-allowed',
  DEBUG_ENCLAVE: 'attestation/debug-enclave',
  NOT_READY: 'attestation/collateral-unavailable',
}

type Verification = { readonly reportData: string } | { readonly refusal: Refusal }

/**
 * What verifying the quote tells. As the code under test puts fresh keys and nonces into its part of the exchange,
 * report data that are right in the vector are made right for this exchange.
 */
function verified(verification: Verification | undefined, isRight: boolean, live: () => Uint8Array): Uint8Array {
  if (verification === undefined) return assert.fail('no quote was to be verified')
  if ('reportData' in verification) return isRight ? live() : fromHex(verification.reportData)
  throw new SlotmeshError(FAILURES[verification.refusal] ?? '', 'The quote is refused.')
}

function binds(
  role: 'provider' | 'requester',
  account: typeof hello.providerAccount,
  transcriptHash: string | undefined,
  verification: Verification | undefined,
): boolean {
  if (transcriptHash === undefined || verification === undefined || !('reportData' in verification)) return false
  const digest = quoteDigest(role, fromHex(transcriptHash))
  return verifySignature(account, digest, fromHex(verification.reportData))
}

const refusing = (code: RefusalCode): string => RefusalCode[code] ?? assert.fail('no such code')

/** The other side of the stream, as far as these tests act it. */
class Peer<M extends { refusal?: { code: RefusalCode } }> {
  readonly #frames: Frames
  readonly #codec: { decode(bytes: Uint8Array): M }

  constructor(frames: Frames, codec: { decode(bytes: Uint8Array): M }) {
    this.#frames = frames
    this.#codec = codec
  }

  send(message: Uint8Array): Promise<void> {
    return this.#frames.write(message, { signal: soon() })
  }

  async next(): Promise<M | undefined> {
    const bytes = await this.#frames.read(1024 * 1024, { signal: soon() })
    return bytes && this.#codec.decode(bytes)
  }

  /** What comes next, in the words of the vectors. */
  async outcome(): Promise<{ outcome: string; message: M | undefined }> {
    const message = await this.next()
    if (message === undefined) return { outcome: 'closed', message }
    return { outcome: message.refusal === undefined ? 'accepted' : refusing(message.refusal.code), message }
  }

  gone(): void {
    this.#frames.abort(new Error('the test has seen enough'))
  }
}

/** Whichever way the side under test ended, the test has seen what it sent. */
async function ended(exchange: Promise<unknown>): Promise<void> {
  await exchange.catch((thrown: unknown) => {
    const isExpected = thrown instanceof RefusalError || thrown instanceof RefusedError
    assert.ok(isExpected || (thrown instanceof SlotmeshError && thrown.code === 'share/cut'), String(thrown))
  })
}

async function serving(party: Party): Promise<{ peer: Peer<ProviderMessage>; exchange: Promise<void> }> {
  const [near, far] = await connectedStreams()
  const admission = { admitHello: () => undefined, admitAccount: async () => undefined }
  const served = serveExchange(party, new MemoryShares([]), admission, requesterPeer, new Frames(far), {
    signal: soon(),
  })
  return { peer: new Peer(new Frames(near), ProviderMessage), exchange: ended(served) }
}

describe('the test vectors of Hello', () => {
  for (const { name, clause, message, T1, world, outcome, suite } of hello.cases) {
    it(`${clause}, ${name}: ${outcome}`, async () => {
      const { suites, ...view } = { ...hello.world, ...world }
      const party: Party = {
        signer: provider,
        peer: providerPeer,
        chain: chainFrom(hello, view),
        attestation: attestation(),
        suites: suites as readonly Suite[],
      }
      const { peer, exchange } = await serving(party)
      await peer.send(fromHex(message))
      const answer = await peer.outcome()
      peer.gone()
      await exchange
      assert.equal(answer.outcome, outcome)
      if (outcome === 'accepted') {
        assert.equal(ChallengeBody.decode(answer.message?.challenge?.body ?? new Uint8Array()).suite, suite)
      }
      if (T1 === undefined) return
      const transcript = new Transcript({ genesisHash: hello.genesisHash, requesterPeer, providerPeer })
      const { body } = RequesterMessage.decode(fromHex(message)).hello ?? assert.fail()
      assert.equal(toHex(transcript.add('hello-body', body)), T1)
    })
  }
})

describe('the test vectors of Challenge', () => {
  const vectors = vectorsOf('share/1/vectors/challenge.json')

  for (const { name, clause, message, T3, verification, world, outcome } of vectors.cases) {
    it(`${clause}, ${name}: ${outcome}`, async () => {
      const isRight = binds('provider', provider.account, T3, verification)
      if (outcome === 'accepted') assert.ok(isRight)
      const { suites, ...view } = { ...vectors.world, ...world }
      let liveT3 = new Uint8Array()
      const party: Party = {
        signer: requester,
        peer: requesterPeer,
        chain: chainFrom(vectors, view),
        attestation: attestation(() =>
          verified(verification, isRight, () => provider.sign(quoteDigest('provider', liveT3))),
        ),
        suites: suites as readonly Suite[],
      }
      const [near, far] = await connectedStreams()
      const exchange = ended(
        requestShares(party, { peer: providerPeer, account: provider.account }, new Frames(near), {
          wants: [{ key: secret(5), minimumVersion: 0 }],
          onRun: async () => undefined,
          signal: soon(),
        }),
      )
      const peer = new Peer(new Frames(far), RequesterMessage)
      const greeting = (await peer.next())?.hello ?? assert.fail('expected a Hello')
      const transcript = new Transcript({ genesisHash: vectors.genesisHash, requesterPeer, providerPeer })
      transcript.add('hello-body', greeting.body)
      transcript.add('hello-signature', greeting.signature)
      const body = T3 === undefined ? undefined : ProviderMessage.decode(fromHex(message)).challenge?.body
      if (body !== undefined) liveT3 = new Uint8Array(transcript.add('challenge-body', body))
      await peer.send(fromHex(message))
      const answer = await peer.outcome()
      peer.gone()
      await exchange
      assert.equal(answer.outcome, outcome)
    })
  }
})

describe('the test vectors of Request', () => {
  const vectors = vectorsOf('share/1/vectors/request.json')

  for (const { name, clause, suite, offeredKey, message, T5, verification, outcome } of vectors.cases) {
    it(`${clause}, ${name}: ${outcome}`, async () => {
      const isRight = binds('requester', requester.account, T5, verification)
      if (outcome === 'accepted') assert.ok(isRight)
      let liveT5 = new Uint8Array()
      const chain = chainFrom(hello, hello.world)
      const party: Party = {
        signer: provider,
        peer: providerPeer,
        chain,
        attestation: attestation(() =>
          verified(verification, isRight, () => requester.sign(quoteDigest('requester', liveT5))),
        ),
      }
      const { peer, exchange } = await serving(party)
      const transcript = new Transcript({ genesisHash: hello.genesisHash, requesterPeer, providerPeer })
      const body = HelloBody.encode({
        genesisHash: fromHex(hello.genesisHash),
        account: fromHex(requester.account),
        nonce: new Uint8Array(randomBytes(32)),
        token: issueToken(chain),
        suites: [{ suite, publicKey: fromHex(offeredKey) }],
      })
      const signature = requester.sign(helloDigest(transcript.add('hello-body', body)))
      transcript.add('hello-signature', signature)
      await peer.send(RequesterMessage.encode({ hello: { body, signature } }))
      const challenge = (await peer.next())?.challenge ?? assert.fail('expected a Challenge')
      transcript.add('challenge-body', challenge.body)
      transcript.add('challenge-quote', challenge.quote)
      const request = T5 === undefined ? undefined : RequesterMessage.decode(fromHex(message)).request?.body
      if (request !== undefined) liveT5 = new Uint8Array(transcript.add('request-body', request))
      await peer.send(fromHex(message))
      const answer = await peer.outcome()
      peer.gone()
      await exchange
      assert.equal(answer.outcome, outcome)
      if (outcome === 'accepted') assert.ok(answer.message?.grant)
    })
  }
})

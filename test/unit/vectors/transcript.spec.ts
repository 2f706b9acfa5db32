import assert from 'node:assert/strict'
import { type Domain, fromHex, taggedHash, toHex, verifySignature } from '../../../src/crypto/index.js'
import { helloDigest, quoteDigest, Transcript } from '../../../src/share/transcript.js'
import { vectorsOf } from './vectors.js'

describe('the test vectors of transcripts', () => {
  const { hashes, transcripts } = vectorsOf('share/1/vectors/transcript.json')

  for (const { name, tag, parts, hash } of hashes) {
    it(`H: ${name}`, () => {
      assert.equal(toHex(taggedHash(tag as Domain, ...parts.map(fromHex))), hash)
    })
  }

  for (const { name, genesisHash, requesterPeer, providerPeer, T, signed, ...parts } of transcripts) {
    it(`T0 to T6: ${name}`, () => {
      const transcript = new Transcript({
        genesisHash,
        requesterPeer: fromHex(requesterPeer),
        providerPeer: fromHex(providerPeer),
      })
      const add = (part: Parameters<Transcript['add']>[0], bytes = '') => toHex(transcript.add(part, fromHex(bytes)))
      const hashes = [
        add('hello-body', parts.helloBody),
        add('hello-signature', parts.helloSignature),
        add('challenge-body', parts.challengeBody),
        add('challenge-quote', parts.challengeQuote),
        add('request-body', parts.requestBody),
        add('request-quote', parts.requestQuote),
      ]
      assert.deepEqual(hashes, T.slice(1))
      const [, T1 = '', , T3 = '', , T5 = ''] = T
      const digests = {
        hello: toHex(helloDigest(fromHex(T1))),
        provider: toHex(quoteDigest('provider', fromHex(T3))),
        requester: toHex(quoteDigest('requester', fromHex(T5))),
      }
      assert.deepEqual(digests, signed)
    })
  }
})

describe('the test vectors of signatures in the handshake', () => {
  for (const { name, signed, account, transcriptHash, signature, outcome } of vectorsOf('share/1/vectors/bindings.json')
    .cases) {
    it(`${name}: ${outcome}`, () => {
      const hash = fromHex(transcriptHash)
      const digest = signed === 'hello' ? helloDigest(hash) : quoteDigest(signed, hash)
      assert.equal(verifySignature(account, digest, fromHex(signature)), outcome === 'accepted')
    })
  }
})

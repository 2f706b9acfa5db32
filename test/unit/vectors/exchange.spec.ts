import assert from 'node:assert/strict'
import * as varint from 'uint8-varint'
import { fromHex, toHex, verifySignature } from '../../../src/crypto/index.js'
import { leafHash, verifyHead, verifyRange } from '../../../src/provenance/index.js'
import { fromWireRun, helloFrom } from '../../../src/share/messages.js'
import type { Suite } from '../../../src/share/protocol.js'
import { allowedSuites, createOpener, strongest, takePreSharedKey } from '../../../src/share/sealing.js'
import { helloDigest, quoteDigest, Transcript } from '../../../src/share/transcript.js'
import { checkWants } from '../../../src/share/wants.js'
import {
  ChallengeBody,
  HelloBody,
  ProviderMessage,
  RequestBody,
  RequesterMessage,
  SealedContent,
} from '../../../src/share/wire/share.js'
import { sha256 } from '../../vectors/tools.js'
import { fixedKeys } from './keys.js'
import { vectorsOf } from './vectors.js'

describe('the test vectors of whole exchanges', () => {
  const { genesisHash, requester, provider, exchanges } = vectorsOf('share/1/vectors/exchange.json')

  for (const { name, suite: number, reportData, messages, T, private: known } of exchanges) {
    const suite = number as Suite
    const [helloBytes, challengeBytes, requestBytes, grantBytes, ...sealedBytes] = messages.map(({ message }) =>
      fromHex(message),
    )
    const { hello } = RequesterMessage.decode(helloBytes ?? assert.fail())
    const { challenge } = ProviderMessage.decode(challengeBytes ?? assert.fail())
    const { request } = RequesterMessage.decode(requestBytes ?? assert.fail())
    const { grant } = ProviderMessage.decode(grantBytes ?? assert.fail())
    if (!hello || !challenge || !request || !grant) throw new Error('the vectors lack a message')
    const [, T1 = '', , T3 = '', T4 = '', T5 = '', T6 = ''] = T

    describe(name, () => {
      it('frames and encodes as this code does', () => {
        for (const { length, message } of messages) {
          assert.equal(toHex(varint.encode(fromHex(message).length)), length)
        }
        const again = [
          RequesterMessage.encode({ hello: { ...hello, body: HelloBody.encode(HelloBody.decode(hello.body)) } }),
          ProviderMessage.encode({
            challenge: { ...challenge, body: ChallengeBody.encode(ChallengeBody.decode(challenge.body)) },
          }),
          RequesterMessage.encode({
            request: { ...request, body: RequestBody.encode(RequestBody.decode(request.body)) },
          }),
          ProviderMessage.encode({ grant }),
        ]
        assert.deepEqual(
          again.map(toHex),
          messages.slice(0, 4).map(({ message }) => message),
        )
      })

      it('has this code’s transcript, and signatures over it', () => {
        const transcript = new Transcript({
          genesisHash,
          requesterPeer: fromHex(requester.peer),
          providerPeer: fromHex(provider.peer),
        })
        const hashes = [
          transcript.add('hello-body', hello.body),
          transcript.add('hello-signature', hello.signature),
          transcript.add('challenge-body', challenge.body),
          transcript.add('challenge-quote', challenge.quote),
          transcript.add('request-body', request.body),
          transcript.add('request-quote', request.quote),
        ]
        assert.deepEqual(hashes.map(toHex), T.slice(1))
        assert.ok(verifySignature(requester.account, helloDigest(fromHex(T1)), hello.signature))
        const isBound = (role: 'requester' | 'provider', account: typeof requester.account, hash: string) =>
          verifySignature(account, quoteDigest(role, fromHex(hash)), fromHex(reportData[role]))
        assert.ok(isBound('provider', provider.account, T3))
        assert.ok(isBound('requester', requester.account, T5))
      })

      it('chooses the suite, and asks, as this code takes it', () => {
        assert.equal(strongest(helloFrom(hello.body).suites, allowedSuites()).suite, suite)
        assert.equal(ChallengeBody.decode(challenge.body).suite, suite)
        checkWants(RequestBody.decode(request.body))
      })

      it('opens, and holds what the head proves', async () => {
        const challengeHash = fromHex(T4)
        const { encapsulatedKey } = RequestBody.decode(request.body)
        const preSharedKey = await takePreSharedKey(
          await fixedKeys(suite, known.providerKeys),
          encapsulatedKey,
          challengeHash,
        )
        assert.equal(toHex(preSharedKey), known.psk)
        const pair = known.requesterKeys.find((each) => each.suite === suite) ?? assert.fail()
        const opener = await createOpener(await fixedKeys(suite, pair), grant.encapsulatedKey, {
          challengeHash,
          finalHash: fromHex(T6),
          preSharedKey,
        })
        let received = 0
        for (const [at, bytes] of sealedBytes.entries()) {
          const { ciphertext } = ProviderMessage.decode(bytes).sealed ?? assert.fail()
          const content = await opener.open(ciphertext)
          assert.equal(toHex(content), known.contents[at])
          const { batch, end } = SealedContent.decode(content)
          assert.deepEqual(SealedContent.encode({ batch, end }), content)
          for (const { head, first, shares, proof } of (batch?.runs ?? []).map(fromWireRun)) {
            verifyHead(genesisHash, head)
            const leaves = shares.map(({ key, version, payload }) =>
              leafHash({ ...key, version, payloadHash: sha256(payload) }),
            )
            verifyRange(head, first, leaves, proof)
            received += shares.length
          }
          if (at === sealedBytes.length - 1) assert.equal(end?.shareCount, received)
        }
      })
    })
  }
})

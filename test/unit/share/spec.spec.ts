import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { XWing } from '@hpke/hybridkem-x-wing'
import { verify } from '@scure/sr25519'
import { fromHex } from '../../../src/crypto/index.js'
import { createOpener, ephemeralKeys, takePreSharedKey } from '../../../src/share/sealing.js'
import { helloDigest, quoteDigest, Transcript } from '../../../src/share/transcript.js'
import { account, capsule, GENESIS, OriginLog, payloadOf, peerOf } from './fixture.js'

/*
 * The formulas of protocols/share/1/SPEC.md, written down once more from its text alone. They are what makes two
 * implementations agree; whoever changes one here or there breaks interoperability.
 */

const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'ascii'))

function u32be(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())
}

/** SPEC 1.1 */
function H(tag: string, ...parts: Uint8Array[]): Uint8Array {
  return sha256(...[ascii(tag), ...parts].flatMap((part) => [u32be(part.length), part]))
}

describe('the specification', () => {
  it('4.1: transcript and what is signed', () => {
    const [requesterPeer, providerPeer] = [peerOf('one'), peerOf('other')]
    const parts = (
      ['hello-body', 'hello-signature', 'challenge-body', 'challenge-quote', 'request-body', 'request-quote'] as const
    ).map((name, at) => [name, new Uint8Array(at * 7).fill(at)] as const)

    const transcript = new Transcript({ genesisHash: GENESIS, requesterPeer, providerPeer })
    const tag = 'ternoa/share/1/transcript'
    let hash = H(tag, ascii('/ternoa/share/1'), fromHex(GENESIS), requesterPeer, providerPeer)
    for (const [name, bytes] of parts) {
      hash = H(tag, hash, ascii(name), bytes)
      assert.deepEqual(transcript.add(name, bytes), hash, name)
    }
    assert.deepEqual(helloDigest(hash), H('ternoa/share/1/hello', hash))
    assert.deepEqual(quoteDigest('provider', hash), H('ternoa/share/1/quote/provider', hash))
    assert.deepEqual(quoteDigest('requester', hash), H('ternoa/share/1/quote/requester', hash))
  })

  const KEMS = [
    [1, new DhkemX25519HkdfSha256()],
    [2, new XWing()],
  ] as const
  for (const [number, kem] of KEMS) {
    it(`5: both encapsulations, the exported key, and the sealed stream in suite ${number}`, async () => {
      const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })
      const [requester, provider] = [await ephemeralKeys(number), await ephemeralKeys(number)]
      const [T4, T6] = [sha256(ascii('challenge')), sha256(ascii('final'))]
      const whole = (bytes: Uint8Array) => new Uint8Array(bytes).buffer

      const base = await suite.createSenderContext({
        recipientPublicKey: await kem.deserializePublicKey(whole(provider.publicKey)),
        info: whole(T4),
      })
      const psk = await base.export(whole(ascii('ternoa/share/1/psk')), 32)
      assert.deepEqual(await takePreSharedKey(provider, new Uint8Array(base.enc), T4), new Uint8Array(psk))

      const sender = await suite.createSenderContext({
        recipientPublicKey: await kem.deserializePublicKey(whole(requester.publicKey)),
        info: whole(H('ternoa/share/1/sealing', T6)),
        psk: { id: whole(T4), key: psk.slice(0) },
      })
      const context = { challengeHash: T4, finalHash: T6, preSharedKey: new Uint8Array(psk.slice(0)) }
      const opener = await createOpener(requester, new Uint8Array(sender.enc), context)
      assert.ok(context.preSharedKey.every((byte) => byte === 0))
      for (const text of ['first', 'second']) {
        assert.deepEqual(await opener.open(new Uint8Array(await sender.seal(whole(ascii(text))))), ascii(text))
      }
    })
  }

  it('6.3: leaves, heads, and range proofs', async () => {
    const log = new OriginLog(account('serving'), { cluster: 2, slot: 4 })
    for (let nftId = 0; nftId < 11; nftId += 1) log.append(capsule(nftId), 0x01020300 + nftId)
    const node = (left: Uint8Array, right: Uint8Array) => sha256(Uint8Array.of(1), left, right)
    const leaf = (nftId: number) => {
      const payloadHash = sha256(payloadOf(capsule(nftId)))
      const data = H('ternoa/provenance/1/leaf', Uint8Array.of(2), u32be(nftId), u32be(0x01020300 + nftId), payloadHash)
      return sha256(Uint8Array.of(0), data)
    }
    const tree = (begin: number, end: number): Uint8Array => {
      if (end - begin === 1) return leaf(begin)
      let half = 1
      while (half * 2 < end - begin) half *= 2
      return node(tree(begin, begin + half), tree(begin + half, end))
    }
    const { head, proof } = await log.run(3, 2)
    assert.deepEqual(head.root, tree(0, 11))
    assert.deepEqual(proof.left, [tree(0, 2), tree(2, 3)])
    assert.deepEqual(proof.right, [tree(5, 6), tree(6, 8), tree(8, 10), tree(10, 11)])
    const signed = H(
      'ternoa/provenance/1/head',
      fromHex(GENESIS),
      fromHex(head.account),
      fromHex(head.incarnation),
      ...[2, 4, 11].map(u32be),
      tree(0, 11),
    )
    assert.ok(verify(signed, head.signature, fromHex(head.account)))
  })
})

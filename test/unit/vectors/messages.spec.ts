import assert from 'node:assert/strict'
import type { Reader } from 'protons-runtime'
import { fromHex, toHex } from '../../../src/crypto/index.js'
import { SlotmeshError } from '../../../src/domain/index.js'
import { Frames } from '../../../src/framing/index.js'
import { decode } from '../../../src/share/messages.js'
import { OFFERED_SUITES } from '../../../src/share/protocol.js'
import * as wire from '../../../src/share/wire/share.js'
import { connectedStreams, soon } from '../share/fixture.js'
import { toBytes, vectorsOf } from './vectors.js'

interface Codec {
  encode(message: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
  codec(): { decode(reader: Reader): unknown }
}

const CODECS: Readonly<Record<string, Codec>> = {
  Token: wire.Token,
  HelloBody: {
    ...wire.HelloBody,
    decode: (bytes: Uint8Array) => wire.HelloBody.decode(bytes, { limits: { suites: OFFERED_SUITES } }),
    codec: () => ({
      decode: (reader: Reader) =>
        wire.HelloBody.codec().decode(reader, undefined, { limits: { suites: OFFERED_SUITES } }),
    }),
  },
  RequesterMessage: wire.RequesterMessage,
  ChallengeBody: wire.ChallengeBody,
  ProviderMessage: wire.ProviderMessage,
  RequestBody: wire.RequestBody,
  Share: wire.Share,
  LogHead: wire.LogHead,
  Run: wire.Run,
  SealedContent: wire.SealedContent,
}

function codecOf(message: string): Codec {
  return CODECS[message] ?? assert.fail(`no codec of ${message}`)
}

describe('the test vectors of messages', () => {
  const { written, read, malformed } = vectorsOf('share/1/vectors/messages.json')

  for (const { name, message, fields, encoding } of written) {
    it(name, () => {
      assert.equal(toHex(codecOf(message).encode(toBytes(fields))), encoding)
      assert.deepEqual(codecOf(message).decode(fromHex(encoding)), toBytes(fields))
    })
  }

  for (const { name, message, fields, encoding } of read) {
    it(`are read with ${name}`, () => {
      assert.deepEqual(codecOf(message).decode(fromHex(encoding)), toBytes(fields))
    })
  }

  for (const { name, message, encoding, outcome } of malformed) {
    it(`${name}: ${outcome}`, () => {
      assert.throws(() => decode(codecOf(message), fromHex(encoding)), { refusal: outcome })
    })
  }
})

describe('the test vectors of framing', () => {
  const { limit, cases } = vectorsOf('share/1/vectors/framing.json')

  for (const { name, stream, messages, outcome } of cases) {
    it(`${name}: ${outcome}`, async () => {
      const [near, far] = await connectedStreams()
      const frames = new Frames(far)
      near.send(fromHex(stream))
      await near.close({ signal: soon() })
      for (const message of messages) {
        assert.equal(toHex((await frames.read(limit, { signal: soon() })) ?? assert.fail('it ended')), message)
      }
      const next = frames.read(limit, { signal: soon() })
      if (outcome === 'ended') return assert.equal(await next, undefined)
      await assert.rejects(
        next,
        (thrown) => thrown instanceof SlotmeshError && ['share/cut', 'share/oversized'].includes(thrown.code),
      )
    })
  }
})

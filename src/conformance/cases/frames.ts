import { ProviderMessage, RefusalCode, RequesterMessage } from '../../share/raw/index.js'
import { demandEnd, demandRefusal, demandReset } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { demand } from '../deviation.js'
import { describeAnswer } from '../raw.js'
import { listsFor } from '../wants.js'
import { unsuitable } from './values.js'

const LIMIT = 'It MUST reset the stream when the length is over the limit or its varint is longer than 4 bytes'
const EARLY =
  'A receiver MUST check the length against the limit of the message that may come now (section 8.1) before it buffers that many bytes'
const OTHER = 'A message that does not decode, holds none or another than the one expected here, or breaks a rule below'
const UNKNOWN_CODE = 'A code that is unknown, or 0, is MALFORMED'
const REFUSED =
  'whichever side finds a reason of section 7 sends `Refusal` and closes its side; the other, on taking it, closes its own'
const HELLO_LIMIT = 16_384

/** A field of this many bytes in all, under a number that nobody knows. */
function padding(bytes: number): Uint8Array {
  // A tag of two bytes and a length of three.
  const content = bytes - 5
  return new Uint8Array([
    0xa2,
    0x7d,
    (content & 0x7f) | 0x80,
    ((content >> 7) & 0x7f) | 0x80,
    content >> 14,
    ...unsuitable(content),
  ])
}

/** A Refusal whose code no version knows. */
const UNKNOWN_REFUSAL = Uint8Array.of(0x7a, 0x03, 0x08, 0xe7, 0x07)

/** A Refusal of code 0. */
const ZERO_REFUSAL = Uint8Array.of(0x7a, 0x02, 0x08, 0x00)

export const frameCases: readonly ConformanceCase[] = [
  conformanceCase({
    id: 'FRAME-01',
    clause: '3',
    quote: LIMIT,
    role: 'provider',
    sent: 'a length of 5 bytes where a Hello is due',
    expected: 'a reset',
    run: async (bench) => {
      const side = await bench.open()
      side.sendBytes(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x01))
      demandReset(await side.answer())
    },
  }),
  conformanceCase({
    id: 'FRAME-02',
    clause: '3',
    quote: EARLY,
    role: 'provider',
    sent: 'the length 16,385 where a Hello is due, and none of the bytes',
    expected: 'a reset',
    run: async (bench) => {
      const side = await bench.open()
      side.announce(HELLO_LIMIT + 1)
      demandReset(await side.answer())
    },
  }),
  conformanceCase({
    id: 'FRAME-03',
    clause: '8.1',
    quote: 'These are lengths of the whole `RequesterMessage` or `ProviderMessage`, without the length prefix',
    role: 'provider',
    sent: 'a Hello of 16,384 bytes, by an unknown field',
    expected: 'Challenge',
    run: async (bench) => {
      const side = await bench.open()
      const message = await side.helloMessage()
      await side.send(new Uint8Array([...message, ...padding(HELLO_LIMIT - message.length)]))
      await side.challenge()
    },
  }),
  conformanceCase({
    id: 'FRAME-04',
    clause: '3',
    quote: OTHER,
    role: 'provider',
    sent: 'bytes that are no protocol buffer where a Hello is due',
    expected: 'Refusal MALFORMED',
    run: async (bench) => {
      const side = await bench.open()
      await side.send(unsuitable(40).fill(0xff))
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  }),
  conformanceCase({
    id: 'FRAME-05',
    clause: '3',
    quote: OTHER,
    role: 'provider',
    sent: 'an empty message where a Hello is due',
    expected: 'Refusal MALFORMED',
    run: async (bench) => {
      const side = await bench.open()
      await side.send(new Uint8Array())
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  }),
  conformanceCase({
    id: 'FRAME-06',
    clause: '3',
    quote: OTHER,
    role: 'provider',
    sent: 'a Request where a Hello is due',
    expected: 'Refusal MALFORMED',
    run: async (bench) => {
      const side = await bench.open()
      await side.send(RequesterMessage.encode({ request: { body: unsuitable(40), quote: unsuitable(40) } }))
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  }),
  conformanceCase({
    id: 'FRAME-07',
    clause: '3',
    quote: OTHER,
    role: 'provider',
    sent: 'a Hello whose body is no protocol buffer',
    expected: 'Refusal MALFORMED',
    run: async (bench) => {
      const side = await bench.open()
      await side.hello({ encoded: () => unsuitable(40).fill(0xff) })
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  }),
  conformanceCase({
    id: 'FRAME-08',
    clause: '3',
    quote: 'Each message is preceded by its length in bytes as an unsigned varint (LEB128) of at most 4 bytes',
    role: 'provider',
    sent: 'a Hello whose length takes 3 bytes where 2 would do, the whole in pieces of 7 bytes',
    expected: 'Challenge: how bytes come in pieces means nothing',
    run: async (bench) => {
      const side = await bench.open()
      const message = await side.helloMessage()
      const { length } = message
      const whole = new Uint8Array([(length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, 0, ...message])
      for (let at = 0; at < whole.length; at += 7) side.sendBytes(whole.subarray(at, at + 7))
      await side.challenge()
    },
  }),
  conformanceCase({
    id: 'FRAME-09',
    clause: '4.8',
    quote: 'All other failures (a cut stream, an oversized message',
    role: 'provider',
    sent: 'half a Hello, and the end of the stream',
    expected: 'the end of the exchange, without a Challenge',
    run: async (bench) => {
      const side = await bench.open()
      const message = await side.helloMessage()
      side.announce(message.length)
      side.sendBytes(message.subarray(0, message.length / 2))
      await side.close()
      demandEnd(await side.answer())
    },
  }),
  conformanceCase({
    id: 'FRAME-10',
    clause: '4.8',
    quote: REFUSED,
    role: 'provider',
    sent: 'a Refusal in place of a Hello',
    expected: 'the end of its side, and no answer',
    run: async (bench) => {
      const side = await bench.open()
      await side.send(
        RequesterMessage.encode({ refusal: { code: RefusalCode.NOT_READY, sentence: '', retryAfterMs: 0 } }),
      )
      await side.close()
      const answer = await side.answer()
      demand(answer.type === 'closed' || answer.type === 'reset', `${describeAnswer(answer)} came`)
    },
  }),
  conformanceCase({
    id: 'FRAME-11',
    clause: '4.8',
    quote: REFUSED,
    role: 'provider',
    sent: 'a Refusal in place of a Request',
    expected: 'the end of its side, and no answer',
    run: async (bench) => {
      const { side } = await bench.challenged()
      await side.send(
        RequesterMessage.encode({ refusal: { code: RefusalCode.BINDING_MISMATCH, sentence: '', retryAfterMs: 0 } }),
      )
      await side.close()
      const answer = await side.answer()
      demand(answer.type === 'closed' || answer.type === 'reset', `${describeAnswer(answer)} came`)
    },
  }),
  ...(
    [
      ['FRAME-12', 'of a code that no version knows', UNKNOWN_REFUSAL],
      ['FRAME-13', 'of code 0', ZERO_REFUSAL],
    ] as const
  ).map(([id, sent, bytes]) =>
    conformanceCase({
      id,
      clause: '7',
      quote: UNKNOWN_CODE,
      role: 'provider',
      sent: `a Refusal ${sent} in place of a Request`,
      expected: 'Refusal MALFORMED',
      run: async (bench) => {
        const { side } = await bench.challenged()
        await side.send(bytes)
        demandRefusal(await side.answer(), 'MALFORMED')
      },
    }),
  ),
  conformanceCase({
    id: 'FRAME-14',
    clause: '3',
    quote: EARLY,
    role: 'provider',
    sent: 'the length 2,129,921 where a Request is due, and none of the bytes',
    expected: 'a reset',
    run: async (bench) => {
      const { side } = await bench.challenged()
      side.announce(2_129_921)
      demandReset(await side.answer())
    },
  }),
  conformanceCase({
    id: 'FRAME-15',
    clause: '3',
    quote: OTHER,
    role: 'provider',
    sent: 'another Hello where a Request is due',
    expected: 'Refusal MALFORMED',
    run: async (bench) => {
      const { side } = await bench.challenged()
      await side.hello()
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  }),
  conformanceCase({
    id: 'FRAME-16',
    clause: '3',
    quote: OTHER,
    role: 'provider',
    sent: 'a Request whose body is no protocol buffer',
    expected: 'Refusal MALFORMED',
    run: async (bench) => {
      const { side } = await bench.challenged()
      await side.request({}, { encoded: () => unsuitable(40).fill(0xff) })
      demandRefusal(await side.answer(), 'MALFORMED')
    },
  }),
  conformanceCase({
    id: 'FRAME-17',
    clause: '4.8',
    quote: REFUSED,
    role: 'provider',
    sent: 'an empty message where a Hello is due',
    expected: 'Refusal MALFORMED, and then the end of its side',
    run: async (bench) => {
      const side = await bench.open()
      await side.send(new Uint8Array())
      const refusal = await side.answer()
      demandRefusal(refusal, 'MALFORMED')
      const after = await side.answer()
      demand(after.type === 'closed', `${describeAnswer(after)} came after its Refusal`)
    },
  }),
  conformanceCase({
    id: 'FRAME-18',
    clause: '7',
    quote: '`Refusal` is at most 512 bytes',
    role: 'provider',
    sent: 'an empty message where a Hello is due',
    expected: 'a Refusal of at most 512 bytes with a sentence of at most 256 bytes',
    run: async (bench) => {
      const side = await bench.open()
      await side.send(new Uint8Array())
      const answer = await side.answer()
      demandRefusal(answer, 'MALFORMED')
      if (answer.type !== 'refusal') return
      demand(Buffer.byteLength(answer.sentence) <= 256, `its sentence has ${Buffer.byteLength(answer.sentence)} bytes`)
      const { sentence, retryAfterMs } = answer
      const { length } = ProviderMessage.encode({ refusal: { code: RefusalCode.MALFORMED, sentence, retryAfterMs } })
      demand(length <= 512, `its Refusal has ${length} bytes`)
    },
  }),
  conformanceCase({
    id: 'FRAME-19',
    clause: '2',
    quote: 'A stream carries one exchange and is not used again',
    role: 'provider',
    sent: 'a second Hello on the stream of an exchange that is over',
    expected: 'no Challenge',
    run: async (bench) => {
      const { side } = await bench.challenged()
      const lists = listsFor([{ kind: 'secret', nftId: 0xffff_0000 }])
      await side.request(lists)
      await side.grant()
      for (;;) if ((await side.sealed()).end !== undefined) break
      await side.hello()
      const answer = await side.answer()
      demand(answer.type !== 'message', `${describeAnswer(answer)} came`)
    },
  }),
]

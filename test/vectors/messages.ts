import { row } from './lists.js'
import { Log, leafHash } from './provenance.js'
import { ascii, concat, made } from './tools.js'
import {
  bytes,
  encodeBatch,
  encodeChallenge,
  encodeChallengeBody,
  encodeEnd,
  encodeGrant,
  encodeHead,
  encodeHello,
  encodeHelloBody,
  encodeRefusal,
  encodeRequest,
  encodeRequestBody,
  encodeRun,
  encodeSealed,
  encodeShare,
  encodeToken,
  nested,
  REFUSALS,
  uint,
  varint,
} from './wire.js'
import { genesisHash, origin, provider, requester, token } from './world.js'

const U32_MAX = 0xffff_ffff

/** Every message with its fields and its encoding; and what else a receiver must, and must not, be able to read. */
export function messageVectors() {
  const hello = {
    genesisHash,
    account: requester.account,
    nonce: made('nonce of the requester'),
    token: token(),
    suites: [
      { suite: 2, publicKey: made('a key of suite 2', 1_216) },
      { suite: 1, publicKey: made('a key of suite 1') },
    ],
  }
  const challenge = {
    account: provider.account,
    nonce: made('nonce of the provider'),
    token: token(),
    suite: 1,
    publicKey: made('a key of suite 1'),
    syncedBlock: 990,
    takenInBlock: 995,
  }
  const request = { encapsulatedKey: made('a key'), secrets: row(5, 3, 0, 1, 1, 600), capsules: row(0, 0, 0) }
  const shares = [
    { kind: 'SECRET' as const, nftId: 0, version: 1, payload: made('payload', 16) },
    { kind: 'CAPSULE' as const, nftId: U32_MAX, version: U32_MAX, payload: made('payload', 40) },
  ]
  const log = new Log(shares.map(leafHash))
  const [share] = shares
  const head = log.head()
  const run = { head, firstIndex: 0, shares, ...log.proof(0, 2) }
  const second = { head, firstIndex: 1, shares: shares.slice(1), ...log.proof(1, 1) }
  const batch = {
    runs: [run],
    secretsNotHeld: row(5, 3, 1, 1),
    capsulesNotHeld: row(0, 1),
    cursor: { kind: 'SECRET' as const, nftId: 300 },
  }
  const sparse = { runs: [], secretsNotHeld: row(5, 3), capsulesNotHeld: new Uint8Array(), cursor: undefined }
  const [body, signature, quote] = [made('any body', 40), made('any signature', 64), made('any quote', 60)]
  const refusal = { code: 'BUSY', sentence: 'Too many exchanges at once; try again later – 稍后.', retryAfterMs: 2_000 }
  const written = (name: string, message: string, fields: object, encoding: Uint8Array) => ({
    name,
    message,
    fields,
    encoding,
  })
  const read = (name: string, message: string, fields: object, encoding: Uint8Array) => ({
    name,
    message,
    fields,
    encoding,
  })
  const bad = (name: string, message: string, encoding: Uint8Array) => ({
    name,
    message,
    encoding,
    outcome: 'MALFORMED' as const,
  })
  const end = { shareCount: 3, notHeldCount: 524_285, unfinished: true }
  const tokenBytes = encodeToken(token())
  const plain = encodeEnd({ shareCount: 3, notHeldCount: 2, unfinished: false })
  const plainFields = { end: { shareCount: 3, notHeldCount: 2, unfinished: false } }
  return {
    about:
      'Clause 3 and share.proto: messages with their fields, bytes in hexadecimal, enumerations by their names; what is absent has its default value. `written` is how a message is to be written; `read` are encodings that a receiver has to understand as well; `malformed` are none.',
    written: [
      written('a token', 'Token', token(), tokenBytes),
      written(
        'a token of the first block',
        'Token',
        { ...token(0), validity: 0 },
        encodeToken({ ...token(0), validity: 0 }),
      ),
      written('a token of the last block', 'Token', token(U32_MAX), encodeToken(token(U32_MAX))),
      written('a Hello’s body', 'HelloBody', hello, encodeHelloBody(hello)),
      written('a Hello', 'RequesterMessage', { hello: { body, signature } }, encodeHello(body, signature)),
      written('a Challenge’s body', 'ChallengeBody', challenge, encodeChallengeBody(challenge)),
      written(
        'a Challenge’s body without a synced block',
        'ChallengeBody',
        { ...challenge, syncedBlock: 0 },
        encodeChallengeBody({ ...challenge, syncedBlock: 0 }),
      ),
      written(
        'a Challenge’s body of a provider that has taken in nothing',
        'ChallengeBody',
        { ...challenge, syncedBlock: 0, takenInBlock: 0 },
        encodeChallengeBody({ ...challenge, syncedBlock: 0, takenInBlock: 0 }),
      ),
      written('a Challenge', 'ProviderMessage', { challenge: { body, quote } }, encodeChallenge(body, quote)),
      written('a Request’s body', 'RequestBody', request, encodeRequestBody(request)),
      written('a Request', 'RequesterMessage', { request: { body, quote } }, encodeRequest(body, quote)),
      written('a Grant', 'ProviderMessage', { grant: { encapsulatedKey: made('a key') } }, encodeGrant(made('a key'))),
      written('a Sealed', 'ProviderMessage', { sealed: { ciphertext: quote } }, encodeSealed(quote)),
      written('a secret', 'Share', share ?? {}, encodeShare(shares[0] ?? fail())),
      written('a capsule with the largest numbers', 'Share', shares[1] ?? {}, encodeShare(shares[1] ?? fail())),
      written('a head', 'LogHead', head, encodeHead(head)),
      written('a Run', 'Run', run, encodeRun(run)),
      written('a Run with a proof', 'Run', second, encodeRun(second)),
      written('a Batch', 'SealedContent', { batch }, encodeBatch(batch)),
      written('a Batch of what is not held', 'SealedContent', { batch: sparse }, encodeBatch(sparse)),
      written('an End', 'SealedContent', { end }, encodeEnd(end)),
      written(
        'an End of nothing',
        'SealedContent',
        { end: { shareCount: 0, notHeldCount: 0, unfinished: false } },
        encodeEnd({ shareCount: 0, notHeldCount: 0, unfinished: false }),
      ),
      written('a provider’s Refusal', 'ProviderMessage', { refusal }, encodeRefusal({ ...refusal, code: 15 })),
      ...REFUSALS.slice(1).map((code, at) =>
        written(
          `a requester’s Refusal: ${code}`,
          'RequesterMessage',
          { refusal: { code, sentence: '', retryAfterMs: 0 } },
          encodeRefusal({ code: at + 1, sentence: '', retryAfterMs: 0 }),
        ),
      ),
    ],
    read: [
      read('an unknown number behind', 'SealedContent', plainFields, concat(plain, uint(90, 300))),
      read('unknown bytes before', 'SealedContent', plainFields, concat(nested(91, ascii('later')), plain)),
      read('unknown 32 and 64 bits behind', 'SealedContent', plainFields, concat(plain, ...fixed())),
      read('an unknown field inside', 'Token', token(), concat(tokenBytes, uint(4, 1))),
      read('a field of the largest number there is', 'Token', token(), concat(tokenBytes, uint(536_870_911, 1))),
      read(
        'fields in another order',
        'Token',
        token(),
        concat(uint(3, token().validity), bytes(2, token().blockHash), uint(1, token().blockNumber)),
      ),
      read('a field twice: the last counts', 'Token', token(), concat(uint(1, 7), uint(3, 3), tokenBytes)),
      read(
        'a default value written out',
        'SealedContent',
        plainFields,
        nested(2, concat(uint(1, 3), uint(2, 2), Uint8Array.of(0x18, 0))),
      ),
      read(
        'a number longer than need be',
        'SealedContent',
        plainFields,
        nested(2, concat(Uint8Array.of(0x08, 0x83, 0x80, 0x00), uint(2, 2))),
      ),
    ],
    malformed: [
      bad('a number without its end', 'Token', Uint8Array.of(0x08, 0x80)),
      bad(
        'a number of eleven bytes',
        'Token',
        concat(Uint8Array.of(0x08), new Uint8Array(10).fill(0xff), Uint8Array.of(1)),
      ),
      bad('a field without its value', 'Token', Uint8Array.of(0x08)),
      bad('bytes that are cut short', 'Token', tokenBytes.subarray(0, 20)),
      bad('a length beyond the end', 'Token', concat(varint(2 * 8 + 2), varint(33), token().blockHash)),
      bad('a length of 2^31 - 1', 'Token', concat(varint(2 * 8 + 2), varint(2 ** 31 - 1))),
      bad('a message that is cut short inside', 'HelloBody', nested(4, tokenBytes.subarray(0, 20))),
      bad('32 bits that are cut short', 'Token', Uint8Array.of(0xe5, 0x05, 1, 2)),
      bad('a field of no wire type', 'Token', Uint8Array.of(0xe6, 0x05)),
      bad(
        'nine suites',
        'HelloBody',
        encodeHelloBody({ ...hello, suites: Array.from({ length: 9 }, (_, suite) => ({ suite, publicKey: quote })) }),
      ),
    ],
    seeds: { origin: origin.seed },
  }
}

/** Field 92 in 32 bits, and field 93 in 64. */
function fixed(): Uint8Array[] {
  return [
    concat(varint(92 * 8 + 5), Uint8Array.of(1, 2, 3, 4)),
    concat(varint(93 * 8 + 1), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
  ]
}

function fail(): never {
  throw new Error('there are two shares')
}

/** Messages behind their lengths, and what is no message. */
export function framingVectors() {
  const limit = 300
  const framed = (length: number) => concat(varint(length), made(`message of ${length}`, length))
  const judged = (name: string, stream: Uint8Array, messages: readonly Uint8Array[], outcome: 'ended' | 'reset') => ({
    name,
    stream,
    messages,
    outcome,
  })
  const message = (length: number) => made(`message of ${length}`, length)
  return {
    about:
      'Clause 3: messages behind their lengths, on a stream on which each may have `limit` bytes, and which the other side ends behind `stream`. `messages` are those that are read; then `outcome` is `ended` where the stream ends between two messages, or `reset`: the length is over the limit or no length, or the stream ends within a message.',
    limit,
    cases: [
      judged('nothing', new Uint8Array(), [], 'ended'),
      judged('an empty message', framed(0), [new Uint8Array()], 'ended'),
      judged('one of 127 bytes', framed(127), [message(127)], 'ended'),
      judged('one of 128 bytes', framed(128), [message(128)], 'ended'),
      judged('one as long as may be', framed(limit), [message(limit)], 'ended'),
      judged('three', concat(framed(1), framed(200), framed(2)), [message(1), message(200), message(2)], 'ended'),
      judged('one byte too many', framed(limit + 1), [], 'reset'),
      judged('a length over the limit, before any of it has come', varint(limit + 1), [], 'reset'),
      judged('a length of 2^28 - 1', varint(2 ** 28 - 1), [], 'reset'),
      judged('a length of five bytes', concat(varint(2 ** 28), message(5)), [], 'reset'),
      judged(
        'a length of five bytes that says 5',
        concat(Uint8Array.of(0x85, 0x80, 0x80, 0x80, 0x00), message(5)),
        [],
        'reset',
      ),
      judged('a length without its end', Uint8Array.of(0x80), [], 'reset'),
      judged('a message without its end', framed(20).subarray(0, -1), [], 'reset'),
      judged('a second message without its end', concat(framed(20), framed(9).subarray(0, 4)), [message(20)], 'reset'),
      judged('a second message that is too long', concat(framed(20), varint(1_000)), [message(20)], 'reset'),
    ],
  }
}

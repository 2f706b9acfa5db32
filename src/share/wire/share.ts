import { decodeMessage, encodeMessage, enumeration, MaxLengthError, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface RequesterMessage {
  hello?: Hello
  request?: Request
  refusal?: Refusal
}

export namespace RequesterMessage {
  let _codec: Codec<RequesterMessage>

  export const codec = (): Codec<RequesterMessage> => {
    if (_codec == null) {
      _codec = message<RequesterMessage>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        obj = { ...obj }

        if (obj.refusal != null) {
          obj.request = undefined
          obj.hello = undefined
        }

        if (obj.request != null) {
          obj.refusal = undefined
          obj.hello = undefined
        }

        if (obj.hello != null) {
          obj.refusal = undefined
          obj.request = undefined
        }

        if (obj.hello != null) {
          w.uint32(10)
          Hello.codec().encode(obj.hello, w)
        }

        if (obj.request != null) {
          w.uint32(18)
          Request.codec().encode(obj.request, w)
        }

        if (obj.refusal != null) {
          w.uint32(122)
          Refusal.codec().encode(obj.refusal, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {}

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.hello = Hello.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.hello
              })
              break
            }
            case 2: {
              obj.request = Request.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.request
              })
              break
            }
            case 15: {
              obj.refusal = Refusal.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.refusal
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        if (obj.refusal != null) {
          delete obj.request
          delete obj.hello
        }

        if (obj.request != null) {
          delete obj.refusal
          delete obj.hello
        }

        if (obj.hello != null) {
          delete obj.refusal
          delete obj.request
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * Hello.codec().stream(reader, reader.uint32(), `${prefix}.hello`, {
                limits: opts.limits?.hello
              })

              break
            }
            case 2: {
              yield * Request.codec().stream(reader, reader.uint32(), `${prefix}.request`, {
                limits: opts.limits?.request
              })

              break
            }
            case 15: {
              yield * Refusal.codec().stream(reader, reader.uint32(), `${prefix}.refusal`, {
                limits: opts.limits?.refusal
              })

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface RequesterMessageHelloBodyFieldEvent {
    field: '$.hello.body'
    value: Uint8Array
  }

  export interface RequesterMessageHelloSignatureFieldEvent {
    field: '$.hello.signature'
    value: Uint8Array
  }

  export interface RequesterMessageRequestBodyFieldEvent {
    field: '$.request.body'
    value: Uint8Array
  }

  export interface RequesterMessageRequestQuoteFieldEvent {
    field: '$.request.quote'
    value: Uint8Array
  }

  export interface RequesterMessageRefusalCodeFieldEvent {
    field: '$.refusal.code'
    value: RefusalCode
  }

  export interface RequesterMessageRefusalSentenceFieldEvent {
    field: '$.refusal.sentence'
    value: string
  }

  export interface RequesterMessageRefusalRetryAfterMsFieldEvent {
    field: '$.refusal.retryAfterMs'
    value: number
  }

  export function encode (obj: Partial<RequesterMessage>): Uint8Array {
    return encodeMessage(obj, RequesterMessage.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<RequesterMessage>): RequesterMessage {
    return decodeMessage(buf, RequesterMessage.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<RequesterMessage>): Generator<RequesterMessageHelloBodyFieldEvent | RequesterMessageHelloSignatureFieldEvent | RequesterMessageRequestBodyFieldEvent | RequesterMessageRequestQuoteFieldEvent | RequesterMessageRefusalCodeFieldEvent | RequesterMessageRefusalSentenceFieldEvent | RequesterMessageRefusalRetryAfterMsFieldEvent> {
    return streamMessage(buf, RequesterMessage.codec(), opts)
  }
}

export interface Hello {
  body: Uint8Array
  signature: Uint8Array
}

export namespace Hello {
  let _codec: Codec<Hello>

  export const codec = (): Codec<Hello> => {
    if (_codec == null) {
      _codec = message<Hello>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.body != null && obj.body.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.body)
        }

        if ((obj.signature != null && obj.signature.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.signature)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          body: uint8ArrayAlloc(0),
          signature: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.body = reader.bytes()
              break
            }
            case 2: {
              obj.signature = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.body`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.signature`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface HelloBodyFieldEvent {
    field: '$.body'
    value: Uint8Array
  }

  export interface HelloSignatureFieldEvent {
    field: '$.signature'
    value: Uint8Array
  }

  export function encode (obj: Partial<Hello>): Uint8Array {
    return encodeMessage(obj, Hello.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Hello {
    return decodeMessage(buf, Hello.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Generator<HelloBodyFieldEvent | HelloSignatureFieldEvent> {
    return streamMessage(buf, Hello.codec(), opts)
  }
}

export interface HelloBody {
  genesisHash: Uint8Array
  account: Uint8Array
  nonce: Uint8Array
  token?: Token
  suites: SuiteOffer[]
}

export namespace HelloBody {
  let _codec: Codec<HelloBody>

  export const codec = (): Codec<HelloBody> => {
    if (_codec == null) {
      _codec = message<HelloBody>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.genesisHash != null && obj.genesisHash.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.genesisHash)
        }

        if ((obj.account != null && obj.account.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.account)
        }

        if ((obj.nonce != null && obj.nonce.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.nonce)
        }

        if (obj.token != null) {
          w.uint32(34)
          Token.codec().encode(obj.token, w)
        }

        if (obj.suites != null && obj.suites.length > 0) {
          for (const value of obj.suites) {
            w.uint32(42)
            SuiteOffer.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          genesisHash: uint8ArrayAlloc(0),
          account: uint8ArrayAlloc(0),
          nonce: uint8ArrayAlloc(0),
          suites: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.genesisHash = reader.bytes()
              break
            }
            case 2: {
              obj.account = reader.bytes()
              break
            }
            case 3: {
              obj.nonce = reader.bytes()
              break
            }
            case 4: {
              obj.token = Token.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.token
              })
              break
            }
            case 5: {
              if (opts.limits?.suites != null && obj.suites.length === opts.limits.suites) {
                throw new MaxLengthError('Decode error - repeated field "suites" had too many elements')
              }

              obj.suites.push(SuiteOffer.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.suites$
              }))
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          suites: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.genesisHash`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.account`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.nonce`,
                value: reader.bytes()
              }
              break
            }
            case 4: {
              yield * Token.codec().stream(reader, reader.uint32(), `${prefix}.token`, {
                limits: opts.limits?.token
              })

              break
            }
            case 5: {
              if (opts.limits?.suites != null && obj.suites === opts.limits.suites) {
                throw new MaxLengthError('Streaming decode error - repeated field "suites" had too many elements')
              }

              for (const evt of SuiteOffer.codec().stream(reader, reader.uint32(), `${prefix}.suites[]`, {
                limits: opts.limits?.suites$
              })) {
                yield {
                  ...evt,
                  index: obj.suites
                }
              }

              obj.suites++

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface HelloBodyGenesisHashFieldEvent {
    field: '$.genesisHash'
    value: Uint8Array
  }

  export interface HelloBodyAccountFieldEvent {
    field: '$.account'
    value: Uint8Array
  }

  export interface HelloBodyNonceFieldEvent {
    field: '$.nonce'
    value: Uint8Array
  }

  export interface HelloBodyTokenBlockNumberFieldEvent {
    field: '$.token.blockNumber'
    value: number
  }

  export interface HelloBodyTokenBlockHashFieldEvent {
    field: '$.token.blockHash'
    value: Uint8Array
  }

  export interface HelloBodyTokenValidityFieldEvent {
    field: '$.token.validity'
    value: number
  }

  export interface HelloBodySuitesSuiteFieldEvent {
    field: '$.suites[].suite'
    value: number
    index: number
  }

  export interface HelloBodySuitesPublicKeyFieldEvent {
    field: '$.suites[].publicKey'
    value: Uint8Array
    index: number
  }

  export function encode (obj: Partial<HelloBody>): Uint8Array {
    return encodeMessage(obj, HelloBody.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<HelloBody>): HelloBody {
    return decodeMessage(buf, HelloBody.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<HelloBody>): Generator<HelloBodyGenesisHashFieldEvent | HelloBodyAccountFieldEvent | HelloBodyNonceFieldEvent | HelloBodyTokenBlockNumberFieldEvent | HelloBodyTokenBlockHashFieldEvent | HelloBodyTokenValidityFieldEvent | HelloBodySuitesSuiteFieldEvent | HelloBodySuitesPublicKeyFieldEvent> {
    return streamMessage(buf, HelloBody.codec(), opts)
  }
}

export interface SuiteOffer {
  suite: number
  publicKey: Uint8Array
}

export namespace SuiteOffer {
  let _codec: Codec<SuiteOffer>

  export const codec = (): Codec<SuiteOffer> => {
    if (_codec == null) {
      _codec = message<SuiteOffer>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.suite != null && obj.suite !== 0)) {
          w.uint32(8)
          w.uint32(obj.suite)
        }

        if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.publicKey)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          suite: 0,
          publicKey: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.suite = reader.uint32()
              break
            }
            case 2: {
              obj.publicKey = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.suite`,
                value: reader.uint32()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.publicKey`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface SuiteOfferSuiteFieldEvent {
    field: '$.suite'
    value: number
  }

  export interface SuiteOfferPublicKeyFieldEvent {
    field: '$.publicKey'
    value: Uint8Array
  }

  export function encode (obj: Partial<SuiteOffer>): Uint8Array {
    return encodeMessage(obj, SuiteOffer.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SuiteOffer>): SuiteOffer {
    return decodeMessage(buf, SuiteOffer.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SuiteOffer>): Generator<SuiteOfferSuiteFieldEvent | SuiteOfferPublicKeyFieldEvent> {
    return streamMessage(buf, SuiteOffer.codec(), opts)
  }
}

export interface Token {
  blockNumber: number
  blockHash: Uint8Array
  validity: number
}

export namespace Token {
  let _codec: Codec<Token>

  export const codec = (): Codec<Token> => {
    if (_codec == null) {
      _codec = message<Token>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.blockNumber != null && obj.blockNumber !== 0)) {
          w.uint32(8)
          w.uint32(obj.blockNumber)
        }

        if ((obj.blockHash != null && obj.blockHash.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.blockHash)
        }

        if ((obj.validity != null && obj.validity !== 0)) {
          w.uint32(24)
          w.uint32(obj.validity)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          blockNumber: 0,
          blockHash: uint8ArrayAlloc(0),
          validity: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.blockNumber = reader.uint32()
              break
            }
            case 2: {
              obj.blockHash = reader.bytes()
              break
            }
            case 3: {
              obj.validity = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.blockNumber`,
                value: reader.uint32()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.blockHash`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.validity`,
                value: reader.uint32()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface TokenBlockNumberFieldEvent {
    field: '$.blockNumber'
    value: number
  }

  export interface TokenBlockHashFieldEvent {
    field: '$.blockHash'
    value: Uint8Array
  }

  export interface TokenValidityFieldEvent {
    field: '$.validity'
    value: number
  }

  export function encode (obj: Partial<Token>): Uint8Array {
    return encodeMessage(obj, Token.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Token>): Token {
    return decodeMessage(buf, Token.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Token>): Generator<TokenBlockNumberFieldEvent | TokenBlockHashFieldEvent | TokenValidityFieldEvent> {
    return streamMessage(buf, Token.codec(), opts)
  }
}

export interface Request {
  body: Uint8Array
  quote: Uint8Array
}

export namespace Request {
  let _codec: Codec<Request>

  export const codec = (): Codec<Request> => {
    if (_codec == null) {
      _codec = message<Request>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.body != null && obj.body.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.body)
        }

        if ((obj.quote != null && obj.quote.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.quote)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          body: uint8ArrayAlloc(0),
          quote: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.body = reader.bytes()
              break
            }
            case 2: {
              obj.quote = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.body`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.quote`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface RequestBodyFieldEvent {
    field: '$.body'
    value: Uint8Array
  }

  export interface RequestQuoteFieldEvent {
    field: '$.quote'
    value: Uint8Array
  }

  export function encode (obj: Partial<Request>): Uint8Array {
    return encodeMessage(obj, Request.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Request>): Request {
    return decodeMessage(buf, Request.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Request>): Generator<RequestBodyFieldEvent | RequestQuoteFieldEvent> {
    return streamMessage(buf, Request.codec(), opts)
  }
}

export interface RequestBody {
  encapsulatedKey: Uint8Array
  secrets: Uint8Array
  capsules: Uint8Array
}

export namespace RequestBody {
  let _codec: Codec<RequestBody>

  export const codec = (): Codec<RequestBody> => {
    if (_codec == null) {
      _codec = message<RequestBody>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.encapsulatedKey != null && obj.encapsulatedKey.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.encapsulatedKey)
        }

        if ((obj.secrets != null && obj.secrets.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.secrets)
        }

        if ((obj.capsules != null && obj.capsules.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.capsules)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          encapsulatedKey: uint8ArrayAlloc(0),
          secrets: uint8ArrayAlloc(0),
          capsules: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.encapsulatedKey = reader.bytes()
              break
            }
            case 2: {
              obj.secrets = reader.bytes()
              break
            }
            case 3: {
              obj.capsules = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.encapsulatedKey`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.secrets`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.capsules`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface RequestBodyEncapsulatedKeyFieldEvent {
    field: '$.encapsulatedKey'
    value: Uint8Array
  }

  export interface RequestBodySecretsFieldEvent {
    field: '$.secrets'
    value: Uint8Array
  }

  export interface RequestBodyCapsulesFieldEvent {
    field: '$.capsules'
    value: Uint8Array
  }

  export function encode (obj: Partial<RequestBody>): Uint8Array {
    return encodeMessage(obj, RequestBody.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<RequestBody>): RequestBody {
    return decodeMessage(buf, RequestBody.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<RequestBody>): Generator<RequestBodyEncapsulatedKeyFieldEvent | RequestBodySecretsFieldEvent | RequestBodyCapsulesFieldEvent> {
    return streamMessage(buf, RequestBody.codec(), opts)
  }
}

export interface ProviderMessage {
  challenge?: Challenge
  grant?: Grant
  sealed?: Sealed
  refusal?: Refusal
}

export namespace ProviderMessage {
  let _codec: Codec<ProviderMessage>

  export const codec = (): Codec<ProviderMessage> => {
    if (_codec == null) {
      _codec = message<ProviderMessage>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        obj = { ...obj }

        if (obj.refusal != null) {
          obj.sealed = undefined
          obj.grant = undefined
          obj.challenge = undefined
        }

        if (obj.sealed != null) {
          obj.refusal = undefined
          obj.grant = undefined
          obj.challenge = undefined
        }

        if (obj.grant != null) {
          obj.refusal = undefined
          obj.sealed = undefined
          obj.challenge = undefined
        }

        if (obj.challenge != null) {
          obj.refusal = undefined
          obj.sealed = undefined
          obj.grant = undefined
        }

        if (obj.challenge != null) {
          w.uint32(10)
          Challenge.codec().encode(obj.challenge, w)
        }

        if (obj.grant != null) {
          w.uint32(18)
          Grant.codec().encode(obj.grant, w)
        }

        if (obj.sealed != null) {
          w.uint32(26)
          Sealed.codec().encode(obj.sealed, w)
        }

        if (obj.refusal != null) {
          w.uint32(122)
          Refusal.codec().encode(obj.refusal, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {}

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.challenge = Challenge.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.challenge
              })
              break
            }
            case 2: {
              obj.grant = Grant.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.grant
              })
              break
            }
            case 3: {
              obj.sealed = Sealed.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.sealed
              })
              break
            }
            case 15: {
              obj.refusal = Refusal.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.refusal
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        if (obj.refusal != null) {
          delete obj.sealed
          delete obj.grant
          delete obj.challenge
        }

        if (obj.sealed != null) {
          delete obj.refusal
          delete obj.grant
          delete obj.challenge
        }

        if (obj.grant != null) {
          delete obj.refusal
          delete obj.sealed
          delete obj.challenge
        }

        if (obj.challenge != null) {
          delete obj.refusal
          delete obj.sealed
          delete obj.grant
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * Challenge.codec().stream(reader, reader.uint32(), `${prefix}.challenge`, {
                limits: opts.limits?.challenge
              })

              break
            }
            case 2: {
              yield * Grant.codec().stream(reader, reader.uint32(), `${prefix}.grant`, {
                limits: opts.limits?.grant
              })

              break
            }
            case 3: {
              yield * Sealed.codec().stream(reader, reader.uint32(), `${prefix}.sealed`, {
                limits: opts.limits?.sealed
              })

              break
            }
            case 15: {
              yield * Refusal.codec().stream(reader, reader.uint32(), `${prefix}.refusal`, {
                limits: opts.limits?.refusal
              })

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface ProviderMessageChallengeBodyFieldEvent {
    field: '$.challenge.body'
    value: Uint8Array
  }

  export interface ProviderMessageChallengeQuoteFieldEvent {
    field: '$.challenge.quote'
    value: Uint8Array
  }

  export interface ProviderMessageGrantEncapsulatedKeyFieldEvent {
    field: '$.grant.encapsulatedKey'
    value: Uint8Array
  }

  export interface ProviderMessageSealedCiphertextFieldEvent {
    field: '$.sealed.ciphertext'
    value: Uint8Array
  }

  export interface ProviderMessageRefusalCodeFieldEvent {
    field: '$.refusal.code'
    value: RefusalCode
  }

  export interface ProviderMessageRefusalSentenceFieldEvent {
    field: '$.refusal.sentence'
    value: string
  }

  export interface ProviderMessageRefusalRetryAfterMsFieldEvent {
    field: '$.refusal.retryAfterMs'
    value: number
  }

  export function encode (obj: Partial<ProviderMessage>): Uint8Array {
    return encodeMessage(obj, ProviderMessage.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProviderMessage>): ProviderMessage {
    return decodeMessage(buf, ProviderMessage.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProviderMessage>): Generator<ProviderMessageChallengeBodyFieldEvent | ProviderMessageChallengeQuoteFieldEvent | ProviderMessageGrantEncapsulatedKeyFieldEvent | ProviderMessageSealedCiphertextFieldEvent | ProviderMessageRefusalCodeFieldEvent | ProviderMessageRefusalSentenceFieldEvent | ProviderMessageRefusalRetryAfterMsFieldEvent> {
    return streamMessage(buf, ProviderMessage.codec(), opts)
  }
}

export interface Challenge {
  body: Uint8Array
  quote: Uint8Array
}

export namespace Challenge {
  let _codec: Codec<Challenge>

  export const codec = (): Codec<Challenge> => {
    if (_codec == null) {
      _codec = message<Challenge>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.body != null && obj.body.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.body)
        }

        if ((obj.quote != null && obj.quote.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.quote)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          body: uint8ArrayAlloc(0),
          quote: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.body = reader.bytes()
              break
            }
            case 2: {
              obj.quote = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.body`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.quote`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface ChallengeBodyFieldEvent {
    field: '$.body'
    value: Uint8Array
  }

  export interface ChallengeQuoteFieldEvent {
    field: '$.quote'
    value: Uint8Array
  }

  export function encode (obj: Partial<Challenge>): Uint8Array {
    return encodeMessage(obj, Challenge.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Challenge>): Challenge {
    return decodeMessage(buf, Challenge.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Challenge>): Generator<ChallengeBodyFieldEvent | ChallengeQuoteFieldEvent> {
    return streamMessage(buf, Challenge.codec(), opts)
  }
}

export interface ChallengeBody {
  account: Uint8Array
  nonce: Uint8Array
  token?: Token
  suite: number
  publicKey: Uint8Array
  syncedBlock: number
  takenInBlock: number
}

export namespace ChallengeBody {
  let _codec: Codec<ChallengeBody>

  export const codec = (): Codec<ChallengeBody> => {
    if (_codec == null) {
      _codec = message<ChallengeBody>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.account != null && obj.account.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.account)
        }

        if ((obj.nonce != null && obj.nonce.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.nonce)
        }

        if (obj.token != null) {
          w.uint32(26)
          Token.codec().encode(obj.token, w)
        }

        if ((obj.suite != null && obj.suite !== 0)) {
          w.uint32(32)
          w.uint32(obj.suite)
        }

        if ((obj.publicKey != null && obj.publicKey.byteLength > 0)) {
          w.uint32(42)
          w.bytes(obj.publicKey)
        }

        if ((obj.syncedBlock != null && obj.syncedBlock !== 0)) {
          w.uint32(48)
          w.uint32(obj.syncedBlock)
        }

        if ((obj.takenInBlock != null && obj.takenInBlock !== 0)) {
          w.uint32(56)
          w.uint32(obj.takenInBlock)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          account: uint8ArrayAlloc(0),
          nonce: uint8ArrayAlloc(0),
          suite: 0,
          publicKey: uint8ArrayAlloc(0),
          syncedBlock: 0,
          takenInBlock: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.account = reader.bytes()
              break
            }
            case 2: {
              obj.nonce = reader.bytes()
              break
            }
            case 3: {
              obj.token = Token.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.token
              })
              break
            }
            case 4: {
              obj.suite = reader.uint32()
              break
            }
            case 5: {
              obj.publicKey = reader.bytes()
              break
            }
            case 6: {
              obj.syncedBlock = reader.uint32()
              break
            }
            case 7: {
              obj.takenInBlock = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.account`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.nonce`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield * Token.codec().stream(reader, reader.uint32(), `${prefix}.token`, {
                limits: opts.limits?.token
              })

              break
            }
            case 4: {
              yield {
                field: `${prefix}.suite`,
                value: reader.uint32()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.publicKey`,
                value: reader.bytes()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.syncedBlock`,
                value: reader.uint32()
              }
              break
            }
            case 7: {
              yield {
                field: `${prefix}.takenInBlock`,
                value: reader.uint32()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface ChallengeBodyAccountFieldEvent {
    field: '$.account'
    value: Uint8Array
  }

  export interface ChallengeBodyNonceFieldEvent {
    field: '$.nonce'
    value: Uint8Array
  }

  export interface ChallengeBodyTokenBlockNumberFieldEvent {
    field: '$.token.blockNumber'
    value: number
  }

  export interface ChallengeBodyTokenBlockHashFieldEvent {
    field: '$.token.blockHash'
    value: Uint8Array
  }

  export interface ChallengeBodyTokenValidityFieldEvent {
    field: '$.token.validity'
    value: number
  }

  export interface ChallengeBodySuiteFieldEvent {
    field: '$.suite'
    value: number
  }

  export interface ChallengeBodyPublicKeyFieldEvent {
    field: '$.publicKey'
    value: Uint8Array
  }

  export interface ChallengeBodySyncedBlockFieldEvent {
    field: '$.syncedBlock'
    value: number
  }

  export interface ChallengeBodyTakenInBlockFieldEvent {
    field: '$.takenInBlock'
    value: number
  }

  export function encode (obj: Partial<ChallengeBody>): Uint8Array {
    return encodeMessage(obj, ChallengeBody.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ChallengeBody>): ChallengeBody {
    return decodeMessage(buf, ChallengeBody.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ChallengeBody>): Generator<ChallengeBodyAccountFieldEvent | ChallengeBodyNonceFieldEvent | ChallengeBodyTokenBlockNumberFieldEvent | ChallengeBodyTokenBlockHashFieldEvent | ChallengeBodyTokenValidityFieldEvent | ChallengeBodySuiteFieldEvent | ChallengeBodyPublicKeyFieldEvent | ChallengeBodySyncedBlockFieldEvent | ChallengeBodyTakenInBlockFieldEvent> {
    return streamMessage(buf, ChallengeBody.codec(), opts)
  }
}

export interface Grant {
  encapsulatedKey: Uint8Array
}

export namespace Grant {
  let _codec: Codec<Grant>

  export const codec = (): Codec<Grant> => {
    if (_codec == null) {
      _codec = message<Grant>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.encapsulatedKey != null && obj.encapsulatedKey.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.encapsulatedKey)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          encapsulatedKey: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.encapsulatedKey = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.encapsulatedKey`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface GrantEncapsulatedKeyFieldEvent {
    field: '$.encapsulatedKey'
    value: Uint8Array
  }

  export function encode (obj: Partial<Grant>): Uint8Array {
    return encodeMessage(obj, Grant.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Grant>): Grant {
    return decodeMessage(buf, Grant.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Grant>): Generator<GrantEncapsulatedKeyFieldEvent> {
    return streamMessage(buf, Grant.codec(), opts)
  }
}

export interface Sealed {
  ciphertext: Uint8Array
}

export namespace Sealed {
  let _codec: Codec<Sealed>

  export const codec = (): Codec<Sealed> => {
    if (_codec == null) {
      _codec = message<Sealed>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.ciphertext != null && obj.ciphertext.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.ciphertext)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          ciphertext: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.ciphertext = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.ciphertext`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface SealedCiphertextFieldEvent {
    field: '$.ciphertext'
    value: Uint8Array
  }

  export function encode (obj: Partial<Sealed>): Uint8Array {
    return encodeMessage(obj, Sealed.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Sealed>): Sealed {
    return decodeMessage(buf, Sealed.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Sealed>): Generator<SealedCiphertextFieldEvent> {
    return streamMessage(buf, Sealed.codec(), opts)
  }
}

export interface SealedContent {
  batch?: Batch
  end?: End
}

export namespace SealedContent {
  let _codec: Codec<SealedContent>

  export const codec = (): Codec<SealedContent> => {
    if (_codec == null) {
      _codec = message<SealedContent>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        obj = { ...obj }

        if (obj.end != null) {
          obj.batch = undefined
        }

        if (obj.batch != null) {
          obj.end = undefined
        }

        if (obj.batch != null) {
          w.uint32(10)
          Batch.codec().encode(obj.batch, w)
        }

        if (obj.end != null) {
          w.uint32(18)
          End.codec().encode(obj.end, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {}

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.batch = Batch.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.batch
              })
              break
            }
            case 2: {
              obj.end = End.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.end
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        if (obj.end != null) {
          delete obj.batch
        }

        if (obj.batch != null) {
          delete obj.end
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * Batch.codec().stream(reader, reader.uint32(), `${prefix}.batch`, {
                limits: opts.limits?.batch
              })

              break
            }
            case 2: {
              yield * End.codec().stream(reader, reader.uint32(), `${prefix}.end`, {
                limits: opts.limits?.end
              })

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface SealedContentBatchRunsHeadAccountFieldEvent {
    field: '$.batch.runs[].head.account'
    value: Uint8Array
    index: number
  }

  export interface SealedContentBatchRunsHeadIncarnationFieldEvent {
    field: '$.batch.runs[].head.incarnation'
    value: Uint8Array
    index: number
  }

  export interface SealedContentBatchRunsHeadClusterFieldEvent {
    field: '$.batch.runs[].head.cluster'
    value: number
    index: number
  }

  export interface SealedContentBatchRunsHeadSlotFieldEvent {
    field: '$.batch.runs[].head.slot'
    value: number
    index: number
  }

  export interface SealedContentBatchRunsHeadSizeFieldEvent {
    field: '$.batch.runs[].head.size'
    value: number
    index: number
  }

  export interface SealedContentBatchRunsHeadRootFieldEvent {
    field: '$.batch.runs[].head.root'
    value: Uint8Array
    index: number
  }

  export interface SealedContentBatchRunsHeadSignatureFieldEvent {
    field: '$.batch.runs[].head.signature'
    value: Uint8Array
    index: number
  }

  export interface SealedContentBatchRunsFirstIndexFieldEvent {
    field: '$.batch.runs[].firstIndex'
    value: number
    index: number
  }

  export interface SealedContentBatchRunsSharesKindFieldEvent {
    field: '$.batch.runs[].shares[].kind'
    value: ShareKind
    index: number
  }

  export interface SealedContentBatchRunsSharesNftIdFieldEvent {
    field: '$.batch.runs[].shares[].nftId'
    value: number
    index: number
  }

  export interface SealedContentBatchRunsSharesVersionFieldEvent {
    field: '$.batch.runs[].shares[].version'
    value: number
    index: number
  }

  export interface SealedContentBatchRunsSharesPayloadFieldEvent {
    field: '$.batch.runs[].shares[].payload'
    value: Uint8Array
    index: number
  }

  export interface SealedContentBatchRunsLeftFieldEvent {
    field: '$.batch.runs[].left[]'
    index: number
    value: Uint8Array
  }

  export interface SealedContentBatchRunsRightFieldEvent {
    field: '$.batch.runs[].right[]'
    index: number
    value: Uint8Array
  }

  export interface SealedContentBatchSecretsNotHeldFieldEvent {
    field: '$.batch.secretsNotHeld'
    value: Uint8Array
  }

  export interface SealedContentBatchCapsulesNotHeldFieldEvent {
    field: '$.batch.capsulesNotHeld'
    value: Uint8Array
  }

  export interface SealedContentBatchCursorKindFieldEvent {
    field: '$.batch.cursor.kind'
    value: ShareKind
  }

  export interface SealedContentBatchCursorNftIdFieldEvent {
    field: '$.batch.cursor.nftId'
    value: number
  }

  export interface SealedContentEndShareCountFieldEvent {
    field: '$.end.shareCount'
    value: number
  }

  export interface SealedContentEndNotHeldCountFieldEvent {
    field: '$.end.notHeldCount'
    value: number
  }

  export interface SealedContentEndUnfinishedFieldEvent {
    field: '$.end.unfinished'
    value: boolean
  }

  export function encode (obj: Partial<SealedContent>): Uint8Array {
    return encodeMessage(obj, SealedContent.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SealedContent>): SealedContent {
    return decodeMessage(buf, SealedContent.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SealedContent>): Generator<SealedContentBatchRunsHeadAccountFieldEvent | SealedContentBatchRunsHeadIncarnationFieldEvent | SealedContentBatchRunsHeadClusterFieldEvent | SealedContentBatchRunsHeadSlotFieldEvent | SealedContentBatchRunsHeadSizeFieldEvent | SealedContentBatchRunsHeadRootFieldEvent | SealedContentBatchRunsHeadSignatureFieldEvent | SealedContentBatchRunsFirstIndexFieldEvent | SealedContentBatchRunsSharesKindFieldEvent | SealedContentBatchRunsSharesNftIdFieldEvent | SealedContentBatchRunsSharesVersionFieldEvent | SealedContentBatchRunsSharesPayloadFieldEvent | SealedContentBatchRunsLeftFieldEvent | SealedContentBatchRunsRightFieldEvent | SealedContentBatchSecretsNotHeldFieldEvent | SealedContentBatchCapsulesNotHeldFieldEvent | SealedContentBatchCursorKindFieldEvent | SealedContentBatchCursorNftIdFieldEvent | SealedContentEndShareCountFieldEvent | SealedContentEndNotHeldCountFieldEvent | SealedContentEndUnfinishedFieldEvent> {
    return streamMessage(buf, SealedContent.codec(), opts)
  }
}

export interface Batch {
  runs: Run[]
  secretsNotHeld: Uint8Array
  capsulesNotHeld: Uint8Array
  cursor?: Cursor
}

export namespace Batch {
  let _codec: Codec<Batch>

  export const codec = (): Codec<Batch> => {
    if (_codec == null) {
      _codec = message<Batch>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.runs != null && obj.runs.length > 0) {
          for (const value of obj.runs) {
            w.uint32(10)
            Run.codec().encode(value, w)
          }
        }

        if ((obj.secretsNotHeld != null && obj.secretsNotHeld.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.secretsNotHeld)
        }

        if ((obj.capsulesNotHeld != null && obj.capsulesNotHeld.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.capsulesNotHeld)
        }

        if (obj.cursor != null) {
          w.uint32(34)
          Cursor.codec().encode(obj.cursor, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          runs: [],
          secretsNotHeld: uint8ArrayAlloc(0),
          capsulesNotHeld: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.runs != null && obj.runs.length === opts.limits.runs) {
                throw new MaxLengthError('Decode error - repeated field "runs" had too many elements')
              }

              obj.runs.push(Run.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.runs$
              }))
              break
            }
            case 2: {
              obj.secretsNotHeld = reader.bytes()
              break
            }
            case 3: {
              obj.capsulesNotHeld = reader.bytes()
              break
            }
            case 4: {
              obj.cursor = Cursor.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.cursor
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          runs: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.runs != null && obj.runs === opts.limits.runs) {
                throw new MaxLengthError('Streaming decode error - repeated field "runs" had too many elements')
              }

              for (const evt of Run.codec().stream(reader, reader.uint32(), `${prefix}.runs[]`, {
                limits: opts.limits?.runs$
              })) {
                yield {
                  ...evt,
                  index: obj.runs
                }
              }

              obj.runs++

              break
            }
            case 2: {
              yield {
                field: `${prefix}.secretsNotHeld`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.capsulesNotHeld`,
                value: reader.bytes()
              }
              break
            }
            case 4: {
              yield * Cursor.codec().stream(reader, reader.uint32(), `${prefix}.cursor`, {
                limits: opts.limits?.cursor
              })

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface BatchRunsHeadAccountFieldEvent {
    field: '$.runs[].head.account'
    value: Uint8Array
    index: number
  }

  export interface BatchRunsHeadIncarnationFieldEvent {
    field: '$.runs[].head.incarnation'
    value: Uint8Array
    index: number
  }

  export interface BatchRunsHeadClusterFieldEvent {
    field: '$.runs[].head.cluster'
    value: number
    index: number
  }

  export interface BatchRunsHeadSlotFieldEvent {
    field: '$.runs[].head.slot'
    value: number
    index: number
  }

  export interface BatchRunsHeadSizeFieldEvent {
    field: '$.runs[].head.size'
    value: number
    index: number
  }

  export interface BatchRunsHeadRootFieldEvent {
    field: '$.runs[].head.root'
    value: Uint8Array
    index: number
  }

  export interface BatchRunsHeadSignatureFieldEvent {
    field: '$.runs[].head.signature'
    value: Uint8Array
    index: number
  }

  export interface BatchRunsFirstIndexFieldEvent {
    field: '$.runs[].firstIndex'
    value: number
    index: number
  }

  export interface BatchRunsSharesKindFieldEvent {
    field: '$.runs[].shares[].kind'
    value: ShareKind
    index: number
  }

  export interface BatchRunsSharesNftIdFieldEvent {
    field: '$.runs[].shares[].nftId'
    value: number
    index: number
  }

  export interface BatchRunsSharesVersionFieldEvent {
    field: '$.runs[].shares[].version'
    value: number
    index: number
  }

  export interface BatchRunsSharesPayloadFieldEvent {
    field: '$.runs[].shares[].payload'
    value: Uint8Array
    index: number
  }

  export interface BatchRunsLeftFieldEvent {
    field: '$.runs[].left[]'
    index: number
    value: Uint8Array
  }

  export interface BatchRunsRightFieldEvent {
    field: '$.runs[].right[]'
    index: number
    value: Uint8Array
  }

  export interface BatchSecretsNotHeldFieldEvent {
    field: '$.secretsNotHeld'
    value: Uint8Array
  }

  export interface BatchCapsulesNotHeldFieldEvent {
    field: '$.capsulesNotHeld'
    value: Uint8Array
  }

  export interface BatchCursorKindFieldEvent {
    field: '$.cursor.kind'
    value: ShareKind
  }

  export interface BatchCursorNftIdFieldEvent {
    field: '$.cursor.nftId'
    value: number
  }

  export function encode (obj: Partial<Batch>): Uint8Array {
    return encodeMessage(obj, Batch.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Batch>): Batch {
    return decodeMessage(buf, Batch.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Batch>): Generator<BatchRunsHeadAccountFieldEvent | BatchRunsHeadIncarnationFieldEvent | BatchRunsHeadClusterFieldEvent | BatchRunsHeadSlotFieldEvent | BatchRunsHeadSizeFieldEvent | BatchRunsHeadRootFieldEvent | BatchRunsHeadSignatureFieldEvent | BatchRunsFirstIndexFieldEvent | BatchRunsSharesKindFieldEvent | BatchRunsSharesNftIdFieldEvent | BatchRunsSharesVersionFieldEvent | BatchRunsSharesPayloadFieldEvent | BatchRunsLeftFieldEvent | BatchRunsRightFieldEvent | BatchSecretsNotHeldFieldEvent | BatchCapsulesNotHeldFieldEvent | BatchCursorKindFieldEvent | BatchCursorNftIdFieldEvent> {
    return streamMessage(buf, Batch.codec(), opts)
  }
}

export interface Cursor {
  kind: ShareKind
  nftId: number
}

export namespace Cursor {
  let _codec: Codec<Cursor>

  export const codec = (): Codec<Cursor> => {
    if (_codec == null) {
      _codec = message<Cursor>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.kind != null && __ShareKindValues[obj.kind] !== 0) {
          w.uint32(8)
          ShareKind.codec().encode(obj.kind, w)
        }

        if ((obj.nftId != null && obj.nftId !== 0)) {
          w.uint32(16)
          w.uint32(obj.nftId)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          kind: ShareKind.SHARE_KIND_UNSPECIFIED,
          nftId: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.kind = ShareKind.codec().decode(reader)
              break
            }
            case 2: {
              obj.nftId = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.kind`,
                value: ShareKind.codec().decode(reader)
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.nftId`,
                value: reader.uint32()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface CursorKindFieldEvent {
    field: '$.kind'
    value: ShareKind
  }

  export interface CursorNftIdFieldEvent {
    field: '$.nftId'
    value: number
  }

  export function encode (obj: Partial<Cursor>): Uint8Array {
    return encodeMessage(obj, Cursor.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Cursor>): Cursor {
    return decodeMessage(buf, Cursor.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Cursor>): Generator<CursorKindFieldEvent | CursorNftIdFieldEvent> {
    return streamMessage(buf, Cursor.codec(), opts)
  }
}

export interface Run {
  head?: LogHead
  firstIndex: number
  shares: Share[]
  left: Uint8Array[]
  right: Uint8Array[]
}

export namespace Run {
  let _codec: Codec<Run>

  export const codec = (): Codec<Run> => {
    if (_codec == null) {
      _codec = message<Run>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.head != null) {
          w.uint32(10)
          LogHead.codec().encode(obj.head, w)
        }

        if ((obj.firstIndex != null && obj.firstIndex !== 0)) {
          w.uint32(16)
          w.uint32(obj.firstIndex)
        }

        if (obj.shares != null && obj.shares.length > 0) {
          for (const value of obj.shares) {
            w.uint32(26)
            Share.codec().encode(value, w)
          }
        }

        if (obj.left != null && obj.left.length > 0) {
          for (const value of obj.left) {
            w.uint32(34)
            w.bytes(value)
          }
        }

        if (obj.right != null && obj.right.length > 0) {
          for (const value of obj.right) {
            w.uint32(42)
            w.bytes(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          firstIndex: 0,
          shares: [],
          left: [],
          right: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.head = LogHead.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.head
              })
              break
            }
            case 2: {
              obj.firstIndex = reader.uint32()
              break
            }
            case 3: {
              if (opts.limits?.shares != null && obj.shares.length === opts.limits.shares) {
                throw new MaxLengthError('Decode error - repeated field "shares" had too many elements')
              }

              obj.shares.push(Share.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.shares$
              }))
              break
            }
            case 4: {
              if (opts.limits?.left != null && obj.left.length === opts.limits.left) {
                throw new MaxLengthError('Decode error - repeated field "left" had too many elements')
              }

              obj.left.push(reader.bytes())
              break
            }
            case 5: {
              if (opts.limits?.right != null && obj.right.length === opts.limits.right) {
                throw new MaxLengthError('Decode error - repeated field "right" had too many elements')
              }

              obj.right.push(reader.bytes())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          shares: 0,
          left: 0,
          right: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * LogHead.codec().stream(reader, reader.uint32(), `${prefix}.head`, {
                limits: opts.limits?.head
              })

              break
            }
            case 2: {
              yield {
                field: `${prefix}.firstIndex`,
                value: reader.uint32()
              }
              break
            }
            case 3: {
              if (opts.limits?.shares != null && obj.shares === opts.limits.shares) {
                throw new MaxLengthError('Streaming decode error - repeated field "shares" had too many elements')
              }

              for (const evt of Share.codec().stream(reader, reader.uint32(), `${prefix}.shares[]`, {
                limits: opts.limits?.shares$
              })) {
                yield {
                  ...evt,
                  index: obj.shares
                }
              }

              obj.shares++

              break
            }
            case 4: {
              if (opts.limits?.left != null && obj.left === opts.limits.left) {
                throw new MaxLengthError('Streaming decode error - repeated field "left" had too many elements')
              }

              yield {
                field: `${prefix}.left[]`,
                index: obj.left,
                value: reader.bytes()
              }

              obj.left++

              break
            }
            case 5: {
              if (opts.limits?.right != null && obj.right === opts.limits.right) {
                throw new MaxLengthError('Streaming decode error - repeated field "right" had too many elements')
              }

              yield {
                field: `${prefix}.right[]`,
                index: obj.right,
                value: reader.bytes()
              }

              obj.right++

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface RunHeadAccountFieldEvent {
    field: '$.head.account'
    value: Uint8Array
  }

  export interface RunHeadIncarnationFieldEvent {
    field: '$.head.incarnation'
    value: Uint8Array
  }

  export interface RunHeadClusterFieldEvent {
    field: '$.head.cluster'
    value: number
  }

  export interface RunHeadSlotFieldEvent {
    field: '$.head.slot'
    value: number
  }

  export interface RunHeadSizeFieldEvent {
    field: '$.head.size'
    value: number
  }

  export interface RunHeadRootFieldEvent {
    field: '$.head.root'
    value: Uint8Array
  }

  export interface RunHeadSignatureFieldEvent {
    field: '$.head.signature'
    value: Uint8Array
  }

  export interface RunFirstIndexFieldEvent {
    field: '$.firstIndex'
    value: number
  }

  export interface RunSharesKindFieldEvent {
    field: '$.shares[].kind'
    value: ShareKind
    index: number
  }

  export interface RunSharesNftIdFieldEvent {
    field: '$.shares[].nftId'
    value: number
    index: number
  }

  export interface RunSharesVersionFieldEvent {
    field: '$.shares[].version'
    value: number
    index: number
  }

  export interface RunSharesPayloadFieldEvent {
    field: '$.shares[].payload'
    value: Uint8Array
    index: number
  }

  export interface RunLeftFieldEvent {
    field: '$.left[]'
    index: number
    value: Uint8Array
  }

  export interface RunRightFieldEvent {
    field: '$.right[]'
    index: number
    value: Uint8Array
  }

  export function encode (obj: Partial<Run>): Uint8Array {
    return encodeMessage(obj, Run.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Run>): Run {
    return decodeMessage(buf, Run.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Run>): Generator<RunHeadAccountFieldEvent | RunHeadIncarnationFieldEvent | RunHeadClusterFieldEvent | RunHeadSlotFieldEvent | RunHeadSizeFieldEvent | RunHeadRootFieldEvent | RunHeadSignatureFieldEvent | RunFirstIndexFieldEvent | RunSharesKindFieldEvent | RunSharesNftIdFieldEvent | RunSharesVersionFieldEvent | RunSharesPayloadFieldEvent | RunLeftFieldEvent | RunRightFieldEvent> {
    return streamMessage(buf, Run.codec(), opts)
  }
}

export interface LogHead {
  account: Uint8Array
  incarnation: Uint8Array
  cluster: number
  slot: number
  size: number
  root: Uint8Array
  signature: Uint8Array
}

export namespace LogHead {
  let _codec: Codec<LogHead>

  export const codec = (): Codec<LogHead> => {
    if (_codec == null) {
      _codec = message<LogHead>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.account != null && obj.account.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.account)
        }

        if ((obj.incarnation != null && obj.incarnation.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.incarnation)
        }

        if ((obj.cluster != null && obj.cluster !== 0)) {
          w.uint32(24)
          w.uint32(obj.cluster)
        }

        if ((obj.slot != null && obj.slot !== 0)) {
          w.uint32(32)
          w.uint32(obj.slot)
        }

        if ((obj.size != null && obj.size !== 0)) {
          w.uint32(40)
          w.uint32(obj.size)
        }

        if ((obj.root != null && obj.root.byteLength > 0)) {
          w.uint32(50)
          w.bytes(obj.root)
        }

        if ((obj.signature != null && obj.signature.byteLength > 0)) {
          w.uint32(58)
          w.bytes(obj.signature)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          account: uint8ArrayAlloc(0),
          incarnation: uint8ArrayAlloc(0),
          cluster: 0,
          slot: 0,
          size: 0,
          root: uint8ArrayAlloc(0),
          signature: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.account = reader.bytes()
              break
            }
            case 2: {
              obj.incarnation = reader.bytes()
              break
            }
            case 3: {
              obj.cluster = reader.uint32()
              break
            }
            case 4: {
              obj.slot = reader.uint32()
              break
            }
            case 5: {
              obj.size = reader.uint32()
              break
            }
            case 6: {
              obj.root = reader.bytes()
              break
            }
            case 7: {
              obj.signature = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.account`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.incarnation`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.cluster`,
                value: reader.uint32()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.slot`,
                value: reader.uint32()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.size`,
                value: reader.uint32()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.root`,
                value: reader.bytes()
              }
              break
            }
            case 7: {
              yield {
                field: `${prefix}.signature`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface LogHeadAccountFieldEvent {
    field: '$.account'
    value: Uint8Array
  }

  export interface LogHeadIncarnationFieldEvent {
    field: '$.incarnation'
    value: Uint8Array
  }

  export interface LogHeadClusterFieldEvent {
    field: '$.cluster'
    value: number
  }

  export interface LogHeadSlotFieldEvent {
    field: '$.slot'
    value: number
  }

  export interface LogHeadSizeFieldEvent {
    field: '$.size'
    value: number
  }

  export interface LogHeadRootFieldEvent {
    field: '$.root'
    value: Uint8Array
  }

  export interface LogHeadSignatureFieldEvent {
    field: '$.signature'
    value: Uint8Array
  }

  export function encode (obj: Partial<LogHead>): Uint8Array {
    return encodeMessage(obj, LogHead.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<LogHead>): LogHead {
    return decodeMessage(buf, LogHead.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<LogHead>): Generator<LogHeadAccountFieldEvent | LogHeadIncarnationFieldEvent | LogHeadClusterFieldEvent | LogHeadSlotFieldEvent | LogHeadSizeFieldEvent | LogHeadRootFieldEvent | LogHeadSignatureFieldEvent> {
    return streamMessage(buf, LogHead.codec(), opts)
  }
}

export interface Share {
  kind: ShareKind
  nftId: number
  version: number
  payload: Uint8Array
}

export namespace Share {
  let _codec: Codec<Share>

  export const codec = (): Codec<Share> => {
    if (_codec == null) {
      _codec = message<Share>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.kind != null && __ShareKindValues[obj.kind] !== 0) {
          w.uint32(8)
          ShareKind.codec().encode(obj.kind, w)
        }

        if ((obj.nftId != null && obj.nftId !== 0)) {
          w.uint32(16)
          w.uint32(obj.nftId)
        }

        if ((obj.version != null && obj.version !== 0)) {
          w.uint32(24)
          w.uint32(obj.version)
        }

        if ((obj.payload != null && obj.payload.byteLength > 0)) {
          w.uint32(34)
          w.bytes(obj.payload)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          kind: ShareKind.SHARE_KIND_UNSPECIFIED,
          nftId: 0,
          version: 0,
          payload: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.kind = ShareKind.codec().decode(reader)
              break
            }
            case 2: {
              obj.nftId = reader.uint32()
              break
            }
            case 3: {
              obj.version = reader.uint32()
              break
            }
            case 4: {
              obj.payload = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.kind`,
                value: ShareKind.codec().decode(reader)
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.nftId`,
                value: reader.uint32()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.version`,
                value: reader.uint32()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.payload`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface ShareKindFieldEvent {
    field: '$.kind'
    value: ShareKind
  }

  export interface ShareNftIdFieldEvent {
    field: '$.nftId'
    value: number
  }

  export interface ShareVersionFieldEvent {
    field: '$.version'
    value: number
  }

  export interface SharePayloadFieldEvent {
    field: '$.payload'
    value: Uint8Array
  }

  export function encode (obj: Partial<Share>): Uint8Array {
    return encodeMessage(obj, Share.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Share>): Share {
    return decodeMessage(buf, Share.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Share>): Generator<ShareKindFieldEvent | ShareNftIdFieldEvent | ShareVersionFieldEvent | SharePayloadFieldEvent> {
    return streamMessage(buf, Share.codec(), opts)
  }
}

export interface End {
  shareCount: number
  notHeldCount: number
  unfinished: boolean
}

export namespace End {
  let _codec: Codec<End>

  export const codec = (): Codec<End> => {
    if (_codec == null) {
      _codec = message<End>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.shareCount != null && obj.shareCount !== 0)) {
          w.uint32(8)
          w.uint32(obj.shareCount)
        }

        if ((obj.notHeldCount != null && obj.notHeldCount !== 0)) {
          w.uint32(16)
          w.uint32(obj.notHeldCount)
        }

        if ((obj.unfinished != null && obj.unfinished !== false)) {
          w.uint32(24)
          w.bool(obj.unfinished)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          shareCount: 0,
          notHeldCount: 0,
          unfinished: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.shareCount = reader.uint32()
              break
            }
            case 2: {
              obj.notHeldCount = reader.uint32()
              break
            }
            case 3: {
              obj.unfinished = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.shareCount`,
                value: reader.uint32()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.notHeldCount`,
                value: reader.uint32()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.unfinished`,
                value: reader.bool()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface EndShareCountFieldEvent {
    field: '$.shareCount'
    value: number
  }

  export interface EndNotHeldCountFieldEvent {
    field: '$.notHeldCount'
    value: number
  }

  export interface EndUnfinishedFieldEvent {
    field: '$.unfinished'
    value: boolean
  }

  export function encode (obj: Partial<End>): Uint8Array {
    return encodeMessage(obj, End.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<End>): End {
    return decodeMessage(buf, End.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<End>): Generator<EndShareCountFieldEvent | EndNotHeldCountFieldEvent | EndUnfinishedFieldEvent> {
    return streamMessage(buf, End.codec(), opts)
  }
}

export interface ForkEvidence {
  one?: Branch
  other?: Branch
  level: number
  index: number
}

export namespace ForkEvidence {
  let _codec: Codec<ForkEvidence>

  export const codec = (): Codec<ForkEvidence> => {
    if (_codec == null) {
      _codec = message<ForkEvidence>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.one != null) {
          w.uint32(10)
          Branch.codec().encode(obj.one, w)
        }

        if (obj.other != null) {
          w.uint32(18)
          Branch.codec().encode(obj.other, w)
        }

        if ((obj.level != null && obj.level !== 0)) {
          w.uint32(24)
          w.uint32(obj.level)
        }

        if ((obj.index != null && obj.index !== 0)) {
          w.uint32(32)
          w.uint32(obj.index)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          level: 0,
          index: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.one = Branch.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.one
              })
              break
            }
            case 2: {
              obj.other = Branch.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.other
              })
              break
            }
            case 3: {
              obj.level = reader.uint32()
              break
            }
            case 4: {
              obj.index = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * Branch.codec().stream(reader, reader.uint32(), `${prefix}.one`, {
                limits: opts.limits?.one
              })

              break
            }
            case 2: {
              yield * Branch.codec().stream(reader, reader.uint32(), `${prefix}.other`, {
                limits: opts.limits?.other
              })

              break
            }
            case 3: {
              yield {
                field: `${prefix}.level`,
                value: reader.uint32()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.index`,
                value: reader.uint32()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface ForkEvidenceOneHeadAccountFieldEvent {
    field: '$.one.head.account'
    value: Uint8Array
  }

  export interface ForkEvidenceOneHeadIncarnationFieldEvent {
    field: '$.one.head.incarnation'
    value: Uint8Array
  }

  export interface ForkEvidenceOneHeadClusterFieldEvent {
    field: '$.one.head.cluster'
    value: number
  }

  export interface ForkEvidenceOneHeadSlotFieldEvent {
    field: '$.one.head.slot'
    value: number
  }

  export interface ForkEvidenceOneHeadSizeFieldEvent {
    field: '$.one.head.size'
    value: number
  }

  export interface ForkEvidenceOneHeadRootFieldEvent {
    field: '$.one.head.root'
    value: Uint8Array
  }

  export interface ForkEvidenceOneHeadSignatureFieldEvent {
    field: '$.one.head.signature'
    value: Uint8Array
  }

  export interface ForkEvidenceOneSubtreeFieldEvent {
    field: '$.one.subtree'
    value: Uint8Array
  }

  export interface ForkEvidenceOneLeftFieldEvent {
    field: '$.one.left[]'
    index: number
    value: Uint8Array
  }

  export interface ForkEvidenceOneRightFieldEvent {
    field: '$.one.right[]'
    index: number
    value: Uint8Array
  }

  export interface ForkEvidenceOtherHeadAccountFieldEvent {
    field: '$.other.head.account'
    value: Uint8Array
  }

  export interface ForkEvidenceOtherHeadIncarnationFieldEvent {
    field: '$.other.head.incarnation'
    value: Uint8Array
  }

  export interface ForkEvidenceOtherHeadClusterFieldEvent {
    field: '$.other.head.cluster'
    value: number
  }

  export interface ForkEvidenceOtherHeadSlotFieldEvent {
    field: '$.other.head.slot'
    value: number
  }

  export interface ForkEvidenceOtherHeadSizeFieldEvent {
    field: '$.other.head.size'
    value: number
  }

  export interface ForkEvidenceOtherHeadRootFieldEvent {
    field: '$.other.head.root'
    value: Uint8Array
  }

  export interface ForkEvidenceOtherHeadSignatureFieldEvent {
    field: '$.other.head.signature'
    value: Uint8Array
  }

  export interface ForkEvidenceOtherSubtreeFieldEvent {
    field: '$.other.subtree'
    value: Uint8Array
  }

  export interface ForkEvidenceOtherLeftFieldEvent {
    field: '$.other.left[]'
    index: number
    value: Uint8Array
  }

  export interface ForkEvidenceOtherRightFieldEvent {
    field: '$.other.right[]'
    index: number
    value: Uint8Array
  }

  export interface ForkEvidenceLevelFieldEvent {
    field: '$.level'
    value: number
  }

  export interface ForkEvidenceIndexFieldEvent {
    field: '$.index'
    value: number
  }

  export function encode (obj: Partial<ForkEvidence>): Uint8Array {
    return encodeMessage(obj, ForkEvidence.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ForkEvidence>): ForkEvidence {
    return decodeMessage(buf, ForkEvidence.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ForkEvidence>): Generator<ForkEvidenceOneHeadAccountFieldEvent | ForkEvidenceOneHeadIncarnationFieldEvent | ForkEvidenceOneHeadClusterFieldEvent | ForkEvidenceOneHeadSlotFieldEvent | ForkEvidenceOneHeadSizeFieldEvent | ForkEvidenceOneHeadRootFieldEvent | ForkEvidenceOneHeadSignatureFieldEvent | ForkEvidenceOneSubtreeFieldEvent | ForkEvidenceOneLeftFieldEvent | ForkEvidenceOneRightFieldEvent | ForkEvidenceOtherHeadAccountFieldEvent | ForkEvidenceOtherHeadIncarnationFieldEvent | ForkEvidenceOtherHeadClusterFieldEvent | ForkEvidenceOtherHeadSlotFieldEvent | ForkEvidenceOtherHeadSizeFieldEvent | ForkEvidenceOtherHeadRootFieldEvent | ForkEvidenceOtherHeadSignatureFieldEvent | ForkEvidenceOtherSubtreeFieldEvent | ForkEvidenceOtherLeftFieldEvent | ForkEvidenceOtherRightFieldEvent | ForkEvidenceLevelFieldEvent | ForkEvidenceIndexFieldEvent> {
    return streamMessage(buf, ForkEvidence.codec(), opts)
  }
}

export interface Branch {
  head?: LogHead
  subtree: Uint8Array
  left: Uint8Array[]
  right: Uint8Array[]
}

export namespace Branch {
  let _codec: Codec<Branch>

  export const codec = (): Codec<Branch> => {
    if (_codec == null) {
      _codec = message<Branch>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.head != null) {
          w.uint32(10)
          LogHead.codec().encode(obj.head, w)
        }

        if ((obj.subtree != null && obj.subtree.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.subtree)
        }

        if (obj.left != null && obj.left.length > 0) {
          for (const value of obj.left) {
            w.uint32(26)
            w.bytes(value)
          }
        }

        if (obj.right != null && obj.right.length > 0) {
          for (const value of obj.right) {
            w.uint32(34)
            w.bytes(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          subtree: uint8ArrayAlloc(0),
          left: [],
          right: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.head = LogHead.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.head
              })
              break
            }
            case 2: {
              obj.subtree = reader.bytes()
              break
            }
            case 3: {
              if (opts.limits?.left != null && obj.left.length === opts.limits.left) {
                throw new MaxLengthError('Decode error - repeated field "left" had too many elements')
              }

              obj.left.push(reader.bytes())
              break
            }
            case 4: {
              if (opts.limits?.right != null && obj.right.length === opts.limits.right) {
                throw new MaxLengthError('Decode error - repeated field "right" had too many elements')
              }

              obj.right.push(reader.bytes())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const obj = {
          left: 0,
          right: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * LogHead.codec().stream(reader, reader.uint32(), `${prefix}.head`, {
                limits: opts.limits?.head
              })

              break
            }
            case 2: {
              yield {
                field: `${prefix}.subtree`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              if (opts.limits?.left != null && obj.left === opts.limits.left) {
                throw new MaxLengthError('Streaming decode error - repeated field "left" had too many elements')
              }

              yield {
                field: `${prefix}.left[]`,
                index: obj.left,
                value: reader.bytes()
              }

              obj.left++

              break
            }
            case 4: {
              if (opts.limits?.right != null && obj.right === opts.limits.right) {
                throw new MaxLengthError('Streaming decode error - repeated field "right" had too many elements')
              }

              yield {
                field: `${prefix}.right[]`,
                index: obj.right,
                value: reader.bytes()
              }

              obj.right++

              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface BranchHeadAccountFieldEvent {
    field: '$.head.account'
    value: Uint8Array
  }

  export interface BranchHeadIncarnationFieldEvent {
    field: '$.head.incarnation'
    value: Uint8Array
  }

  export interface BranchHeadClusterFieldEvent {
    field: '$.head.cluster'
    value: number
  }

  export interface BranchHeadSlotFieldEvent {
    field: '$.head.slot'
    value: number
  }

  export interface BranchHeadSizeFieldEvent {
    field: '$.head.size'
    value: number
  }

  export interface BranchHeadRootFieldEvent {
    field: '$.head.root'
    value: Uint8Array
  }

  export interface BranchHeadSignatureFieldEvent {
    field: '$.head.signature'
    value: Uint8Array
  }

  export interface BranchSubtreeFieldEvent {
    field: '$.subtree'
    value: Uint8Array
  }

  export interface BranchLeftFieldEvent {
    field: '$.left[]'
    index: number
    value: Uint8Array
  }

  export interface BranchRightFieldEvent {
    field: '$.right[]'
    index: number
    value: Uint8Array
  }

  export function encode (obj: Partial<Branch>): Uint8Array {
    return encodeMessage(obj, Branch.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Branch>): Branch {
    return decodeMessage(buf, Branch.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Branch>): Generator<BranchHeadAccountFieldEvent | BranchHeadIncarnationFieldEvent | BranchHeadClusterFieldEvent | BranchHeadSlotFieldEvent | BranchHeadSizeFieldEvent | BranchHeadRootFieldEvent | BranchHeadSignatureFieldEvent | BranchSubtreeFieldEvent | BranchLeftFieldEvent | BranchRightFieldEvent> {
    return streamMessage(buf, Branch.codec(), opts)
  }
}

export enum ShareKind {
  SHARE_KIND_UNSPECIFIED = 'SHARE_KIND_UNSPECIFIED',
  SECRET = 'SECRET',
  CAPSULE = 'CAPSULE'
}

enum __ShareKindValues {
  SHARE_KIND_UNSPECIFIED = 0,
  SECRET = 1,
  CAPSULE = 2
}

export namespace ShareKind {
  export const codec = (): Codec<ShareKind> => {
    return enumeration<ShareKind>(__ShareKindValues)
  }
}

export interface Refusal {
  code: RefusalCode
  sentence: string
  retryAfterMs: number
}

export namespace Refusal {
  let _codec: Codec<Refusal>

  export const codec = (): Codec<Refusal> => {
    if (_codec == null) {
      _codec = message<Refusal>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.code != null && __RefusalCodeValues[obj.code] !== 0) {
          w.uint32(8)
          RefusalCode.codec().encode(obj.code, w)
        }

        if ((obj.sentence != null && obj.sentence !== '')) {
          w.uint32(18)
          w.string(obj.sentence)
        }

        if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
          w.uint32(24)
          w.uint32(obj.retryAfterMs)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          code: RefusalCode.REFUSAL_UNSPECIFIED,
          sentence: '',
          retryAfterMs: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.code = RefusalCode.codec().decode(reader)
              break
            }
            case 2: {
              obj.sentence = reader.string()
              break
            }
            case 3: {
              obj.retryAfterMs = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.code`,
                value: RefusalCode.codec().decode(reader)
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.sentence`,
                value: reader.string()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.retryAfterMs`,
                value: reader.uint32()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface RefusalCodeFieldEvent {
    field: '$.code'
    value: RefusalCode
  }

  export interface RefusalSentenceFieldEvent {
    field: '$.sentence'
    value: string
  }

  export interface RefusalRetryAfterMsFieldEvent {
    field: '$.retryAfterMs'
    value: number
  }

  export function encode (obj: Partial<Refusal>): Uint8Array {
    return encodeMessage(obj, Refusal.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Refusal>): Refusal {
    return decodeMessage(buf, Refusal.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Refusal>): Generator<RefusalCodeFieldEvent | RefusalSentenceFieldEvent | RefusalRetryAfterMsFieldEvent> {
    return streamMessage(buf, Refusal.codec(), opts)
  }
}

export enum RefusalCode {
  REFUSAL_UNSPECIFIED = 'REFUSAL_UNSPECIFIED',
  UNKNOWN_CHAIN = 'UNKNOWN_CHAIN',
  NOT_REGISTERED = 'NOT_REGISTERED',
  WRONG_SLOT = 'WRONG_SLOT',
  SAME_CLUSTER = 'SAME_CLUSTER',
  CLUSTER_NOT_PUBLIC = 'CLUSTER_NOT_PUBLIC',
  BAD_SIGNATURE = 'BAD_SIGNATURE',
  TOKEN_EXPIRED = 'TOKEN_EXPIRED',
  TOKEN_IN_FUTURE = 'TOKEN_IN_FUTURE',
  QUOTE_INVALID = 'QUOTE_INVALID',
  TCB_BELOW_POLICY = 'TCB_BELOW_POLICY',
  MEASUREMENT_NOT_ALLOWED = 'MEASUREMENT_NOT_ALLOWED',
  DEBUG_ENCLAVE = 'DEBUG_ENCLAVE',
  BINDING_MISMATCH = 'BINDING_MISMATCH',
  NOT_READY = 'NOT_READY',
  BUSY = 'BUSY',
  MALFORMED = 'MALFORMED',
  UNSUPPORTED_SUITE = 'UNSUPPORTED_SUITE'
}

enum __RefusalCodeValues {
  REFUSAL_UNSPECIFIED = 0,
  UNKNOWN_CHAIN = 1,
  NOT_REGISTERED = 2,
  WRONG_SLOT = 3,
  SAME_CLUSTER = 4,
  CLUSTER_NOT_PUBLIC = 5,
  BAD_SIGNATURE = 6,
  TOKEN_EXPIRED = 7,
  TOKEN_IN_FUTURE = 8,
  QUOTE_INVALID = 9,
  TCB_BELOW_POLICY = 10,
  MEASUREMENT_NOT_ALLOWED = 11,
  DEBUG_ENCLAVE = 12,
  BINDING_MISMATCH = 13,
  NOT_READY = 14,
  BUSY = 15,
  MALFORMED = 16,
  UNSUPPORTED_SUITE = 17
}

export namespace RefusalCode {
  export const codec = (): Codec<RefusalCode> => {
    return enumeration<RefusalCode>(__RefusalCodeValues)
  }
}

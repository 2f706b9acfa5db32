import { decodeMessage, encodeMessage, enumeration, MaxLengthError, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface RequesterMessage {
  hello?: Hello
  question?: Question
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

        if (obj.question != null) {
          obj.hello = undefined
        }

        if (obj.hello != null) {
          obj.question = undefined
        }

        if (obj.hello != null) {
          w.uint32(10)
          Hello.codec().encode(obj.hello, w)
        }

        if (obj.question != null) {
          w.uint32(18)
          Question.codec().encode(obj.question, w)
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
              obj.question = Question.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.question
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        if (obj.question != null) {
          delete obj.hello
        }

        if (obj.hello != null) {
          delete obj.question
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
              yield * Question.codec().stream(reader, reader.uint32(), `${prefix}.question`, {
                limits: opts.limits?.question
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

  export interface RequesterMessageHelloGenesisHashFieldEvent {
    field: '$.hello.genesisHash'
    value: Uint8Array
  }

  export interface RequesterMessageHelloAccountFieldEvent {
    field: '$.hello.account'
    value: Uint8Array
  }

  export interface RequesterMessageQuestionPrefixesFieldEvent {
    field: '$.question.prefixes'
    value: Uint8Array
  }

  export function encode (obj: Partial<RequesterMessage>): Uint8Array {
    return encodeMessage(obj, RequesterMessage.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<RequesterMessage>): RequesterMessage {
    return decodeMessage(buf, RequesterMessage.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<RequesterMessage>): Generator<RequesterMessageHelloGenesisHashFieldEvent | RequesterMessageHelloAccountFieldEvent | RequesterMessageQuestionPrefixesFieldEvent> {
    return streamMessage(buf, RequesterMessage.codec(), opts)
  }
}

export interface Hello {
  genesisHash: Uint8Array
  account: Uint8Array
}

export namespace Hello {
  let _codec: Codec<Hello>

  export const codec = (): Codec<Hello> => {
    if (_codec == null) {
      _codec = message<Hello>((obj, w, opts = {}) => {
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

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          genesisHash: uint8ArrayAlloc(0),
          account: uint8ArrayAlloc(0)
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

  export interface HelloGenesisHashFieldEvent {
    field: '$.genesisHash'
    value: Uint8Array
  }

  export interface HelloAccountFieldEvent {
    field: '$.account'
    value: Uint8Array
  }

  export function encode (obj: Partial<Hello>): Uint8Array {
    return encodeMessage(obj, Hello.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Hello {
    return decodeMessage(buf, Hello.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Hello>): Generator<HelloGenesisHashFieldEvent | HelloAccountFieldEvent> {
    return streamMessage(buf, Hello.codec(), opts)
  }
}

export interface Question {
  prefixes: Uint8Array
}

export namespace Question {
  let _codec: Codec<Question>

  export const codec = (): Codec<Question> => {
    if (_codec == null) {
      _codec = message<Question>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.prefixes != null && obj.prefixes.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.prefixes)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          prefixes: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.prefixes = reader.bytes()
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
                field: `${prefix}.prefixes`,
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

  export interface QuestionPrefixesFieldEvent {
    field: '$.prefixes'
    value: Uint8Array
  }

  export function encode (obj: Partial<Question>): Uint8Array {
    return encodeMessage(obj, Question.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Question>): Question {
    return decodeMessage(buf, Question.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Question>): Generator<QuestionPrefixesFieldEvent> {
    return streamMessage(buf, Question.codec(), opts)
  }
}

export interface ProviderMessage {
  summary?: Summary
  answer?: Answer
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
          obj.answer = undefined
          obj.summary = undefined
        }

        if (obj.answer != null) {
          obj.refusal = undefined
          obj.summary = undefined
        }

        if (obj.summary != null) {
          obj.refusal = undefined
          obj.answer = undefined
        }

        if (obj.summary != null) {
          w.uint32(10)
          Summary.codec().encode(obj.summary, w)
        }

        if (obj.answer != null) {
          w.uint32(18)
          Answer.codec().encode(obj.answer, w)
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
              obj.summary = Summary.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.summary
              })
              break
            }
            case 2: {
              obj.answer = Answer.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.answer
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
          delete obj.answer
          delete obj.summary
        }

        if (obj.answer != null) {
          delete obj.refusal
          delete obj.summary
        }

        if (obj.summary != null) {
          delete obj.refusal
          delete obj.answer
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield * Summary.codec().stream(reader, reader.uint32(), `${prefix}.summary`, {
                limits: opts.limits?.summary
              })

              break
            }
            case 2: {
              yield * Answer.codec().stream(reader, reader.uint32(), `${prefix}.answer`, {
                limits: opts.limits?.answer
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

  export interface ProviderMessageSummaryTakenInBlockFieldEvent {
    field: '$.summary.takenInBlock'
    value: number
  }

  export interface ProviderMessageSummaryCountFieldEvent {
    field: '$.summary.count'
    value: number
  }

  export interface ProviderMessageSummaryFingerprintFieldEvent {
    field: '$.summary.fingerprint'
    value: Uint8Array
  }

  export interface ProviderMessageAnswerPartsPresentFieldEvent {
    field: '$.answer.parts[].present'
    value: number
    index: number
  }

  export interface ProviderMessageAnswerPartsFingerprintsFieldEvent {
    field: '$.answer.parts[].fingerprints'
    value: Uint8Array
    index: number
  }

  export interface ProviderMessageAnswerPartsItemsFieldEvent {
    field: '$.answer.parts[].items'
    value: Uint8Array
    index: number
  }

  export interface ProviderMessageRefusalCodeFieldEvent {
    field: '$.refusal.code'
    value: RefusalCode
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

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ProviderMessage>): Generator<ProviderMessageSummaryTakenInBlockFieldEvent | ProviderMessageSummaryCountFieldEvent | ProviderMessageSummaryFingerprintFieldEvent | ProviderMessageAnswerPartsPresentFieldEvent | ProviderMessageAnswerPartsFingerprintsFieldEvent | ProviderMessageAnswerPartsItemsFieldEvent | ProviderMessageRefusalCodeFieldEvent | ProviderMessageRefusalRetryAfterMsFieldEvent> {
    return streamMessage(buf, ProviderMessage.codec(), opts)
  }
}

export interface Summary {
  takenInBlock: number
  count: number
  fingerprint: Uint8Array
}

export namespace Summary {
  let _codec: Codec<Summary>

  export const codec = (): Codec<Summary> => {
    if (_codec == null) {
      _codec = message<Summary>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.takenInBlock != null && obj.takenInBlock !== 0)) {
          w.uint32(8)
          w.uint32(obj.takenInBlock)
        }

        if ((obj.count != null && obj.count !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.count)
        }

        if ((obj.fingerprint != null && obj.fingerprint.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.fingerprint)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          takenInBlock: 0,
          count: 0,
          fingerprint: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.takenInBlock = reader.uint32()
              break
            }
            case 2: {
              obj.count = reader.uint64Number()
              break
            }
            case 3: {
              obj.fingerprint = reader.bytes()
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
                field: `${prefix}.takenInBlock`,
                value: reader.uint32()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.count`,
                value: reader.uint64Number()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.fingerprint`,
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

  export interface SummaryTakenInBlockFieldEvent {
    field: '$.takenInBlock'
    value: number
  }

  export interface SummaryCountFieldEvent {
    field: '$.count'
    value: number
  }

  export interface SummaryFingerprintFieldEvent {
    field: '$.fingerprint'
    value: Uint8Array
  }

  export function encode (obj: Partial<Summary>): Uint8Array {
    return encodeMessage(obj, Summary.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Summary>): Summary {
    return decodeMessage(buf, Summary.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Summary>): Generator<SummaryTakenInBlockFieldEvent | SummaryCountFieldEvent | SummaryFingerprintFieldEvent> {
    return streamMessage(buf, Summary.codec(), opts)
  }
}

export interface Answer {
  parts: Part[]
}

export namespace Answer {
  let _codec: Codec<Answer>

  export const codec = (): Codec<Answer> => {
    if (_codec == null) {
      _codec = message<Answer>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.parts != null && obj.parts.length > 0) {
          for (const value of obj.parts) {
            w.uint32(10)
            Part.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          parts: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.parts != null && obj.parts.length === opts.limits.parts) {
                throw new MaxLengthError('Decode error - repeated field "parts" had too many elements')
              }

              obj.parts.push(Part.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.parts$
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
          parts: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.parts != null && obj.parts === opts.limits.parts) {
                throw new MaxLengthError('Streaming decode error - repeated field "parts" had too many elements')
              }

              for (const evt of Part.codec().stream(reader, reader.uint32(), `${prefix}.parts[]`, {
                limits: opts.limits?.parts$
              })) {
                yield {
                  ...evt,
                  index: obj.parts
                }
              }

              obj.parts++

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

  export interface AnswerPartsPresentFieldEvent {
    field: '$.parts[].present'
    value: number
    index: number
  }

  export interface AnswerPartsFingerprintsFieldEvent {
    field: '$.parts[].fingerprints'
    value: Uint8Array
    index: number
  }

  export interface AnswerPartsItemsFieldEvent {
    field: '$.parts[].items'
    value: Uint8Array
    index: number
  }

  export function encode (obj: Partial<Answer>): Uint8Array {
    return encodeMessage(obj, Answer.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Answer>): Answer {
    return decodeMessage(buf, Answer.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Answer>): Generator<AnswerPartsPresentFieldEvent | AnswerPartsFingerprintsFieldEvent | AnswerPartsItemsFieldEvent> {
    return streamMessage(buf, Answer.codec(), opts)
  }
}

export interface Part {
  present: number
  fingerprints: Uint8Array
  items: Uint8Array
}

export namespace Part {
  let _codec: Codec<Part>

  export const codec = (): Codec<Part> => {
    if (_codec == null) {
      _codec = message<Part>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.present != null && obj.present !== 0)) {
          w.uint32(8)
          w.uint32(obj.present)
        }

        if ((obj.fingerprints != null && obj.fingerprints.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.fingerprints)
        }

        if ((obj.items != null && obj.items.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.items)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          present: 0,
          fingerprints: uint8ArrayAlloc(0),
          items: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.present = reader.uint32()
              break
            }
            case 2: {
              obj.fingerprints = reader.bytes()
              break
            }
            case 3: {
              obj.items = reader.bytes()
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
                field: `${prefix}.present`,
                value: reader.uint32()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.fingerprints`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.items`,
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

  export interface PartPresentFieldEvent {
    field: '$.present'
    value: number
  }

  export interface PartFingerprintsFieldEvent {
    field: '$.fingerprints'
    value: Uint8Array
  }

  export interface PartItemsFieldEvent {
    field: '$.items'
    value: Uint8Array
  }

  export function encode (obj: Partial<Part>): Uint8Array {
    return encodeMessage(obj, Part.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Part>): Part {
    return decodeMessage(buf, Part.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Part>): Generator<PartPresentFieldEvent | PartFingerprintsFieldEvent | PartItemsFieldEvent> {
    return streamMessage(buf, Part.codec(), opts)
  }
}

export interface Refusal {
  code: RefusalCode
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

        if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
          w.uint32(16)
          w.uint32(obj.retryAfterMs)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          code: RefusalCode.REFUSAL_UNSPECIFIED,
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

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Refusal>): Generator<RefusalCodeFieldEvent | RefusalRetryAfterMsFieldEvent> {
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
  UNKNOWN_PEER = 'UNKNOWN_PEER',
  NOT_READY = 'NOT_READY',
  BUSY = 'BUSY',
  MALFORMED = 'MALFORMED'
}

enum __RefusalCodeValues {
  REFUSAL_UNSPECIFIED = 0,
  UNKNOWN_CHAIN = 1,
  NOT_REGISTERED = 2,
  WRONG_SLOT = 3,
  SAME_CLUSTER = 4,
  CLUSTER_NOT_PUBLIC = 5,
  UNKNOWN_PEER = 6,
  NOT_READY = 7,
  BUSY = 8,
  MALFORMED = 9
}

export namespace RefusalCode {
  export const codec = (): Codec<RefusalCode> => {
    return enumeration<RefusalCode>(__RefusalCodeValues)
  }
}

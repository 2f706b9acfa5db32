import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface EnclaveRecord {
  body: Uint8Array
  accountSignature: Uint8Array
  peerSignature: Uint8Array
}

export namespace EnclaveRecord {
  let _codec: Codec<EnclaveRecord>

  export const codec = (): Codec<EnclaveRecord> => {
    if (_codec == null) {
      _codec = message<EnclaveRecord>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.body != null && obj.body.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.body)
        }

        if ((obj.accountSignature != null && obj.accountSignature.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.accountSignature)
        }

        if ((obj.peerSignature != null && obj.peerSignature.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.peerSignature)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          body: uint8ArrayAlloc(0),
          accountSignature: uint8ArrayAlloc(0),
          peerSignature: uint8ArrayAlloc(0)
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
              obj.accountSignature = reader.bytes()
              break
            }
            case 3: {
              obj.peerSignature = reader.bytes()
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
                field: `${prefix}.accountSignature`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.peerSignature`,
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

  export interface EnclaveRecordBodyFieldEvent {
    field: '$.body'
    value: Uint8Array
  }

  export interface EnclaveRecordAccountSignatureFieldEvent {
    field: '$.accountSignature'
    value: Uint8Array
  }

  export interface EnclaveRecordPeerSignatureFieldEvent {
    field: '$.peerSignature'
    value: Uint8Array
  }

  export function encode (obj: Partial<EnclaveRecord>): Uint8Array {
    return encodeMessage(obj, EnclaveRecord.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<EnclaveRecord>): EnclaveRecord {
    return decodeMessage(buf, EnclaveRecord.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<EnclaveRecord>): Generator<EnclaveRecordBodyFieldEvent | EnclaveRecordAccountSignatureFieldEvent | EnclaveRecordPeerSignatureFieldEvent> {
    return streamMessage(buf, EnclaveRecord.codec(), opts)
  }
}

export interface EnclaveRecordBody {
  genesisHash: Uint8Array
  account: Uint8Array
  peerKey: Uint8Array
  multiaddrs: Uint8Array[]
  cluster: number
  slot: number
  sequence: number
  expiresAt: number
}

export namespace EnclaveRecordBody {
  let _codec: Codec<EnclaveRecordBody>

  export const codec = (): Codec<EnclaveRecordBody> => {
    if (_codec == null) {
      _codec = message<EnclaveRecordBody>((obj, w, opts = {}) => {
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

        if ((obj.peerKey != null && obj.peerKey.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.peerKey)
        }

        if (obj.multiaddrs != null && obj.multiaddrs.length > 0) {
          for (const value of obj.multiaddrs) {
            w.uint32(34)
            w.bytes(value)
          }
        }

        if ((obj.cluster != null && obj.cluster !== 0)) {
          w.uint32(40)
          w.uint32(obj.cluster)
        }

        if ((obj.slot != null && obj.slot !== 0)) {
          w.uint32(48)
          w.uint32(obj.slot)
        }

        if ((obj.sequence != null && obj.sequence !== 0)) {
          w.uint32(56)
          w.uint64Number(obj.sequence)
        }

        if ((obj.expiresAt != null && obj.expiresAt !== 0)) {
          w.uint32(64)
          w.uint64Number(obj.expiresAt)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          genesisHash: uint8ArrayAlloc(0),
          account: uint8ArrayAlloc(0),
          peerKey: uint8ArrayAlloc(0),
          multiaddrs: [],
          cluster: 0,
          slot: 0,
          sequence: 0,
          expiresAt: 0
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
              obj.peerKey = reader.bytes()
              break
            }
            case 4: {
              if (opts.limits?.multiaddrs != null && obj.multiaddrs.length === opts.limits.multiaddrs) {
                throw new MaxLengthError('Decode error - repeated field "multiaddrs" had too many elements')
              }

              obj.multiaddrs.push(reader.bytes())
              break
            }
            case 5: {
              obj.cluster = reader.uint32()
              break
            }
            case 6: {
              obj.slot = reader.uint32()
              break
            }
            case 7: {
              obj.sequence = reader.uint64Number()
              break
            }
            case 8: {
              obj.expiresAt = reader.uint64Number()
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
          multiaddrs: 0
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
                field: `${prefix}.peerKey`,
                value: reader.bytes()
              }
              break
            }
            case 4: {
              if (opts.limits?.multiaddrs != null && obj.multiaddrs === opts.limits.multiaddrs) {
                throw new MaxLengthError('Streaming decode error - repeated field "multiaddrs" had too many elements')
              }

              yield {
                field: `${prefix}.multiaddrs[]`,
                index: obj.multiaddrs,
                value: reader.bytes()
              }

              obj.multiaddrs++

              break
            }
            case 5: {
              yield {
                field: `${prefix}.cluster`,
                value: reader.uint32()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.slot`,
                value: reader.uint32()
              }
              break
            }
            case 7: {
              yield {
                field: `${prefix}.sequence`,
                value: reader.uint64Number()
              }
              break
            }
            case 8: {
              yield {
                field: `${prefix}.expiresAt`,
                value: reader.uint64Number()
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

  export interface EnclaveRecordBodyGenesisHashFieldEvent {
    field: '$.genesisHash'
    value: Uint8Array
  }

  export interface EnclaveRecordBodyAccountFieldEvent {
    field: '$.account'
    value: Uint8Array
  }

  export interface EnclaveRecordBodyPeerKeyFieldEvent {
    field: '$.peerKey'
    value: Uint8Array
  }

  export interface EnclaveRecordBodyMultiaddrsFieldEvent {
    field: '$.multiaddrs[]'
    index: number
    value: Uint8Array
  }

  export interface EnclaveRecordBodyClusterFieldEvent {
    field: '$.cluster'
    value: number
  }

  export interface EnclaveRecordBodySlotFieldEvent {
    field: '$.slot'
    value: number
  }

  export interface EnclaveRecordBodySequenceFieldEvent {
    field: '$.sequence'
    value: number
  }

  export interface EnclaveRecordBodyExpiresAtFieldEvent {
    field: '$.expiresAt'
    value: number
  }

  export function encode (obj: Partial<EnclaveRecordBody>): Uint8Array {
    return encodeMessage(obj, EnclaveRecordBody.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<EnclaveRecordBody>): EnclaveRecordBody {
    return decodeMessage(buf, EnclaveRecordBody.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<EnclaveRecordBody>): Generator<EnclaveRecordBodyGenesisHashFieldEvent | EnclaveRecordBodyAccountFieldEvent | EnclaveRecordBodyPeerKeyFieldEvent | EnclaveRecordBodyMultiaddrsFieldEvent | EnclaveRecordBodyClusterFieldEvent | EnclaveRecordBodySlotFieldEvent | EnclaveRecordBodySequenceFieldEvent | EnclaveRecordBodyExpiresAtFieldEvent> {
    return streamMessage(buf, EnclaveRecordBody.codec(), opts)
  }
}

export interface DirectoryRequest {
  wants: DirectoryWant[]
  known: number
}

export namespace DirectoryRequest {
  let _codec: Codec<DirectoryRequest>

  export const codec = (): Codec<DirectoryRequest> => {
    if (_codec == null) {
      _codec = message<DirectoryRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.wants != null && obj.wants.length > 0) {
          for (const value of obj.wants) {
            w.uint32(10)
            DirectoryWant.codec().encode(value, w)
          }
        }

        if ((obj.known != null && obj.known !== 0)) {
          w.uint32(16)
          w.uint32(obj.known)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          wants: [],
          known: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.wants != null && obj.wants.length === opts.limits.wants) {
                throw new MaxLengthError('Decode error - repeated field "wants" had too many elements')
              }

              obj.wants.push(DirectoryWant.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.wants$
              }))
              break
            }
            case 2: {
              obj.known = reader.uint32()
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
          wants: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.wants != null && obj.wants === opts.limits.wants) {
                throw new MaxLengthError('Streaming decode error - repeated field "wants" had too many elements')
              }

              for (const evt of DirectoryWant.codec().stream(reader, reader.uint32(), `${prefix}.wants[]`, {
                limits: opts.limits?.wants$
              })) {
                yield {
                  ...evt,
                  index: obj.wants
                }
              }

              obj.wants++

              break
            }
            case 2: {
              yield {
                field: `${prefix}.known`,
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

  export interface DirectoryRequestWantsAccountFieldEvent {
    field: '$.wants[].account'
    value: Uint8Array
    index: number
  }

  export interface DirectoryRequestWantsSequenceFieldEvent {
    field: '$.wants[].sequence'
    value: number
    index: number
  }

  export interface DirectoryRequestKnownFieldEvent {
    field: '$.known'
    value: number
  }

  export function encode (obj: Partial<DirectoryRequest>): Uint8Array {
    return encodeMessage(obj, DirectoryRequest.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<DirectoryRequest>): DirectoryRequest {
    return decodeMessage(buf, DirectoryRequest.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<DirectoryRequest>): Generator<DirectoryRequestWantsAccountFieldEvent | DirectoryRequestWantsSequenceFieldEvent | DirectoryRequestKnownFieldEvent> {
    return streamMessage(buf, DirectoryRequest.codec(), opts)
  }
}

export interface DirectoryWant {
  account: Uint8Array
  sequence: number
}

export namespace DirectoryWant {
  let _codec: Codec<DirectoryWant>

  export const codec = (): Codec<DirectoryWant> => {
    if (_codec == null) {
      _codec = message<DirectoryWant>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.account != null && obj.account.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.account)
        }

        if ((obj.sequence != null && obj.sequence !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.sequence)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          account: uint8ArrayAlloc(0),
          sequence: 0
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
              obj.sequence = reader.uint64Number()
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
                field: `${prefix}.sequence`,
                value: reader.uint64Number()
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

  export interface DirectoryWantAccountFieldEvent {
    field: '$.account'
    value: Uint8Array
  }

  export interface DirectoryWantSequenceFieldEvent {
    field: '$.sequence'
    value: number
  }

  export function encode (obj: Partial<DirectoryWant>): Uint8Array {
    return encodeMessage(obj, DirectoryWant.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<DirectoryWant>): DirectoryWant {
    return decodeMessage(buf, DirectoryWant.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<DirectoryWant>): Generator<DirectoryWantAccountFieldEvent | DirectoryWantSequenceFieldEvent> {
    return streamMessage(buf, DirectoryWant.codec(), opts)
  }
}

export interface DirectoryAnswer {
  records: Uint8Array[]
  known: number
}

export namespace DirectoryAnswer {
  let _codec: Codec<DirectoryAnswer>

  export const codec = (): Codec<DirectoryAnswer> => {
    if (_codec == null) {
      _codec = message<DirectoryAnswer>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.records != null && obj.records.length > 0) {
          for (const value of obj.records) {
            w.uint32(10)
            w.bytes(value)
          }
        }

        if ((obj.known != null && obj.known !== 0)) {
          w.uint32(16)
          w.uint32(obj.known)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          records: [],
          known: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.records != null && obj.records.length === opts.limits.records) {
                throw new MaxLengthError('Decode error - repeated field "records" had too many elements')
              }

              obj.records.push(reader.bytes())
              break
            }
            case 2: {
              obj.known = reader.uint32()
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
          records: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.records != null && obj.records === opts.limits.records) {
                throw new MaxLengthError('Streaming decode error - repeated field "records" had too many elements')
              }

              yield {
                field: `${prefix}.records[]`,
                index: obj.records,
                value: reader.bytes()
              }

              obj.records++

              break
            }
            case 2: {
              yield {
                field: `${prefix}.known`,
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

  export interface DirectoryAnswerRecordsFieldEvent {
    field: '$.records[]'
    index: number
    value: Uint8Array
  }

  export interface DirectoryAnswerKnownFieldEvent {
    field: '$.known'
    value: number
  }

  export function encode (obj: Partial<DirectoryAnswer>): Uint8Array {
    return encodeMessage(obj, DirectoryAnswer.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<DirectoryAnswer>): DirectoryAnswer {
    return decodeMessage(buf, DirectoryAnswer.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<DirectoryAnswer>): Generator<DirectoryAnswerRecordsFieldEvent | DirectoryAnswerKnownFieldEvent> {
    return streamMessage(buf, DirectoryAnswer.codec(), opts)
  }
}

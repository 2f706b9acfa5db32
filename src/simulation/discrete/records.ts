import { type EnclaveRecord, parseRecord, type RecordCodec, recordError, signRecord } from '../../mesh/index.js'
import { COSTS } from './costs.js'
import type { Processor } from './processor.js'

/**
 * Enclave records as they are on the wire, read once for all nodes: who gets the same bytes again is handed the same
 * record. A record is genuine if it was signed here; what signing and checking cost is charged.
 */
export class RecordBook {
  /** By the memory that their bytes have for themselves. */
  readonly #signed = new WeakMap<ArrayBufferLike, EnclaveRecord>()

  codec(processor: Processor): RecordCodec {
    return {
      signRecord: async (content, signer, privateKey) => {
        processor.charge(COSTS.peerSign)
        const { publicKey, raw } = privateKey
        const sign = () => new Uint8Array(64)
        const modelKey = { type: privateKey.type, publicKey, raw, equals: () => false, sign }
        const signed = await signRecord(content, signer, modelKey)
        const record = { ...signed, bytes: new Uint8Array(signed.bytes) }
        this.#signed.set(record.bytes.buffer, record)
        return record
      },
      parseRecord: (bytes, genesisHash) => this.#known(bytes) ?? parseRecord(bytes, genesisHash),
      verifyRecord: async (record) => {
        await processor.work(COSTS.peerVerify + COSTS.verify)
        if (this.#known(record.bytes) !== undefined) return
        throw recordError('account-signature', 'The enclave record is not signed by its account.')
      },
    }
  }

  #known(bytes: Uint8Array): EnclaveRecord | undefined {
    const record = this.#signed.get(bytes.buffer)
    return record?.bytes.length === bytes.length ? record : undefined
  }
}

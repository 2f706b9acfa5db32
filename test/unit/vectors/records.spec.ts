import assert from 'node:assert/strict'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { DOMAIN, fromHex, taggedHash, toHex, utf8 } from '../../../src/crypto/index.js'
import { Registry, systemClock } from '../../../src/domain/index.js'
import { KnownRecords, type RecordSource } from '../../../src/mesh/known-records.js'
import { recordKey, selectRecord } from '../../../src/mesh/record.js'
import { EnclaveRecord, EnclaveRecordBody } from '../../../src/mesh/wire/record.js'
import { vectorsOf } from './vectors.js'

describe('the test vectors of enclave records', () => {
  const vectors = vectorsOf('enclave-record/1/vectors/records.json')
  const { account, genesisHash, valid } = vectors

  function registryOf(seat: typeof vectors.seat | null): Registry {
    if (seat === null) return new Registry([])
    const { cluster, slot } = seat
    return new Registry([
      { id: cluster, type: 'public', seats: [{ account, operator: account, cluster, slot, apiUri: '' }] },
    ])
  }

  for (const { name, rule, record, flaw, ...world } of vectors.records) {
    it(`${rule}, ${flaw === null ? 'take' : 'drop'}: ${name}`, async () => {
      const {
        now,
        seat,
        dhtKey,
        handedOverBy,
        known: earlier,
      } = { ...vectors, handedOverBy: undefined, known: [], ...world }
      const known = new KnownRecords({
        genesisHash,
        registry: () => registryOf(seat),
        clock: { ...systemClock, now: () => now },
        onNews: async () => undefined,
      })
      for (const each of earlier) await known.accept(fromHex(each), { key: recordKey(account) })
      const source: RecordSource =
        handedOverBy === undefined ? { key: utf8(dhtKey) } : { peer: peerIdFromString(handedOverBy) }
      const accepted = known.accept(fromHex(record), source)
      if (flaw !== null) return await assert.rejects(accepted, { code: `mesh/record-${flaw}` })
      assert.equal((await accepted).peerId.toString(), vectors.peerId)
    })
  }

  for (const { name, records, selected } of vectors.selections) {
    it(`select ${name}`, () => assert.equal(selectRecord(records.map(fromHex)), selected))
  }

  it('say what is signed, and where it is at home', () => {
    const { body } = EnclaveRecord.decode(fromHex(vectors.records[0]?.record ?? ''))
    assert.equal(toHex(body), valid.body)
    assert.equal(toHex(taggedHash(DOMAIN.enclaveRecord, body)), valid.digest)
    const { multiaddrs, sequence, expiresAt } = EnclaveRecordBody.decode(body)
    assert.deepEqual(
      multiaddrs.map((bytes) => multiaddr(bytes).toString()),
      valid.multiaddrs,
    )
    assert.deepEqual({ sequence, expiresAt }, { sequence: valid.sequence, expiresAt: valid.expiresAt })
    assert.equal(Buffer.from(recordKey(account)).toString(), vectors.dhtKey)
  })
})

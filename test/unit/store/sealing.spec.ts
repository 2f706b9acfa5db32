import assert from 'node:assert/strict'
import { fromHex } from '../../../src/crypto/index.js'
import { Fingerprints } from '../../../src/store/fingerprint.js'
import * as records from '../../../src/store/records.js'
import { Sealer } from '../../../src/store/sealing.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

describe('sealing', () => {
  const key = new Uint8Array(32).fill(1)
  const id = new Uint8Array(16).fill(2)
  const sealer = new Sealer(key, id)
  const record = bytes('record')
  const value = bytes('a value that nobody else may read')

  it('opens what it sealed, also in another process', () => {
    const sealed = sealer.seal(record, value)
    assert.deepEqual(new Sealer(key, id).open(record, sealed), value)
    assert.deepEqual(sealer.open(record, sealer.seal(record, new Uint8Array(0))), new Uint8Array(0))
  })

  it('never seals alike twice', () => {
    const salts = new Set(
      Array.from({ length: 600 }, () => Buffer.from(sealer.seal(record, value).subarray(0, 24)).toString('hex')),
    )
    assert.equal(salts.size, 600)
  })

  it('does not open when any bit is flipped, or a byte is missing or too many', () => {
    const sealed = sealer.seal(record, value)
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const flipped = sealed.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.equal(sealer.open(record, flipped), undefined, `bit ${bit}`)
    }
    for (let length = 0; length < sealed.length; length += 1) {
      assert.equal(sealer.open(record, sealed.subarray(0, length)), undefined, `length ${length}`)
    }
    assert.equal(sealer.open(record, Buffer.concat([sealed, Uint8Array.of(0)])), undefined)
  })

  it('does not open for another record, another store, or under another key', () => {
    const sealed = sealer.seal(record, value)
    assert.equal(sealer.open(bytes('recorc'), sealed), undefined)
    assert.equal(sealer.open(bytes('recordd'), sealed), undefined)
    assert.equal(new Sealer(key, new Uint8Array(16).fill(3)).open(record, sealed), undefined)
    assert.equal(new Sealer(new Uint8Array(32).fill(3), id).open(record, sealed), undefined)
  })

  /** One name of each table. */
  function namesOf(): [string, Uint8Array][] {
    const key = { kind: 'secret', nftId: 7 } as const
    const log = { account: `0x${'aa'.repeat(32)}`, incarnation: `0x${'bb'.repeat(16)}` } as const
    const alone = [
      records.HEADER,
      records.HEADER_COPY,
      records.SEAT_TIME,
      records.SEAT_TIME_COPY,
      records.MANIFEST,
      records.ERASING,
    ]
    const others = [records.ALTERED, records.COLLATERAL_FLOORS, records.IDENTITY, records.IDENTITY_COPY]
    const more = [records.PROGRESS, records.SETUP_DONE, records.WATERMARK]
    const names = [...alone, ...others, ...more].map((table) => table.encodeKey(undefined))
    names.push(records.SECRETS.encodeKey('account-seed'), records.FORKS.encodeKey(log))
    names.push(records.SECRETS_COPY.encodeKey('account-seed'))
    names.push(records.COLLATERAL.encodeKey('sgx/01'), records.PAYLOADS.encodeKey({ key, version: 11 }))
    for (const table of [records.WANTS, records.PENDING, records.PLACES, records.VIEWS])
      names.push(table.encodeKey(key))
    names.push(records.NODES.encodeKey({ log, at: { level: 3, index: 5 } }))
    names.push(records.HEADS.encodeKey({ log, size: 9 }), records.NEWEST.encodeKey(log))
    return names.map((name) => [records.describeName(name), name])
  }

  it('does not open for a name that differs in one byte, whatever table it is of', () => {
    const names = namesOf()
    const tables = Object.values(records).filter((each) => typeof each === 'object' && 'prefix' in each)
    assert.equal(new Set(names.map(([, name]) => name[0])).size, tables.length)
    for (const [described, name] of names) {
      const sealed = sealer.seal(name, value)
      assert.deepEqual(sealer.open(name, sealed), value)
      for (let at = 0; at < name.length; at += 1) {
        const other = name.slice()
        other[at] = (other[at] ?? 0) ^ 1
        assert.equal(sealer.open(other, sealed), undefined, `${described}, byte ${at}`)
      }
    }
  })

  it('does not open as another kind, NFT, version, or table of shares', () => {
    const { PAYLOADS, PENDING, PLACES } = records
    const key = { kind: 'secret', nftId: 7 } as const
    const sealed = sealer.seal(PAYLOADS.encodeKey({ key, version: 11 }), value)
    for (const other of [
      { key: { kind: 'capsule', nftId: 7 } as const, version: 11 },
      { key: { kind: 'secret', nftId: 8 } as const, version: 11 },
      { key, version: 12 },
    ]) {
      assert.equal(sealer.open(PAYLOADS.encodeKey(other), sealed), undefined)
    }
    assert.equal(sealer.open(PENDING.encodeKey(key), sealer.seal(PLACES.encodeKey(key), value)), undefined)
  })

  it('opens what is of the seat in the same time in it only, and all else in any', () => {
    const [then, now] = [new Sealer(key, id), new Sealer(key, id)]
    now.seatTime = new Uint8Array(16).fill(3)
    for (const [described, name] of namesOf()) {
      const isOfSeat = /^(identity|progress|setup|want|pending|place|share|node|head|newest|views)(?!er)/.test(
        described,
      )
      const opened = now.open(name, then.seal(name, value))
      assert.deepEqual(opened, isOfSeat ? undefined : value, described)
    }
  })

  // Computed once; where these do not open any more, neither does any folder, and the format has another number.
  it('opens what format 4 has sealed', () => {
    const own = new Sealer(key, id)
    own.seatTime = new Uint8Array(16).fill(3)
    const payload = records.PAYLOADS.encodeKey({ key: { kind: 'secret', nftId: 7 }, version: 11 })
    const ofSeat =
      '0x9272df5591ee180163b13ef8260b72e7d36fdceac5c006b3a11c95187f6245e8ec15a40fbd0d59fa240d1775e42a47fc71adaeabdebd4006e0238db1a2378b7b314a832f524f909822'
    const lasting =
      '0x15ae20d93f25e6c64880efa778b22bbfe9514a072435f70c70e80ba7ebba17572d84325c963a12584937df50310938cf05a5a2627c576bf8630748ed16233abeb946499b2d8b621ddf'
    assert.deepEqual(own.open(payload, fromHex(ofSeat)), value)
    assert.deepEqual(own.open(records.SECRETS.encodeKey('account-seed'), fromHex(lasting)), value)
  })

  it('keeps no reference to the key it was given', () => {
    const given = key.slice()
    const own = new Sealer(given, id)
    given.fill(0)
    assert.deepEqual(own.open(record, sealer.seal(record, value)), value)
  })

  it('fingerprints no two records alike, wherever the name ends', () => {
    const sealed = sealer.seal(record, new Uint8Array(900))
    const stretched = new Uint8Array([...record, ...sealed.subarray(0, 256)])
    assert.notDeepEqual(sealer.fingerprint(stretched, sealed.subarray(256)), sealer.fingerprint(record, sealed))
    const prints = new Set<string>()
    const whole = new Uint8Array([...record, ...sealed])
    for (let end = 0; end <= whole.length; end += 1) {
      prints.add(Buffer.from(sealer.fingerprint(whole.subarray(0, end), whole.subarray(end))).toString('hex'))
    }
    assert.equal(prints.size, whole.length + 1)
  })

  it('fingerprints alike whatever was fingerprinted before, and in another process', () => {
    const sealed = sealer.seal(record, value)
    const print = sealer.fingerprint(record, sealed)
    sealer.fingerprint(record, new Uint8Array(100_000).fill(9))
    assert.deepEqual(sealer.fingerprint(record, sealed), print)
    assert.deepEqual(new Sealer(key, id).fingerprint(record, sealed), print)
    const others = [new Sealer(key, new Uint8Array(16).fill(3)), new Sealer(new Uint8Array(32).fill(3), id)]
    for (const other of others) assert.notDeepEqual(other.fingerprint(record, sealed), print)
    for (const other of others) assert.notEqual(other.nameHash(record), sealer.nameHash(record))
  })

  it('forgets the key of fingerprints when it is cleared, also where its buffer has grown', () => {
    const fingerprints = new Fingerprints(new Uint8Array(32).fill(7))
    const keyless = new Fingerprints(new Uint8Array(32))
    for (const length of [40, 100_000]) {
      const sealed = new Uint8Array(length).fill(9)
      assert.notDeepEqual(fingerprints.of(record, sealed), keyless.of(record, sealed))
    }
    fingerprints.clear()
    assert.deepEqual(fingerprints.of(record, value), keyless.of(record, value))
  })
})

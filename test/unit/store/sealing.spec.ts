import assert from 'node:assert/strict'
import { Fingerprints } from '../../../src/store/fingerprint.js'
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
      Array.from({ length: 200 }, () => Buffer.from(sealer.seal(record, value).subarray(0, 24)).toString('hex')),
    )
    assert.equal(salts.size, 200)
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
    assert.notDeepEqual(new Sealer(key, new Uint8Array(16).fill(3)).fingerprint(record, sealed), print)
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

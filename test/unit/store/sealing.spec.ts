import assert from 'node:assert/strict'
import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { fromHex, toHex } from '../../../src/crypto/index.js'
import { Fingerprints } from '../../../src/store/fingerprint.js'
import * as records from '../../../src/store/records.js'
import { newnessOf, Sealer } from '../../../src/store/sealing.js'

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
    for (const table of [records.PENDING, records.VIEWS]) names.push(table.encodeKey(key))
    for (const pages of [records.WANTS, records.PLACES, records.SMALL_PAYLOADS, records.MEDIUM_PAYLOADS])
      names.push(pages.encodePage(key))
    names.push(records.NODES.encodePage({ log, at: { level: 3, index: 5 } }))
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
    const { PAYLOADS, PENDING, PLACES, SMALL_PAYLOADS } = records
    const key = { kind: 'secret', nftId: 7 } as const
    const sealed = sealer.seal(PAYLOADS.encodeKey({ key, version: 11 }), value)
    for (const other of [
      { key: { kind: 'capsule', nftId: 7 } as const, version: 11 },
      { key: { kind: 'secret', nftId: 8 } as const, version: 11 },
      { key, version: 12 },
    ]) {
      assert.equal(sealer.open(PAYLOADS.encodeKey(other), sealed), undefined)
    }
    const page = sealer.seal(PLACES.encodePage(key), value)
    for (const other of [
      PENDING.encodeKey(key),
      SMALL_PAYLOADS.encodePage(key),
      PLACES.encodePage({ kind: 'capsule', nftId: 7 }),
      PLACES.encodePage({ kind: 'secret', nftId: 64 }),
    ]) {
      assert.equal(sealer.open(other, page), undefined)
    }
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

  // Computed once, by what is written of the format alone; where these do not open any more, neither does any folder, and
  // the format has another number.
  it('opens what format 5 has sealed', () => {
    const own = new Sealer(key, id)
    own.seatTime = new Uint8Array(16).fill(3)
    const payload = records.PAYLOADS.encodeKey({ key: { kind: 'secret', nftId: 7 }, version: 11 })
    const page = records.SMALL_PAYLOADS.encodePage({ kind: 'secret', nftId: 7 })
    for (const [name, sealed] of [
      [
        payload,
        '0x2c792c94f3305b2569148419e81a7a8ca993cb1e000000004ffc348c8a2663afdd05886a9c1433d41d748e09ff1d2e2f846e60d749c6af8c5cdc20127b76675be35722bf3f19c06536',
      ],
      [
        page,
        '0x2c792c94f3305b2569148419e81a7a8ca993cb1e000000011c58a5bbddb355426039fc8f18fb3e7074a1141575dfd246d2df62684bf0cf00571e91563c7769b5ad1c09b7ccef123de5',
      ],
      [
        records.SECRETS.encodeKey('account-seed'),
        '0x2c792c94f3305b2569148419e81a7a8ca993cb1e000003ff01acf11ab964eb004682ccfa7b556286c2633e63725461bb57bc2928ebcbb21539dd76bdd332569517879554e2177b55db',
      ],
    ] as const) {
      assert.deepEqual(own.open(name, fromHex(sealed)), value)
    }
  })

  describe('of several values under one key', () => {
    const saltOf = (sealed: Uint8Array) => toHex(sealed.subarray(0, 20))
    const numberOf = (sealed: Uint8Array) => new DataView(sealed.buffer, sealed.byteOffset).getUint32(20)

    /** How many keys are derived meanwhile. */
    function derived(work: () => void): number {
      const { createHmac } = nodeCrypto
      let count = 0
      nodeCrypto.createHmac = (...given) => {
        count += 1
        return createHmac(...given)
      }
      syncBuiltinESMExports()
      try {
        work()
        return count
      } finally {
        nodeCrypto.createHmac = createHmac
        syncBuiltinESMExports()
      }
    }

    it('gives none of them the nonce of another, and the 1,025th another key', () => {
      const own = new Sealer(key, id)
      let all: Uint8Array[] = []
      const count = derived(() => {
        all = Array.from({ length: 2 * 1_024 + 1 }, () => own.seal(record, value))
      })
      assert.equal(count, 3)
      const salts = [...new Set(all.map(saltOf))]
      assert.equal(salts.length, 3)
      for (const [at, sealed] of all.entries()) {
        assert.equal(saltOf(sealed), salts[Math.floor(at / 1_024)])
        assert.equal(numberOf(sealed), at % 1_024)
        assert.deepEqual(own.open(record, sealed), value)
      }
      // The same text under two nonces.
      assert.equal(new Set(all.map((sealed) => toHex(sealed.subarray(24)))).size, all.length)
    })

    it('has no key of what another process, or this one before, has sealed', () => {
      const salts = Array.from({ length: 100 }, () => saltOf(new Sealer(key, id).seal(record, value)))
      assert.equal(new Set(salts).size, 100)
    })

    it('opens them in any order, and derives a key once as long as it is one of the last 64', () => {
      const sealers = Array.from({ length: 65 }, () => new Sealer(key, id))
      const own = new Sealer(key, id)
      const opened = (under: Sealer) => {
        const text = Uint8Array.of(sealers.indexOf(under))
        const sealed = under.seal(record, text)
        return derived(() => assert.deepEqual(own.open(record, sealed), text))
      }
      for (const under of sealers) under.seal(record, value)
      const [first, second, ...others] = sealers
      assert.ok(first !== undefined && second !== undefined)
      const last = others.pop() ?? assert.fail()
      assert.deepEqual([first, second, ...others].map(opened), Array(64).fill(1))
      assert.deepEqual([...others, second, first].map(opened), Array(64).fill(0))
      // Now one has to go, which is the one that was used least lately.
      assert.equal(opened(last), 1)
      assert.equal(opened(first), 0)
      assert.equal(opened(second), 0)
      assert.equal(opened(others[0] ?? first), 1)
    })

    it('lets go of all keys when it is cleared', () => {
      const own = new Sealer(key, id)
      const sealed = own.seal(record, value)
      own.open(record, sealed)
      assert.equal(
        derived(() => own.open(record, sealed)),
        0,
      )
      own.clear()
      assert.equal(
        derived(() => own.open(record, sealed)),
        1,
      )
      assert.notEqual(saltOf(own.seal(record, value)), saltOf(sealed))
    })

    it('knows them by 64 bits that no other has, whichever key they are under', () => {
      const own = new Sealer(key, id)
      const known = Array.from({ length: 3_000 }, () => newnessOf(own.seal(record, value)))
      assert.equal(new Set(known).size, 3_000)
      const salted = (salt: number[], number: number) =>
        newnessOf(
          Uint8Array.from([...salt, ...Array(12).fill(9), 0, 0, number >> 8, number & 255, ...Array(16).fill(7)]),
        )
      assert.equal(salted([0, 0, 0, 0, 0, 0, 1, 2], 3), 0x105n)
      assert.equal(salted(Array(8).fill(255), 1_023), 1_022n)
      assert.equal(newnessOf(new Uint8Array(39)), undefined)
      assert.equal(newnessOf(new Uint8Array(40)), 0n)
    })
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

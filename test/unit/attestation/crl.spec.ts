import assert from 'node:assert/strict'
import { sign, X509Certificate } from 'node:crypto'
import { readCrl } from '../../../src/attestation/crl.js'
import { derElements } from '../../../src/attestation/der.js'
import { issueCrl } from '../../../src/attestation/development/authority.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import { der } from './long-list.js'
import { developmentPki, NOW, SEED } from './world.js'

const { platformCa } = developmentAuthorities(SEED)
const VALIDITY = { from: NOW, until: new Date(NOW.getTime() + 86_400_000) }

const [INTEGER, OCTETS, NULL, SEQUENCE, SET, UTC_TIME, GENERALIZED_TIME, EXTENSIONS] = [
  0x02, 0x04, 0x05, 0x30, 0x31, 0x17, 0x18, 0xa0,
]
const BIT_STRING = 0x03
const SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
const SHA384 = Buffer.from('300a06082a8648ce3d040303', 'hex')

const integer = (...bytes: number[]) => der(INTEGER, Uint8Array.from(bytes))
const utcTime = (digits: string) => der(UTC_TIME, Buffer.from(digits))

/** Where the fields of the signed part stand. */
const [VERSION, ALGORITHM, ISSUER, FROM, UNTIL, ENTRIES, MORE] = [0, 1, 2, 3, 4, 5, 6]

/** Lists that the authority has signed, so that only the strictness of reading them stands in the way. */
describe('reading revocation lists strictly', () => {
  let issuer: X509Certificate
  let fields: Uint8Array[]
  let date: Uint8Array

  before(async () => {
    const pki = await developmentPki()
    issuer = new X509Certificate(pki.collateral.pck_crl_issuer_chain)
    const [list] = derElements(await issueCrl(platformCa, ['05'], VALIDITY))
    const [tbs] = derElements(list?.content ?? new Uint8Array())
    fields = derElements(tbs?.content ?? new Uint8Array()).map(({ raw }) => raw)
    date = fields[FROM] ?? new Uint8Array()
  })

  /** The fields with some of them replaced, or left away. */
  const having = (changes: Readonly<Record<number, Uint8Array | undefined>>) =>
    [...fields, undefined]
      .map((field, at) => (at in changes ? changes[at] : field))
      .filter((field) => field !== undefined)

  function signed(parts: readonly Uint8Array[], tag = SEQUENCE) {
    const tbs = der(tag, ...parts)
    return { tbs, signature: Buffer.concat([Uint8Array.of(0), sign('sha256', tbs, platformCa.key.privateKey)]) }
  }

  function listOf(parts: readonly Uint8Array[]): Uint8Array {
    const { tbs, signature } = signed(parts)
    return der(SEQUENCE, tbs, SHA256, der(BIT_STRING, signature))
  }

  it('takes one that is made by hand, without entries and extensions too', () => {
    assert.deepEqual(readCrl(listOf(fields), issuer), { revoked: new Set(['5']), validity: VALIDITY, number: 0 })
    const bare = having({ [ENTRIES]: undefined, [MORE]: undefined })
    assert.deepEqual(readCrl(listOf(bare), issuer), { revoked: new Set(), validity: VALIDITY, number: 0 })
  })

  it('reads times of either form, in either century', () => {
    const from = der(GENERALIZED_TIME, Buffer.from('20500102030405Z'))
    const { validity } = readCrl(listOf(having({ [FROM]: utcTime('991231235959Z'), [UNTIL]: from })), issuer)
    assert.deepEqual(validity, {
      from: new Date('1999-12-31T23:59:59Z'),
      until: new Date('2050-01-02T03:04:05Z'),
    })
  })

  const numbered = (...value: Uint8Array[]) => {
    const oid = der(0x06, Uint8Array.of(0x55, 0x1d, 0x14))
    return { [MORE]: der(EXTENSIONS, der(SEQUENCE, der(SEQUENCE, oid, der(OCTETS, ...value)))) }
  }

  it('reads the number, which has up to 20 bytes', () => {
    const numberOf = (...bytes: number[]) => readCrl(listOf(having(numbered(integer(...bytes)))), issuer).number
    assert.equal(numberOf(1), 1)
    assert.equal(numberOf(1, 0, 2), 65_538)
    assert.equal(numberOf(1, ...new Array<number>(19).fill(0)), 2 ** 152)
  })

  const entry = (...parts: Uint8Array[]) => ({ [ENTRIES]: der(SEQUENCE, der(SEQUENCE, ...parts)) })
  const cases: [name: string, changes: () => Readonly<Record<number, Uint8Array | undefined>>][] = [
    ['without a version', () => ({ [VERSION]: undefined })],
    ['of another version', () => ({ [VERSION]: integer(0) })],
    ['of a version that is longer', () => ({ [VERSION]: integer(1, 0) })],
    ['whose version is no number', () => ({ [VERSION]: der(OCTETS, Uint8Array.of(1)) })],
    ['that names another algorithm', () => ({ [ALGORITHM]: SHA384 })],
    ['without a beginning', () => ({ [FROM]: undefined, [UNTIL]: integer(1) })],
    ['whose beginning is no time', () => ({ [FROM]: integer(1) })],
    ['whose time has no seconds', () => ({ [FROM]: utcTime('2605011200Z') })],
    ['whose time is not in UTC', () => ({ [UNTIL]: utcTime('260502120000+0100') })],
    ['with a number of 21 bytes', () => numbered(integer(1, ...new Array<number>(20).fill(0)))],
    ['with a number that is none', () => numbered(der(OCTETS, Uint8Array.of(1)))],
    ['with two numbers', () => numbered(integer(1), integer(2))],
    ['with one field more', () => ({ [fields.length]: der(NULL) })],
    ['with two lists of extensions', () => ({ [MORE]: der(EXTENSIONS, der(SEQUENCE), der(SEQUENCE)) })],
    ['whose extensions are no list', () => ({ [MORE]: der(EXTENSIONS, der(SET)) })],
    ['with an entry that is none', () => ({ [ENTRIES]: der(SEQUENCE, der(SET, integer(5), date)) })],
    ['with an entry without a number', () => entry(der(OCTETS, Uint8Array.of(5)), date)],
    ['with an entry without a time', () => entry(integer(5))],
    ['with an entry whose time is none', () => entry(integer(5), integer(5))],
    ['with an entry of one field more', () => entry(integer(5), date, der(SEQUENCE), der(NULL))],
    ['with an entry whose extensions are no list', () => entry(integer(5), date, der(SET))],
  ]
  for (const [name, changes] of cases) {
    it(`refuses one ${name}`, () => {
      assert.throws(() => readCrl(listOf(having(changes())), issuer), /not the one form that is signed/)
    })
  }

  it('refuses one that ends before it says whose it is', () => {
    assert.throws(() => readCrl(listOf(fields.slice(0, ALGORITHM)), issuer), /not the one form that is signed/)
    assert.throws(() => readCrl(listOf(fields.slice(0, ISSUER)), issuer), /not of its authority/)
  })

  it('refuses one whose signature stands in another form', () => {
    const { tbs, signature } = signed(fields)
    const asSet = signed(fields, SET)
    const bits = der(BIT_STRING, signature)
    for (const list of [
      der(SET, tbs, SHA256, bits),
      der(SEQUENCE, asSet.tbs, SHA256, der(BIT_STRING, asSet.signature)),
      der(SEQUENCE, tbs, SHA384, bits),
      der(SEQUENCE, tbs, SHA256, der(OCTETS, signature)),
      der(SEQUENCE, tbs, SHA256, bits, der(NULL)),
      der(SEQUENCE, tbs),
      new Uint8Array(),
    ]) {
      assert.throws(() => readCrl(list, issuer), /not the one form that is signed/)
    }
  })
})

describe('DER', () => {
  it('is read by its lengths, which are of up to three bytes', () => {
    const long = der(OCTETS, new Uint8Array(300))
    assert.deepEqual(
      derElements(Buffer.concat([long, der(NULL)])).map(({ tag, content }) => [tag, content.length]),
      [
        [OCTETS, 300],
        [NULL, 0],
      ],
    )
  })

  it('is refused with a length that is open or longer, and when it is cut short', () => {
    for (const bytes of [[SEQUENCE, 0x80, 0, 0], [SEQUENCE, 0x84, 0, 0, 0, 0], [SEQUENCE]]) {
      assert.throws(() => derElements(Uint8Array.from(bytes)), /length is malformed/)
    }
    for (const bytes of [
      [OCTETS, 2, 0],
      [OCTETS, 0x82, 1],
    ]) {
      assert.throws(() => derElements(Uint8Array.from(bytes)), /cut short/)
    }
  })
})

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { type PckPlatform, readPckPlatform, readPemChain } from '../../../src/attestation/certificates.js'
import { type VerifiedCollateral, verifyCollateral } from '../../../src/attestation/collateral.js'
import { readQuote, type UnverifiedQuote } from '../../../src/attestation/quote.js'
import { judgePlatform, judgeTdxModule, merged } from '../../../src/attestation/tcb.js'
import { developmentPki, NOW, quoteOf } from './world.js'

/** Offsets in a report of the quoting enclave. */
const [MISC_SELECT, ATTRIBUTES, MR_SIGNER, PRODUCT_ID, SECURITY_VERSION] = [16, 48, 128, 256, 258]

/** Our own rules by themselves, without the second opinion that would find the same. */
describe('judging a platform', () => {
  let quote: UnverifiedQuote
  let platform: PckPlatform
  let collateral: VerifiedCollateral

  before(async () => {
    const pki = await developmentPki()
    quote = readQuote(await quoteOf(pki))
    const [pck] = readPemChain(quote.pckChain)
    assert.ok(pck !== undefined)
    platform = readPckPlatform(pck)
    collateral = verifyCollateral(pki.collateral, new X509Certificate(pki.rootCertificate), NOW)
  })

  /** The quoting enclave's report with one byte changed by exclusive or. */
  function withReport(at: number, bits: number): UnverifiedQuote {
    const qeReport = Uint8Array.from(quote.qeReport)
    qeReport[at] = (qeReport[at] ?? 0) ^ bits
    return { ...quote, qeReport }
  }

  it('says how it does', () => {
    assert.deepEqual(judgePlatform(quote, platform, collateral), [
      { part: 'platform', status: 'UpToDate', advisoryIds: [] },
      { part: 'quoting enclave', status: 'UpToDate', advisoryIds: [] },
    ])
  })

  it('refuses a quoting enclave of another signer, product, or kind', () => {
    const others: [number, number][] = [
      [MR_SIGNER, 0x01],
      [MR_SIGNER + 31, 0x80],
      [PRODUCT_ID, 0x01],
      [PRODUCT_ID + 1, 0x01],
      [MISC_SELECT, 0x01],
      [MISC_SELECT + 3, 0x80],
      [ATTRIBUTES, 0x20],
      [ATTRIBUTES + 7, 0x01],
    ]
    for (const [at, bits] of others) {
      assert.throws(() => judgePlatform(withReport(at, bits), platform, collateral), { check: 'qe-identity' }, `${at}`)
    }
  })

  it('leaves alone what the identity’s masks leave open', () => {
    assert.equal(merged(judgePlatform(withReport(ATTRIBUTES, 0x04), platform, collateral)).status, 'UpToDate')
    assert.equal(merged(judgePlatform(withReport(ATTRIBUTES + 8, 0xff), platform, collateral)).status, 'UpToDate')
  })

  it('refuses a quoting enclave in debug mode whatever the identity says', () => {
    const { qeIdentity } = collateral
    const lenient = { ...collateral, qeIdentity: { ...qeIdentity, attributesMask: '00'.repeat(16) } }
    assert.throws(() => judgePlatform(withReport(ATTRIBUTES, 0x02), platform, lenient), {
      check: 'qe-identity',
      message: /debug/,
    })
  })

  it('judges the quoting enclave by the first level that it reaches', () => {
    const level = (isvsvn: number, tcbStatus: string) => ({ tcb: { isvsvn }, tcbStatus, advisoryIDs: [tcbStatus] })
    const qeIdentity = { ...collateral.qeIdentity, tcbLevels: [level(9, 'UpToDate'), level(8, 'OutOfDate')] }
    assert.deepEqual(judgePlatform(quote, platform, { ...collateral, qeIdentity }), [
      { part: 'platform', status: 'UpToDate', advisoryIds: [] },
      { part: 'quoting enclave', status: 'OutOfDate', advisoryIds: ['OutOfDate'] },
    ])
    assert.throws(() => judgePlatform(withReport(SECURITY_VERSION, 0x0f), platform, { ...collateral, qeIdentity }), {
      check: 'tcb-level',
    })
  })

  it('asks for the PCE’s version and for every component', () => {
    assert.throws(() => judgePlatform(quote, { ...platform, pceSvn: platform.pceSvn - 1 }, collateral), {
      check: 'tcb-level',
    })
    for (let at = 0; at < 16; at += 1) {
      const componentSvns = Uint8Array.from(platform.componentSvns)
      componentSvns[at] = 0
      assert.throws(() => judgePlatform(quote, { ...platform, componentSvns }, collateral), { check: 'tcb-level' })
    }
  })

  it('merges parts by the worst word, one that nobody knows being the worst', () => {
    const ofWords = (...words: string[]) =>
      merged(words.map((status) => ({ part: 'platform', status, advisoryIds: [] }))).status
    assert.equal(ofWords('UpToDate', 'UpToDate'), 'UpToDate')
    assert.equal(ofWords('UpToDate', 'OutOfDate'), 'OutOfDate')
    assert.equal(ofWords('OutOfDate', 'UpToDate'), 'OutOfDate')
    assert.equal(ofWords('OutOfDate', 'Splendid'), 'Splendid')
    assert.equal(ofWords('Splendid', 'Revoked'), 'Splendid')
  })

  it('keeps every advisory once', () => {
    const one = { part: 'platform', status: 'OutOfDate', advisoryIds: ['a', 'b'] } as const
    const other = { part: 'quoting enclave', status: 'UpToDate', advisoryIds: ['b', 'c'] } as const
    assert.deepEqual(merged([one, other]).advisoryIds, ['a', 'b', 'c'])
  })

  it('judges no TDX module by TCB info of SGX', () => {
    const module = {
      teeTcbSvn: Uint8Array.of(3, 1, ...new Array<number>(14).fill(1)),
      mrSignerSeam: new Uint8Array(48),
      seamAttributes: new Uint8Array(8),
    }
    assert.throws(() => judgeTdxModule(module, collateral.tcbInfo), { check: 'tdx-module' })
  })
})

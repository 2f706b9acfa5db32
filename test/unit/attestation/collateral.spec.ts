import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { verifyCollateral } from '../../../src/attestation/collateral.js'
import { derElements } from '../../../src/attestation/der.js'
import {
  type Authority,
  type CertificateRequest,
  deriveKey,
  deriveSerial,
  issueCertificate,
  issueCrl,
  signRaw,
} from '../../../src/attestation/development/authority.js'
import { qeIdentity, tcbInfo } from '../../../src/attestation/development/collateral.js'
import type { DevelopmentPki } from '../../../src/attestation/development/index.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import { createQuoteVerifier, type QuoteCollateral } from '../../../src/attestation/index.js'
import { collateralForLibrary } from '../../../src/attestation/second-opinion.js'
import { Extension } from '../../../src/attestation/x509.js'
import { longCrl } from './long-list.js'
import { assertRefused, developmentPki, MACHINE, NOW, POLICY, quoteOf, SEED, verifierOf } from './world.js'

const { root, platformCa, tcbSigner } = developmentAuthorities(SEED)
const DAY = 86_400_000
const CURRENT = { from: new Date(NOW.getTime() - DAY), until: new Date(NOW.getTime() + DAY) }
const PAST = { from: new Date(NOW.getTime() - 2 * DAY), until: CURRENT.from }
const FUTURE = { from: CURRENT.until, until: new Date(NOW.getTime() + 2 * DAY) }

describe('verifying collateral', () => {
  let pki: DevelopmentPki
  let quote: Uint8Array

  before(async () => {
    pki = await developmentPki()
    quote = await quoteOf(pki)
  })

  const refused = (changes: Partial<Record<keyof QuoteCollateral, string>>, reason: RegExp) =>
    assertRefused(
      verifierOf(pki, { collateral: { ...pki.collateral, ...changes } }).verify(quote),
      'attestation/collateral-unavailable',
      reason,
    )
  const crl = async (...args: Parameters<typeof issueCrl>) => hex(await issueCrl(...args))
  const signedTcbInfo = (tcb_info: string, key = tcbSigner.key) => ({
    tcb_info,
    tcb_info_signature: hex(signRaw(key, Buffer.from(tcb_info))),
  })
  const signedQeIdentity = (qe_identity: string, key = tcbSigner.key) => ({
    qe_identity,
    qe_identity_signature: hex(signRaw(key, Buffer.from(qe_identity))),
  })
  const chain = async (subject: Authority, request: Partial<CertificateRequest> = {}) => {
    const der = await issueCertificate({ subject, issuer: root, serial: deriveSerial(SEED, 'test'), ...request })
    return new X509Certificate(der).toString() + new X509Certificate(pki.rootCertificate).toString()
  }

  it('accepts lists and signed texts that are made anew', async () => {
    const collateral = {
      ...pki.collateral,
      root_ca_crl: await crl(root, [deriveSerial(SEED, 'unknown')], CURRENT),
      pck_crl: await crl(platformCa, [deriveSerial(SEED, 'unknown')], CURRENT),
      ...signedTcbInfo(tcbInfo(CURRENT)),
      ...signedQeIdentity(qeIdentity(CURRENT)),
    }
    await verifierOf(pki, { collateral }).verify(quote)
  })

  describe('refuses a revocation list', () => {
    const impostor = (authority: Authority): Authority => ({ ...authority, key: deriveKey(SEED, 'impostor') })

    it('that its authority did not sign', async () => {
      await refused({ root_ca_crl: await crl(impostor(root), [], CURRENT) }, /not signed by its authority/)
      await refused({ pck_crl: await crl(impostor(platformCa), [], CURRENT) }, /not signed by its authority/)
    })

    it('of another authority', async () => {
      await refused({ root_ca_crl: await crl(platformCa, [], CURRENT) }, /not signed by its authority/)
      await refused({ pck_crl: await crl(root, [], CURRENT) }, /not signed by its authority/)
      await refused({ pck_crl: await crl({ ...platformCa, name: 'Other' }, [], CURRENT) }, /not of its authority/)
    })

    it('that is not valid now', async () => {
      for (const validity of [PAST, FUTURE]) {
        await refused({ root_ca_crl: await crl(root, [], validity) }, /valid from/)
        await refused({ pck_crl: await crl(platformCa, [], validity) }, /valid from/)
      }
    })

    it('that has no end', async () => {
      await refused({ root_ca_crl: await crl(root, [], { from: CURRENT.from }) }, /never ends/)
      await refused({ pck_crl: await crl(platformCa, [], { from: CURRENT.from }) }, /never ends/)
    })

    it('that is not the whole list', async () => {
      const deltaCrlIndicator = new Extension('2.5.29.27', true, Uint8Array.of(2, 1, 1))
      await refused({ root_ca_crl: await crl(root, [], CURRENT, [deltaCrlIndicator]) }, /critical/)
      await refused({ pck_crl: await crl(platformCa, [], CURRENT, [deltaCrlIndicator]) }, /critical/)
      // The same extension, of an entry: SEQUENCE { SEQUENCE { OID, TRUE, OCTET STRING } }.
      const ofEntry = Buffer.from('300f300d0603551d1b0101ff0403020101', 'hex')
      await refused({ pck_crl: hex(await longCrl(platformCa, ['05'], CURRENT, ofEntry)) }, /critical/)
    })

    it('with bytes that nobody signed', async () => {
      const { pck_crl } = pki.collateral
      await refused({ pck_crl: `${pck_crl}0500` }, /form/)
      // The signature, a BIT STRING, is what the list ends in; its first byte counts unused bits.
      const [list] = derElements(Buffer.from(pck_crl, 'hex'))
      const signature = derElements(list?.content ?? new Uint8Array())[2]
      const unusedBits = pck_crl.length - 2 * (signature?.content.length ?? 0)
      assert.equal(pck_crl.slice(unusedBits, unusedBits + 2), '00')
      await refused({ pck_crl: `${pck_crl.slice(0, unusedBits)}01${pck_crl.slice(unusedBits + 2)}` }, /form/)
    })

    it('that is missing or does not parse', async () => {
      for (const text of ['', '00', 'zz', 'deadbeef', pki.collateral.pck_crl.toUpperCase()]) {
        await refused({ root_ca_crl: text }, /of no use/)
        await refused({ pck_crl: text }, /of no use/)
      }
    })
  })

  describe('with a long revocation list', () => {
    const many = Array.from({ length: 24_000 }, (_, at) => (2n ** 158n + BigInt(at)).toString(16))
    const long = async (...args: Parameters<typeof longCrl>) => hex(await longCrl(...args))

    it('finds the one that is on it, and no other', async () => {
      const pckSerial = deriveSerial(SEED, 'pck', MACHINE)
      const others = { ...pki.collateral, pck_crl: await long(platformCa, many, CURRENT) }
      await verifierOf(pki, { collateral: others }).verify(quote)
      const all = { ...pki.collateral, pck_crl: await long(platformCa, [...many, pckSerial], CURRENT) }
      await assertRefused(verifierOf(pki, { collateral: all }).verify(quote), 'attestation/quote-invalid', /revoked/)
    })

    it('gives the library none of it, as it would read it for seconds', async () => {
      const root_ca_crl = await long(root, many.slice(0, 129), CURRENT)
      const collateral = {
        ...pki.collateral,
        root_ca_crl,
        pck_crl: await long(platformCa, many.slice(0, 128), CURRENT),
      }
      const verified = verifyCollateral(collateral, new X509Certificate(pki.rootCertificate), NOW)
      assert.deepEqual(collateralForLibrary(verified), { ...collateral, root_ca_crl: '' })
      await verifierOf(pki, { collateral }).verify(quote)
    })

    it('is bounded by its bytes', async () => {
      const list = await long(platformCa, many, CURRENT)
      assert.ok(list.length > 2 ** 20 && list.length < 2 ** 21, `${list.length}`)
      await verifierOf(pki, { collateral: { ...pki.collateral, pck_crl: list } }).verify(quote)
      await refused({ pck_crl: '00'.repeat(2 ** 20 + 1) }, /pck_crl is too long/)
    })
  })

  it('refuses what the root has revoked', async () => {
    for (const { name } of [root, platformCa, tcbSigner]) {
      await refused({ root_ca_crl: await crl(root, [deriveSerial(SEED, name)], CURRENT) }, /revoked/)
    }
  })

  it('refuses what the root has revoked of each signer’s own certificates', async () => {
    // Of one name and key, and with a serial of its own; the other two chains have the usual ones.
    const root_ca_crl = await crl(root, [deriveSerial(SEED, 'test')], CURRENT)
    const own = await chain(tcbSigner)
    await refused({ root_ca_crl, tcb_info_issuer_chain: own }, /revoked/)
    await refused({ root_ca_crl, qe_identity_issuer_chain: own }, /revoked/)
    await refused({ root_ca_crl, pck_crl_issuer_chain: await chain(platformCa, { pathLength: 0 }) }, /revoked/)
  })

  it("refuses a quote whose own copy of the CA's certificate is revoked", async () => {
    const collateral = {
      ...pki.collateral,
      pck_crl_issuer_chain: await chain(platformCa, { pathLength: 0 }),
      root_ca_crl: await crl(root, [deriveSerial(SEED, platformCa.name)], CURRENT),
    }
    await assertRefused(
      verifierOf(pki, { collateral }).verify(quote),
      'attestation/quote-invalid',
      /the CA of its PCK certificate is revoked/,
    )
  })

  describe('refuses TCB info and QE identity', () => {
    it('that another key signed', async () => {
      await refused(signedTcbInfo(tcbInfo(CURRENT), platformCa.key), /not signed by its issuer/)
      await refused(signedQeIdentity(qeIdentity(CURRENT), platformCa.key), /not signed by its issuer/)
    })

    it('whose signer is not for TCB signing, though the root issued its certificate', async () => {
      const other: Authority = { name: 'SGX Other Signing', key: tcbSigner.key }
      await refused({ tcb_info_issuer_chain: await chain(other) }, /place of the chain/)
      await refused({ qe_identity_issuer_chain: await chain(other) }, /place of the chain/)
    })

    it('whose signer stands below a platform CA', async () => {
      const serial = deriveSerial(SEED, 'test')
      const leaf = await issueCertificate({ subject: tcbSigner, issuer: platformCa, serial })
      const long = new X509Certificate(leaf).toString() + pki.collateral.pck_crl_issuer_chain
      await refused({ tcb_info_issuer_chain: long }, /length/)
      await refused({ qe_identity_issuer_chain: long }, /length/)
    })

    it('that is not valid now', async () => {
      for (const validity of [PAST, FUTURE]) {
        await refused(signedTcbInfo(tcbInfo(validity)), /valid from/)
        await refused(signedQeIdentity(qeIdentity(validity)), /valid from/)
      }
    })

    it('that lacks a field, or has a wrong one, though it is signed', async () => {
      const tcb = tcbInfo(CURRENT)
      const qe = qeIdentity(CURRENT)
      for (const broken of [
        tcb.replace('"SGX"', '"TDX"'),
        tcb.replace('"version":3', '"version":2'),
        tcb.replace(/"nextUpdate":"[^"]*"/, '"nextUpdate":"soon"'),
        tcb.replace(/"issueDate":"[^"]*",/, ''),
        tcb.replace(/"pcesvn":13/, '"pcesvn":null'),
        tcb.replace('{"svn":1},', ''),
        '{}',
        'null',
        'text',
      ]) {
        assert.notEqual(broken, tcb)
        await refused(signedTcbInfo(broken), /of no use/)
      }
      for (const broken of [
        qe.replace('"QE"', '"TD_QE"'),
        qe.replace('"version":2', '"version":1'),
        qe.replace('"version":2', '"version":3'),
        qe.replace('"version":2,', ''),
        qe.replace('"miscselectMask":"FFFFFFFF"', '"miscselectMask":"FFFFFF"'),
        qe.replace('"attributesMask":"FB', '"attributesMask":"'),
        qe.replace('"isvsvn":8', '"isvsvn":"8"'),
      ]) {
        assert.notEqual(broken, qe)
        await refused(signedQeIdentity(broken), /of no use/)
      }
    })
  })

  it('refuses a PCK CA chain of anything else', async () => {
    await refused({ pck_crl_issuer_chain: pki.collateral.tcb_info_issuer_chain }, /place of the chain/)
    await refused({ pck_crl_issuer_chain: '' }, /of no use/)
  })

  it('refuses parts that are too long to be genuine', async () => {
    await refused({ tcb_info: ' '.repeat(2_000_000) }, /too long/)
  })

  it("never lets collateral bring a PCK chain in the place of the quote's own", async () => {
    const collateral = { ...pki.collateral, pck_certificate_chain: 'not a chain' }
    await verifierOf(pki, { collateral }).verify(quote)
  })

  it('refuses every part with one bit flipped', async () => {
    const parts = fc.constantFrom(...(Object.keys(pki.collateral) as (keyof QuoteCollateral)[]))
    await fc.assert(
      fc.asyncProperty(parts, fc.nat(), fc.integer({ min: 0, max: 6 }), async (part, place, bit) => {
        const bytes = Buffer.from(pki.collateral[part], 'latin1')
        const at = place % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
        await refused({ [part]: bytes.toString('latin1') }, /of no use/)
      }),
      { numRuns: 100 },
    )
  })

  describe('with time', () => {
    it('verifies the same collateral once, until it ends', async () => {
      let readings = 0
      const collateral = {
        ...pki.collateral,
        get tcb_info() {
          readings += 1
          return pki.collateral.tcb_info
        },
      }
      let now = NOW
      const verifier = verifierOf(pki, { collateral, now: () => now })
      await Promise.all([verifier.verify(quote), verifier.verify(quote)])
      await verifier.verify(quote)
      assert.equal(readings, 1)

      now = new Date(NOW.getTime() + 366 * DAY)
      await assertRefused(verifier.verify(quote), 'attestation/collateral-unavailable', /valid from/)
      assert.equal(readings, 2)
    })

    it('stops trusting it when a certificate of any of its signers ends', async () => {
      const notAfter = CURRENT.until
      const ofSigner = await chain(tcbSigner, { notAfter })
      const changes = [
        { tcb_info_issuer_chain: ofSigner },
        { qe_identity_issuer_chain: ofSigner },
        { pck_crl_issuer_chain: await chain(platformCa, { pathLength: 0, notAfter }) },
      ]
      for (const change of changes) {
        const collateral = { ...pki.collateral, ...change }
        let now = NOW
        const verifier = verifierOf(pki, { collateral, now: () => now })
        await verifier.verify(quote)
        now = new Date(notAfter.getTime() + 1000)
        await assertRefused(verifier.verify(quote), 'attestation/collateral-unavailable', /not valid now/)
      }
    })

    it('stands no longer than the root', async () => {
      const notAfter = CURRENT.until
      const serial = deriveSerial(SEED, 'test')
      const short = new X509Certificate(
        await issueCertificate({ subject: root, issuer: root, serial, pathLength: 1, notAfter }),
      )
      const usual = new X509Certificate(pki.rootCertificate).toString()
      const under = (chain: string) => chain.replace(usual, short.toString())
      const { pck_crl_issuer_chain, tcb_info_issuer_chain, qe_identity_issuer_chain } = pki.collateral
      const collateral = {
        ...pki.collateral,
        pck_crl_issuer_chain: under(pck_crl_issuer_chain),
        tcb_info_issuer_chain: under(tcb_info_issuer_chain),
        qe_identity_issuer_chain: under(qe_identity_issuer_chain),
      }
      assert.deepEqual(verifyCollateral(collateral, short, NOW).validity.until, notAfter)
    })

    it('does not hold a failure against it when the clock was wrong', async () => {
      let now = new Date('2025-01-01')
      const verifier = verifierOf(pki, { now: () => now })
      await assertRefused(verifier.verify(quote), 'attestation/collateral-unavailable', /valid from/)
      now = NOW
      await verifier.verify(quote)
    })

    it('takes fresh collateral up when the source has it', async () => {
      const later = () => new Date(NOW.getTime() + 400 * DAY)
      const fresh = await developmentPki({ now: later })
      let current = pki.collateral
      const { rootCertificate } = pki
      const collateral = { collateral: async () => current }
      const verifier = createQuoteVerifier({ rootCertificate, collateral, policy: POLICY, now: later })
      await assertRefused(verifier.verify(quote), 'attestation/collateral-unavailable')
      current = fresh.collateral
      await verifier.verify(quote)
    })
  })
})

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

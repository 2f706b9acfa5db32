import { X509Certificate } from 'node:crypto'
import {
  type Authority,
  type CertificateRequest,
  deriveKey,
  deriveSerial,
  issueCertificate,
  signRaw,
} from '../../../src/attestation/development/authority.js'
import type { DevelopmentPki } from '../../../src/attestation/development/index.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import { type SgxPlatform, sgxExtension } from '../../../src/attestation/development/sgx-extension.js'
import { Extension } from '../../../src/attestation/x509.js'
import {
  assertRefused,
  chainOf,
  developmentPki,
  LAYOUT,
  MACHINE,
  quoteOf,
  SEED,
  spliced,
  TDX_MEASUREMENT,
  verifierOf,
  withChain,
} from './world.js'

/** Where the technology stands in the header; 0 is SGX. */
const TEE_TYPE = 4

/** Forgeries that every signature covers, or none, so that only the strictness of reading them stands in the way. */
describe('reading quotes strictly', () => {
  let pki: DevelopmentPki
  let quote: Uint8Array
  const { root, platformCa } = developmentAuthorities(SEED)
  const pck = { name: 'SGX PCK Certificate', key: deriveKey(SEED, 'pck', MACHINE) }

  before(async () => {
    pki = await developmentPki()
    quote = await quoteOf(pki)
  })

  const refused = (forged: Uint8Array, reason: RegExp) =>
    assertRefused(verifierOf(pki).verify(forged), 'attestation/quote-invalid', reason)

  it('refuses what is no quote', async () => {
    await refused(new Uint8Array(), /parse/)
    await refused(quote.subarray(0, 1000), /parse/)
    await refused(new Uint8Array(1000).fill(0xff), /parse/)
  })

  it('refuses quotes over the limit before parsing', async () => {
    await refused(Buffer.concat([quote, new Uint8Array(16_384)]), /more than 16384/)
  })

  it('refuses trailing bytes, behind and within the authentication data', async () => {
    await refused(Buffer.concat([quote, Uint8Array.of(0)]), /trailing/)
    await refused(spliced(quote, quote.length, quote.length, Uint8Array.of(0)), /trailing/)
  })

  it('refuses quotes of another vendor, key type or version', async () => {
    const changed = (at: number, value: number) => {
      const bytes = Uint8Array.from(quote)
      bytes[at] = value
      return bytes
    }
    await refused(resigned(changed(12, 0)), /Intel/)
    await refused(resigned(changed(2, 3)), /ECDSA/)
    for (const version of [2, 4, 5]) await refused(resigned(changed(0, version)), /parse|SGX quote of version 3/)
  })

  it('refuses SGX in the form of version 4 or 5, and a domain that says it is SGX', async () => {
    const neither = /neither an SGX quote of version 3 nor a TDX quote/
    const [, keyEnd] = LAYOUT.attestationKey
    const outer = Buffer.alloc(6)
    outer.writeUInt16LE(6, 0)
    outer.writeUInt32LE(quote.length - keyEnd, 2)
    const four = spliced(quote, keyEnd, keyEnd, outer)
    four[0] = 4
    await refused(resigned(four), neither)

    const body = Buffer.alloc(6)
    body.writeUInt16LE(1, 0)
    body.writeUInt32LE(LAYOUT.report[1] - LAYOUT.report[0], 2)
    const five = Buffer.concat([four.subarray(0, LAYOUT.header[1]), body, four.subarray(LAYOUT.header[1])])
    five[0] = 5
    await refused(five, neither)
    five[TEE_TYPE] = 0x81
    await refused(five, neither)

    const domain = await quoteOf(pki, { measurement: TDX_MEASUREMENT, quoteVersion: 5 })
    domain[TEE_TYPE] = 0
    await refused(domain, neither)
  })

  it('refuses QE authentication data longer than what the library hashes', async () => {
    const longer = spliced(quote, LAYOUT.qeAuthData[1], LAYOUT.qeAuthData[1], Uint8Array.of(1))
    longer[LAYOUT.qeAuthLength[0]] = 33
    await refused(longer, /binds the attestation key/)
  })

  it('refuses a QE report that says more than the binding', async () => {
    const forged = Uint8Array.from(quote)
    forged[LAYOUT.qeReportData[1] - 1] = 1
    forged.set(signRaw(pck.key, forged.subarray(...LAYOUT.qeReport)), LAYOUT.qeReportSignature[0])
    await refused(forged, /binds the attestation key/)
  })

  it('refuses other certification data than a PCK chain', async () => {
    const forged = Uint8Array.from(quote)
    forged[LAYOUT.certificationHeader[0]] = 4
    await refused(forged, /PCK chain/)
  })

  it('refuses text around the certificates, but for a last NUL', async () => {
    const chain = chainOf(quote)
    await verifierOf(pki).verify(withChain(quote, `${chain}\0`))
    await refused(withChain(quote, `x${chain}`), /plain PEM/)
    await refused(withChain(quote, `${chain}\0\0`), /plain PEM/)
    await refused(withChain(quote, chain.replace('-----BEGIN', '# a comment\n-----BEGIN')), /plain PEM/)
  })

  describe('refuses a chain', () => {
    const serial = deriveSerial(SEED, 'test')

    const issue = async (request: Omit<CertificateRequest, 'serial'>) =>
      new X509Certificate(await issueCertificate({ serial, ...request })).toString()
    const leaf = (issuer: Authority, request: Partial<CertificateRequest> = {}) =>
      issue({ subject: pck, issuer, extensions: [sgxExtension(PLATFORM)], ...request })
    const authority = (request: Partial<CertificateRequest> = {}) =>
      issue({ subject: platformCa, issuer: root, pathLength: 0, ...request })
    const rootPem = () => new X509Certificate(pki.rootCertificate).toString()

    const cases: [string, RegExp, () => Promise<string[]>][] = [
      ['without an intermediate', /length/, async () => [await leaf(root), rootPem()]],
      ['without the root', /length/, async () => [await leaf(platformCa), await authority()]],
      [
        'that is too long',
        /length/,
        async () => {
          const middle: Authority = { name: 'SGX PCK Processor CA', key: deriveKey(SEED, 'middle') }
          const below = await authority({ subject: middle, issuer: platformCa })
          return [await leaf(middle), below, await authority({ pathLength: 1 }), rootPem()]
        },
      ],
      [
        'that ends in another certificate of the root key',
        /does not end in the root/,
        async () => [await leaf(platformCa), await authority(), await authority({ subject: root, pathLength: 2 })],
      ],
      [
        'with an issuer that is no CA',
        /may not issue/,
        async () => [await leaf(platformCa), await authority({ pathLength: undefined }), rootPem()],
      ],
      [
        'with an issuer that is no PCK CA',
        /place of the chain/,
        async () => {
          const other = { name: 'SGX TCB Signing', key: platformCa.key }
          return [await leaf(other), await authority({ subject: other }), rootPem()]
        },
      ],
      [
        'with a leaf that is no PCK certificate',
        /place of the chain/,
        async () => [await leaf(platformCa, { subject: { ...pck, name: 'SGX Other' } }), await authority(), rootPem()],
      ],
      [
        'with a leaf that is a CA',
        /is a CA/,
        async () => [await leaf(platformCa, { pathLength: 0 }), await authority(), rootPem()],
      ],
      [
        'whose names do not link',
        /was not issued by/,
        async () => {
          const renamed = { name: 'SGX PCK Processor CA', key: platformCa.key }
          return [await leaf(platformCa), await authority({ subject: renamed }), rootPem()]
        },
      ],
      [
        'whose signatures do not link',
        /was not issued by/,
        async () => {
          const stranger = { name: platformCa.name, key: deriveKey(SEED, 'stranger') }
          return [await leaf(stranger), await authority(), rootPem()]
        },
      ],
      [
        'with a certificate that has expired',
        /not valid now/,
        async () => [await leaf(platformCa, { notAfter: new Date('2026-01-01') }), await authority(), rootPem()],
      ],
      [
        'without the SGX extension',
        /extension/,
        async () => [await leaf(platformCa, { extensions: [] }), await authority(), rootPem()],
      ],
      [
        'with two SGX extensions',
        /exactly one SGX extension/,
        async () => {
          const twice = [sgxExtension(PLATFORM), sgxExtension(PLATFORM)]
          return [await leaf(platformCa, { extensions: twice }), await authority(), rootPem()]
        },
      ],
    ]
    for (const [name, reason, chain] of cases) {
      it(name, async () => refused(withChain(quote, (await chain()).join('')), reason))
    }

    it('whose CPUSVN the library would compare, but is not what Intel compares', async () => {
      const extension = sgxExtension(PLATFORM)
      const der = Buffer.from(extension.value)
      // The CPUSVN is the one run of 16 such bytes; the component SVNs stand apart.
      der[der.indexOf(Buffer.alloc(16, 9))] = 10
      const extensions = [new Extension(extension.type, false, der)]
      const chain = [await leaf(platformCa, { extensions }), await authority(), rootPem()]
      await refused(withChain(quote, chain.join('')), /component SVNs/)
    })

    it('whose certificate lacks a field of the SGX extension', async () => {
      const extension = sgxExtension(PLATFORM)
      const der = Buffer.from(extension.value)
      // Another number in the place of FMSPC's, which ends the field's OID.
      der[der.indexOf('060a2a864886f84d010d0104', 'hex') + 11] = 9
      const extensions = [new Extension(extension.type, false, der)]
      const chain = [await leaf(platformCa, { extensions }), await authority(), rootPem()]
      await refused(withChain(quote, chain.join('')), /lacks a field/)
    })

    it('but accepts one that is made the same way and has no such fault', async () => {
      const chain = [await leaf(platformCa), await authority(), rootPem()]
      await verifierOf(pki).verify(withChain(quote, chain.join('')))
    })

    it('of a family that there is no collateral for, as trouble of our own', async () => {
      for (const other of [{ fmspc: new Uint8Array(6) }, { pceId: Uint8Array.of(0, 1) }]) {
        const extensions = [sgxExtension({ ...PLATFORM, ...other })]
        const chain = [await leaf(platformCa, { extensions }), await authority(), rootPem()]
        const verdict = verifierOf(pki).verify(withChain(quote, chain.join('')))
        await assertRefused(verdict, 'attestation/collateral-unavailable', /no attestation collateral/)
      }
    })

    it('of a CA that there is no revocation list for, as trouble of our own', async () => {
      const processorCa: Authority = { name: 'SGX PCK Processor CA', key: deriveKey(SEED, 'processor') }
      const chain = [await leaf(processorCa), await authority({ subject: processorCa }), rootPem()]
      const verdict = verifierOf(pki).verify(withChain(quote, chain.join('')))
      await assertRefused(verdict, 'attestation/collateral-unavailable', /revocation list/)
    })

    it('of a platform below every level as below the policy', async () => {
      const extensions = [sgxExtension({ ...PLATFORM, cpuSvn: new Uint8Array(16) })]
      const chain = [await leaf(platformCa, { extensions }), await authority(), rootPem()]
      const verdict = verifierOf(pki).verify(withChain(quote, chain.join('')))
      await assertRefused(verdict, 'attestation/tcb-below-policy', /below every TCB level/)
    })
  })

  /** Signs the header and report anew, as a quoting enclave of that kind would. */
  function resigned(changed: Uint8Array): Uint8Array {
    const attestationKey = deriveKey(SEED, 'attestation', MACHINE)
    changed.set(signRaw(attestationKey, changed.subarray(0, LAYOUT.report[1])), LAYOUT.signature[0])
    return changed
  }
})

const PLATFORM: SgxPlatform = {
  ppid: new Uint8Array(16),
  cpuSvn: new Uint8Array(16).fill(9),
  pceSvn: 13,
  pceId: new Uint8Array(2),
  fmspc: new TextEncoder().encode('SLMDEV'),
  platformInstanceId: new Uint8Array(16),
}

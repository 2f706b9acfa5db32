import assert from 'node:assert/strict'
import { deriveKey, signRaw } from '../../../src/attestation/development/authority.js'
import { qeIdentity, tcbInfo } from '../../../src/attestation/development/collateral.js'
import type { DevelopmentPki } from '../../../src/attestation/development/index.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import { type AttestationCheck, AttestationError, type QuoteCollateral } from '../../../src/attestation/index.js'
import { resigned as resignedCollateral } from './pccs-world.js'
import {
  developmentPki,
  MACHINE,
  NOW,
  POLICY,
  quoteOf,
  REPORT_DATA,
  SEED,
  TDX_LAYOUT,
  TDX_MEASUREMENT,
  verifierOf,
} from './world.js'

const { tcbSigner } = developmentAuthorities(SEED)
const DAY = 86_400_000
const CURRENT = { from: new Date(NOW.getTime() - DAY), until: new Date(NOW.getTime() + DAY) }

/** Header and TD report, which the attestation key signs. */
const SIGNED = 632

describe('verifying TDX quotes', () => {
  let pki: DevelopmentPki
  let quote: Uint8Array

  before(async () => {
    pki = await developmentPki()
    quote = await tdxQuote()
  })

  const tdxQuote = (options: Partial<Parameters<DevelopmentPki['platform']>[0]> = {}) =>
    quoteOf(pki, { measurement: TDX_MEASUREMENT, ...options })

  function fails(verdict: Promise<unknown>, check: AttestationCheck, sentence = /./): Promise<void> {
    return assert.rejects(verdict, (thrown) => {
      assert.ok(thrown instanceof AttestationError, String(thrown))
      assert.equal(thrown.check, check, thrown.message)
      assert.match(thrown.message, sentence)
      return true
    })
  }

  /** As a quoting enclave would sign a domain that is so. */
  function resigned(at: number, bytes: readonly number[], of = quote): Uint8Array {
    const changed = Uint8Array.from(of)
    changed.set(bytes, at)
    const key = deriveKey(SEED, 'attestation', MACHINE)
    changed.set(signRaw(key, changed.subarray(0, SIGNED)), TDX_LAYOUT.signature[0])
    return changed
  }

  const withTcbInfo = (tcb_info: string): QuoteCollateral => ({
    ...pki.tdxCollateral,
    tcb_info,
    tcb_info_signature: Buffer.from(signRaw(tcbSigner.key, Buffer.from(tcb_info))).toString('hex'),
  })

  it('accepts versions 4 and 5, and says what they prove', async () => {
    for (const quoteVersion of [4, 5] as const) {
      assert.deepEqual(await verifierOf(pki).verify(await tdxQuote({ quoteVersion })), {
        reportData: REPORT_DATA,
        measurement: TDX_MEASUREMENT,
        tcbStatus: 'UpToDate',
        advisoryIds: [],
        tcbEvaluationDataNumber: 1,
      })
    }
  })

  it('refuses domains under debug, by any bit of that byte', async () => {
    await fails(verifierOf(pki).verify(await tdxQuote({ debug: true })), 'debug')
    for (const bit of [0x01, 0x02, 0x80]) {
      await fails(verifierOf(pki).verify(resigned(TDX_LAYOUT.tdAttributes[0], [bit])), 'debug')
    }
  })

  it('refuses domains without SEPT_VE_DISABLE, or with attributes that nobody knows', async () => {
    const [at] = TDX_LAYOUT.tdAttributes
    for (const attributes of [
      [0, 0, 0, 0x00],
      [0, 1, 0, 0x10],
      [0, 0, 0, 0x30],
      [0, 0, 0, 0x10, 1],
    ]) {
      await fails(verifierOf(pki).verify(resigned(at, attributes)), 'td-attributes')
    }
    await verifierOf(pki).verify(resigned(at, [0, 0, 0, 0xd0, 0, 0, 0, 0x80]))
  })

  it('refuses domains that another domain is bound to', async () => {
    const five = await tdxQuote({ quoteVersion: 5 })
    const longer = Buffer.concat([five.subarray(0, 54 + 584), new Uint8Array(64), five.subarray(54 + 584)])
    longer.writeUInt16LE(3, 48)
    longer.writeUInt32LE(648, 50)
    const key = deriveKey(SEED, 'attestation', MACHINE)
    const sign = () => longer.set(signRaw(key, longer.subarray(0, 54 + 648)), 54 + 648 + 4)
    sign()
    await verifierOf(pki).verify(longer)
    longer[54 + 647] = 1
    sign()
    await fails(verifierOf(pki).verify(longer), 'form', /another domain/)
  })

  it('refuses a body that has not the length of its type', async () => {
    const five = Buffer.from(await tdxQuote({ quoteVersion: 5 }))
    five.writeUInt32LE(585, 50)
    await fails(verifierOf(pki).verify(five), 'form', /body/)
  })

  it('refuses certification data of another type or length around the report of the quoting enclave', async () => {
    const [at] = TDX_LAYOUT.outerCertificationHeader
    const [typed, long] = [Buffer.from(quote), Buffer.from(quote)]
    typed.writeUInt16LE(5, at)
    await fails(verifierOf(pki).verify(typed), 'form', /unknown type/)
    long.writeUInt32LE(long.readUInt32LE(at + 2) - 1, at + 2)
    await fails(verifierOf(pki).verify(long), 'form')
    const trailing = Buffer.concat([quote, Uint8Array.of(0)])
    trailing.writeUInt32LE(trailing.readUInt32LE(632) + 1, 632)
    await fails(verifierOf(pki).verify(trailing), 'form', /trailing/)
    trailing.writeUInt32LE(trailing.readUInt32LE(at + 2) + 1, at + 2)
    await fails(verifierOf(pki).verify(trailing), 'form', /trailing/)
  })

  describe('of a TDX module', () => {
    it('that is out of date are judged so, which a policy may excuse', async () => {
      const old = await tdxQuote({ tdxModule: 2 })
      await fails(verifierOf(pki).verify(old), 'tcb-status', /OutOfDate, open to INTEL-SA-00000/)
      const exception = { status: 'OutOfDate', advisoryIds: ['INTEL-SA-00000'], until: '2026-06-01T00:00:00Z' } as const
      const policy = { ...POLICY, tcbExceptions: [exception] }
      assert.equal((await verifierOf(pki, { policy }).verify(old)).tcbStatus, 'OutOfDate')
    })

    it('that is below every level, or of a version that nobody knows, are refused', async () => {
      await fails(verifierOf(pki).verify(await tdxQuote({ tdxModule: 1 })), 'tcb-level', /TDX module TDX_01 is below/)
      await fails(
        verifierOf(pki).verify(resigned(TDX_LAYOUT.teeTcbSvn[0], [3, 2])),
        'tdx-module',
        /TDX_02 is not known/,
      )
    })

    it('that is not Intel’s are refused', async () => {
      await fails(verifierOf(pki).verify(resigned(TDX_LAYOUT.mrSignerSeam[0], [1])), 'tdx-module', /not Intel/)
      await fails(verifierOf(pki).verify(resigned(TDX_LAYOUT.seamAttributes[0], [1])), 'tdx-module', /not Intel/)
    })

    it('of version 0 are judged by the general entry', async () => {
      await verifierOf(pki).verify(resigned(TDX_LAYOUT.teeTcbSvn[0], [3, 0]))
      await fails(verifierOf(pki).verify(resigned(TDX_LAYOUT.teeTcbSvn[0], [3, 0], resigned(112, [1]))), 'tdx-module')
    })
  })

  it('judges the platform by the components of SGX and of TDX', async () => {
    await fails(verifierOf(pki).verify(await tdxQuote({ tcb: 'OutOfDate' })), 'tcb-status', /OutOfDate/)
    await fails(verifierOf(pki).verify(resigned(TDX_LAYOUT.teeTcbSvn[0] + 5, [0])), 'tcb-level')
  })

  it('leaves a module that has levels of its own to these, as Intel does, and asks the library by its own rule', async () => {
    const whole = tcbInfo(CURRENT, 'tdx')
    const component = '"tdxtcbcomponents":[{"svn":1}'
    const newer = component.replace('1', '5')
    // The module's security version is 3. By the library's rule the first of these leaves the second level, which is a
    // worse one, and the second none at all.
    for (const changed of [whole.replace(component, newer), whole.replaceAll(component, newer)]) {
      assert.notEqual(changed, whole)
      const verifier = verifierOf(pki, { tdxCollateral: withTcbInfo(changed) })
      assert.equal((await verifier.verify(quote)).tcbStatus, 'UpToDate')
      const without = resigned(TDX_LAYOUT.teeTcbSvn[0], [3, 0])
      const [check] = changed.includes(component) ? ['tcb-status' as const] : ['tcb-level' as const]
      await fails(verifier.verify(without), check)
    }
  })

  it('takes no collateral of the other technology', async () => {
    const { collateral, tdxCollateral } = pki
    await fails(verifierOf(pki, { tdxCollateral: collateral }).verify(quote), 'collateral-platform', /for TDX/)
    await fails(
      verifierOf(pki, { collateral: tdxCollateral }).verify(await quoteOf(pki)),
      'collateral-platform',
      /for SGX/,
    )
    const mixed = {
      ...tdxCollateral,
      qe_identity: collateral.qe_identity,
      qe_identity_signature: collateral.qe_identity_signature,
    }
    await fails(verifierOf(pki, { tdxCollateral: mixed }).verify(quote), 'qe-identity-info', /another technology/)
  })

  it('takes no quoting enclave of the other technology', async () => {
    const swapped = qeIdentity(CURRENT, 'tdx').replace('"isvprodid":2', '"isvprodid":1')
    const tdxCollateral = {
      ...pki.tdxCollateral,
      qe_identity: swapped,
      qe_identity_signature: Buffer.from(signRaw(tcbSigner.key, Buffer.from(swapped))).toString('hex'),
    }
    await fails(verifierOf(pki, { tdxCollateral }).verify(quote), 'qe-identity')
  })

  it('takes QE identity of versions 2 and 3', async () => {
    const judged = (version: number) => {
      const tdxCollateral = resignedCollateral(pki.tdxCollateral, { qeIdentity: { version } })
      return verifierOf(pki, { tdxCollateral }).verify(quote)
    }
    for (const version of [2, 3]) await judged(version)
    for (const version of [1, 4]) await fails(judged(version), 'qe-identity-info', /version/)
  })

  it('takes no TCB info that lacks what TDX is judged by', async () => {
    const whole = tcbInfo(CURRENT, 'tdx')
    await verifierOf(pki, { tdxCollateral: withTcbInfo(whole) }).verify(quote)
    for (const broken of [
      whole.replace('"tdxModule":', '"other":'),
      whole.replace('"attributesMask":"FF', '"attributesMask":"'),
      whole.replace(/"tdxtcbcomponents":\[\{"svn":1\},/, '"tdxtcbcomponents":['),
      whole.replace('"isvsvn":3', '"isvsvn":null'),
    ]) {
      assert.notEqual(broken, whole)
      await fails(verifierOf(pki, { tdxCollateral: withTcbInfo(broken) }).verify(quote), 'tcb-info')
    }
  })

  it('refuses a PCK that the quoting enclave’s report is not signed by', async () => {
    const foreign = await tdxQuote({ machineId: 'machine-2' })
    const chain = foreign.subarray(1258)
    const mixed = Buffer.concat([quote.subarray(0, 1258), chain])
    mixed.writeUInt32LE(chain.length, 1254)
    mixed.writeUInt32LE(mixed.length - 770, 766)
    mixed.writeUInt32LE(mixed.length - 636, 632)
    await fails(verifierOf(pki).verify(mixed), 'qe-report-signature')
  })
})

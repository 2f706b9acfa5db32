import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { QuoteVerifier as DcapVerifier } from '@phala/dcap-qvl'
import { signRaw } from '../../../src/attestation/development/authority.js'
import { tcbInfo } from '../../../src/attestation/development/collateral.js'
import type { DevelopmentPki } from '../../../src/attestation/development/index.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import {
  type AttestationCheck,
  AttestationError,
  createQuoteVerifier,
  type QuoteCollateral,
  type QuoteVerifier,
} from '../../../src/attestation/index.js'
import { PckChains } from '../../../src/attestation/pck-chains.js'
import { Random } from '../../support/random.js'
import {
  CHAIN_AT,
  chainOf,
  developmentPki,
  flipped,
  LAYOUT,
  MACHINE,
  NOW,
  POLICY,
  quoteOf,
  SEED,
  TDX_CHAIN_AT,
  TDX_LAYOUT,
  TDX_MEASUREMENT,
  verifierOf,
} from './world.js'

const DAY = 86_400_000

/** Bytes that are tried of each part of the collateral; those of Intel's own are in genuine.spec.ts. */
const SAMPLES = 50

async function checkOf(verifier: QuoteVerifier, quote: Uint8Array): Promise<AttestationCheck> {
  try {
    await verifier.verify(quote)
  } catch (thrown) {
    assert.ok(thrown instanceof AttestationError, String(thrown))
    return thrown.check
  }
  return assert.fail('it was accepted')
}

describe('one bit', function () {
  this.timeout(30_000)
  const seed = Date.now() % 2 ** 31
  const random = new Random(seed)
  let pki: DevelopmentPki

  before(async () => {
    pki = await developmentPki()
  })

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stdout.write(`seed ${seed}\n`)
  })

  /** What the flip of a bit in each part of a quote must be found by. */
  const quotes: [
    name: string,
    make: () => Promise<Uint8Array>,
    chainAt: number,
    parts: Record<string, readonly [from: number, to: number, checks: readonly AttestationCheck[]]>,
  ][] = [
    [
      'of an SGX quote',
      () => quoteOf(pki),
      CHAIN_AT,
      {
        header: [...LAYOUT.header, ['form', 'quote-signature']],
        report: [48, 432, ['quote-signature', 'measurement', 'debug']],
        signature: [...LAYOUT.signature, ['quote-signature']],
        'attestation key': [...LAYOUT.attestationKey, ['attestation-key']],
        'quoting enclave’s report': [...LAYOUT.qeReport, ['qe-report-signature', 'form']],
        'signature of that': [...LAYOUT.qeReportSignature, ['qe-report-signature']],
        'authentication data': [...LAYOUT.qeAuthData, ['attestation-key']],
        lengths: [...LAYOUT.authLength, ['form']],
        'certification header': [...LAYOUT.certificationHeader, ['form']],
      },
    ],
    [
      'of a TDX quote',
      () => quoteOf(pki, { measurement: TDX_MEASUREMENT }),
      TDX_CHAIN_AT,
      {
        header: [...TDX_LAYOUT.header, ['form', 'quote-signature']],
        report: [48, 632, ['quote-signature', 'measurement', 'debug']],
        signature: [...TDX_LAYOUT.signature, ['quote-signature']],
        'attestation key': [...TDX_LAYOUT.attestationKey, ['attestation-key']],
        'outer certification header': [...TDX_LAYOUT.outerCertificationHeader, ['form']],
        'quoting enclave’s report': [...TDX_LAYOUT.qeReport, ['qe-report-signature', 'form']],
        'signature of that': [...TDX_LAYOUT.qeReportSignature, ['qe-report-signature']],
        'authentication data': [...TDX_LAYOUT.qeAuthData, ['attestation-key']],
        lengths: [...TDX_LAYOUT.authLength, ['form']],
        'certification header': [...TDX_LAYOUT.certificationHeader, ['form']],
      },
    ],
  ]
  for (const [name, make, chainAt, parts] of quotes) {
    for (const [part, [from, to, checks]] of Object.entries(parts)) {
      it(`${name}, in each byte of its ${part}, is found by ${checks.join(' or ')}`, async () => {
        const quote = await make()
        const verifier = verifierOf(pki)
        await verifier.verify(quote)
        for (let at = from; at < to; at += 1) {
          const check = await checkOf(verifier, flipped(quote, at, random.below(8)))
          assert.ok(checks.includes(check), `byte ${at}: ${check}`)
        }
      })
    }

    it(`${name}, in its certificates, in each byte, is found by their form or their signatures`, async () => {
      const quote = await make()
      const verifier = verifierOf(pki)
      await verifier.verify(quote)
      for (let at = chainAt; at < quote.length; at += 1) {
        const check = await checkOf(verifier, flipped(quote, at, random.below(8)))
        assert.ok(check === 'form' || check === 'pck-chain', `byte ${at}: ${check}`)
      }
    })
  }

  const parts: [keyof QuoteCollateral, readonly AttestationCheck[]][] = [
    ['pck_crl_issuer_chain', ['collateral-chain']],
    ['root_ca_crl', ['crl']],
    ['pck_crl', ['crl']],
    ['tcb_info_issuer_chain', ['collateral-chain']],
    ['tcb_info', ['tcb-info']],
    ['tcb_info_signature', ['tcb-info']],
    ['qe_identity_issuer_chain', ['collateral-chain']],
    ['qe_identity', ['qe-identity-info']],
    ['qe_identity_signature', ['qe-identity-info']],
  ]
  for (const [part, checks] of parts) {
    it(`of the collateral’s ${part} is found by ${checks.join(' or ')}`, async () => {
      const quotes = [
        ['collateral', await quoteOf(pki)],
        ['tdxCollateral', await quoteOf(pki, { measurement: TDX_MEASUREMENT })],
      ] as const
      for (const [name, quote] of quotes) {
        const bytes = Buffer.from(pki[name][part], 'latin1')
        for (let sample = 0; sample < SAMPLES; sample += 1) {
          const at = random.below(bytes.length)
          const changed = Buffer.from(flipped(bytes, at, random.below(8))).toString('latin1')
          const check = await checkOf(verifierOf(pki, { [name]: { ...pki[name], [part]: changed } }), quote)
          assert.ok(checks.includes(check), `${name}, byte ${at}: ${check}`)
        }
      }
    })
  }
})

describe('a second opinion', () => {
  const { verify } = DcapVerifier.prototype
  let pki: DevelopmentPki
  let asked = 0

  before(async () => {
    pki = await developmentPki()
  })

  beforeEach(() => {
    asked = 0
    DcapVerifier.prototype.verify = function (...given) {
      asked += 1
      return verify.apply(this, given)
    }
  })

  afterEach(() => {
    DcapVerifier.prototype.verify = verify
  })

  it('is asked for once for each platform under each collateral', async () => {
    const verifier = verifierOf(pki)
    for (let times = 0; times < 3; times += 1) await verifier.verify(await quoteOf(pki))
    assert.equal(asked, 1)
    await verifier.verify(await quoteOf(pki, { machineId: 'machine-2' }))
    assert.equal(asked, 2)
    await verifierOf(pki, { collateral: { ...pki.collateral } }).verify(await quoteOf(pki))
    assert.equal(asked, 3)
  })

  it('is not the one that decides: what is wrong with a later quote is found without it', async () => {
    const verifier = verifierOf(pki)
    const quote = await quoteOf(pki)
    await verifier.verify(quote)
    assert.equal(await checkOf(verifier, flipped(quote, LAYOUT.reportData[0], 0)), 'quote-signature')
    assert.equal(asked, 1)
  })

  it('must be the same', async () => {
    const quote = await quoteOf(pki)
    const current = { from: new Date(NOW.getTime() - DAY), until: new Date(NOW.getTime() + DAY) }
    const { tcbSigner } = developmentAuthorities(SEED)
    // A word that the library does not know, and refuses by itself.
    const tcb_info = tcbInfo(current).replace('"tcbStatus":"UpToDate"', '"tcbStatus":"Splendid"')
    const tcb_info_signature = Buffer.from(signRaw(tcbSigner.key, Buffer.from(tcb_info))).toString('hex')
    const collateral = { ...pki.collateral, tcb_info, tcb_info_signature }
    assert.equal(await checkOf(verifierOf(pki, { collateral }), quote), 'second-opinion')

    DcapVerifier.prototype.verify = function (...given) {
      return Object.assign(verify.apply(this, given), { status: 'OutOfDate' })
    }
    assert.equal(await checkOf(verifierOf(pki), quote), 'second-opinion')
    DcapVerifier.prototype.verify = function (...given) {
      return Object.assign(verify.apply(this, given), { advisory_ids: ['INTEL-SA-00001'] })
    }
    assert.equal(await checkOf(verifierOf(pki), quote), 'second-opinion')
    const sentence = /its platform is UpToDate, or by the library UpToDate \(open to INTEL-SA-00001\)/
    await assert.rejects(verifierOf(pki).verify(quote), sentence)
  })

  it('does not stand in for dates: a remembered chain ends when its certificates do', async () => {
    let now = NOW
    const verifier = verifierOf(pki, { now: () => now })
    const quote = await quoteOf(pki, { machineId: MACHINE })
    await verifier.verify(quote)
    now = new Date('2050-01-01T00:00:00Z')
    assert.equal(await checkOf(verifier, quote), 'pck-validity')
    assert.equal(await checkOf(verifierOf(pki, { now: () => now }), quote), 'pck-validity', 'also when it is new')
    for (let at = CHAIN_AT; at < quote.length; at += 7) {
      const check = await checkOf(verifierOf(pki, { now: () => now }), flipped(quote, at, at % 8))
      assert.ok(check === 'form' || check === 'pck-chain', `byte ${at}, which is forged: ${check}`)
    }
  })

  it('does not stand in for revocation: a remembered chain is judged by the newest list', async () => {
    const revoking = await developmentPki({ revokedMachines: [MACHINE] })
    let { collateral } = pki
    const { rootCertificate } = pki
    const source = { collateral: async () => collateral }
    const verifier = createQuoteVerifier({ rootCertificate, collateral: source, policy: POLICY, now: () => NOW })
    const quote = await quoteOf(pki)
    await verifier.verify(quote)
    collateral = revoking.collateral
    assert.equal(await checkOf(verifier, quote), 'pck-revoked')
    collateral = pki.collateral
    await verifier.verify(quote)
    assert.equal(asked, 1)
  })

  it('nor for the collateral’s end: what was verified is judged by the time each time', async () => {
    let now = NOW
    const verifier = verifierOf(pki, { now: () => now })
    const quote = await quoteOf(pki)
    await verifier.verify(quote)
    now = new Date(NOW.getTime() + 366 * DAY)
    assert.equal(await checkOf(verifier, quote), 'collateral-validity')
  })
})

describe('remembered chains', () => {
  it('are those that were used last', async () => {
    const pki = await developmentPki()
    const chains = new PckChains(new X509Certificate(pki.rootCertificate), 3)
    const [one = '', two = '', three = '', four = ''] = await Promise.all(
      ['1', '2', '3', '4'].map(async (machineId) => chainOf(await quoteOf(pki, { machineId }))),
    )
    const first = chains.verify(one, NOW)
    const second = chains.verify(two, NOW)
    chains.verify(three, NOW)
    assert.equal(chains.verify(one, NOW), first)
    chains.verify(four, NOW)
    assert.equal(chains.verify(one, NOW), first)
    assert.notEqual(chains.verify(two, NOW), second)
  })

  it('are the same however they are written', async () => {
    const pki = await developmentPki()
    const chains = new PckChains(new X509Certificate(pki.rootCertificate))
    const pem = chainOf(await quoteOf(pki))
    const chain = chains.verify(pem, NOW)
    for (const other of [`${pem}\n`, `${pem}\0`, pem.replaceAll('\n', '\r\n')])
      assert.equal(chains.verify(other, NOW), chain)
  })
})

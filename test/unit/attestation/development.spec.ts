import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { utils } from '@phala/dcap-qvl'
import {
  createDevelopmentPki,
  type DevelopmentPki,
  startSimulatedPccs,
} from '../../../src/attestation/development/index.js'
import { toHex } from '../../../src/crypto/index.js'
import { ofRound } from '../../support/rounds.js'
import { chainOf, developmentPki, LAYOUT, MACHINE, MEASUREMENT, quoteOf, REPORT_DATA, SEED } from './world.js'

describe('the development PKI', () => {
  let pki: DevelopmentPki

  before(async () => {
    pki = await developmentPki()
  })

  it('has the same root certificate in every process with the seed, and another with another seed', async () => {
    const again = await developmentPki({ now: () => new Date('2031-01-01') })
    assert.deepEqual(again.rootCertificate, pki.rootCertificate)
    const other = await createDevelopmentPki({ seed: new Uint8Array(32).fill(8) })
    assert.notDeepEqual(other.rootCertificate, pki.rootCertificate)
  })

  it('wants a seed of 32 bytes', async () => {
    await assert.rejects(createDevelopmentPki({ seed: new Uint8Array(31) }), RangeError)
  })

  it('cannot be mistaken for the PKI of Intel', async () => {
    const quote = await quoteOf(pki)
    const chains = [
      chainOf(quote),
      ...Object.entries(pki.collateral).flatMap(([part, text]) => (part.endsWith('issuer_chain') ? [text] : [])),
    ]
    const certificates = chains.flatMap((chain) => utils.extractCerts(Buffer.from(chain)))
    assert.equal(certificates.length, 3 + 2 + 2 + 2)
    for (const certificate of certificates) {
      const { subject, issuer } = new X509Certificate(certificate)
      for (const name of [subject, issuer]) {
        assert.match(name, /^CN=SLOTMESH DEVELOPMENT /m)
        assert.match(name, /proves nothing/)
        assert.doesNotMatch(name, /Intel/i)
      }
    }
  })

  it("makes quotes byte for byte as Intel's format has them", async () => {
    const quote = Buffer.from(await quoteOf(pki))
    const part = (name: keyof typeof LAYOUT) => quote.subarray(...LAYOUT[name])
    assert.equal(
      part('header').subarray(0, 28).toString('hex'),
      '030002000000000008000d00939a7233f79c4ca9940a0db3957f0607',
    )
    assert.equal(part('attributes').toString('hex'), `05000000000000000300000000000000`)
    assert.equal(toHex(part('mrEnclave')), MEASUREMENT.mrEnclave)
    assert.equal(toHex(part('mrSigner')), MEASUREMENT.mrSigner)
    assert.equal(quote.readUInt16LE(48 + 256), MEASUREMENT.productId)
    assert.equal(quote.readUInt16LE(48 + 258), MEASUREMENT.securityVersion)
    assert.deepEqual(new Uint8Array(part('reportData')), REPORT_DATA)
    assert.equal(part('authLength').readUInt32LE(), quote.length - 436)
    const binding = createHash('sha256').update(part('attestationKey')).update(part('qeAuthData')).digest()
    assert.deepEqual(part('qeReportData'), Buffer.concat([binding, Buffer.alloc(32)]))
    assert.equal(part('certificationHeader').readUInt16LE(), 5)
    assert.equal(part('certificationHeader').readUInt32LE(2), quote.length - 1052)
  })

  it('gives machines their own keys', async () => {
    const key = (quote: Uint8Array) => toHex(quote.subarray(...LAYOUT.attestationKey))
    const one = await quoteOf(pki)
    assert.equal(key(await quoteOf(pki, { measurement: { ...MEASUREMENT, productId: 1 } })), key(one))
    assert.notEqual(key(await quoteOf(pki, { machineId: 'machine-2' })), key(one))
  })

  it('refuses report data of another length, and heeds its signal', async () => {
    const { quoteSource } = pki.platform({ machineId: MACHINE, measurement: MEASUREMENT })
    assert.equal(quoteSource.kind, 'simulated')
    const { signal } = new AbortController()
    await assert.rejects(quoteSource.quote(new Uint8Array(63), { signal }), RangeError)
    const aborted = AbortSignal.abort(new Error('enough'))
    await assert.rejects(quoteSource.quote(REPORT_DATA, { signal: aborted }), /enough/)
  })

  it('seals to the machine, the build and the debug flag', () => {
    const key = (options: Partial<Parameters<DevelopmentPki['platform']>[0]>, of = pki) =>
      toHex(of.platform({ machineId: MACHINE, measurement: MEASUREMENT, ...options }).sealingKey())
    const measurement = { ...MEASUREMENT, mrEnclave: `0x${'e2'.repeat(32)}` } as const
    assert.equal(key({}), key({}))
    assert.equal(key({}).length, 2 + 64)
    const keys = [key({}), key({ machineId: 'machine-2' }), key({ measurement }), key({ debug: true })]
    assert.equal(new Set(keys).size, keys.length)
    assert.equal(key({ measurement: { ...MEASUREMENT, securityVersion: 9 } }), key({}))
  })

  it('gives a copy of the sealing key each time', () => {
    const platform = pki.platform({ machineId: MACHINE, measurement: MEASUREMENT })
    const before = toHex(platform.sealingKey())
    platform.sealingKey().fill(0)
    assert.equal(toHex(platform.sealingKey()), before)
  })
})

describe('the simulated PCCS', () => {
  it('has the standard round and the early one, by their names or by their numbers, as Intel’s service has', async () => {
    const { collateral: standard, tdxCollateral: tdx } = await developmentPki()
    const [early, earlyTdx] = [ofRound(SEED, standard, 2), ofRound(SEED, tdx, 2)]
    const pccs = await startSimulatedPccs({ sgx: standard, tdx, early: { sgx: early, tdx: earlyTdx } })
    const answered = async (path: string) => {
      const response = await fetch(`${pccs.url}/${path}`)
      const text = await response.text()
      return response.status === 200 ? Number(/"tcbEvaluationDataNumber":(\d+)/.exec(text)?.[1]) : response.status
    }
    try {
      for (const tee of ['sgx', 'tdx']) {
        for (const part of ['tcb?fmspc=534c4d444556&', 'qe/identity?']) {
          const asking = (query: string) => answered(`${tee}/certification/v4/${part}${query}`)
          assert.equal(await asking(''), 1)
          assert.equal(await asking('update=standard'), 1)
          assert.equal(await asking('update=early'), 2)
          assert.equal(await asking('update=late'), 400)
          assert.equal(await asking('tcbEvaluationDataNumber=1'), 1)
          assert.equal(await asking('tcbEvaluationDataNumber=2'), 2)
          assert.equal(await asking('tcbEvaluationDataNumber=3'), 404)
          assert.equal(await asking('tcbEvaluationDataNumber=2&update=early'), 400)
        }
      }
    } finally {
      await pccs.stop()
    }
  })
})

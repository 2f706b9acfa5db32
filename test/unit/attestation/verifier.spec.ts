import assert from 'node:assert/strict'
import { mock } from 'node:test'
import fc from 'fast-check'
import { createDevelopmentPki, type DevelopmentPki } from '../../../src/attestation/development/index.js'
import {
  type AttestationPolicy,
  type CollateralRequest,
  createQuoteVerifier,
  type MeasurementRule,
  type QuoteCollateral,
  staticCollateral,
  trustsSimulatedQuotes,
} from '../../../src/attestation/index.js'
import type { ExcusableTcbStatus } from '../../../src/attestation/policy.js'
import { INTEL_ROOT } from '../../../src/attestation/root.js'
import { resigned } from './pccs-world.js'
import {
  assertRefused,
  CHAIN_AT,
  developmentPki,
  flipped,
  LAYOUT,
  MACHINE,
  MEASUREMENT,
  NOW,
  POLICY,
  quoteOf,
  REPORT_DATA,
  verifierOf,
} from './world.js'

const ADVISORY = 'INTEL-SA-00000'

describe('verifying quotes', () => {
  let pki: DevelopmentPki
  let quote: Uint8Array

  before(async () => {
    pki = await developmentPki()
    quote = await quoteOf(pki)
  })

  it('accepts a genuine quote and says what it proves', async () => {
    assert.deepEqual(await verifierOf(pki).verify(quote), {
      reportData: REPORT_DATA,
      measurement: MEASUREMENT,
      tcbStatus: 'UpToDate',
      advisoryIds: [],
      tcbEvaluationDataNumber: 1,
    })
  })

  it('accepts quotes of another process that has the same seed', async () => {
    const other = await developmentPki()
    await verifierOf(other).verify(quote)
  })

  it('refuses quotes under another root, and development quotes under the root of Intel', async () => {
    const other = await createDevelopmentPki({ seed: new Uint8Array(32).fill(8), now: () => NOW })
    await assertRefused(verifierOf(other).verify(quote), 'attestation/quote-invalid', /root/)

    const intel = createQuoteVerifier({ collateral: staticCollateral(pki.collateral), policy: POLICY, now: () => NOW })
    await assertRefused(intel.verify(quote), 'attestation/quote-invalid', /root/)
  })

  it('takes quotes under any root but Intel’s for simulated ones', () => {
    assert.equal(trustsSimulatedQuotes(), false)
    assert.equal(trustsSimulatedQuotes(Uint8Array.from(INTEL_ROOT)), false)
    assert.equal(trustsSimulatedQuotes(pki.rootCertificate), true)
  })

  it('refuses a revoked platform', async () => {
    const revoking = await developmentPki({ revokedMachines: ['machine-0', MACHINE] })
    await assertRefused(verifierOf(revoking).verify(quote), 'attestation/quote-invalid', /PCK certificate is revoked/)
    await verifierOf(revoking).verify(await quoteOf(revoking, { machineId: 'machine-2' }))
  })

  it('refuses debug enclaves whatever the policy says', async () => {
    const debug = await quoteOf(pki, { debug: true })
    await assertRefused(verifierOf(pki).verify(debug), 'attestation/debug-enclave')
  })

  describe('by measurement', () => {
    const { mrEnclave, mrSigner } = MEASUREMENT
    const cases: [string, MeasurementRule, boolean][] = [
      ['that build', { mrEnclave }, true],
      ['that build in capitals', { mrEnclave: `0x${'E1'.repeat(32)}` }, true],
      ['another build', { mrEnclave: `0x${'e2'.repeat(32)}` }, false],
      ['a build by the hash of the signer', { mrEnclave: mrSigner }, false],
      ['its signer and version', { mrSigner, productId: 7, minimumSecurityVersion: 3 }, true],
      ['an older minimum', { mrSigner, productId: 7, minimumSecurityVersion: 1 }, true],
      ['a later minimum', { mrSigner, productId: 7, minimumSecurityVersion: 4 }, false],
      ['another product', { mrSigner, productId: 8, minimumSecurityVersion: 3 }, false],
      ['another signer', { mrSigner: mrEnclave, productId: 7, minimumSecurityVersion: 3 }, false],
    ]
    for (const [name, rule, isAllowed] of cases) {
      it(`${isAllowed ? 'accepts' : 'refuses'} where ${name} is allowed`, async () => {
        const verdict = verifierOf(pki, { policy: { allowedMeasurements: [rule] } }).verify(quote)
        await (isAllowed ? verdict : assertRefused(verdict, 'attestation/measurement-not-allowed'))
      })
    }

    it('refuses everything where nothing is allowed', async () => {
      const verdict = verifierOf(pki, { policy: { allowedMeasurements: [] } }).verify(quote)
      await assertRefused(verdict, 'attestation/measurement-not-allowed')
    })
  })

  describe('by TCB status', () => {
    const excused = (status: ExcusableTcbStatus) => ({
      status,
      advisoryIds: [ADVISORY],
      until: '2026-06-01T00:00:00Z',
    })
    const acceptable = [
      'SWHardeningNeeded',
      'ConfigurationNeeded',
      'ConfigurationAndSWHardeningNeeded',
      'OutOfDate',
      'OutOfDateConfigurationNeeded',
    ] as const
    for (const tcb of acceptable) {
      it(`accepts ${tcb} only where the policy names it`, async () => {
        const behind = await quoteOf(pki, { tcb })
        await assertRefused(
          verifierOf(pki).verify(behind),
          'attestation/tcb-below-policy',
          new RegExp(`${tcb}, open to ${ADVISORY};`),
        )

        const policy = { ...POLICY, tcbExceptions: [excused(tcb)] }
        const { tcbStatus, advisoryIds } = await verifierOf(pki, { policy }).verify(behind)
        assert.equal(tcbStatus, tcb)
        assert.deepEqual(advisoryIds, [ADVISORY])
      })
    }

    it('excuses a platform and its quoting enclave each by itself', async () => {
      const level = (isvsvn: number, tcbStatus: string) => ({
        tcb: { isvsvn },
        tcbDate: '2026-01-01T00:00:00Z',
        tcbStatus,
        advisoryIDs: tcbStatus === 'UpToDate' ? [] : [ADVISORY],
      })
      const qeIdentity = { tcbLevels: [level(9, 'UpToDate'), level(8, 'OutOfDate')] }
      const collateral = resigned(pki.collateral, { qeIdentity })
      const behind = await quoteOf(pki, { tcb: 'ConfigurationNeeded' })
      const verdict = (...statuses: ExcusableTcbStatus[]) =>
        verifierOf(pki, { collateral, policy: { ...POLICY, tcbExceptions: statuses.map(excused) } }).verify(behind)
      await assertRefused(
        verdict('OutOfDate'),
        'attestation/tcb-below-policy',
        /its platform is ConfigurationNeeded, open to/,
      )
      await assertRefused(
        verdict('ConfigurationNeeded'),
        'attestation/tcb-below-policy',
        /its quoting enclave is OutOfDate, open to/,
      )
      assert.equal((await verdict('OutOfDate', 'ConfigurationNeeded')).tcbStatus, 'OutOfDate')
    })

    it('refuses Revoked whatever the policy says', async () => {
      const revoked = await quoteOf(pki, { tcb: 'Revoked' })
      await assertRefused(verifierOf(pki).verify(revoked), 'attestation/tcb-below-policy', /Revoked/)
      // As one could write it who gets around the configuration's schema.
      const policy = { ...POLICY, tcbExceptions: [excused('Revoked' as ExcusableTcbStatus)] }
      await assertRefused(verifierOf(pki, { policy }).verify(revoked), 'attestation/tcb-below-policy', /Revoked/)
    })
  })

  it('knows until which block a build is allowed', async () => {
    const policy = { allowedMeasurements: [{ mrEnclave: MEASUREMENT.mrEnclave, untilBlock: 100 }] }
    const { rootCertificate, collateral } = pki
    let block = 100
    const options = { rootCertificate, collateral: staticCollateral(collateral), policy, now: () => NOW }
    const verifier = createQuoteVerifier({ ...options, finalisedBlock: () => block })
    await verifier.verify(quote)
    block = 101
    await assertRefused(verifier.verify(quote), 'attestation/measurement-not-allowed')
    await assertRefused(createQuoteVerifier(options).verify(quote), 'attestation/measurement-not-allowed')
  })

  it('judges by the policy how old the collateral may be', async () => {
    const policy = { ...POLICY, maximumCollateralAgeDays: 1 }
    await verifierOf(pki, { policy }).verify(quote)
    const now = () => new Date(NOW.getTime() + 3_600_000)
    await assertRefused(verifierOf(pki, { policy, now }).verify(quote), 'attestation/collateral-unavailable', /too old/)
    await assertRefused(
      verifierOf(pki, { policy: { ...POLICY, minimumTcbEvaluationDataNumber: 2 } }).verify(quote),
      'attestation/collateral-unavailable',
      /evaluation number is 1/,
    )
  })

  for (const part of ['tcbInfo', 'qeIdentity'] as const) {
    it(`goes by the ${part} where that is the older part of the collateral`, async () => {
      const round = { tcbEvaluationDataNumber: 17 }
      const [tcbInfo, qeIdentity] = [{ ...round }, { ...round }]
      const judged = (older: Record<string, unknown>, limits: Partial<AttestationPolicy>) => {
        const changes = { tcbInfo, qeIdentity, [part]: { ...round, ...older } }
        const collateral = resigned(pki.collateral, changes)
        return verifierOf(pki, { collateral, policy: { ...POLICY, ...limits } }).verify(quote)
      }
      const earlier = { tcbEvaluationDataNumber: 16 }
      assert.equal((await judged(earlier, { minimumTcbEvaluationDataNumber: 16 })).tcbEvaluationDataNumber, 16)
      await assertRefused(
        judged(earlier, { minimumTcbEvaluationDataNumber: 17 }),
        'attestation/collateral-unavailable',
        /evaluation number is 16/,
      )
      const weekOld = { issueDate: '2026-04-24T12:00:00Z' }
      await judged(weekOld, { maximumCollateralAgeDays: 7 })
      await assertRefused(
        judged(weekOld, { maximumCollateralAgeDays: 6 }),
        'attestation/collateral-unavailable',
        /7 days old/,
      )
    })
  }

  describe('with one bit flipped', () => {
    const regions = { ...LAYOUT, certificates: [CHAIN_AT, undefined] } as const
    for (const [name, [from, to]] of Object.entries(regions)) {
      it(`refuses it in the ${name}`, async () => {
        const verifier = verifierOf(pki)
        const place = fc.tuple(fc.integer({ min: from, max: (to ?? quote.length) - 1 }), fc.integer({ min: 0, max: 7 }))
        // On failure fast-check prints its seed and the place.
        await fc.assert(
          fc.asyncProperty(place, async ([at, bit]) => {
            await assert.rejects(verifier.verify(flipped(quote, at, bit)), { name: 'AttestationError' })
          }),
          { numRuns: 12 },
        )
      })
    }
  })

  it('reads the quote that it verified, not what the buffer became meanwhile', async () => {
    const changing = Uint8Array.from(quote)
    const verdict = verifierOf(pki).verify(changing)
    changing.fill(0)
    assert.deepEqual((await verdict).reportData, REPORT_DATA)
  })

  it('hands the signal to the collateral source, and passes its error on', async () => {
    const { rootCertificate } = pki
    const collateral = { collateral: (_: unknown, { signal }: { signal: AbortSignal }) => hang(signal) }
    const verifier = createQuoteVerifier({ rootCertificate, collateral, policy: POLICY, now: () => NOW })
    const abort = new AbortController()
    const verdict = verifier.verify(quote, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await assert.rejects(verdict, /enough/)
  })

  it('waits ten seconds for collateral when no signal says how long', async () => {
    const { rootCertificate } = pki
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const collateral = {
        collateral: (_: unknown, { signal }: { signal: AbortSignal }) => {
          mock.timers.tick(9_999)
          assert.equal(signal.aborted, false)
          setImmediate(() => mock.timers.tick(1))
          return hang(signal)
        },
      }
      const verifier = createQuoteVerifier({ rootCertificate, collateral, policy: POLICY, now: () => NOW })
      await assert.rejects(verifier.verify(quote), { name: 'TimeoutError' })
    } finally {
      mock.timers.reset()
    }
  })

  it('asks for collateral only for platforms that are genuine', async () => {
    const asked: string[] = []
    const collateral = {
      collateral: async ({ tee, fmspc, pceId, ca }: CollateralRequest) => {
        asked.push(`${tee} ${fmspc} ${pceId} ${ca}`)
        return pki.collateral
      },
    }
    const { rootCertificate } = pki
    const verifier = createQuoteVerifier({ rootCertificate, collateral, policy: POLICY, now: () => NOW })
    const other = await createDevelopmentPki({ seed: new Uint8Array(32).fill(8), now: () => NOW })
    await assertRefused(verifier.verify(await quoteOf(other)), 'attestation/quote-invalid')
    assert.deepEqual(asked, [])
    await verifier.verify(quote)
    assert.deepEqual(asked, ['sgx 534c4d444556 0000 platform'])
  })
})

function hang(signal: AbortSignal): Promise<QuoteCollateral> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

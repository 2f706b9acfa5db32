import assert from 'node:assert/strict'
import type {
  PlatformStatus,
  QuoteClaims,
  SgxMeasurement,
  TcbVerdict,
  TdxMeasurement,
} from '../../../src/attestation/claims.js'
import { AttestationError } from '../../../src/attestation/index.js'
import {
  type AttestationPolicy,
  compilePolicy,
  EXCUSABLE_TCB_STATUSES,
  type MeasurementRule,
  type TcbException,
} from '../../../src/attestation/policy.js'

const hex = (byte: string, bytes: number) => `0x${byte.repeat(bytes)}` as const

const SGX: SgxMeasurement = {
  tee: 'sgx',
  mrEnclave: hex('e1', 32),
  mrSigner: hex('51', 32),
  productId: 7,
  securityVersion: 3,
}

const TDX: TdxMeasurement = {
  tee: 'tdx',
  mrTd: hex('7d', 48),
  rtmr0: hex('a0', 48),
  rtmr1: hex('a1', 48),
  rtmr2: hex('a2', 48),
  rtmr3: hex('a3', 48),
  mrSeam: hex('5e', 48),
  tdAttributes: hex('00', 8),
  xfam: hex('07', 8),
  mrConfigId: hex('00', 48),
  mrOwner: hex('00', 48),
  mrOwnerConfig: hex('00', 48),
}

const SIGNER_RULE = { mrSigner: SGX.mrSigner, productId: 7, minimumSecurityVersion: 3 }
const { mrTd, rtmr0, rtmr1, rtmr2, rtmr3 } = TDX
const IMAGE_RULE = { mrTd, rtmr0, rtmr1, rtmr2, rtmr3 }

const NOW = new Date('2026-05-01T12:00:00Z')
const UP_TO_DATE: PlatformStatus = {
  tcbStatus: 'UpToDate',
  advisoryIds: [],
  parts: [{ part: 'platform', status: 'UpToDate', advisoryIds: [] }],
  tcbEvaluationDataNumber: 17,
  collateralIssuedAt: new Date('2026-04-21T12:00:00Z'),
}

const claims = (measurement: SgxMeasurement | TdxMeasurement, isDebug = false): QuoteClaims => ({
  measurement,
  isDebug,
  reportData: new Uint8Array(64),
})

function codeOf(judge: () => void): string {
  try {
    judge()
    return 'admitted'
  } catch (thrown) {
    assert.ok(thrown instanceof AttestationError, String(thrown))
    return thrown.code
  }
}

describe('attestation policy', () => {
  const admits = (rule: MeasurementRule, measurement: SgxMeasurement | TdxMeasurement, block = 100) =>
    codeOf(() => compilePolicy({ allowedMeasurements: [rule] }).admitClaims(claims(measurement), { block }))

  describe('of what runs', () => {
    const other = hex('ff', 32)
    const cases: [name: string, MeasurementRule, SgxMeasurement | TdxMeasurement, admitted: boolean][] = [
      ['an SGX build by its MRENCLAVE', { mrEnclave: SGX.mrEnclave }, SGX, true],
      ['in capital letters', { mrEnclave: hex('E1', 32) }, SGX, true],
      ['another build', { mrEnclave: other }, SGX, false],
      ['a signer’s product', SIGNER_RULE, SGX, true],
      ['a later version of it', SIGNER_RULE, { ...SGX, securityVersion: 4 }, true],
      ['an earlier version of it', SIGNER_RULE, { ...SGX, securityVersion: 2 }, false],
      ['another product of the signer', SIGNER_RULE, { ...SGX, productId: 8 }, false],
      ['another signer', SIGNER_RULE, { ...SGX, mrSigner: other }, false],
      ['a TDX image', IMAGE_RULE, TDX, true],
      ['a TDX image with a register unjudged', { ...IMAGE_RULE, rtmr3: 'any' }, { ...TDX, rtmr3: hex('ff', 48) }, true],
      ['SGX by a rule for TDX', IMAGE_RULE, SGX, false],
      ['TDX by a rule for SGX', { mrEnclave: SGX.mrEnclave }, TDX, false],
      ['TDX by a rule for a signer', SIGNER_RULE, TDX, false],
    ]
    for (const [name, rule, measurement, admitted] of cases) {
      it(`${admitted ? 'admits' : 'refuses'} ${name}`, () => {
        assert.equal(admits(rule, measurement), admitted ? 'admitted' : 'attestation/measurement-not-allowed')
      })
    }
    for (const register of ['mrTd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const) {
      it(`refuses a TDX image of another ${register}`, () => {
        const changed = { ...TDX, [register]: hex('ff', 48) }
        assert.equal(admits(IMAGE_RULE, changed), 'attestation/measurement-not-allowed')
      })
    }

    it('refuses debug enclaves whatever is allowed', () => {
      const policy = compilePolicy({ allowedMeasurements: [{ mrEnclave: SGX.mrEnclave }, IMAGE_RULE] })
      for (const measurement of [SGX, TDX]) {
        assert.equal(
          codeOf(() => policy.admitClaims(claims(measurement, true), { block: 100 })),
          'attestation/debug-enclave',
        )
      }
    })

    it('allows nothing when it lists nothing', () => {
      const policy = compilePolicy({ allowedMeasurements: [] })
      assert.throws(() => policy.admitClaims(claims(SGX), { block: 0 }), /does not allow MRENCLAVE 0xe1/)
      assert.equal(
        codeOf(() => policy.admitClaims(claims(SGX), { block: 0 })),
        'attestation/measurement-not-allowed',
      )
    })

    it('allows the old build beside the new one until the block that the policy says', () => {
      const policy = compilePolicy({
        allowedMeasurements: [{ mrEnclave: SGX.mrEnclave, untilBlock: 500 }, { mrEnclave: other }],
      })
      const at = (mrEnclave: typeof other, block: number) =>
        codeOf(() => policy.admitClaims(claims({ ...SGX, mrEnclave }), { block }))
      assert.deepEqual([at(SGX.mrEnclave, 500), at(other, 500)], ['admitted', 'admitted'])
      assert.deepEqual([at(SGX.mrEnclave, 501), at(other, 501)], ['attestation/measurement-not-allowed', 'admitted'])
      assert.throws(() => policy.admitClaims(claims(SGX), { block: 501 }), /until block 500 only/)
    })

    it('goes by the rule that holds longest', () => {
      const rules = [{ mrEnclave: SGX.mrEnclave, untilBlock: 5 }, SIGNER_RULE]
      const policy = compilePolicy({ allowedMeasurements: rules })
      assert.equal(
        codeOf(() => policy.admitClaims(claims(SGX), { block: 6 })),
        'admitted',
      )
    })
  })

  describe('of where it runs', () => {
    const judge = (
      policy: Omit<AttestationPolicy, 'allowedMeasurements'>,
      status: Partial<PlatformStatus>,
      now = NOW,
    ) =>
      codeOf(() =>
        compilePolicy({ allowedMeasurements: [], ...policy }).admitPlatform({ ...UP_TO_DATE, ...status }, now),
      )
    const exception = (advisoryIds: string[], more: Partial<TcbException> = {}): TcbException => ({
      status: 'SWHardeningNeeded',
      advisoryIds,
      until: '2026-06-01T00:00:00Z',
      ...more,
    })
    const platform = (status: string, ...advisoryIds: string[]): TcbVerdict => ({
      part: 'platform',
      status,
      advisoryIds,
    })
    const quotingEnclave = (status: string, ...advisoryIds: string[]): TcbVerdict => ({
      part: 'quoting enclave',
      status,
      advisoryIds,
    })
    const hardening = (...advisoryIds: string[]) => ({ parts: [platform('SWHardeningNeeded', ...advisoryIds)] })
    const [SA1, SA2] = ['INTEL-SA-00334', 'INTEL-SA-00615']

    it('admits platforms that are up to date, and by itself no others', () => {
      assert.equal(judge({}, {}), 'admitted')
      for (const tcbStatus of [...EXCUSABLE_TCB_STATUSES, 'Revoked', 'Unheard']) {
        assert.equal(judge({}, { parts: [platform(tcbStatus)] }), 'attestation/tcb-below-policy')
      }
    })

    it('excuses a status for the advisories that it names, until a date', () => {
      const tcbExceptions = [exception([SA1])]
      assert.equal(judge({ tcbExceptions }, hardening(SA1)), 'admitted')
      assert.equal(judge({ tcbExceptions }, hardening(SA1), new Date('2026-06-01')), 'attestation/tcb-below-policy')
      assert.equal(judge({ tcbExceptions }, hardening(SA1, SA2)), 'attestation/tcb-below-policy')
      assert.equal(judge({ tcbExceptions }, hardening()), 'attestation/tcb-below-policy')
      assert.equal(judge({ tcbExceptions }, { parts: [platform('OutOfDate', SA1)] }), 'attestation/tcb-below-policy')
    })

    it('needs each advisory excused by an exception that still stands', () => {
      const both = [exception([SA1]), exception([SA2], { until: '2026-05-15T00:00:00Z' })]
      assert.equal(judge({ tcbExceptions: both }, hardening(SA1, SA2)), 'admitted')
      assert.equal(
        judge({ tcbExceptions: both }, hardening(SA1, SA2), new Date('2026-05-15T00:00:00Z')),
        'attestation/tcb-below-policy',
      )
    })

    it('excuses a status without advisories by an exception without advisories alone', () => {
      assert.equal(judge({ tcbExceptions: [exception([])] }, hardening()), 'admitted')
      assert.equal(judge({ tcbExceptions: [exception([])] }, hardening(SA1)), 'attestation/tcb-below-policy')
    })

    it('excuses each part by itself, since a merged word would hide what the better part still needs', () => {
      const outOfDate = [exception([SA2], { status: 'OutOfDate' })]
      const parts = [platform('ConfigurationAndSWHardeningNeeded', SA1), quotingEnclave('OutOfDate', SA2)]
      assert.equal(judge({ tcbExceptions: outOfDate }, { parts }), 'attestation/tcb-below-policy')
      assert.equal(judge({ tcbExceptions: outOfDate }, { parts: parts.toReversed() }), 'attestation/tcb-below-policy')
      const both = [...outOfDate, exception([SA1], { status: 'ConfigurationAndSWHardeningNeeded' })]
      assert.equal(judge({ tcbExceptions: both }, { parts }), 'admitted')
    })

    it('excuses no part without advisories for those of another part', () => {
      const tcbExceptions = [exception([SA1], { status: 'OutOfDate' })]
      const parts = [platform('OutOfDate'), quotingEnclave('OutOfDate', SA1)]
      assert.equal(judge({ tcbExceptions }, { parts }), 'attestation/tcb-below-policy')
      const both = [...tcbExceptions, exception([], { status: 'OutOfDate' })]
      assert.equal(judge({ tcbExceptions: both }, { parts }), 'admitted')
    })

    it('takes no collateral of an earlier evaluation than it asks for', () => {
      assert.equal(judge({ minimumTcbEvaluationDataNumber: 17 }, {}), 'admitted')
      assert.equal(judge({ minimumTcbEvaluationDataNumber: 18 }, {}), 'attestation/collateral-unavailable')
    })

    it('takes no collateral that is older than it allows, nor of a date that is none', () => {
      assert.equal(judge({ maximumCollateralAgeDays: 10 }, {}), 'admitted')
      assert.equal(judge({ maximumCollateralAgeDays: 9.9 }, {}), 'attestation/collateral-unavailable')
      const collateralIssuedAt = new Date('never')
      assert.equal(judge({}, { collateralIssuedAt }), 'attestation/collateral-unavailable')
    })

    it('takes an exception whose date is none for void', () => {
      assert.equal(
        judge({ tcbExceptions: [exception([SA1], { until: 'some day' })] }, hardening(SA1)),
        'attestation/tcb-below-policy',
      )
    })
  })
})

import assert from 'node:assert/strict'
import { type AttestationCheck, AttestationError } from '../../../src/attestation/index.js'
import { SlotmeshError } from '../../../src/domain/index.js'
import { offenceOf } from '../../../src/share/offences.js'
import { attestationRefusal, type Refusal, RefusalError, RefusedError } from '../../../src/share/refusals.js'

const told = (
  thrown: unknown,
  { isWaiting = false, isKnown = false, role = 'requester' as 'requester' | 'provider' } = {},
) => offenceOf(thrown, { frames: { isWaiting }, isKnown, role })
const coded = (code: string, options?: ErrorOptions) => new SlotmeshError(code, 'It is so.', options)

describe('what an exchange that failed says of the peer', () => {
  it('is nothing when this side was slow itself, was cut off, is behind, or has stopped', () => {
    const late = new DOMException('It was not done in time.', 'TimeoutError')
    assert.equal(told(late), undefined)
    for (const code of ['share/cut', 'share/stale-view', 'share/stopped', 'store/fork']) {
      assert.equal(told(coded(code)), undefined, code)
    }
    assert.equal(told(new Error('a defect')), undefined)
    assert.equal(told(new RefusedError('BUSY', 0)), undefined)
  })

  it('is nothing when it may be of another build, or know other policies, or blocks', () => {
    const fine: Refusal[] = ['MEASUREMENT_NOT_ALLOWED', 'TCB_BELOW_POLICY', 'TOKEN_IN_FUTURE', 'CLUSTER_NOT_PUBLIC']
    for (const refusal of [...fine, 'NOT_READY', 'BUSY', 'UNSUPPORTED_SUITE'] as const) {
      assert.equal(told(new RefusalError(refusal)), undefined, refusal)
    }
  })

  it('is nothing when its quote may be genuine, and what Intel says is not known here, or not agreed on', () => {
    const checks: AttestationCheck[] = ['tdx-module', 'tcb-level', 'tcb-status', 'second-opinion', 'pck-validity']
    const refused = (check: AttestationCheck) => {
      const cause = new AttestationError('attestation/quote-invalid', check, 'It is so.')
      return told(attestationRefusal(cause))
    }
    for (const check of checks) assert.equal(refused(check), undefined, check)
    for (const check of ['form', 'pck-chain', 'pck-revoked', 'quote-signature', 'qe-identity'] as const) {
      assert.equal(refused(check), 'bad-quote', check)
    }
  })

  it('is light when shares came that the peer may have taken in good faith', () => {
    const cause = coded('share/doubtful')
    for (const code of ['share/unasked', 'share/origin']) assert.equal(told(coded(code, { cause })), 'doubtful', code)
    assert.equal(told(coded('share/unasked')), 'unasked')
  })

  it('is heavier when it is waited for after it has shown who it is', () => {
    const late = new DOMException('It was not done in time.', 'TimeoutError')
    assert.equal(told(late, { isWaiting: true }), 'silence')
    assert.equal(told(late, { isWaiting: true, isKnown: true }), 'stall')
    assert.equal(told(late, { isWaiting: true, role: 'provider' }), 'silence')
    assert.equal(told(late, { isWaiting: true, isKnown: true, role: 'provider' }), 'slow')
  })

  it('is what it did', () => {
    assert.equal(told(new RefusalError('BUSY', { cause: coded('share/flood') })), 'flood')
    assert.equal(told(coded('share/cut', { cause: coded('share/crumbs') })), 'crumbs')
    assert.equal(told(coded('provenance/range')), 'bad-provenance')
    assert.equal(told(coded('share/origin')), 'bad-provenance')
    assert.equal(told(new RefusalError('BINDING_MISMATCH')), 'bad-quote')
    assert.equal(told(new RefusalError('WRONG_SLOT')), 'no-right')
  })
})

import { signRaw } from '../../src/attestation/development/authority.js'
import { developmentAuthorities } from '../../src/attestation/development/pki.js'
import type { QuoteCollateral } from '../../src/attestation/index.js'

/** Collateral whose TCB info and QE identity the PKI of a seed signs anew with changes to either. */
export function resigned(
  seed: Uint8Array,
  collateral: QuoteCollateral,
  changes: { tcbInfo?: Record<string, unknown>; qeIdentity?: Record<string, unknown> },
): QuoteCollateral {
  const { tcbSigner } = developmentAuthorities(seed)
  const sign = (text: string) => Buffer.from(signRaw(tcbSigner.key, Buffer.from(text))).toString('hex')
  const tcb_info = JSON.stringify({ ...JSON.parse(collateral.tcb_info), ...changes.tcbInfo })
  const qe_identity = JSON.stringify({ ...JSON.parse(collateral.qe_identity), ...changes.qeIdentity })
  return {
    ...collateral,
    tcb_info,
    tcb_info_signature: sign(tcb_info),
    qe_identity,
    qe_identity_signature: sign(qe_identity),
  }
}

/** As the PKI would issue it in a round of Intel's judgement. */
export function ofRound(
  seed: Uint8Array,
  collateral: QuoteCollateral,
  tcbEvaluationDataNumber: number,
): QuoteCollateral {
  return resigned(seed, collateral, { tcbInfo: { tcbEvaluationDataNumber }, qeIdentity: { tcbEvaluationDataNumber } })
}

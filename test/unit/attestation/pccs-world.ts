import { signRaw } from '../../../src/attestation/development/authority.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import type { CollateralCache, CollateralRequest, QuoteCollateral } from '../../../src/attestation/index.js'
import { SEED } from './world.js'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const REQUEST: CollateralRequest = { tee: 'sgx', fmspc: '534c4d444556', pceId: '0000', ca: 'platform' }
export const signal = () => AbortSignal.timeout(10_000)

export class MemoryCache implements CollateralCache {
  readonly kept = new Map<string, QuoteCollateral>()

  async get(key: string): Promise<QuoteCollateral | undefined> {
    return this.kept.get(key)
  }

  async put(key: string, collateral: QuoteCollateral): Promise<void> {
    this.kept.set(key, collateral)
  }
}

export class MemoryFloors {
  text: string | undefined

  async read(): Promise<string | undefined> {
    return this.text
  }

  async write(text: string): Promise<void> {
    this.text = text
  }
}

const { tcbSigner } = developmentAuthorities(SEED)

/** Collateral whose TCB info and QE identity the PKI signs anew with changes to either. */
export function resigned(
  collateral: QuoteCollateral,
  changes: { tcbInfo?: Record<string, unknown>; qeIdentity?: Record<string, unknown> },
): QuoteCollateral {
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
export function ofRound(collateral: QuoteCollateral, tcbEvaluationDataNumber: number): QuoteCollateral {
  return resigned(collateral, { tcbInfo: { tcbEvaluationDataNumber }, qeIdentity: { tcbEvaluationDataNumber } })
}

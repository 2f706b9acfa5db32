import { createDevelopmentPki, type DevelopmentPki } from '../../attestation/development/index.js'
import {
  type AttestationPolicy,
  createQuoteVerifier,
  type QuoteSource,
  type QuoteVerifier,
  staticCollateral,
} from '../../attestation/index.js'
import type { Attestation } from '../../share/index.js'
import { DEVELOPMENT_BUILD } from '../tee.js'

/** Of the development PKI: what it vouches for proves nothing. */
export const SEED = new Uint8Array(32).fill(7)

export const POLICY: AttestationPolicy = { allowedMeasurements: [{ mrEnclave: DEVELOPMENT_BUILD.mrEnclave }] }

/** Quotes of a development PKI, judged as genuine ones are. */
export async function attestationOf(machineId: string): Promise<Attestation> {
  const pki = await createDevelopmentPki({ seed: SEED })
  const { quoteSource } = pki.platform({ machineId, measurement: DEVELOPMENT_BUILD })
  return { quote: quoteSource.quote, verify: freshVerifier(pki, POLICY).verify }
}

/** Quotes of one platform, each over data of its own. */
export async function quotesOf(
  source: QuoteSource,
  count: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array[]> {
  const made: Uint8Array[] = []
  for (let number = 0; number < count; number += 1) {
    const reportData = new Uint8Array(64)
    new DataView(reportData.buffer).setUint32(0, number)
    made.push(await source.quote(reportData, { signal }))
  }
  return made
}

/** One that remembers nothing: no chain, and no collateral, of which each has a copy of its own. */
export function freshVerifier(pki: DevelopmentPki, policy: AttestationPolicy): QuoteVerifier {
  return createQuoteVerifier({
    rootCertificate: pki.rootCertificate,
    collateral: staticCollateral({ ...pki.collateral }, { ...pki.tdxCollateral }),
    policy,
  })
}

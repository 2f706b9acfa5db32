import { createDevelopmentPki } from '../../attestation/development/index.js'
import { DEVELOPMENT_BUILD } from '../tee.js'
import { freshVerifier, POLICY, quotesOf, SEED } from './attestation.js'
import { type Measuring, perSecond } from './measure.js'

/** Verified in a second; SGX. */
export interface QuoteFigures {
  /** By a verifier that has seen neither the platform nor its collateral. */
  readonly cold: number
  /** One more of a platform that it has seen. */
  readonly warm: number
}

/** Each over data of its own; more only take longer to make. */
const QUOTES = 64

/** Simulated quotes, which have the form and the signatures of genuine ones. */
export async function quotes(measuring: Measuring): Promise<QuoteFigures> {
  const pki = await createDevelopmentPki({ seed: SEED })
  const { quoteSource } = pki.platform({ machineId: 'bench', measurement: DEVELOPMENT_BUILD })
  const made = await quotesOf(quoteSource, QUOTES, measuring)
  const nth = (turn: number): Uint8Array => made[turn % made.length] ?? new Uint8Array()
  const remembering = freshVerifier(pki, POLICY)
  const cold = await perSecond((turn) => freshVerifier(pki, POLICY).verify(nth(turn)), measuring)
  const warm = await perSecond((turn) => remembering.verify(nth(turn)), measuring)
  return { cold, warm }
}

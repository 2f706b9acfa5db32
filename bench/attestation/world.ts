import { createDevelopmentPki, type DevelopmentPki } from '../../src/attestation/development/index.js'
import type { AttestationPolicy, EnclaveMeasurement, Tee } from '../../src/attestation/index.js'
import { quotesOf, SEED } from '../../src/cli/bench/attestation.js'

export interface AttestationInput {
  readonly tee: Tee
}

/** Processor time of one quote, ms. */
export interface AttestationOutput {
  /** By a verifier that has seen none of its platform. */
  readonly cold: number
  /** By one that has. */
  readonly warm: number
  /** Its own two signatures alone. */
  readonly signatures: number
}

/** Quotes verified cold, and warm. */
export const [COLD, WARM] = [24, 300]

const register = (byte: string) => `0x${byte.repeat(48)}` as const

const MEASUREMENTS: Readonly<Record<Tee, EnclaveMeasurement>> = {
  sgx: {
    tee: 'sgx',
    mrEnclave: `0x${'e1'.repeat(32)}`,
    mrSigner: `0x${'51'.repeat(32)}`,
    productId: 7,
    securityVersion: 3,
  },
  tdx: {
    tee: 'tdx',
    mrTd: register('7d'),
    rtmr0: register('a0'),
    rtmr1: register('a1'),
    rtmr2: register('a2'),
    rtmr3: register('a3'),
    mrSeam: register('5e'),
    tdAttributes: '0x0000001000000000',
    xfam: '0xe702060000000000',
    mrConfigId: register('00'),
    mrOwner: register('00'),
    mrOwnerConfig: register('00'),
  },
}

export const POLICY: AttestationPolicy = {
  allowedMeasurements: [
    { mrEnclave: `0x${'e1'.repeat(32)}` },
    { mrTd: register('7d'), rtmr0: 'any', rtmr1: 'any', rtmr2: 'any', rtmr3: 'any' },
  ],
}

/** Of how many parts of the work the quickest one counts: what else the machine does only makes the others slower. */
const PARTS = 4

/** @returns processor time for one item, ms: verifying waits for nothing. */
export async function quickest<T>(items: readonly T[], work: (item: T) => unknown): Promise<number> {
  const size = Math.ceil(items.length / PARTS)
  let least = Number.POSITIVE_INFINITY
  for (let from = 0; from < items.length; from += size) {
    const part = items.slice(from, from + size)
    const before = process.cpuUsage()
    for (const item of part) await work(item)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1_000 / part.length)
  }
  return least
}

/** Quotes of one platform, each over data of its own. */
export async function platformQuotes(tee: Tee, count: number): Promise<{ pki: DevelopmentPki; quotes: Uint8Array[] }> {
  const pki = await createDevelopmentPki({ seed: SEED })
  const { quoteSource } = pki.platform({ machineId: 'bench', measurement: MEASUREMENTS[tee] })
  return { pki, quotes: await quotesOf(quoteSource, count, { signal: AbortSignal.timeout(60_000) }) }
}

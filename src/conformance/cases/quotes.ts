import { randomBytes } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { createDevelopmentPki } from '../../attestation/development/index.js'
import type { QuoteSource } from '../../attestation/index.js'
import type { Refusal } from '../../share/index.js'
import { type CaseBench, demandRefusal } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { MEASUREMENT, REVOKED_MACHINE } from '../stage.js'
import { unsuitable } from './values.js'

/** A quote that must not be believed, in the place of the right one for the same report data. */
interface BadQuote {
  readonly what: string
  readonly refusal: Refusal
  readonly make: (bench: CaseBench, right: Uint8Array) => Promise<Uint8Array> | Uint8Array
}

/** Where things are in an SGX quote of version 3; report data are the end of the report. */
const AT = { reportData: 368, signature: 436, attestationKey: 500, qeSignature: 948 } as const
const REPORT_DATA_BYTES = 64

function flipped(quote: Uint8Array, at: number): Uint8Array {
  const changed = quote.slice()
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

/** A quote by another machine, build, or PKI. */
async function quoteBy(source: QuoteSource, right: Uint8Array, { signal }: CaseBench): Promise<Uint8Array> {
  return source.quote(right.slice(AT.reportData, AT.reportData + REPORT_DATA_BYTES), { signal })
}

const BAD_QUOTES: readonly BadQuote[] = [
  { what: '40 bytes that are no quote', refusal: 'QUOTE_INVALID', make: () => unsuitable(40) },
  { what: 'no quote', refusal: 'QUOTE_INVALID', make: () => new Uint8Array() },
  { what: 'a quote without its last 100 bytes', refusal: 'QUOTE_INVALID', make: (_, right) => right.slice(0, -100) },
  {
    what: 'a quote in whose report data a bit was changed',
    refusal: 'QUOTE_INVALID',
    make: (_, right) => flipped(right, AT.reportData),
  },
  {
    what: 'a quote in whose signature a bit was changed',
    refusal: 'QUOTE_INVALID',
    make: (_, right) => flipped(right, AT.signature),
  },
  {
    what: 'a quote whose quoting enclave is not signed for',
    refusal: 'QUOTE_INVALID',
    make: (_, right) => flipped(right, AT.qeSignature),
  },
  {
    what: 'a quote by a key that the quoting enclave has not vouched for',
    refusal: 'QUOTE_INVALID',
    make: (_, right) => withForeignKey(right),
  },
  {
    what: 'a quote under the root of another manufacturer',
    refusal: 'QUOTE_INVALID',
    make: async (bench, right) => {
      const pki = await createDevelopmentPki({ seed: new Uint8Array(randomBytes(32)) })
      return quoteBy(pki.platform({ machineId: 'elsewhere', measurement: MEASUREMENT }).quoteSource, right, bench)
    },
  },
  {
    what: 'a quote of a machine whose certificate is revoked',
    refusal: 'QUOTE_INVALID',
    make: (bench, right) => {
      const { pki } = bench.stage
      return quoteBy(pki.platform({ machineId: REVOKED_MACHINE, measurement: MEASUREMENT }).quoteSource, right, bench)
    },
  },
  {
    what: 'a quote of a machine whose firmware is out of date',
    refusal: 'TCB_BELOW_POLICY',
    make: (bench, right) => {
      const platform = { machineId: 'old', measurement: MEASUREMENT, tcb: 'OutOfDate' } as const
      return quoteBy(bench.stage.pki.platform(platform).quoteSource, right, bench)
    },
  },
  {
    what: 'a quote of another build',
    refusal: 'MEASUREMENT_NOT_ALLOWED',
    make: (bench, right) => {
      const measurement = { ...MEASUREMENT, mrEnclave: `0x${'e1'.repeat(32)}` } as const
      return quoteBy(bench.stage.pki.platform({ machineId: 'own', measurement }).quoteSource, right, bench)
    },
  },
  {
    what: 'a quote of the allowed build in debug mode',
    refusal: 'DEBUG_ENCLAVE',
    make: (bench, right) => {
      const platform = { machineId: 'debugged', measurement: MEASUREMENT, debug: true }
      return quoteBy(bench.stage.pki.platform(platform).quoteSource, right, bench)
    },
  },
]

/** Signs the report by a new key, and puts that key in the place of the attestation key. */
function withForeignKey(right: Uint8Array): Uint8Array {
  const secret = p256.utils.randomSecretKey()
  const changed = right.slice()
  changed.set(p256.sign(changed.slice(0, 432), secret), AT.signature)
  changed.set(p256.getPublicKey(secret, false).subarray(1), AT.attestationKey)
  return changed
}

const VERIFIED =
  "A receiver verifies it in full: the quote's signatures, the certificate chain up to the manufacturer's root, revocation, and TCB status"

function number(at: number): string {
  return String(at + 1).padStart(2, '0')
}

/** Quotes in a Request. */
export const requestQuoteCases: readonly ConformanceCase[] = BAD_QUOTES.map(({ what, refusal, make }, at) =>
  conformanceCase({
    id: `QUOTE-${number(at)}`,
    clause: '4.6',
    quote: VERIFIED,
    role: 'provider',
    sent: `Request with ${what}`,
    expected: `Refusal ${refusal}`,
    run: async (bench) => {
      const { side } = await bench.challenged()
      await side.request(bench.unheldLists(), { proof: (right) => make(bench, right) })
      demandRefusal(await side.answer(), refusal)
    },
  }),
)

/** Quotes in a Challenge. */
export const challengeQuoteCases: readonly ConformanceCase[] = BAD_QUOTES.map(({ what, refusal, make }, at) =>
  conformanceCase({
    id: `CQUOTE-${number(at)}`,
    clause: '4.6',
    quote: VERIFIED,
    role: 'requester',
    sent: `Challenge with ${what}`,
    expected: `Refusal ${refusal}`,
    run: async (bench) => {
      await bench.lure(async (side) => {
        await side.hello()
        await side.challenge({ proof: (right) => make(bench, right) })
        demandRefusal(await side.answer(), refusal)
      })
    },
  }),
)

/** A genuine quote that is refused all the same. */
export function debugQuote(bench: CaseBench, right: Uint8Array): Promise<Uint8Array> {
  const platform = { machineId: 'debugged', measurement: MEASUREMENT, debug: true }
  return quoteBy(bench.stage.pki.platform(platform).quoteSource, right, bench)
}

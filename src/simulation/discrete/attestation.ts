import { createHash } from 'node:crypto'
import { AttestationError } from '../../attestation/index.js'
import { equalBytes } from '../../crypto/index.js'
import type { Attestation } from '../../share/index.js'
import { COSTS } from './costs.js'
import type { Processor } from './processor.js'

/** What runs in an enclave, as its quotes tell. */
export type Build = 'official' | 'unknown'

/** A DCAP quote with its certificate chain has some 4.7 KB. */
const QUOTE_BYTES = 4_734
const REPORT_DATA = { at: 16, bytes: 64 } as const
const TAG = { at: REPORT_DATA.at + REPORT_DATA.bytes, bytes: 32 } as const
const BUILDS: readonly Build[] = ['official', 'unknown']

/**
 * Quotes of the right length that say the build, the machine and the report data, with a tag in place of signatures; and
 * their judge, who accepts the official build alone and is slower with a machine that it has not seen before.
 */
export function modelAttestation(processor: Processor, build: Build, machine: number): Attestation {
  const seen = new Set<number>()
  return {
    quote: async (reportData) => {
      await processor.work(COSTS.quote)
      const quote = new Uint8Array(QUOTE_BYTES)
      const view = new DataView(quote.buffer)
      view.setUint32(0, BUILDS.indexOf(build))
      view.setUint32(4, machine)
      quote.set(reportData, REPORT_DATA.at)
      quote.set(tagOf(quote), TAG.at)
      return quote
    },
    verify: async (quote) => {
      if (quote.length !== QUOTE_BYTES || !equalBytes(quote.subarray(TAG.at, TAG.at + TAG.bytes), tagOf(quote))) {
        throw new AttestationError('attestation/quote-invalid', 'quote-signature', 'The quote is not genuine.')
      }
      const view = new DataView(quote.buffer, quote.byteOffset)
      const from = view.getUint32(4)
      await processor.work(seen.has(from) ? COSTS.quoteVerificationWarm : COSTS.quoteVerificationCold)
      seen.add(from)
      if (BUILDS[view.getUint32(0)] !== 'official') {
        throw new AttestationError(
          'attestation/measurement-not-allowed',
          'measurement',
          'The enclave is of a build that is not allowed.',
        )
      }
      return { reportData: quote.slice(REPORT_DATA.at, REPORT_DATA.at + REPORT_DATA.bytes) }
    },
  }
}

function tagOf(quote: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('quote').update(quote.subarray(0, TAG.at)).digest())
}

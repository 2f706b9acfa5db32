import { join } from 'node:path'
import { messageOf } from '../../domain/index.js'
import { MAXIMUM_QUOTE } from '../quote.js'
import type { QuoteSource } from '../source.js'
import { type DeviceFiles, deviceFiles } from './device-files.js'
import { QuoteSourceError } from './errors.js'
import { failure, freshQuote, requireReportData } from './fresh.js'
import { turnsAt } from './turns.js'

export const GRAMINE_FOLDER = '/dev/attestation'

/** Bytes of `attestation_type`, which is one word. */
const MAXIMUM_TYPE = 64

export interface GramineOptions {
  readonly folder?: string
  readonly files?: DeviceFiles
  /** Between two attempts at a quote; 100 when absent. */
  readonly pauseMs?: number
}

/**
 * SGX quotes as Gramine gives them: 64 bytes written to `user_report_data`, then `quote` is read, which has the quoting
 * enclave sign anew at each open (Gramine, "Attestation and Secret Provisioning", low-level interface). The files are
 * one for the whole process, hence one quote at a time.
 *
 * @throws QuoteSourceError `quote-source/none` when this process runs in no such enclave.
 */
export async function gramineQuoteSource({
  folder = GRAMINE_FOLDER,
  files = deviceFiles,
  pauseMs,
}: GramineOptions = {}): Promise<QuoteSource> {
  const type = await attestationType(folder, files)
  if (type !== 'dcap') {
    throw new QuoteSourceError(
      'quote-source/none',
      `Gramine's ${join(folder, 'attestation_type')} says "${type}": build the enclave with sgx.remote_attestation = "dcap" in its manifest.`,
    )
  }
  const turns = await turnsAt(files, folder)
  return {
    kind: 'sgx',
    async quote(reportData, { signal }) {
      requireReportData(reportData)
      const given = Uint8Array.from(reportData)
      return turns.take(signal, async () => {
        try {
          return await freshQuote(given, { signal, pauseMs }, async () => {
            await files.write(join(folder, 'user_report_data'), given)
            return files.read(join(folder, 'quote'), MAXIMUM_QUOTE)
          })
        } catch (thrown) {
          throw failure(thrown, signal, 'see that the AESM service or the quote library of this machine runs')
        }
      })
    },
  }
}

async function attestationType(folder: string, files: DeviceFiles): Promise<string> {
  const path = join(folder, 'attestation_type')
  try {
    return Buffer.from(await files.read(path, MAXIMUM_TYPE))
      .toString('latin1')
      .replace(/[\0\n]+$/, '')
  } catch (cause) {
    throw new QuoteSourceError(
      'quote-source/none',
      `This process runs in no SGX enclave of Gramine: ${messageOf(cause)}.`,
      {
        cause,
      },
    )
  }
}

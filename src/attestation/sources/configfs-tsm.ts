import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Logger, messageOf, silentLogger } from '../../domain/index.js'
import { MAXIMUM_QUOTE } from '../quote.js'
import type { QuoteSource } from '../source.js'
import { type DeviceFiles, deviceFiles } from './device-files.js'
import { errnoOf, QuoteSourceError } from './errors.js'
import { failure, freshQuote, requireReportData } from './fresh.js'
import { turnsAt } from './turns.js'

export const TSM_FOLDER = '/sys/kernel/config/tsm/report'

/** Bytes of an attribute that is one word or number. */
const MAXIMUM_WORD = 64

export interface ConfigfsTsmOptions {
  readonly folder?: string
  readonly files?: DeviceFiles
  readonly logger?: Logger
  /** Between two attempts at a quote; 100 when absent. */
  readonly pauseMs?: number
}

/**
 * TDX quotes by Linux' interface for all such machines (Documentation/ABI/testing/configfs-tsm): a folder made for the
 * request, 64 bytes written to its `inblob`, the quote read from `outblob`. `generation` counts the writes, which shows
 * whether somebody else came between.
 *
 * @throws QuoteSourceError `quote-source/none` when the machine is no TDX domain.
 */
export async function configfsTsmQuoteSource({
  folder = TSM_FOLDER,
  files = deviceFiles,
  logger = silentLogger,
  pauseMs,
}: ConfigfsTsmOptions = {}): Promise<QuoteSource> {
  const provider = await providerOf()
  if (provider !== 'tdx_guest') {
    throw new QuoteSourceError(
      'quote-source/none',
      `The kernel's ${folder} makes reports of "${provider}", and only those of TDX (tdx_guest) can be used.`,
    )
  }
  const turns = await turnsAt(files, folder)

  async function providerOf(): Promise<string> {
    try {
      return await inEntry((entry) => word(entry, 'provider'))
    } catch (thrown) {
      throw thrown instanceof QuoteSourceError ? thrown : noFolder(folder, thrown)
    }
  }

  async function inEntry<T>(work: (entry: string) => Promise<T>): Promise<T> {
    const entry = join(folder, `slotmesh-${randomBytes(8).toString('hex')}`)
    try {
      await files.makeFolder(entry)
    } catch (cause) {
      throw noFolder(folder, cause)
    }
    try {
      return await work(entry)
    } finally {
      // What is left behind costs some kernel memory, and nothing else.
      await files.removeFolder(entry).catch((thrown) => {
        logger.warn('an entry for a TDX quote could not be removed', { entry, reason: messageOf(thrown) })
      })
    }
  }

  async function word(entry: string, name: string): Promise<string> {
    return Buffer.from(await files.read(join(entry, name), MAXIMUM_WORD))
      .toString('latin1')
      .trim()
  }

  /** @returns undefined when somebody else came between. */
  async function attempt(entry: string, reportData: Uint8Array): Promise<Uint8Array | undefined> {
    const before = Number(await word(entry, 'generation'))
    await files.write(join(entry, 'inblob'), reportData)
    const quote = await files.read(join(entry, 'outblob'), MAXIMUM_QUOTE)
    return Number(await word(entry, 'generation')) === before + 1 ? quote : undefined
  }

  return {
    kind: 'tdx',
    async quote(reportData, { signal }) {
      requireReportData(reportData)
      const given = Uint8Array.from(reportData)
      return turns.take(signal, async () => {
        try {
          return await inEntry((entry) =>
            freshQuote(given, { signal, pauseMs, isPassing }, () => attempt(entry, given)),
          )
        } catch (thrown) {
          const hint = "see that the host's quote generation service (qgsd) runs and can be reached"
          throw failure(thrown, signal, hint)
        }
      })
    },
  }
}

/**
 * The kernel's words for an entry in use, and for one that was written to while its report was made. It is also in use
 * as long as the host has not answered an earlier request that was given up.
 */
function isPassing(thrown: unknown): boolean {
  return ['EBUSY', 'EAGAIN', 'EINTR'].includes(errnoOf(thrown) ?? '')
}

function noFolder(folder: string, cause: unknown): QuoteSourceError {
  const hint =
    errnoOf(cause) === 'EACCES' || errnoOf(cause) === 'EPERM'
      ? 'this process may not use it; run it as root or give it that folder'
      : 'this machine is no TDX domain with a kernel of 6.7 or later, or configfs is not mounted'
  return new QuoteSourceError(
    'quote-source/none',
    `The folder ${folder} cannot be used (${messageOf(cause)}): ${hint}.`,
    {
      cause,
    },
  )
}

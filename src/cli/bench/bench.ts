import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { messageOf, SlotmeshError } from '../../domain/index.js'
import { type Estimate, estimateOf } from './estimate.js'
import { type ExchangeFigures, exchanges } from './exchange.js'
import { type Machine, thisMachine } from './machine.js'
import { type QuoteFigures, quotes } from './quotes.js'
import { type SignatureFigures, signatures } from './signatures.js'
import { type StoreFigures, stored } from './store.js'

/** Of small secrets, and of the largest that a share holds; bytes. */
const SIZES = [64, 3_000]

interface BenchOptions {
  /** Beside which the disk is measured; the system's folder for temporary files when absent. */
  readonly folder?: string | undefined
  /** For each figure. */
  readonly seconds: number
  /** Of the setup that is estimated. */
  readonly shares: number
  readonly onStep: (what: string) => void
  readonly signal: AbortSignal
}

/** Of shares of one size. */
export interface SizeFigures {
  readonly bytes: number
  readonly store: StoreFigures
  readonly exchange: ExchangeFigures
  readonly setup: Estimate
}

export interface BenchReport {
  readonly machine: Machine
  /** Where was written; it is gone by now. */
  readonly folder: string
  readonly signatures: SignatureFigures
  readonly quotes: QuoteFigures
  readonly sizes: readonly SizeFigures[]
}

/**
 * Takes every figure, one after the other.
 * @throws SlotmeshError `cli/bench-folder`; what the store throws when the disk refuses a write; the signal's reason.
 */
export async function runBench({ folder, shares, onStep, ...measuring }: BenchOptions): Promise<BenchReport> {
  const scratch = await scratchFolder(folder)
  try {
    onStep('signatures')
    const ofSignatures = await signatures(measuring)
    onStep('the verification of quotes')
    const ofQuotes = await quotes(measuring)
    const sizes: SizeFigures[] = []
    for (const bytes of SIZES) {
      onStep(`the store, with shares of ${bytes} bytes`)
      const store = await stored(join(scratch, `${bytes}`), bytes, measuring)
      onStep(`an exchange, with shares of ${bytes} bytes`)
      const exchange = await exchanges(bytes, measuring)
      sizes.push({ bytes, store, exchange, setup: estimateOf(shares, { store, exchange }) })
    }
    return { machine: thisMachine(), folder: scratch, signatures: ofSignatures, quotes: ofQuotes, sizes }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function scratchFolder(folder: string | undefined): Promise<string> {
  const beginning = folder === undefined ? join(tmpdir(), 'slotmesh-bench-') : `${resolve(folder)}.bench-`
  try {
    return await mkdtemp(beginning)
  } catch (cause) {
    throw new SlotmeshError(
      'cli/bench-folder',
      `No folder can be made at ${beginning}… (${messageOf(cause)}): name one on the disk that is meant, in a folder that may be written to.`,
      { cause },
    )
  }
}

import { abortable, messageOf } from '../../domain/index.js'
import type { QuoteSource } from '../source.js'
import { type ConfigfsTsmOptions, configfsTsmQuoteSource } from './configfs-tsm.js'
import { QuoteSourceError } from './errors.js'
import { type GramineOptions, gramineQuoteSource } from './gramine.js'

/** Where hardware quotes come from; `auto` takes what the machine has. */
export type QuoteSourceChoice = 'auto' | 'gramine' | 'configfs-tsm'

/** How long the look for a device that makes quotes may take. */
export interface HardwareOptions {
  /** @internal */
  readonly gramine?: GramineOptions
  /** @internal */
  readonly configfsTsm?: ConfigfsTsmOptions
  /** While another process gets a quote, the kernel lets nobody look at its TDX device. */
  readonly signal?: AbortSignal
}

/**
 * The device of this machine that makes quotes.
 *
 * @throws QuoteSourceError `quote-source/none` that says what was looked for, and what was found instead; the signal's
 * reason when it aborts.
 */
export async function hardwareQuoteSource(
  choice: QuoteSourceChoice,
  { signal, ...options }: HardwareOptions = {},
): Promise<QuoteSource> {
  signal?.throwIfAborted()
  const found = find(choice, options)
  return signal === undefined ? found : abortable(found, signal)
}

async function find(choice: QuoteSourceChoice, options: Omit<HardwareOptions, 'signal'>): Promise<QuoteSource> {
  const gramine = () => gramineQuoteSource(options.gramine)
  const configfsTsm = () => configfsTsmQuoteSource(options.configfsTsm)
  if (choice === 'gramine') return gramine()
  if (choice === 'configfs-tsm') return configfsTsm()
  const reasons: string[] = []
  for (const source of [gramine, configfsTsm]) {
    try {
      return await source()
    } catch (thrown) {
      if (!(thrown instanceof QuoteSourceError) || thrown.code !== 'quote-source/none') throw thrown
      reasons.push(messageOf(thrown))
    }
  }
  throw new QuoteSourceError(
    'quote-source/none',
    `No device of this machine makes quotes: run on SGX under Gramine or in a TDX domain, or simulate the TEE on a development chain. ${reasons.join(' ')}`,
  )
}

import { developmentSigner } from '../../devchain/index.js'
import { bounded, SlotmeshError } from '../../domain/index.js'
import { Actors } from '../../simulation/index.js'
import { untilInterrupted } from '../interruption.js'
import type { ActingFlags } from './flags.js'

/**
 * Has somebody act on the chain, for so long as the flags and an interruption let it; its committee is `//Alice`, whose
 * key everybody has.
 * @throws SlotmeshError `cli/not-a-development-chain`; as {@link Actors.connect}, and what `work` throws.
 */
export async function acting(
  { chain: endpoint, timeout: timeoutMs }: ActingFlags,
  work: (actors: Actors, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await untilInterrupted((interrupted) =>
    bounded({ signals: [interrupted], timeoutMs }, async (signal) => {
      const actors = await Actors.connect({ endpoint, committee: developmentSigner('Alice'), signal })
      try {
        if (!(await actors.isForDevelopment())) {
          const sentence = `The chain at ${endpoint} is no development chain: there, operators, the committee and owners sign with wallets of their own.`
          throw new SlotmeshError('cli/not-a-development-chain', sentence)
        }
        await work(actors, signal)
      } finally {
        await actors.close()
      }
    }),
  )
}

import type { Command } from 'commander'
import { bounded, SlotmeshError } from '../../domain/index.js'
import type { Actors } from '../../simulation/index.js'
import { wholeNumber } from '../arguments.js'
import { untilInterrupted } from '../interruption.js'

export interface ActingFlags {
  readonly chain: string
  readonly timeoutMs: number
}

/** The flags of all that acts on a development chain as people and committees would on another one. */
export function addActing(command: Command): Command {
  return command
    .option('--chain <url>', 'WebSocket address of the development chain', 'ws://127.0.0.1:9944')
    .option('--timeout-ms <ms>', 'how long it may take', wholeNumber({ minimum: 1, maximum: 3_600_000 }), 120_000)
}

/**
 * Has somebody act on the chain, for so long as the flags and an interruption let it; its committee is `//Alice`, whose
 * key everybody has.
 * @throws SlotmeshError `cli/not-a-development-chain`; as {@link Actors.connect}, and what `work` throws.
 */
export async function acting(
  { chain: endpoint, timeoutMs }: ActingFlags,
  work: (actors: Actors, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const [{ Actors }, { developmentSigner }] = await Promise.all([
    import('../../simulation/index.js'),
    import('../../devchain/index.js'),
  ])
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

import { once } from 'node:events'
import type { Command } from 'commander'
import { palletGeneration, wholeNumber } from './arguments.js'
import { untilInterrupted } from './interruption.js'

interface DevchainFlags {
  readonly port: number
  readonly blockTime: number
  readonly generation: 1 | 2
}

export function addDevchain(program: Command): void {
  program
    .command('devchain')
    .description('Run a development chain on this machine until it is interrupted.')
    .option(
      '--port <number>',
      'TCP port on the loopback interface; 0 for any',
      wholeNumber({ minimum: 0, maximum: 65_535 }),
      9944,
    )
    .option('--block-time <ms>', 'time between blocks', wholeNumber({ minimum: 50, maximum: 3_600_000 }), 6000)
    .option('--generation <1|2>', 'generation of the TEE pallet', palletGeneration, 2)
    .action(async ({ port, blockTime, generation }: DevchainFlags) => {
      const { startDevelopmentChain } = await import('../devchain/index.js')
      const chain = await startDevelopmentChain({ port, blockTime, generation })
      try {
        process.stdout.write(`Development chain listening on ${chain.url}\n`)
        await untilInterrupted((signal) => once(signal, 'abort'))
      } finally {
        await chain.stop()
      }
    })
}

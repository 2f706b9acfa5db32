import type { Command } from 'commander'
import { U32_MAX } from '../../domain/index.js'
import { wholeNumber } from '../arguments.js'
import { shareKind } from '../owner/index.js'
import type { MintFlags, SeatFlags } from './flags.js'

/** The flags of all that acts on a development chain as people and committees would on another one. */
function addActing(command: Command): Command {
  return command
    .option('--chain <url>', 'WebSocket address of the development chain', 'ws://127.0.0.1:9944')
    .option('--timeout <ms>', 'how long it may take', wholeNumber({ minimum: 1, maximum: 3_600_000 }), 120_000)
}

export function addSeat(devchain: Command): void {
  addActing(devchain.command('seat <enclaves...>'))
    .description(
      'On a development chain: register enclaves, fund them, and have the committee give them the free slots of a\ncluster in their order. An enclave is the URL of its client API, which says who it is, or its account. Those that have\na seat keep it.',
    )
    .option(
      '--cluster <id>',
      'the cluster (default: the first with room for all, or a new one)',
      wholeNumber({ minimum: 0, maximum: U32_MAX }),
    )
    .action(async (enclaves: readonly string[], flags: SeatFlags) => {
      const { seat } = await import('./seat.js')
      await seat(enclaves, flags)
    })
}

export function addMint(devchain: Command): void {
  addActing(devchain.command('mint'))
    .description('On a development chain: mint an NFT that waits for the shares of its secret (slotmesh store).')
    .requiredOption('--seed-file <path>', 'file of its owner’s seed in hexadecimal; made if there is none')
    .option('--kind <kind>', 'secret, or capsule', shareKind, 'secret')
    .action(async (flags: MintFlags) => {
      const { mint } = await import('./mint.js')
      await mint(flags)
    })
}

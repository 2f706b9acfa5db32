import { type Command, InvalidArgumentError } from 'commander'
import { type ShareKind, SlotmeshError, U32_MAX } from '../../domain/index.js'
import type { RequesterType } from '../../owner/index.js'
import { wholeNumber } from '../arguments.js'
import { untilInterrupted } from '../interruption.js'
import { type RetrieveFlags, SEED_VARIABLE, type StoreFlags } from './flags.js'

/** How long enclaves that fail are asked again, ms: an enclave that is started anew is back by then. */
const TIMEOUT_MS = 600_000

const id = wholeNumber({ minimum: 0, maximum: U32_MAX })
const milliseconds = wholeNumber({ minimum: 1, maximum: 86_400_000 })

/** What `store` and `retrieve` have in common. */
function ownerCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .requiredOption('--chain <url...>', 'WebSocket addresses of nodes of the chain, the preferred one first')
    .requiredOption('--nft <id>', 'the NFT', id)
    .option('--kind <kind>', 'secret, or capsule', shareKind, 'secret')
    .option('--cluster <id>', 'the cluster to ask (default: the public ones in turn)', id)
    .option('--seed-file <path>', `file of the account’s seed in hexadecimal (or ${SEED_VARIABLE})`)
    .option('--threshold <count>', 'how many of the five shares recover the secret', threshold, 3)
}

export function shareKind(text: string): ShareKind {
  if (text === 'secret' || text === 'capsule') return text
  throw new SlotmeshError('cli/bad-option', 'The --kind is secret or capsule.')
}

export function addStore(program: Command): void {
  ownerCommand(
    program,
    'store',
    'As an NFT’s owner: split a secret, and hand a share to each enclave of a cluster.\nIt is done when all five are sealed and confirmed on chain.',
  )
    .option('--secret-file <path>', 'the secret; - is the standard input', '-')
    .option('--timeout <ms>', 'how long enclaves that fail are asked again', milliseconds, TIMEOUT_MS)
    .addHelpText(
      'after',
      `
Nothing is handed over before all five enclaves are in step with the chain. From then on each that fails is asked again,
with a line on the standard error output, until it has its share or the time is over. A split is kept nowhere: another run
makes other shares, which do not fit those that were taken.`,
    )
    .action(async (flags: StoreFlags) => {
      const { store } = await import('./store.js')
      await untilInterrupted((signal) => store(flags, signal))
    })
}

export function addRetrieve(program: Command): void {
  ownerCommand(
    program,
    'retrieve',
    'As an NFT’s owner, delegatee or rentee: ask enclaves for shares that npx slotmesh store has made, and write the secret\nto the standard output.',
  )
    .option('--role <role>', 'OWNER, DELEGATEE or RENTEE', role, 'OWNER')
    .action(async (flags: RetrieveFlags) => {
      const { retrieve } = await import('./retrieve.js')
      await untilInterrupted((signal) => retrieve(flags, signal))
    })
}

function role(text: string): RequesterType {
  const upper = text.toUpperCase()
  if (upper === 'OWNER' || upper === 'DELEGATEE' || upper === 'RENTEE') return upper
  throw new SlotmeshError('cli/bad-option', 'The --role is OWNER, DELEGATEE or RENTEE.')
}

function threshold(text: string): number {
  const value = /^[2-5]$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(value)) throw new InvalidArgumentError('It takes a number of shares from 2 to 5.')
  return value
}

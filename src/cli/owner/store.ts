import type { Command } from 'commander'
import { toSs58, zero } from '../../crypto/index.js'
import { CLUSTER_SIZE, type ClusterId, type NftId, type ShareKind, SlotmeshError, U32_MAX } from '../../domain/index.js'
import { splitSecret } from '../../owner/index.js'
import { wholeNumber } from '../arguments.js'
import { untilInterrupted } from '../interruption.js'
import { fullClusters, withChain } from './asking.js'
import { handOver, requireWaiting } from './handing-over.js'
import { SEED_VARIABLE, secretIn, signerOf, threshold } from './inputs.js'

interface StoreFlags {
  readonly chain: readonly string[]
  readonly nft: NftId
  readonly kind: ShareKind
  readonly cluster?: ClusterId
  readonly seedFile?: string
  readonly secretFile: string
  readonly threshold: number
  readonly timeout: number
}

/** How long enclaves that fail are asked again, ms: an enclave that is started anew is back by then. */
const TIMEOUT_MS = 600_000

const id = wholeNumber({ minimum: 0, maximum: U32_MAX })
const milliseconds = wholeNumber({ minimum: 1, maximum: 86_400_000 })

/** What `store` and `retrieve` have in common. */
export function ownerCommand(program: Command, name: string, description: string): Command {
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
    .action((flags: StoreFlags) => untilInterrupted((signal) => store(flags, signal)))
}

async function store(flags: StoreFlags, signal: AbortSignal): Promise<void> {
  const owner = await signerOf(flags.seedFile)
  const secret = await secretIn(flags.secretFile)
  try {
    const shares = await splitSecret(secret, flags.threshold)
    await withChain(flags.chain, async (chain) => {
      const [cluster] = fullClusters(chain, flags.cluster)
      if (cluster === undefined) return
      const key = { kind: flags.kind, nftId: flags.nft }
      requireWaiting(key, await chain.nft(key.nftId, { signal }), owner.account)
      const order = { cluster, key, owner, shares, block: () => chain.finalised().number }
      await handOver(order, { signal, timeoutMs: flags.timeout, say: (line) => process.stderr.write(`${line}\n`) })
      process.stdout.write(
        `${CLUSTER_SIZE} of ${CLUSTER_SIZE} shares of the ${flags.kind} of NFT ${flags.nft} are kept by cluster ${cluster.id}, for ${toSs58(owner.account)}\n`,
      )
    })
  } finally {
    zero(secret)
  }
}

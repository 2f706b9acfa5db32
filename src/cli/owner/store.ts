import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { accountSigner, toSs58, zero } from '../../crypto/index.js'
import { CLUSTER_SIZE, type ClusterId, type NftId, type ShareKind, SlotmeshError, U32_MAX } from '../../domain/index.js'
import { ownerStoreRequest, splitSecret, storeAt } from '../../owner/index.js'
import { wholeNumber } from '../arguments.js'
import { untilInterrupted } from '../interruption.js'
import { askAll, failuresOf, fullClusters, withChain } from './asking.js'
import { SEED_VARIABLE, secretIn, signerOf, threshold } from './inputs.js'

interface StoreFlags {
  readonly chain: readonly string[]
  readonly nft: NftId
  readonly kind: ShareKind
  readonly cluster?: ClusterId
  readonly seedFile?: string
  readonly secretFile: string
  readonly threshold: number
}

const id = wholeNumber({ minimum: 0, maximum: U32_MAX })

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
      const seed = randomBytes(32)
      const temporarySigner = accountSigner(seed)
      zero(seed)
      const key = { kind: flags.kind, nftId: flags.nft }
      const outcomes = await askAll(
        cluster,
        ({ apiUri, slot }) => {
          const block = chain.finalised().number
          const request = ownerStoreRequest({ owner, temporarySigner, key, share: shares[slot] ?? '', block })
          return storeAt(apiUri, flags.kind, request, { signal })
        },
        { signal },
      )
      const stored = outcomes.filter((outcome) => 'value' in outcome).length
      process.stdout.write(
        `${stored} of ${CLUSTER_SIZE} shares of the ${flags.kind} of NFT ${flags.nft} are kept by cluster ${cluster.id}, for ${toSs58(owner.account)}\n`,
      )
      if (stored === CLUSTER_SIZE) return
      throw new SlotmeshError(
        'cli/not-stored',
        `Not all enclaves have taken their share, and new shares would not fit those that have:\n${failuresOf(outcomes)}`,
      )
    })
  } finally {
    zero(secret)
  }
}

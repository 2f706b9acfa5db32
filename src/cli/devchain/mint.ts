import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { toHex, toSs58, zero } from '../../crypto/index.js'
import { messageOf, type ShareKind, SlotmeshError } from '../../domain/index.js'
import { signerOf } from '../owner/inputs.js'
import { shareKind } from '../owner/store.js'
import { type ActingFlags, acting, addActing } from './acting.js'

interface MintFlags extends ActingFlags {
  readonly kind: ShareKind
  readonly seedFile: string
}

const SEED_BYTES = 32

export function addMint(devchain: Command): void {
  addActing(devchain.command('mint'))
    .description('On a development chain: mint an NFT that waits for the shares of its secret (slotmesh store).')
    .requiredOption('--seed-file <path>', 'file of its owner’s seed in hexadecimal; made if there is none')
    .option('--kind <kind>', 'secret, or capsule', shareKind, 'secret')
    .action((flags: MintFlags) => mint(flags))
}

async function mint(flags: MintFlags): Promise<void> {
  await makeSeed(flags.seedFile)
  const owner = await signerOf(flags.seedFile)
  await acting(flags, async (actors) => {
    await actors.fund([owner.account])
    const { nftId } = await actors.mint(owner, flags.kind)
    process.stdout.write(`NFT ${nftId}, a ${flags.kind} of ${toSs58(owner.account)}\n`)
  })
}

/** @throws SlotmeshError `cli/bad-seed` */
async function makeSeed(path: string): Promise<void> {
  const seed = randomBytes(SEED_BYTES)
  try {
    await writeFile(path, `${toHex(seed)}\n`, { flag: 'wx', mode: 0o600 })
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') return
    const sentence = `The seed file ${path} cannot be made: ${messageOf(thrown)}; name another path.`
    throw new SlotmeshError('cli/bad-seed', sentence, { cause: thrown })
  } finally {
    zero(seed)
  }
}

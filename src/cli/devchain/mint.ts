import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { toHex, toSs58, zero } from '../../crypto/index.js'
import { messageOf, SlotmeshError } from '../../domain/index.js'
import { signerOf } from '../owner/inputs.js'
import { acting } from './acting.js'
import type { MintFlags } from './flags.js'

const SEED_BYTES = 32

export async function mint(flags: MintFlags): Promise<void> {
  await acting(flags, async (actors) => {
    await makeSeed(flags.seedFile)
    const owner = await signerOf(flags.seedFile)
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

/*
 * A development chain in a process of its own, with blocks of some fifty events. In one of twenty a secret is synced.
 */
import { ChainUser } from '../../test/integration/devchain/chain-user.js'
import { Submitter } from '../../test/support/submitter.js'
import { input, report } from '../harness/child.js'

export interface ChainInput {
  readonly blocks: number
  /** Added to every answer of the second endpoint, ms. */
  readonly latency: number
}

export interface ChainReady {
  readonly direct: string
  readonly slow: string
  /** The first and the last of the blocks to crawl. */
  readonly first: number
  readonly last: number
  /** The NFT that is synced in each block where one is. */
  readonly synced: readonly { readonly block: number; readonly nftId: number }[]
}

const EVERY = 20
const CALLS_PER_BATCH = 46

const { blocks, latency } = input<ChainInput>()
const user = await ChainUser.start()
const { chain, alice } = user
const { enclaves } = await user.makeCluster('bench')
const submitter = new Submitter(user.api)
const nftIds: number[] = []
for (let count = 0; count < Math.floor(blocks / EVERY); count += 1) nftIds.push(await user.mint('secret', alice))

const remarks = Array.from({ length: CALLS_PER_BATCH }, (_, index) => user.tx('system.remark', `${index}`))
const first = chain.sealBlock().number + 1
const synced: { block: number; nftId: number }[] = []
for (let made = 1; made <= blocks; made += 1) {
  await submitter.hand(user.tx('utility.batch', remarks), alice)
  const nftId = made % EVERY === 0 ? nftIds.shift() : undefined
  if (nftId !== undefined) {
    for (const { account } of enclaves) await submitter.hand(user.tx('nft.addSecretShard', nftId), account)
  }
  const { number } = chain.sealBlock()
  if (nftId !== undefined) synced.push({ block: number, nftId })
}
const slow = await chain.openEndpoint({ latency })
const ready: ChainReady = { direct: chain.url, slow: slow.url, first, last: first + blocks - 1, synced }
report(ready)

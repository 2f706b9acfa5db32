/* A made-up chain with any number of NFTs, in a process of its own. */
import { chainOfNfts } from '../../test/support/made-up-nfts.js'
import { goOn, input, report } from '../harness/child.js'

export interface ChainInput {
  readonly nfts: number
}

export interface ChainReady {
  readonly url: string
}

const chain = await chainOfNfts(input<ChainInput>().nfts)
goOn()
const ready: ChainReady = { url: chain.url }
report(ready)

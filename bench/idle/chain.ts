/* A development chain in a process of its own, which makes a block of nothing every six seconds. */
import { startDevelopmentChain } from '../../src/devchain/index.js'
import { goOn, report } from '../harness/child.js'

export interface ChainReady {
  readonly url: string
}

/** As on the chain that the node is for. */
const BLOCK_MS = 6_000

// Whoever takes a seat does not wait for it.
const chain = await startDevelopmentChain({ blockTime: 'instant' })
setInterval(() => chain.sealBlock(), BLOCK_MS)
goOn()
const ready: ChainReady = { url: chain.url }
report(ready)

import { connectChain } from '../../src/chain/index.js'
import { silentLogger } from '../../src/domain/index.js'
import { otherSide, peakMemory, report } from '../harness/child.js'
import type { ChainReady } from './chain.js'

export interface SnapshotOutput {
  readonly shares: number
  readonly seconds: number
  /** The most that the process held in memory, MB. */
  readonly peakMemory: number
}

const { url } = await otherSide<ChainReady>()
const chain = await connectChain({ endpoints: [url], logger: silentLogger })
const begun = performance.now()
let shares = 0
for await (const page of chain.syncedShares(chain.finalised(), { signal: new AbortController().signal })) {
  shares += page.length
}
const output: SnapshotOutput = {
  shares,
  seconds: (performance.now() - begun) / 1000,
  peakMemory: peakMemory(),
}
await chain.close()
report(output)

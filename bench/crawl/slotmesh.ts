import { connectChain } from '../../src/chain/index.js'
import { silentLogger } from '../../src/domain/index.js'
import { input, report } from '../harness/child.js'
import type { CrawlInput, CrawlOutput } from './crawl.js'

const { url, first, last } = input<CrawlInput>()
const chain = await connectChain({ endpoints: [url], logger: silentLogger })
const synced: number[] = []
const begun = performance.now()
for await (const { block, triggers } of chain.follow(first - 1, { signal: new AbortController().signal })) {
  for (const trigger of triggers) if (trigger.type === 'synced') synced.push(trigger.nftId)
  if (block.number === last) break
}
const output: CrawlOutput = { seconds: (performance.now() - begun) / 1000, synced }
await chain.close()
report(output)

import { ApiPromise, WsProvider } from '@polkadot/api'
import type { Vec } from '@polkadot/types'
import type { EventRecord } from '@polkadot/types/interfaces'
import { input, report } from '../harness/child.js'
import type { CrawlInput, CrawlOutput } from './crawl.js'

const { url, first, last } = input<CrawlInput>()
const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true })
const synced: number[] = []
const begun = performance.now()
for (let number = first; number <= last; number += 1) {
  const at = await api.at(await api.rpc.chain.getBlockHash(number))
  const records = await at.query.system?.events?.<Vec<EventRecord>>()
  for (const { event } of records ?? []) {
    if (event.section === 'nft' && event.method === 'SecretNFTSynced') synced.push(Number(event.data[0]))
  }
}
const output: CrawlOutput = { seconds: (performance.now() - begun) / 1000, synced }
await api.disconnect()
report(output)

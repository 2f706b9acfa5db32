/* Wants all records, some at a time, and keeps each as it comes. */
import { setMaxListeners } from 'node:events'
import { multiaddr } from '@multiformats/multiaddr'
import { LevelBlockstore } from 'blockstore-level'
import { input, otherSide, report } from '../../harness/child.js'
import { type Records, type Replicated, recordOf } from '../records.js'
import { cidOf } from './block.js'
import { bitswapNode } from './node.js'
import type { BitswapReady } from './provider.js'

/** Wants at a time; more are slower, since each looks at all blocks that come. */
const WANTED = 256
const TIMEOUT_MS = 60_000

const { shares, bytes } = input<Records>()
const cids = Array.from({ length: shares }, (_, at) => cidOf(recordOf(at, bytes)))
const { host, bitswap, blockstore, folder } = await bitswapNode()
const { address } = await otherSide<BitswapReady>()
const begun = performance.now()
const { remotePeer } = await host.dial(multiaddr(address))
for (let from = 0; from < shares; from += WANTED) {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  setMaxListeners(0, signal)
  const fetchOne = async (cid: (typeof cids)[number]) => {
    await blockstore.put(cid, await bitswap.want(cid, { signal, providers: [remotePeer] }))
  }
  await Promise.all(cids.slice(from, from + WANTED).map(fetchOne))
}
await blockstore.db.put('/synced', new Uint8Array(), { sync: true })
const seconds = (performance.now() - begun) / 1000
await bitswap.stop()
await host.stop()
await blockstore.close()

const reopened = new LevelBlockstore(folder)
await reopened.open()
let records = 0
for (const [at, cid] of cids.entries()) {
  for await (const block of reopened.get(cid)) if (recordOf(at, bytes).equals(block)) records += 1
}
await reopened.close()
const output: Replicated = { seconds, records }
report(output)
process.disconnect?.()

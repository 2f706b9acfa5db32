/* Holds all records as blocks and gives those that are wanted. */
import { goOn, input, report } from '../../harness/child.js'
import { type Records, recordOf } from '../records.js'
import { cidOf } from './block.js'
import { bitswapNode } from './node.js'

export interface BitswapReady {
  readonly address: string
}

const { shares, bytes } = input<Records>()
const { host, blockstore } = await bitswapNode()
for (let at = 0; at < shares; at += 1) {
  const record = recordOf(at, bytes)
  await blockstore.put(cidOf(record), record)
}
goOn()
const ready: BitswapReady = { address: host.getMultiaddrs()[0]?.toString() ?? '' }
report(ready)

/* The side that is asked, in a process of its own: it holds other shares in some places. */
import { keyOf, NUMBERS, numberOf } from '../../src/inventory/index.js'
import { goOn, input, report } from '../harness/child.js'
import type { ReconciliationInput } from './reconciliation.js'
import { heldShares, PROVIDER, side } from './side.js'

export interface ProviderReady {
  readonly address: string
}

const { shares, differences } = input<ReconciliationInput>()
const held = heldShares(shares)
for (let difference = 0; difference < differences; difference += 1) {
  // Here and there, in turn one more, one fewer, and one in a newer version.
  const at = Math.floor(((difference + 0.37) * shares) / differences)
  const share = numberOf({ kind: at % 2 === 0 ? 'secret' : 'capsule', nftId: 3 * at })
  if (difference % 3 === 0) held.set((share + 1) % NUMBERS, 5_000_000)
  else if (difference % 3 === 1) held.delete(share)
  else held.set(numberOf(keyOf(share)), 9_000_000)
}
const { host } = await side(PROVIDER, held)
goOn()
const ready: ProviderReady = { address: host.getMultiaddrs()[0]?.toString() ?? '' }
report(ready)

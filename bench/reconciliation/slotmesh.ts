import { multiaddr } from '@multiformats/multiaddr'
import { input, otherSide, report } from '../harness/child.js'
import type { ProviderReady } from './provider.js'
import type { ReconciliationInput } from './reconciliation.js'
import { heldShares, PROVIDER, REQUESTER, side } from './side.js'

export interface ReconciliationOutput {
  /** From the opening of the stream to its end. */
  readonly ms: number
  /** Both ways, as the stream sees them. */
  readonly bytes: number
  readonly found: number
}

const { shares } = input<ReconciliationInput>()
const held = heldShares(shares)
const { host, service } = await side(REQUESTER, held)
const { address } = await otherSide<ProviderReady>()
const { remotePeer: peer } = await host.dial(multiaddr(address))
const begun = performance.now()
const { traffic, ahead, behind } = await service.compare(
  { account: PROVIDER, peer },
  { held, turn: Math.random(), signal: new AbortController().signal },
)
const output: ReconciliationOutput = {
  ms: performance.now() - begun,
  bytes: traffic.bytes,
  found: ahead.length + behind.length,
}
report(output)

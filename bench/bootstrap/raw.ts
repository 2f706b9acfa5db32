/* The ceiling of what is moved: the same bytes over a plain stream of libp2p, and nothing done to them. */
import { multiaddr } from '@multiformats/multiaddr'
import { loopbackHost } from '../../src/cli/bench/world.js'
import { otherSide, report } from '../harness/child.js'
import type { ProviderReady } from './provider.js'
import { RAW_PROTOCOL } from './world.js'

export interface RawOutput {
  readonly seconds: number
  readonly received: number
}

const host = await loopbackHost()
const { address } = await otherSide<ProviderReady>()
const connection = await host.dial(multiaddr(address))
const begun = performance.now()
const stream = await connection.newStream(RAW_PROTOCOL)
let received = 0
for await (const piece of stream) received += piece.byteLength
const output: RawOutput = { seconds: (performance.now() - begun) / 1000, received }
await host.stop()
report(output)
process.disconnect?.()

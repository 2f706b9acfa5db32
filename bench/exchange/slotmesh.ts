/* An enclave that asks another for one share, again and again. */
import assert from 'node:assert/strict'
import { multiaddr } from '@multiformats/multiaddr'
import { partyOf, sourceOf } from '../../src/cli/bench/exchange.js'
import { keyOf, loopbackHost, madeLog, PROVIDER, REQUESTER } from '../../src/cli/bench/world.js'
import { silentLogger } from '../../src/domain/index.js'
import { ShareService } from '../../src/share/index.js'
import type { ProviderReady } from '../bootstrap/provider.js'
import { otherSide, report } from '../harness/child.js'
import { type ColdAndWarm, coldAndWarm, HANDSHAKES } from './world.js'

const host = await loopbackHost()
const handshakes: number[] = []
const service = new ShareService({
  host,
  party: await partyOf(REQUESTER, 'requester'),
  shares: sourceOf(madeLog(0, 1, 64)),
  logger: silentLogger,
  onHandshake: ({ ms }) => void handshakes.push(ms),
})
const { address } = await otherSide<ProviderReady>()
const { remotePeer: peer } = await host.dial(multiaddr(address))
const { signal } = new AbortController()
for (let turn = 0; turn < HANDSHAKES; turn += 1) {
  const wants = [{ key: keyOf(0), minimumVersion: 0 }]
  const provider = { account: PROVIDER.signer.account, peer }
  const { received } = await service.request(provider, { wants, onRun: async () => undefined, signal })
  assert.equal(received, 1)
}
const output: ColdAndWarm = coldAndWarm(handshakes)
await host.stop()
report(output)
process.disconnect?.()

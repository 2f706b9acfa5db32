/* An enclave that has just got its seat and fetches everything, in a process of its own. */
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { attestationOf } from '../../src/cli/bench/attestation.js'
import { loopbackHost, REQUESTER } from '../../src/cli/bench/world.js'
import { boundHeapGrowth } from '../../src/cli/heap.js'
import { silentLogger, systemClock } from '../../src/domain/index.js'
import { ShareService } from '../../src/share/index.js'
import { openStore } from '../../src/store/index.js'
import { Serving, SyncEngine, type SyncListener } from '../../src/sync/index.js'
import { input, otherSide, peakMemory, report } from '../harness/child.js'
import { temporaryFolder } from '../harness/folder.js'
import { startProfile } from '../harness/profiling.js'
import type { FillInput } from './fill.js'
import type { ProviderReady } from './provider.js'
import { chainOf, SEALING_KEY } from './world.js'

export interface BootstrapInput extends Pick<FillInput, 'shares'> {
  /** The file that a profile goes to, of what is measured and nothing else. */
  readonly profile?: string
}

export interface BootstrapOutput {
  /** From the seat until everything is durable and verified. */
  readonly seconds: number
  /** Of the processor, in that time. */
  readonly processorSeconds: number
  readonly peakMemory: number
  /** How many were there, each whole, when the folder was opened again. */
  readonly shares: number
  readonly exchanges: number
}

// As the command does.
boundHeapGrowth()
const { shares, profile } = input<BootstrapInput>()
// A store has a lock beside its folder.
const folder = join(await temporaryFolder(), 'store')
const { signer } = REQUESTER
const { account } = signer
const chain = chainOf(shares)
const store = await openStore({ location: folder, sealingKey: SEALING_KEY, logger: silentLogger })
const host = await loopbackHost()
const service = new ShareService({
  host,
  party: { signer, chain, attestation: await attestationOf('requester') },
  shares: new Serving({ account, store, registry: () => chain.registry() }),
  logger: silentLogger,
})
await service.start()
const { address } = await otherSide<ProviderReady>()
const { remotePeer: peer } = await host.dial(multiaddr(address))

let exchanges = 0
const states = new EventEmitter()
const running = once(states, 'running')
const listener: SyncListener = {
  stateChanged: (state) => void states.emit(state),
  shareStored: () => undefined,
  exchangeDone: () => {
    exchanges += 1
  },
  exchangeFailed: (_peer, thrown) => {
    throw thrown
  },
}
const engine = new SyncEngine({
  signer,
  chain,
  store,
  peers: { request: (provider, request) => service.request({ account: provider, peer }, request) },
  listener,
  logger: silentLogger,
  clock: systemClock,
})
const stopping = new AbortController()
const stopProfile = await startProfile(profile)
const begun = performance.now()
const usedBefore = process.cpuUsage()
const run = engine.run(stopping.signal)
await Promise.race([running, run])
const seconds = (performance.now() - begun) / 1000
const used = process.cpuUsage(usedBefore)
const peak = peakMemory()
await stopProfile()
stopping.abort()
await run
await service.stop()
await host.stop()
await store.close()

const reopened = await openStore({ location: folder, sealingKey: SEALING_KEY, logger: silentLogger })
const { secret } = reopened.counts().shares
await reopened.close()
const processorSeconds = (used.user + used.system) / 1_000_000
const output: BootstrapOutput = { seconds, processorSeconds, peakMemory: peak, shares: secret, exchanges }
report(output)
process.disconnect?.()

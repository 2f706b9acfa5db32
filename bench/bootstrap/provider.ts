/* An enclave that holds all shares, in a process of its own. */
import { attestationOf } from '../../src/cli/bench/attestation.js'
import { loopbackHost, PROVIDER } from '../../src/cli/bench/world.js'
import { boundHeapGrowth } from '../../src/cli/heap.js'
import { silentLogger } from '../../src/domain/index.js'
import { ShareService } from '../../src/share/index.js'
import { openStore } from '../../src/store/index.js'
import { Serving } from '../../src/sync/index.js'
import { goOn, input, report } from '../harness/child.js'
import type { FillInput } from './fill.js'
import { chainOf, SEALING_KEY } from './world.js'

export interface ProviderReady {
  readonly address: string
}

// As the command does.
boundHeapGrowth()
const { folder, shares } = input<FillInput>()
const { signer } = PROVIDER
const chain = chainOf(shares)
const store = await openStore({ location: folder, sealingKey: SEALING_KEY, logger: silentLogger })
const host = await loopbackHost()
const service = new ShareService({
  host,
  party: { signer, chain, attestation: await attestationOf('provider') },
  shares: new Serving({ account: signer.account, store, registry: () => chain.registry() }),
  logger: silentLogger,
})
await service.start()
goOn()
const ready: ProviderReady = { address: host.getMultiaddrs()[0]?.toString() ?? '' }
report(ready)

/* An enclave that has one share, in a process of its own. */
import { partyOf, sourceOf } from '../../src/cli/bench/exchange.js'
import { loopbackHost, madeLog, PROVIDER } from '../../src/cli/bench/world.js'
import { silentLogger } from '../../src/domain/index.js'
import { ShareService } from '../../src/share/index.js'
import type { ProviderReady } from '../bootstrap/provider.js'
import { goOn, report } from '../harness/child.js'

const host = await loopbackHost()
const party = await partyOf(PROVIDER, 'provider')
const service = new ShareService({ host, party, shares: sourceOf(madeLog(0, 1, 64)), logger: silentLogger })
await service.start()
goOn()
const ready: ProviderReady = { address: host.getMultiaddrs()[0]?.toString() ?? '' }
report(ready)

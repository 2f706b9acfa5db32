/* Holds a hypercore of all records and replicates it to whoever dials. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import SecretStream from '@hyperswarm/secret-stream'
import Hypercore from 'hypercore'
import { goOn, input, report } from '../../harness/child.js'
import { temporaryFolder } from '../../harness/folder.js'
import { type Records, recordsFrom } from '../records.js'

export interface HypercoreReady {
  readonly port: number
  /** Hexadecimal. */
  readonly key: string
}

const BATCH = 1_024

const { shares, bytes } = input<Records>()
const core = new Hypercore(await temporaryFolder())
await core.ready()
for (let from = 0; from < shares; from += BATCH) {
  await core.append(recordsFrom(from, Math.min(BATCH, shares - from), bytes))
}
const server = createServer({ noDelay: true }, (socket) => void core.replicate(new SecretStream(false, socket)))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
goOn()
const ready: HypercoreReady = { port: (server.address() as AddressInfo).port, key: core.key.toString('hex') }
report(ready)

/* Downloads a whole hypercore into a storage of its own. */
import { once } from 'node:events'
import { connect } from 'node:net'
import SecretStream from '@hyperswarm/secret-stream'
import Hypercore from 'hypercore'
import { input, otherSide, report } from '../../harness/child.js'
import { temporaryFolder } from '../../harness/folder.js'
import { type Records, type Replicated, recordOf } from '../records.js'
import type { HypercoreReady } from './provider.js'

const { shares, bytes } = input<Records>()
const folder = await temporaryFolder()
const { port, key } = await otherSide<HypercoreReady>()
const core = new Hypercore(folder, Buffer.from(key, 'hex'))
await core.ready()
const begun = performance.now()
const socket = connect({ port, host: '127.0.0.1', noDelay: true })
await once(socket, 'connect')
core.replicate(new SecretStream(true, socket))
await core.update({ wait: true })
await core.download({ start: 0, end: core.length }).done()
await core.state.storage.store.rocks.flush()
const seconds = (performance.now() - begun) / 1000
socket.destroy()
await core.close()

const reopened = new Hypercore(folder)
await reopened.ready()
let records = 0
for (let at = 0; at < shares; at += 1) {
  if ((await reopened.get(at, { wait: false }))?.equals(recordOf(at, bytes))) records += 1
}
await reopened.close()
const output: Replicated = { seconds, records }
report(output)
process.disconnect?.()

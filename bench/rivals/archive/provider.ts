/* Holds a sealed file for each record and gives all in one archive, encrypted for who asks. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { goOn, input, report } from '../../harness/child.js'
import { temporaryFolder } from '../../harness/folder.js'
import { type Records, recordOf } from '../records.js'
import { nameOf, SealedFiles } from './files.js'
import { encryptFor } from './sealing.js'
import { zip } from './zip.js'

export interface ArchiveReady {
  readonly url: string
}

const { shares, bytes } = input<Records>()
const files = new SealedFiles(await temporaryFolder())
for (let at = 0; at < shares; at += 1) files.write({ name: nameOf(at), content: recordOf(at, bytes) })
const server = createServer(async (request, response) => {
  response.end(encryptFor(await buffer(request), zip(files.read())))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
goOn()
const ready: ArchiveReady = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
report(ready)

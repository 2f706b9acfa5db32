/* Asks for the archive and unpacks it into sealed files of its own. */
import { execFileSync } from 'node:child_process'
import { input, otherSide, report } from '../../harness/child.js'
import { temporaryFolder } from '../../harness/folder.js'
import { type Records, type Replicated, recordOf } from '../records.js'
import { numberIn, SealedFiles } from './files.js'
import type { ArchiveReady } from './provider.js'
import { decryptWith, newKey } from './sealing.js'
import { unzip } from './zip.js'

const { bytes } = input<Records>()
const folder = await temporaryFolder()
const files = new SealedFiles(folder)
const { url } = await otherSide<ArchiveReady>()
const begun = performance.now()
const key = newKey()
const answer = await fetch(url, { method: 'POST', body: key.getPublicKey() })
const encrypted = Buffer.from(await answer.arrayBuffer())
for (const entry of unzip(decryptWith(key, encrypted))) files.write(entry)
execFileSync('sync', process.platform === 'linux' ? ['-f', folder] : [])
const seconds = (performance.now() - begun) / 1000

let records = 0
for (const { name, content } of files.read()) if (recordOf(numberIn(name), bytes).equals(content)) records += 1
const output: Replicated = { seconds, records }
report(output)
process.disconnect?.()

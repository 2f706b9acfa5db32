import { readFile } from 'node:fs/promises'
import { Peer } from './peer.js'
import type { Target } from './world.js'

/** `node build/test/independent/main.js <target file>`: runs until it is told to stop. */
const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('Name the target file.')
const target: Target = JSON.parse(await readFile(file, 'utf8'))
const peer = await Peer.start(target)
for (const address of peer.libp2p.getMultiaddrs()) process.stdout.write(`${address}\n`)
process.on('SIGTERM', () => {
  void peer.stop().then(() => process.exit(0))
})

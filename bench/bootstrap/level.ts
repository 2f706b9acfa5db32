/* The ceiling of what is kept: the same records in batches of LevelDB alone, as they are. */
import { Level } from 'level'
import { input, report } from '../harness/child.js'
import { temporaryFolder } from '../harness/folder.js'
import type { FillInput } from './fill.js'

export interface LevelOutput {
  readonly seconds: number
  readonly records: number
}

/** Records of a batch; the last one is synced. */
const BATCH = 4_096

const { shares, bytes } = input<FillInput>()
const folder = await temporaryFolder()
const database = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' })
await database.open()
const begun = performance.now()
for (let from = 0; from < shares; from += BATCH) {
  const until = Math.min(shares, from + BATCH)
  const batch = database.batch()
  for (let at = from; at < until; at += 1) batch.put(keyOf(at), new Uint8Array(bytes).fill(at))
  await batch.write({ sync: until === shares })
}
const seconds = (performance.now() - begun) / 1000
await database.close()
const reopened = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' })
let records = 0
for await (const _key of reopened.keys()) records += 1
await reopened.close()
const output: LevelOutput = { seconds, records }
report(output)

function keyOf(at: number): Uint8Array {
  const key = new Uint8Array(5)
  new DataView(key.buffer).setUint32(1, at)
  return key
}

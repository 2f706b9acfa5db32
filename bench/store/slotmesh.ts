import assert from 'node:assert/strict'
import { join } from 'node:path'
import { IDENTITY, RUN_BYTES, verifiedRuns, wantsOf } from '../../src/cli/bench/store.js'
import { BLOCK, keyOf } from '../../src/cli/bench/world.js'
import { silentLogger } from '../../src/domain/index.js'
import { openStore } from '../../src/store/index.js'
import { input, report } from '../harness/child.js'
import { temporaryFolder } from '../harness/folder.js'
import { rateOf, someOf } from './measure.js'
import { SINGLE_READS, type StoreInput, type StoreOutput } from './store.js'

const { shares, bytes } = input<StoreInput>()
// A store has a lock beside its folder.
const location = join(await temporaryFolder(), 'store')
const open = () => openStore({ location, sealingKey: new Uint8Array(32).fill(9), logger: silentLogger })
const { signal } = new AbortController()

const made = await open()
await made.beginSetup(IDENTITY, BLOCK, wantsOf(0, shares))
const runs = await verifiedRuns(0, shares, bytes)
const written = await rateOf(shares, async () => {
  for (const run of runs) await made.putRun(run, { newestAsOf: BLOCK })
})
await made.close()

const store = await open()
assert.equal(store.counts().shares.secret, shares)
const one = await rateOf(SINGLE_READS, async () => {
  for (const at of someOf(shares, SINGLE_READS)) {
    const share = await store.share(keyOf(at))
    if (share?.payload.length !== bytes) throw new Error(`Share ${at} is not there.`)
  }
})
const wanted = Array.from({ length: shares }, (_, at) => ({ key: keyOf(at), minimumVersion: 0 }))
let read = 0
const inRuns = await rateOf(shares, async () => {
  for await (const run of store.runs(wanted, { maximumBytes: RUN_BYTES, signal })) read += run.shares.length
})
assert.equal(read, shares)
await store.close()
const output: StoreOutput = { written, one, inRuns }
report(output)

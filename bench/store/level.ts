/* The ceilings of what is kept: the same records in LevelDB alone, as they are or each sealed by itself. */
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, randomFillSync } from 'node:crypto'
import { Level } from 'level'
import { RUN_BYTES } from '../../src/cli/bench/store.js'
import { SHARES_PER_RUN } from '../../src/cli/bench/world.js'
import { input, report } from '../harness/child.js'
import { temporaryFolder } from '../harness/folder.js'
import { rateOf, someOf } from './measure.js'
import { SINGLE_READS, type StoreInput, type StoreOutput } from './store.js'

const [NONCE_BYTES, TAG_BYTES] = [12, 16]

const { shares, bytes, isSealed } = input<StoreInput>()
const perRun = Math.min(SHARES_PER_RUN, Math.floor(RUN_BYTES / bytes))
const key = createSecretKey(randomBytes(32))
const values = Array.from({ length: shares }, () => new Uint8Array(randomBytes(bytes)))
const folder = await temporaryFolder()

const made = await open()
const written = await rateOf(shares, async () => {
  for (const names of runsOfNames()) {
    const batch = made.batch()
    for (const { at, name } of names) batch.put(name, sealed(name, values[at] ?? new Uint8Array()))
    await batch.write({ sync: true })
  }
})
await made.close()

const database = await open()
const one = await rateOf(SINGLE_READS, async () => {
  for (const at of someOf(shares, SINGLE_READS)) taken(nameOf(at), await database.get(nameOf(at)))
})
let read = 0
const inRuns = await rateOf(shares, async () => {
  for (const names of runsOfNames()) {
    const found = await database.getMany(names.map(({ name }) => name))
    for (const [index, { name }] of names.entries()) taken(name, found[index])
    read += found.length
  }
})
assert.equal(read, shares)
await database.close()
const output: StoreOutput = { written, one, inRuns }
report(output)

/** Sealed records do not compress, and these are as random as they. */
async function open(): Promise<Level<Uint8Array, Uint8Array>> {
  const options = { keyEncoding: 'view', valueEncoding: 'view', compression: false }
  const database = new Level<Uint8Array, Uint8Array>(folder, options)
  await database.open()
  return database
}

function* runsOfNames(): Generator<{ at: number; name: Uint8Array }[]> {
  for (let from = 0; from < shares; from += perRun) {
    const length = Math.min(perRun, shares - from)
    yield Array.from({ length }, (_, index) => ({ at: from + index, name: nameOf(from + index) }))
  }
}

function nameOf(at: number): Uint8Array {
  const name = new Uint8Array(5)
  new DataView(name.buffer).setUint32(1, at)
  return name
}

function sealed(name: Uint8Array, value: Uint8Array): Uint8Array {
  if (!isSealed) return value
  const record = new Uint8Array(NONCE_BYTES + value.length + TAG_BYTES)
  const nonce = randomFillSync(record.subarray(0, NONCE_BYTES))
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(name)
  record.set(cipher.update(value), NONCE_BYTES)
  cipher.final()
  record.set(cipher.getAuthTag(), NONCE_BYTES + value.length)
  return record
}

function taken(name: Uint8Array, record: Uint8Array | undefined): void {
  const value = isSealed && record !== undefined ? opened(name, record) : record
  if (value?.length !== bytes) throw new Error('A record is not there.')
}

function opened(name: Uint8Array, record: Uint8Array): Uint8Array {
  const options = { authTagLength: TAG_BYTES }
  const decipher = createDecipheriv('aes-256-gcm', key, record.subarray(0, NONCE_BYTES), options).setAAD(name)
  decipher.setAuthTag(record.subarray(-TAG_BYTES))
  const value = decipher.update(record.subarray(NONCE_BYTES, -TAG_BYTES))
  decipher.final()
  return value
}

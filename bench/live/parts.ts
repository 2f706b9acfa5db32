/* What a share that is synced takes beside a handshake, each part alone: its log's head is checked, and it is written. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { getPublicKey, secretFromSeed, sign, verify } from '@scure/sr25519'
import { Level } from 'level'
import { ORIGIN } from '../../src/cli/bench/world.js'
import { verifySignature } from '../../src/crypto/index.js'
import { input, report } from '../harness/child.js'
import { temporaryFolder } from '../harness/folder.js'
import { spreadOf } from '../harness/statistics.js'
import type { LiveInput } from './provider.js'

/** Of each part: enough for a median; the first quarter only warms it up. */
const TURNS = 40

export interface PartsOutput {
  readonly headMs: number
  /** By the library in JavaScript that most use. */
  readonly usualHeadMs: number
  /** One record of the share's size, and the system told to have it on the disk. */
  readonly writeMs: number
}

const { bytes } = input<LiveInput>()
const { signer } = ORIGIN
const digest = new Uint8Array(64).fill(1)
const signature = signer.sign(digest)
const headMs = await medianMs(() => assert(verifySignature(signer.account, digest, signature)))
const secretKey = secretFromSeed(new Uint8Array(randomBytes(32)))
const usual = { account: getPublicKey(secretKey), signature: sign(secretKey, digest) }
const usualHeadMs = await medianMs(() => assert(verify(digest, usual.signature, usual.account)))

const database = new Level<number, Uint8Array>(await temporaryFolder(), { valueEncoding: 'view' })
const record = new Uint8Array(bytes).fill(1)
const writeMs = await medianMs((turn) => database.put(turn, record, { sync: true }))
await database.close()
const output: PartsOutput = { headMs, usualHeadMs, writeMs }
report(output)
process.disconnect?.()

async function medianMs(part: (turn: number) => unknown): Promise<number> {
  const times: number[] = []
  for (let turn = 0; turn < TURNS; turn += 1) {
    const begun = performance.now()
    await part(turn)
    times.push(performance.now() - begun)
  }
  return spreadOf(times.slice(TURNS / 4)).median
}

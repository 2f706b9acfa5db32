/* What a share that is synced cannot do without, each measured alone: the sum of it. */
import assert from 'node:assert/strict'
import { multiaddr } from '@multiformats/multiaddr'
import { Level } from 'level'
import { createDevelopmentPki } from '../../src/attestation/development/index.js'
import { freshVerifier, POLICY, quotesOf, SEED } from '../../src/cli/bench/attestation.js'
import { loopbackHost, REQUESTER } from '../../src/cli/bench/world.js'
import { DEVELOPMENT_BUILD } from '../../src/cli/tee.js'
import { verifySignature } from '../../src/crypto/index.js'
import { input, report } from '../harness/child.js'
import { temporaryFolder } from '../harness/folder.js'
import { spreadOf } from '../harness/statistics.js'
import type { LiveInput, LiveReady } from './provider.js'
import { ECHO_PROTOCOL } from './world.js'

/** Of each part: enough for a median; the first quarter only warms it up. */
const TURNS = 40

/** Of a message there and back: what a Challenge and a Request have on average, with their quotes. */
const MESSAGE_BYTES = 4_096

export interface PartsOutput {
  /** Two quotes verified, of platforms that are known. */
  readonly quotesMs: number
  /** Three signatures made and four checked: of the Hello, of two quotes, and of the log's head, which is only checked. */
  readonly signaturesMs: number
  /** A stream opened on a live connection, and two messages there and back. */
  readonly roundTripsMs: number
  /** One record of the share's size, and the system told to have it on the disk. */
  readonly writeMs: number
}

const { bytes, address } = input<LiveInput & LiveReady>()
const never = new AbortController().signal
const { signer } = REQUESTER

const pki = await createDevelopmentPki({ seed: SEED })
const { quoteSource } = pki.platform({ machineId: 'provider', measurement: DEVELOPMENT_BUILD })
const quotes = await quotesOf(quoteSource, TURNS, { signal: never })
const verifier = freshVerifier(pki, POLICY)
const quoteMs = await medianMs((turn) => verifier.verify(quotes[turn] ?? new Uint8Array()))

const digest = new Uint8Array(64).fill(1)
const signMs = await medianMs(() => signer.sign(digest))
const signature = signer.sign(digest)
const checkMs = await medianMs(() => assert(verifySignature(signer.account, digest, signature)))

const host = await loopbackHost()
const connection = await host.dial(multiaddr(address))
const message = new Uint8Array(MESSAGE_BYTES).fill(1)
const roundTripsMs = await medianMs(async () => {
  const stream = await connection.newStream(ECHO_PROTOCOL)
  const pieces = stream[Symbol.asyncIterator]()
  for (let trip = 0; trip < 2; trip += 1) {
    stream.send(message)
    for (let left = MESSAGE_BYTES; left > 0; ) left -= (await pieces.next()).value?.byteLength ?? left
  }
  await stream.close()
})
await host.stop()

const database = new Level<number, Uint8Array>(await temporaryFolder(), { valueEncoding: 'view' })
const record = new Uint8Array(bytes).fill(1)
const writeMs = await medianMs((turn) => database.put(turn, record, { sync: true }))
await database.close()

const output: PartsOutput = {
  quotesMs: 2 * quoteMs,
  signaturesMs: 3 * signMs + 4 * checkMs,
  roundTripsMs,
  writeMs,
}
report(output)
process.exit()

async function medianMs(part: (turn: number) => unknown): Promise<number> {
  const times: number[] = []
  for (let turn = 0; turn < TURNS; turn += 1) {
    const begun = performance.now()
    await part(turn)
    times.push(performance.now() - begun)
  }
  return spreadOf(times.slice(TURNS / 4)).median
}

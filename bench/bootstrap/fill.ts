/* Makes the provider's folder, before anything is measured: all shares of the origin, as a replica keeps them. */
import { BLOCK, GENESIS, keyOf, ORIGIN, PROVIDER } from '../../src/cli/bench/world.js'
import { silentLogger } from '../../src/domain/index.js'
import { leafHash, OriginLog, verifyRange } from '../../src/provenance/index.js'
import { openStore } from '../../src/store/index.js'
import { input, report } from '../harness/child.js'
import { recordOf } from '../rivals/records.js'
import { chainOf, SEALING_KEY } from './world.js'

export interface FillInput {
  readonly folder: string
  readonly shares: number
  /** Of each share. */
  readonly bytes: number
}

const RUN_BYTES = 256 * 1024

const { folder, shares, bytes } = input<FillInput>()
const log = new OriginLog(GENESIS, ORIGIN.signer, ORIGIN.seat)
for (let at = 0; at < shares; at += 1) log.append(keyOf(at), BLOCK, recordOf(at, bytes))

const store = await openStore({ location: folder, sealingKey: SEALING_KEY, logger: silentLogger })
const { signer, seat } = PROVIDER
const identity = { genesisHash: GENESIS, account: signer.account, seat, incarnation: `0x${'02'.repeat(16)}` as const }
const want = { minimumVersion: 0, asOf: BLOCK, origin: undefined, since: 0 }
const signal = new AbortController().signal
const pages = chainOf(shares).syncedShares({ number: BLOCK, hash: GENESIS }, { signal })
const wants = []
for await (const page of pages) wants.push(...page.map((key) => ({ key, ...want })))
await store.beginSetup(identity, BLOCK, wants)
const head = log.head()
const perRun = Math.max(1, Math.floor(RUN_BYTES / bytes))
for (let first = 0; first < shares; first += perRun) {
  const run = await log.run(first, Math.min(perRun, shares - first), head)
  const hashes = run.shares.map(({ leaf }) => leafHash(leaf))
  const nodes = verifyRange(run.head, run.first, hashes, run.proof)
  await store.putRun({ ...run, nodes }, { newestAsOf: BLOCK })
}
await store.markSetupDone()
const { secret } = store.counts().shares
await store.close()
report({ secret })

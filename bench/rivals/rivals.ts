import assert from 'node:assert/strict'
import { runPair } from '../harness/child.js'
import type { Contestant } from '../harness/contest.js'
import { installRivals } from './install.js'
import type { Records, Replicated } from './records.js'

/** Of each, at most: enough for a second or more. What is compared is a rate, and none of them is quicker with more. */
const MOST = { hypercore: 6_000, bitswap: 600, archive: 1_000 }

type Rival = keyof typeof MOST

/** Hypercore 11, the usual pick in JavaScript for what is replicated from one to another. */
export function hypercore(what: Records): Contestant {
  return {
    name: 'hypercore',
    setUp:
      'Hypercore 11 over its own encrypted stream on TCP of loopback, appended in batches beforehand, the whole range asked for at once, as its manual says, native code throughout; it verifies a Merkle tree, seals nothing, and its storage is flushed once at the end.',
    run: () => replicate('hypercore', what),
  }
}

/** Bitswap of Helia, what IPFS replicates blocks with. */
export function bitswap(what: Records): Contestant {
  return {
    name: 'bitswap',
    setUp:
      "Helia's Bitswap over the same libp2p, each record a block, 256 wanted at a time, which was its best, from the one peer that has them, kept in its LevelDB store and synced once at the end; it verifies a hash of each, and seals nothing.",
    run: () => replicate('bitswap', what),
  }
}

/** What the reference system does, written anew from its description. */
export function archive(what: Records): Contestant {
  return {
    name: 'archive',
    setUp:
      "the reference system's way, made anew and kinder than it is: sealed files read, deflated into one archive in memory, encrypted to the requester's key (ECIES) and fetched over plain HTTP, each share sealed into a file of its own, all synced once at the end; no attestation, no TLS, no file in between.",
    run: () => replicate('archive', what),
  }
}

/** @returns shares in a second. */
async function replicate(rival: Rival, { shares: asked, bytes }: Records): Promise<number> {
  installRivals()
  const shares = Math.min(asked, MOST[rival])
  const here = (file: string) => new URL(`${rival}/${file}.js`, import.meta.url)
  const input: Records = { shares, bytes }
  const { output } = await runPair<object, Replicated>({
    provider: { script: here('provider'), input },
    requester: { script: here('requester'), input },
  })
  assert.equal(output.records, shares)
  return shares / output.seconds
}

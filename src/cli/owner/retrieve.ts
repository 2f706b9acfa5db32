import { equalBytes, zero } from '../../crypto/index.js'
import { SlotmeshError } from '../../domain/index.js'
import { combineShares, retrieveAt, retrieveRequest } from '../../owner/index.js'
import { askAll, failuresOf, fullClusters, withChain } from './asking.js'
import type { RetrieveFlags } from './flags.js'
import { signerOf } from './inputs.js'

/** How often each enclave is asked: it may lag behind, or be busy. */
const TRIES = 4

export async function retrieve(flags: RetrieveFlags, signal: AbortSignal): Promise<void> {
  const requester = await signerOf(flags.seedFile)
  const secret = await withChain(flags.chain, async (chain) => {
    const failures: string[] = []
    for (const cluster of fullClusters(chain, flags.cluster)) {
      const outcomes = await askAll(
        cluster,
        ({ apiUri }, limit) => {
          const key = { kind: flags.kind, nftId: flags.nft }
          const request = retrieveRequest({ requester, role: flags.role, key, block: chain.finalised().number })
          return retrieveAt(apiUri, flags.kind, request, { signal: limit })
        },
        { signal, tries: TRIES, isFinal },
      )
      signal.throwIfAborted()
      const shares = outcomes.flatMap((outcome) => ('value' in outcome ? [outcome.value] : []))
      if (shares.length >= flags.threshold) return recovered(shares, flags.threshold)
      failures.push(`cluster ${cluster.id} gave ${shares.length} shares:\n${failuresOf(outcomes)}`)
    }
    const sentence = `No cluster gave ${flags.threshold} shares.\n${failures.join('\n')}`
    throw new SlotmeshError('cli/not-retrieved', sentence)
  })
  try {
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(secret, (thrown) => (thrown ? reject(thrown) : resolve()))
    })
  } finally {
    zero(secret)
  }
}

/** What will not be another answer in a moment. */
function isFinal(thrown: unknown): boolean {
  const final = /REQUESTERVERIFICATIONFAILED|INVALIDNFTID|IDISNOTA|KEYNOTEXIST/
  return thrown instanceof SlotmeshError && final.test(thrown.message)
}

/**
 * One wrong share gives a wrong secret and no error, so where there are more than enough, others must give the same.
 * @throws SlotmeshError `cli/shares-disagree`
 */
export async function recovered(shares: readonly string[], threshold: number): Promise<Uint8Array> {
  const secret = await combined(shares.slice(0, threshold))
  if (shares.length === threshold) return secret
  const other = await combined(shares.slice(-threshold))
  const isSame = equalBytes(secret, other)
  zero(other)
  if (isSame) return secret
  zero(secret)
  throw disagree()
}

async function combined(shares: readonly string[]): Promise<Uint8Array> {
  try {
    return await combineShares(shares)
  } catch (cause) {
    throw new SlotmeshError('cli/shares-disagree', disagree().message, { cause })
  }
}

function disagree(): SlotmeshError {
  return new SlotmeshError(
    'cli/shares-disagree',
    'The shares do not fit together: they were split by another program, with another threshold, or one is wrong; try another --cluster or --threshold.',
  )
}

import fc from 'fast-check'
import { decoderTargets, type FuzzTarget } from './decoders.js'
import { providerTarget } from './provider.js'
import { requesterTarget } from './requester.js'

export const FUZZ_TARGETS: readonly FuzzTarget[] = [...decoderTargets, providerTarget, requesterTarget]

/** @throws with seed, path and the smallest counterexample found, when the property does not hold. */
export async function fuzz({ property }: FuzzTarget, { seed, runs }: { seed: number; runs: number }): Promise<void> {
  await fc.assert(property() as fc.IAsyncProperty<unknown>, {
    seed,
    numRuns: runs,
    endOnFailure: false,
    includeErrorInReport: true,
  })
}

import { runPart } from '../harness/child.js'
import { type ContestResult, hold, SharedRuns } from '../harness/contest.js'
import { type AttestationInput, type AttestationOutput, COLD, WARM } from './world.js'

/** What one more quote of a platform costs, against the first one, and against its signatures alone. */
export async function attestation(runs: number): Promise<ContestResult[]> {
  const results: ContestResult[] = []
  for (const tee of ['sgx', 'tdx'] as const) {
    const measured = new SharedRuns(() =>
      runPart<AttestationOutput>(new URL('slotmesh.js', import.meta.url), { tee } satisfies AttestationInput),
    )
    const microseconds = (figure: keyof AttestationOutput) => measured.figure((output) => output[figure] * 1_000)
    const contest = {
      id: `attestation-${tee}`,
      name: `attestation, ${tee.toUpperCase()}`,
      unit: 'µs of processor time',
      better: 'less' as const,
      contestant: {
        name: 'warm',
        setUp: `one more quote of a platform that was verified before, under the same collateral; mean of the quickest quarter of ${WARM}.`,
        run: microseconds('warm'),
      },
      others: [
        {
          name: 'cold',
          setUp: `one quote, its chain and its collateral by a verifier that has seen none before; mean of the quickest quarter of ${COLD}.`,
          role: 'itself' as const,
          target: `attestation-${tee}-cold` as const,
          run: microseconds('cold'),
        },
        {
          name: 'signatures',
          setUp: `the quote's own two signatures by Node's crypto, and nothing else; mean of the quickest quarter of ${WARM}.`,
          role: 'ceiling' as const,
          target: `attestation-${tee}-signatures` as const,
          run: microseconds('signatures'),
        },
      ],
    }
    results.push(await hold(contest, runs))
  }
  return results
}

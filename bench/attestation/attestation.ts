import type { Tee } from '../../src/attestation/index.js'
import { runPart } from '../harness/child.js'
import { type Contestant, type ContestResult, hold } from '../harness/contest.js'
import type { AttestationInput, AttestationOutput } from './world.js'

const [COLD, WARM] = [24, 300]

const here = (file: string) => new URL(file, import.meta.url)

/** What one more quote of a platform costs, against the first one, and against its signatures alone. */
export async function attestation(runs: number): Promise<ContestResult[]> {
  const results: ContestResult[] = []
  for (const tee of ['sgx', 'tdx'] as const) {
    const contest = {
      id: `attestation-${tee}`,
      name: `attestation, ${tee.toUpperCase()}`,
      unit: 'µs of processor time',
      better: 'less' as const,
      contestant: warm(tee),
      others: [
        { ...cold(tee), role: 'itself' as const, target: `attestation-${tee}-cold` as const },
        { ...signatures(tee), role: 'ceiling' as const, target: `attestation-${tee}-signatures` as const },
      ],
    }
    results.push(await hold(contest, runs))
  }
  return results
}

function cold(tee: Tee): Contestant {
  return {
    name: 'cold',
    setUp: `one quote, its chain and its collateral by a verifier that has seen none before; mean of the quickest quarter of ${COLD}.`,
    run: () => run('slotmesh.js', { tee, isWarm: false, quotes: COLD }),
  }
}

function warm(tee: Tee): Contestant {
  return {
    name: 'warm',
    setUp: `one more quote of a platform that was verified before, under the same collateral; mean of the quickest quarter of ${WARM}.`,
    run: () => run('slotmesh.js', { tee, isWarm: true, quotes: WARM }),
  }
}

function signatures(tee: Tee): Contestant {
  return {
    name: 'signatures',
    setUp: `the quote's own two signatures by Node's crypto, and nothing else; mean of the quickest quarter of ${WARM}.`,
    run: () => run('signatures.js', { tee, isWarm: true, quotes: WARM }),
  }
}

async function run(script: string, input: AttestationInput): Promise<number> {
  const { millisecondsEach } = await runPart<AttestationOutput>(here(script), input)
  return millisecondsEach * 1_000
}

import type { Tee } from '../../src/attestation/index.js'
import { runPart } from '../harness/child.js'
import { type Contestant, type ContestResult, hold } from '../harness/contest.js'
import type { AttestationInput, AttestationOutput } from './world.js'

const [COLD, WARM] = [50, 1_000]

const here = (file: string) => new URL(file, import.meta.url)

/** What one more quote of a platform costs, against the first one, and against its signatures alone. */
export async function attestation(runs: number): Promise<ContestResult[]> {
  const results: ContestResult[] = []
  for (const tee of ['sgx', 'tdx'] as const) {
    const name = `attestation, ${tee.toUpperCase()}`
    const unit = 'µs of processor time'
    const bound = 'at most' as const
    results.push(
      await hold({ name, unit, bound, contestant: warm(tee), against: cold(tee), ratio: 0.1 }, runs),
      await hold({ name, unit, bound, contestant: warm(tee), against: signatures(tee), ratio: 2 }, runs),
    )
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

import { attestationOf } from '../../src/cli/bench/attestation.js'
import { PROVIDER, REQUESTER } from '../../src/cli/bench/world.js'
import { toHex } from '../../src/crypto/index.js'
import type { ProviderReady } from '../bootstrap/provider.js'
import { runPair } from '../harness/child.js'
import { type ContestResult, hold, type Other, SharedRuns } from '../harness/contest.js'
import { makeKeys } from './kem.js'
import type { PartsInput, PartsOutput } from './parts.js'
import { type ColdAndWarm, type Materials, type Measured, PARTS, type Part, USUAL_SIGNATURES } from './world.js'

const SET_UPS: Readonly<Record<Part, string>> = {
  quotes: 'two quotes verified, one by each side.',
  device: 'two quotes made by simulated devices; genuine ones take longer.',
  signatures: 'sr25519: three made and three checked.',
  keys: 'by the HPKE library and the product’s X-Wing: three key pairs (two of X-Wing, one of X25519), two keys encapsulated and two taken, of X-Wing.',
  'round trips': 'two on a libp2p stream that is open, with messages as large as those of a handshake.',
}

const STATES = {
  cold: 'the first one of both processes: nothing compiled, no platform known',
  warm: 'the median of 20 once 11 are over, of platforms that are known',
} as const satisfies Record<keyof ColdAndWarm, string>

/** What it takes until an exchange is granted, against the sum of what has to be done for that, and each part of it. */
export async function exchange(runs: number): Promise<ContestResult[]> {
  const handshakes = new SharedRuns(handshake)
  const materials = await materialsOfBoth()
  const parts = new SharedRuns(() => partsOfBoth(materials))
  const results: ContestResult[] = []
  for (const state of ['cold', 'warm'] as const) {
    const others: Other[] = [
      {
        name: 'all parts',
        role: 'ceiling',
        setUp: 'the sum of the parts below, each measured alone, in two processes as the sides are.',
        run: parts.figure((each) => PARTS.reduce((sum, part) => sum + each[part][state], 0)),
      },
      ...PARTS.map(
        (part): Other => ({
          name: part,
          role: 'ceiling',
          setUp: SET_UPS[part],
          run: parts.figure((each) => each[part][state]),
        }),
      ),
    ]
    const contestant = {
      name: 'slotmesh',
      setUp: `from the Hello to the Grant, on loopback, the sides in two processes: ${STATES[state]}.`,
      run: handshakes.figure((output) => output[state]),
    }
    const name = `exchange, set-up, ${state}`
    results.push(await hold({ id: `exchange-${state}`, name, unit: 'ms', better: 'less', contestant, others }, runs))
  }
  return results
}

const here = (file: string) => new URL(file, import.meta.url)

async function handshake(): Promise<ColdAndWarm> {
  const { output } = await runPair<ProviderReady, ColdAndWarm>({
    provider: { script: here('provider.js'), input: {} },
    requester: { script: here('slotmesh.js'), input: {} },
  })
  return output
}

type Both = Readonly<Record<PartsInput['role'], Materials>>

/** Each part of a handshake alone, of both sides together. */
export async function partsOfBoth({ requester, provider }: Both): Promise<Record<Measured, ColdAndWarm>> {
  const script = here('parts.js')
  const { ready: theirs, output: ours } = await runPair<PartsOutput, PartsOutput>({
    provider: { script, input: { ...provider, role: 'provider' } satisfies PartsInput },
    requester: { script, input: { ...requester, role: 'requester' } satisfies PartsInput },
  })
  const sum = (part: Measured): ColdAndWarm => {
    const [one, other] = [ours.parts[part], theirs.parts[part]]
    return { cold: one.cold + other.cold, warm: one.warm + other.warm }
  }
  return {
    quotes: sum('quotes'),
    device: sum('device'),
    signatures: sum('signatures'),
    keys: sum('keys'),
    'round trips': sum('round trips'),
    [USUAL_SIGNATURES]: sum(USUAL_SIGNATURES),
  }
}

/** What both sides are measured with. */
export async function materialsOfBoth(): Promise<Both> {
  return { requester: await materialsFrom('provider'), provider: await materialsFrom('requester') }
}

/** What a side has of the other one. */
async function materialsFrom(other: PartsInput['role']): Promise<Materials> {
  const { signer } = other === 'provider' ? PROVIDER : REQUESTER
  const message = new Uint8Array(64).fill(5)
  const attestation = await attestationOf(other)
  return {
    quote: toHex(await attestation.quote(message, { signal: AbortSignal.timeout(60_000) })),
    account: signer.account,
    message: toHex(message),
    signature: toHex(signer.sign(message)),
    publicKey: toHex((await makeKeys({ both: false })).publicKey),
  }
}

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runPair, runPart } from '../harness/child.js'
import { type Contestant, type ContestResult, hold, type Other } from '../harness/contest.js'
import type { TargetId } from '../harness/targets.js'
import { archive, bitswap, hypercore } from '../rivals/rivals.js'
import type { FillInput } from './fill.js'
import type { LevelOutput } from './level.js'
import type { ProviderReady } from './provider.js'
import type { RawOutput } from './raw.js'
import type { RawInput } from './raw-sender.js'
import type { BootstrapInput, BootstrapOutput } from './slotmesh.js'

const here = (file: string) => new URL(file, import.meta.url)

export type Shares = Pick<FillInput, 'shares' | 'bytes'>

const LARGE: Shares = { shares: 30_000, bytes: 3_000 }
const SMALL: Shares = { shares: 100_000, bytes: 64 }
const FEW: Shares = { shares: 10_000, bytes: 64 }
const MANY: Shares = { shares: 1_000_000, bytes: 64 }

/** How fast an enclave that joins has all shares, verified and durable, and what memory that takes on both sides. */
export async function bootstrap(runs: number): Promise<ContestResult[]> {
  const folders = new Folders()
  try {
    // Nothing is measured yet: there is a core for each.
    await Promise.all([folders.of(MANY), fillOneByOne(folders, [LARGE, SMALL, FEW])])
    const large = await fetching(folders, LARGE)
    const results = [
      await hold(
        {
          id: 'bootstrap-3k',
          name: 'bootstrap, shares of 3,000 bytes',
          unit: 'shares/s',
          better: 'more',
          contestant: large.contestant,
          others: [
            { ...rawStream(LARGE), role: 'ceiling', target: 'bootstrap-3k-stream' },
            ...rivals(LARGE, 'bootstrap-3k-hypercore'),
          ],
        },
        runs,
      ),
      await hold(
        {
          id: 'bootstrap-64',
          name: 'bootstrap, shares of 64 bytes',
          unit: 'shares/s',
          better: 'more',
          contestant: (await fetching(folders, SMALL)).contestant,
          others: [
            { ...levelAlone(SMALL), role: 'ceiling', target: 'bootstrap-64-level' },
            ...rivals(SMALL, 'bootstrap-64-hypercore'),
          ],
        },
        runs,
      ),
    ]
    results.push(...(await memory(folders, large.fetched)))
    return results
  } finally {
    await folders.remove()
  }
}

async function fillOneByOne(folders: Folders, all: readonly Shares[]): Promise<void> {
  for (const what of all) await folders.of(what)
}

/** Folders full of shares, each made once. */
export class Folders {
  readonly #made = new Map<string, string>()

  async of({ shares, bytes }: Shares): Promise<string> {
    const name = `${shares} of ${bytes}`
    const made = this.#made.get(name)
    if (made !== undefined) return made
    // A store has a lock beside its folder.
    const folder = join(await mkdtemp(join(tmpdir(), 'slotmesh-bench-')), 'store')
    this.#made.set(name, folder)
    const filled = await runPart<{ secret: number }>(here('fill.js'), { folder, shares, bytes } satisfies FillInput)
    assert.equal(filled.secret, shares)
    return folder
  }

  async remove(): Promise<void> {
    for (const folder of this.#made.values()) await rm(dirname(folder), { recursive: true })
  }
}

interface Fetched extends BootstrapOutput {
  readonly providerMemory: number
}

/**
 * One setup of an enclave from a provider that has such a folder.
 * @param profile the file that a profile of it goes to.
 */
export async function fetchAll(folder: string, what: Shares, profile?: string): Promise<Fetched> {
  const given: BootstrapInput = { ...what, ...(profile === undefined ? {} : { profile }) }
  const { output, providerMemory } = await runPair<ProviderReady, BootstrapOutput>({
    provider: { script: here('provider.js'), input: { folder, ...what } satisfies FillInput },
    requester: { script: here('slotmesh.js'), input: given },
  })
  assert.equal(output.shares, what.shares)
  return { ...output, providerMemory }
}

/** Each run is added to what was fetched. */
async function fetching(folders: Folders, what: Shares): Promise<{ contestant: Contestant; fetched: Fetched[] }> {
  const folder = await folders.of(what)
  const all: Fetched[] = []
  const contestant = {
    name: 'slotmesh',
    setUp: `the engine's setup of ${what.shares} shares of ${what.bytes} bytes from one provider on loopback: attested, proved, sealed again and durable; the store is opened again and counted.`,
    run: async () => {
      const output = await fetchAll(folder, what)
      all.push(output)
      return what.shares / output.seconds
    },
  }
  return { contestant, fetched: all }
}

/**
 * A million shares once, whatever the number of runs: a peak hardly varies, and they take their time.
 * @param large of each run of {@link LARGE}.
 */
async function memory(folders: Folders, large: readonly Fetched[]): Promise<ContestResult[]> {
  const [few, many] = [await fetched(folders, FEW), await fetched(folders, MANY)]
  const results: ContestResult[] = []
  for (const side of ['requester', 'provider'] as const) {
    const peak = (what: Shares, runs: readonly Fetched[]): Contestant => {
      const left = runs.map(({ peakMemory, providerMemory }) => (side === 'requester' ? peakMemory : providerMemory))
      return {
        name: `${what.shares / 1000}k`,
        setUp: `the whole process with its garbage, while ${what.shares} shares of ${what.bytes} bytes are fetched.`,
        run: async () => left.shift() ?? Number.NaN,
      }
    }
    const name = `bootstrap, peak memory of the ${side}`
    const [small, ofLarge] = [`memory-${side}`, `memory-${side}-3k`] as const
    const contest = (id: TargetId, { bytes }: Shares) => {
      return {
        id,
        target: id,
        name: `${name}, shares of ${bytes.toLocaleString('en')} bytes`,
        unit: 'MB',
        better: 'less' as const,
      }
    }
    const fewShares = { ...peak(FEW, [few]), role: 'itself' as const, target: `memory-${side}-growth` as const }
    results.push(
      await hold({ ...contest(small, MANY), contestant: peak(MANY, [many]), others: [fewShares] }, 1),
      await hold({ ...contest(ofLarge, LARGE), contestant: peak(LARGE, large) }, large.length),
    )
  }
  return results
}

async function fetched(folders: Folders, what: Shares): Promise<Fetched> {
  return fetchAll(await folders.of(what), what)
}

function rivals(what: Shares, target: TargetId): Other[] {
  return [
    { ...hypercore(what), role: 'rival', target },
    { ...bitswap(what), role: 'rival' },
    { ...archive(what), role: 'rival' },
  ]
}

function rawStream({ shares, bytes }: Shares): Contestant {
  const total = shares * bytes
  return {
    name: 'raw',
    setUp:
      'the same bytes over a plain libp2p stream on loopback (TCP, Noise, Yamux), in messages of 256 KB, and nothing done to them.',
    run: async () => {
      const { output } = await runPair<ProviderReady, RawOutput>({
        provider: { script: here('raw-sender.js'), input: { bytes: total } satisfies RawInput },
        requester: { script: here('raw.js'), input: {} },
      })
      assert.equal(output.received, total)
      return shares / output.seconds
    },
  }
}

function levelAlone(what: Shares): Contestant {
  return {
    name: 'level',
    setUp: 'batches of 4,096 of the same records under keys of 5 bytes, unsealed, the last one synced; no network.',
    run: async () => {
      const { seconds, records } = await runPart<LevelOutput>(here('level.js'), { folder: '', ...what })
      assert.equal(records, what.shares)
      return what.shares / seconds
    },
  }
}

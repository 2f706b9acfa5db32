import { waitUntil } from '../wait.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import { statusOf, type Watcher } from './watching.js'
import type { World } from './world.js'

/** How many of those that lag a sentence names. */
const NAMED = 5

/**
 * Waits until every enclave from which the registry lets one expect it holds as much as the chain lists, at a block no
 * older than the newest that is final now; which shares they are, the audit looks at.
 * @throws SlotmeshError `simulation/timeout` that says who lacks what; `simulation/chain`; the signal's reason.
 */
export async function untilSettled(
  world: World,
  watcher: Watcher,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const target = world.actors.finalised
  const done = new Set<SimulatedEnclave>()
  let lagging: string[] = []
  await waitUntil(
    async () => {
      world.chain.requireAlive()
      watcher.requireWatching()
      const expected = world.replicas
      const open = expected.filter((enclave) => !done.has(enclave))
      const states = await Promise.all(
        open.map(async (enclave) => [enclave, await lack(enclave, watcher, target)] as const),
      )
      for (const [enclave, what] of states) if (what === undefined) done.add(enclave)
      lagging = states.flatMap(([{ name }, what]) => (what === undefined ? [] : `${name} ${what}`))
      world.count('enclaves settled', expected.length - lagging.length, expected.length)
      return lagging.length === 0 || undefined
    },
    {
      what: () => {
        const more = lagging.length > NAMED ? `, and ${lagging.length - NAMED} more` : ''
        return lagging.slice(0, NAMED).join(', ') + more
      },
      timeoutMs,
      signal,
      clock: world.clock,
    },
  )
}

/** What it still has to do, as it ends "Waited 30 s for c1-s2 ..."; undefined when it is done. */
async function lack(enclave: SimulatedEnclave, { listing }: Watcher, target: number): Promise<string | undefined> {
  const status = await statusOf(enclave)
  if (status === undefined) return undefined
  const { shares, state, wantsOpen, cursor } = status
  if (state !== 'running') return `to be running (it is in ${state}, and wants ${wantsOpen} shares)`
  if (cursor === undefined || cursor < target) return `to take in block ${target} (it is at ${cursor})`
  const listed = listing.countsAt(cursor)
  if (listed !== undefined && shares.secret === listed.secret && shares.capsule === listed.capsule) return undefined
  const due = listed === undefined ? 'all' : listed.secret + listed.capsule
  return `to hold ${due} shares (it has ${shares.secret + shares.capsule}, and wants ${wantsOpen})`
}

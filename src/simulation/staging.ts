import { CLUSTER_SIZE, type SlotId } from '../domain/index.js'
import { IMPOSTOR_BUILD } from './enclave.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import type { SimulatedCluster, World } from './world.js'

/** Creates a public cluster on chain and starts five enclaves that are meant for it. */
export async function launchCluster(
  world: World,
  { ownProcess }: { ownProcess?: SlotId | undefined } = {},
): Promise<SimulatedCluster> {
  const id = await world.actors.createCluster()
  const slots = Array.from({ length: CLUSTER_SIZE }, (_, slot) => slot)
  const enclaves = slots.map((slot) => world.cast(id, slot, { ownProcess: slot === ownProcess }))
  const bootstrap = await world.entryPoints()
  const cluster = { id, enclaves }
  // Known to the world before it is up, so that whatever has started is stopped when something fails.
  world.clusters.push(cluster)
  await launchInTurn(world, enclaves, bootstrap)
  return cluster
}

/** The first enclave of a mesh has nobody to enter it by; all others can use it. */
async function launchInTurn(
  world: World,
  enclaves: readonly SimulatedEnclave[],
  bootstrap: readonly string[],
): Promise<void> {
  const [first, ...others] = enclaves
  if (first === undefined) return
  await launch(world, first, bootstrap)
  const { multiaddrs } = await first.status()
  await Promise.all(others.map((enclave) => launch(world, enclave, [...bootstrap, ...multiaddrs])))
}

/** Starts an enclave, a first time or again. */
export async function launch(world: World, enclave: SimulatedEnclave, bootstrap?: readonly string[]): Promise<void> {
  const enteringBy = bootstrap ?? (await world.entryPoints())
  await world.withDeadline(
    () => enclave.launch(enteringBy),
    () => `${enclave.name} to start`,
  )
}

/** Somebody else's build, with an account and a seat like everybody. */
export async function launchImpostor(world: World): Promise<SimulatedEnclave> {
  const impostor = world.cast(await world.actors.createCluster(), 0, { measurement: IMPOSTOR_BUILD })
  world.impostors.push(impostor)
  await launch(world, impostor)
  impostor.notes.push('impostor')
  await seat(world, [impostor])
  return impostor
}

/** Operators register their enclaves, the committee assigns them, and the enclaves take note. */
export async function seat(world: World, enclaves: readonly SimulatedEnclave[]): Promise<void> {
  await world.actors.seat(enclaves)
  await Promise.all(
    enclaves.map((enclave) =>
      world.waitUntil(
        async () => (await enclave.status()).seat,
        () => `${enclave.name} to see its seat on chain`,
      ),
    ),
  )
}

/** Waits until each of these holds as many shares as owners handed over; which ones, the audit looks at. */
export async function untilAllHold(world: World, enclaves: readonly SimulatedEnclave[]): Promise<void> {
  const expected = { secret: 0, capsule: 0 }
  for (const { key } of world.secrets) expected[key.kind] += 1
  const each = world.secrets.length
  const lagging = new Map(enclaves.map((enclave) => [enclave, 0]))
  await world.waitUntil(
    async () => {
      await Promise.all(
        [...lagging.keys()].map(async (enclave) => {
          const { shares, state } = await enclave.status()
          const holdsAll = shares.secret === expected.secret && shares.capsule === expected.capsule
          if (holdsAll && state === 'running') lagging.delete(enclave)
          else lagging.set(enclave, shares.secret + shares.capsule)
        }),
      )
      world.count(
        'shares',
        each * (enclaves.length - lagging.size) + sum([...lagging.values()]),
        each * enclaves.length,
      )
      return lagging.size === 0 || undefined
    },
    () => [...lagging].map(([{ name }, held]) => `${name} to hold ${each} shares (it has ${held})`).join(', '),
  )
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

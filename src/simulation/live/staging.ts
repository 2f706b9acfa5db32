import { CLUSTER_SIZE, SlotmeshError } from '../../domain/index.js'
import type { Access } from '../actors.js'
import type { LinkTable } from './shaping/index.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import type { SimulatedCluster, World } from './world.js'

/** Creates a cluster on chain and starts five enclaves that are meant for it. */
export async function launchCluster(world: World, access: Access = 'public'): Promise<SimulatedCluster> {
  const id = await world.actors.createCluster(access)
  const slots = Array.from({ length: CLUSTER_SIZE }, (_, slot) => slot)
  const enclaves = slots.map((slot) => world.cast({ cluster: id, slot }))
  const bootstrap = await world.entryPoints()
  const cluster = { id, enclaves, access, privateSince: access === 'private' ? 0 : undefined }
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
  await world.waitUntil(
    async () => {
      try {
        await enclave.launch({ bootstrap: enteringBy, ready: () => reshape(world) })
        return true
      } catch (thrown) {
        // A node that hears of no chain ends, and whoever looks after it starts it again.
        if (!(thrown instanceof SlotmeshError && thrown.code === 'chain/unreachable')) throw thrown
        return undefined
      }
    },
    () => `${enclave.name} to start`,
  )
  if (enclave.processId !== undefined) {
    world.note(`${enclave.name} runs in a process of its own, ${enclave.processId}`)
  }
}

/** Tells every enclave what the network is like by now; nothing, where it is plain for all. */
export async function reshape(world: World): Promise<void> {
  const up = world.everyone.filter(({ isUp }) => isUp)
  const tables = up.map((enclave) => linksOf(world, enclave))
  await Promise.all(up.map((enclave, index) => tellIfUp(enclave, tables[index] ?? [])))
}

async function tellIfUp(enclave: SimulatedEnclave, table: LinkTable): Promise<void> {
  const { handle } = enclave
  try {
    await handle.shape(table)
  } catch (thrown) {
    // One that fell meanwhile is told when it is launched again.
    if (enclave.isUp && enclave.handle === handle) throw thrown
  }
}

function linksOf(world: World, enclave: SimulatedEnclave): LinkTable {
  return world.everyone.flatMap((other) => {
    if (other === enclave || other.peerId === undefined) return []
    const shape = world.network.between(enclave.home, other.home)
    const isPlain = !shape.isCut && shape.loss + shape.latency + shape.jitter === 0 && shape.bandwidth === undefined
    return isPlain ? [] : [[other.peerId, shape] as const]
  })
}

/** Operators register their enclaves, the committee assigns them, and the enclaves take note. */
export async function seat(world: World, enclaves: readonly SimulatedEnclave[]): Promise<void> {
  await world.actors.seat(enclaves)
  for (const enclave of enclaves) enclave.isSeated = true
  await Promise.all(
    enclaves.map((enclave) =>
      world.waitUntil(
        async () => {
          const { seat: seen } = await enclave.status()
          return seen?.slot === enclave.slot && seen.cluster === enclave.cluster ? seen : undefined
        },
        () => `${enclave.name} to see its seat on chain`,
      ),
    ),
  )
}

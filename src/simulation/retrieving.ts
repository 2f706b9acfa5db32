import type { AccountSigner } from '../crypto/index.js'
import { type SlotId, SlotmeshError, shareKeyText } from '../domain/index.js'
import { retrieveRequest } from '../owner/index.js'
import type { Attempt, Holding, Retrieval } from './audit.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import type { OwnedSecret, SimulatedCluster, World } from './world.js'

/** What an enclave lists. */
export async function holdingOf(enclave: SimulatedEnclave): Promise<Holding> {
  return { enclave: enclave.name, shares: await enclave.handle.heldShares() }
}

/** Owners ask every enclave of every cluster for their shares. */
export async function retrieveAll(world: World): Promise<Retrieval[]> {
  let asked = 0
  const ofClusters = await Promise.all(
    world.clusters.map(async (cluster) => {
      const retrievals: Retrieval[] = []
      for (const owned of world.secrets) {
        retrievals.push(await retrieve(world, cluster, owned))
        world.count('secrets retrieved', ++asked, world.secrets.length * world.clusters.length)
      }
      return retrievals
    }),
  )
  return ofClusters.flat()
}

async function retrieve(world: World, cluster: SimulatedCluster, owned: OwnedSecret): Promise<Retrieval> {
  const { key, origin, secret, owner } = owned
  const answers = await Promise.all(cluster.enclaves.map((enclave) => ask(world, enclave, owned, owner)))
  const shares = new Map<SlotId, string | undefined>()
  for (const [slot, { share }] of answers.entries()) shares.set(slot, share)
  return { key, cluster: cluster.id, origin, shares, secret }
}

/** Somebody who owns nothing asks one enclave of each cluster for each share. */
export async function askAsSomebodyElse(world: World): Promise<Attempt[]> {
  const somebody = world.signer('somebody-else')
  const attempts = world.secrets.flatMap((owned) =>
    world.clusters.flatMap(({ enclaves }) => {
      const enclave = enclaves[owned.key.nftId % enclaves.length]
      return enclave === undefined ? [] : [{ enclave, owned }]
    }),
  )
  return Promise.all(
    attempts.map(async ({ enclave, owned }) => {
      const { refusedWith } = await ask(world, enclave, owned, somebody)
      return { what: `somebody else at ${enclave.name} for ${shareKeyText(owned.key)}`, refusedWith }
    }),
  )
}

interface Answer {
  readonly share?: string
  readonly refusedWith?: string
}

async function ask(
  world: World,
  enclave: SimulatedEnclave,
  { key }: OwnedSecret,
  requester: AccountSigner,
): Promise<Answer> {
  const block = await world.blockSeenBy(enclave, 0)
  const request = retrieveRequest({ requester, role: 'OWNER', key, block })
  try {
    const share = await world.withDeadline(
      (signal) => enclave.handle.retrieveShare(key.kind, request, { signal }),
      () => `${enclave.name} to answer for ${shareKeyText(key)}`,
    )
    return { share: Buffer.from(share).toString('utf8') }
  } catch (error) {
    if (error instanceof SlotmeshError && error.code.startsWith('owner/')) return { refusedWith: error.code }
    throw error
  }
}

import type { AccountSigner } from '../../crypto/index.js'
import { type ShareKey, SlotmeshError, shareKeyText } from '../../domain/index.js'
import { type RetrieveRequest, retrieveRequest } from '../../owner/index.js'
import type { Attempt, Holding, Retrieval } from '../audit.js'
import { hasExpired } from './minting.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import type { World } from './world.js'

/** What an enclave lists. */
export async function holdingOf(enclave: SimulatedEnclave): Promise<Holding> {
  return { enclave: enclave.name, shares: await enclave.handle.heldShares() }
}

/** Owners ask every enclave of every public cluster that is up for their shares. */
export async function retrieveAll(world: World): Promise<Retrieval[]> {
  const retrievals: Retrieval[] = []
  const clusters = world.clusters.filter(({ access }) => access === 'public')
  for (const owned of world.secrets) {
    const { key, owner, origin, secret } = owned
    const request = await requestBy(world, owner, key)
    for (const { id: cluster, enclaves } of clusters) {
      const up = enclaves.filter(({ isUp, isSeated }) => isUp && isSeated)
      const answers = await Promise.all(up.map((enclave) => ask(world, enclave, { requester: owner, key }, request)))
      const shares = new Map(up.map(({ slot }, index) => [slot, answers[index]?.share]))
      retrievals.push({ key, cluster, origin, shares, secret })
    }
    world.count('secrets retrieved', retrievals.length, world.secrets.length * clusters.length)
  }
  return retrievals
}

/** Somebody who owns nothing asks an enclave for each share. */
export async function askAsSomebodyElse(world: World): Promise<Attempt[]> {
  const somebody = world.signer('somebody-else')
  const attempts: Attempt[] = []
  for (const [index, { key }] of world.secrets.entries()) {
    const enclave = world.replicas[index % world.replicas.length]
    if (enclave === undefined) continue
    const { refusedWith } = await ask(
      world,
      enclave,
      { requester: somebody, key },
      await requestBy(world, somebody, key),
    )
    attempts.push({ what: `somebody else at ${enclave.name} for ${shareKeyText(key)}`, refusedWith })
  }
  return attempts
}

/** One request serves for every enclave, as with the published client, until it has expired. */
async function requestBy(world: World, requester: AccountSigner, key: ShareKey): Promise<RetrieveRequest> {
  return retrieveRequest({ requester, role: 'OWNER', key, block: await world.blockSeenByAll() })
}

interface Answer {
  readonly share?: string
  readonly refusedWith?: string
}

async function ask(world: World, enclave: SimulatedEnclave, owned: Asked, first: RetrieveRequest): Promise<Answer> {
  const { requester, key } = owned
  let request = first
  return world.waitUntil(
    async () => {
      try {
        const share = await world.withDeadline(
          (signal) => enclave.handle.retrieveShare(key.kind, request, { signal }),
          () => `${enclave.name} to answer for ${shareKeyText(key)}`,
        )
        return { share: Buffer.from(share).toString('utf8') }
      } catch (error) {
        if (hasExpired(error)) {
          request = await requestBy(world, requester, key)
          return undefined
        }
        if (error instanceof SlotmeshError && error.code.startsWith('owner/')) return { refusedWith: error.code }
        throw error
      }
    },
    () => `${enclave.name} to take a request for ${shareKeyText(key)} in time`,
  )
}

interface Asked {
  readonly requester: AccountSigner
  readonly key: ShareKey
}

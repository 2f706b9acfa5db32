import type { AccountSigner } from '../crypto/index.js'
import type { BlockNumber, ShareKey, ShareKind } from '../domain/index.js'
import { ownerStoreRequest } from '../owner/index.js'
import { splitSecret } from './secret-sharing.js'
import type { SimulatedCluster, World } from './world.js'

/** Bytes of an owner's secret, both ends included. */
const SECRET_SIZE = { minimum: 32, maximum: 200 }

/** What is to be minted, and which cluster gets the shares. */
export interface MintOrder {
  readonly kind: ShareKind
  readonly cluster: SimulatedCluster
}

/** Deals out `secrets` and `capsules` NFTs to the clusters in turn. */
export function mintOrders(
  clusters: readonly SimulatedCluster[],
  counts: Readonly<Record<ShareKind, number>>,
): MintOrder[] {
  const kinds = (['secret', 'capsule'] as const).flatMap((kind) => Array<ShareKind>(counts[kind]).fill(kind))
  return kinds.flatMap((kind, index) => {
    const cluster = clusters[index % clusters.length]
    return cluster === undefined ? [] : [{ kind, cluster }]
  })
}

/** Owners mint all of these and hand every share over; resolves when all five confirmations of each are final. */
export async function mintAll(world: World, orders: readonly MintOrder[]): Promise<void> {
  let minted = 0
  const { owners } = world
  await Promise.all(
    owners.map(async (owner, index) => {
      for (const order of orders.filter((_, position) => position % owners.length === index)) {
        await mintOne(world, owner, order)
        world.count('NFTs minted', ++minted, orders.length)
      }
    }),
  )
}

async function mintOne(world: World, owner: AccountSigner, { kind, cluster }: MintOrder): Promise<void> {
  const { nftId, block } = await world.actors.mint(owner, kind)
  await handOver(world, { owner, key: { kind, nftId }, cluster, mintedAt: block })
}

/**
 * The owner of a secret NFT makes a capsule of it, too, and hands that one's shares to another cluster.
 * @returns the capsule's key.
 */
export async function convertToHybrid(world: World): Promise<ShareKey> {
  const [secret] = world.secrets.filter(({ key }) => key.kind === 'secret')
  const cluster = world.clusters.find(({ id }) => id !== secret?.origin)
  if (secret === undefined || cluster === undefined) throw new Error('There is no secret NFT to convert yet.')
  const { owner, key } = secret
  const mintedAt = await world.actors.convertToCapsule(owner, key.nftId)
  const capsule: ShareKey = { kind: 'capsule', nftId: key.nftId }
  await handOver(world, { owner, key: capsule, cluster, mintedAt })
  return capsule
}

interface Handover {
  readonly owner: AccountSigner
  readonly key: ShareKey
  readonly cluster: SimulatedCluster
  readonly mintedAt: BlockNumber
}

/** Splits a new secret and gives share i to slot i. */
async function handOver(world: World, { owner, key, cluster, mintedAt }: Handover): Promise<void> {
  const name = `secret/${key.kind}/${key.nftId}`
  const secret = world.random.bytes(
    name,
    world.random.integer(`${name}/size`, SECRET_SIZE.minimum, SECRET_SIZE.maximum),
  )
  const shares = await splitSecret(secret, world.options.threshold)
  const temporarySigner = world.signer(`temporary/${key.kind}/${key.nftId}`)
  await Promise.all(
    cluster.enclaves.map(async (enclave, slot) => {
      const block = await world.blockSeenBy(enclave, mintedAt)
      const request = ownerStoreRequest({ owner, temporarySigner, key, share: shares[slot] ?? '', block })
      await world.withDeadline(
        (signal) => enclave.handle.storeShare(key.kind, request, { signal }),
        () => `${enclave.name} to confirm ${key.kind} ${key.nftId}`,
      )
    }),
  )
  world.secrets.push({ key, owner, origin: cluster.id, secret })
}

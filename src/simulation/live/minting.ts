import type { AccountSigner } from '../../crypto/index.js'
import { type BlockNumber, CLUSTER_SIZE, type ShareKey, type SlotId, SlotmeshError } from '../../domain/index.js'
import { ownerStoreRequest, splitSecret } from '../../owner/index.js'
import type { MintOrder } from '../stage.js'
import type { OwnedSecret, SimulatedCluster, World } from './world.js'

/** A share is a secret's length and one byte more, in hexadecimal. */
const SHARE_OVERHEAD = 1
const DIGITS_PER_BYTE = 2

/** What owners do, each on one NFT after the other. */
export class Owners {
  readonly #world: World
  /** The last thing that each of them is at. */
  readonly #busy: Promise<unknown>[]
  #turn = 0

  constructor(world: World) {
    this.#world = world
    this.#busy = world.owners.map(() => Promise.resolve())
  }

  /** Mints all of these and hands every share over; resolves when all five confirmations of each are final. */
  async mint(orders: readonly MintOrder[]): Promise<void> {
    let minted = 0
    await Promise.all(
      orders.map(async (order) => {
        await this.#inTurn((owner) => this.#mintOne(owner, order))
        minted += 1
        if (orders.length > 1) this.#world.count('NFTs minted', minted, orders.length)
      }),
    )
  }

  async #inTurn(work: (owner: AccountSigner) => Promise<void>): Promise<void> {
    const { owners } = this.#world
    const index = this.#turn % owners.length
    this.#turn += 1
    const [owner, before] = [owners[index], this.#busy[index]]
    if (owner === undefined) return
    const done = (async () => {
      await Promise.allSettled([before])
      await work(owner)
    })()
    this.#busy[index] = done
    await done
  }

  async #mintOne(owner: AccountSigner, { kind, cluster, bytes }: MintOrder): Promise<void> {
    const { nftId, block } = await this.#world.actors.mint(owner, kind)
    const to = this.#world.cluster(cluster)
    await this.#handOver({ owner, key: { kind, nftId }, to, bytes, mintedAt: block })
  }

  /**
   * The owner of a secret NFT makes a capsule of it, too, and hands that one's shares to another cluster.
   * @throws SlotmeshError `simulation/nothing-to-convert`
   */
  async convertToHybrid(): Promise<void> {
    const { secrets, clusters } = this.#world
    const capsules = new Set(secrets.flatMap(({ key }) => (key.kind === 'capsule' ? [key.nftId] : [])))
    const chosen = secrets.find(({ key }) => key.kind === 'secret' && !capsules.has(key.nftId))
    const to = clusters.find((cluster) => cluster.id !== chosen?.origin && this.#world.takesShares(cluster))
    if (chosen === undefined || to === undefined) {
      throw new SlotmeshError(
        'simulation/nothing-to-convert',
        'There is no secret NFT, or no other cluster to hand it to.',
      )
    }
    const { owner, key } = chosen
    const mintedAt = await this.#world.actors.convertToCapsule(owner, key.nftId)
    const bytes = DIGITS_PER_BYTE * (chosen.secret.byteLength + SHARE_OVERHEAD)
    await this.#handOver({ owner, key: { kind: 'capsule', nftId: key.nftId }, to, bytes, mintedAt })
  }

  /** Burns so many NFTs, the oldest first. @throws SlotmeshError `simulation/nothing-to-burn` */
  async burn(count: number): Promise<void> {
    const { secrets, actors } = this.#world
    const byNft = new Map(secrets.map(({ key, owner }) => [key.nftId, owner]))
    if (byNft.size < count) {
      throw new SlotmeshError('simulation/nothing-to-burn', `There are ${byNft.size} NFTs, too few to burn ${count}.`)
    }
    const oldest = [...byNft].sort(([one], [other]) => one - other).slice(0, count)
    for (const [nftId, owner] of oldest) {
      await actors.burn(owner, nftId)
      for (const { key } of secrets.filter((each) => each.key.nftId === nftId)) remove(secrets, key)
    }
  }

  /** Splits a new secret and gives share i to slot i. */
  async #handOver({ owner, key, to, bytes, mintedAt }: Handover): Promise<void> {
    const { random } = this.#world.init
    const length = Math.max(1, Math.floor(bytes / DIGITS_PER_BYTE) - SHARE_OVERHEAD)
    const secret = random.bytes(`secret/${key.kind}/${key.nftId}`, length)
    const shares = await splitSecret(secret, this.#world.scenario.threshold)
    await Promise.all(
      Array.from({ length: CLUSTER_SIZE }, (_, slot) =>
        this.#handTo(slot, shares[slot] ?? '', { owner, key, to, bytes, mintedAt }),
      ),
    )
    this.#world.secrets.push({ key, owner, origin: to.id, secret })
  }

  /**
   * The chain takes confirmations of one cluster only, so an owner waits for an enclave that fell, and tries again; and
   * signs anew what took so long on a busy machine that it has expired.
   */
  async #handTo(slot: SlotId, share: string, { owner, key, to, mintedAt }: Handover): Promise<void> {
    const world = this.#world
    const temporarySigner = world.signer(`temporary/${key.kind}/${key.nftId}`)
    await world.waitUntil(
      async () => {
        const enclave = to.enclaves.find((each) => each.slot === slot)
        if (!enclave?.isUp) return undefined
        const { handle } = enclave
        try {
          const block = await world.blockSeenBy(enclave, mintedAt)
          const request = ownerStoreRequest({ owner, temporarySigner, key, share, block })
          await world.withDeadline(
            (signal) => handle.storeShare(key.kind, request, { signal }),
            () => `${enclave.name} to confirm ${key.kind} ${key.nftId}`,
          )
          return true
        } catch (thrown) {
          const isUp = enclave.isUp && enclave.handle === handle
          if (isUp && !hasExpired(thrown)) throw thrown
          return undefined
        }
      },
      () => `slot ${slot} of cluster ${to.id} to take ${key.kind} ${key.nftId}`,
    )
  }
}

interface Handover {
  readonly owner: AccountSigner
  readonly key: ShareKey
  readonly to: SimulatedCluster
  /** Of a share. */
  readonly bytes: number
  readonly mintedAt: BlockNumber
}

/** Whether an enclave refused a request only because it came too late. */
export function hasExpired(thrown: unknown): boolean {
  return thrown instanceof SlotmeshError && ['owner/expiredsigner', 'owner/expiredrequest'].includes(thrown.code)
}

function remove(secrets: OwnedSecret[], { kind, nftId }: ShareKey): void {
  const index = secrets.findIndex(({ key }) => key.kind === kind && key.nftId === nftId)
  if (index >= 0) secrets.splice(index, 1)
}

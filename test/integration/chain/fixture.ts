import { type Chain, type ChainCall, connectChain } from '../../../src/chain/index.js'
import { type AccountSigner, accountSigner, toSs58 } from '../../../src/crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../../../src/devchain/index.js'
import type { Logger, ShareKind } from '../../../src/domain/index.js'

const silent = () => undefined
export const logger: Logger = { debug: silent, info: silent, warn: silent, error: silent }
export const signal = new AbortController().signal

/** Deterministic accounts: the number is the whole seed. */
export function account(number: number): AccountSigner {
  return accountSigner(seedOf(number))
}

function seedOf(number: number): Uint8Array {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, number + 1)
  return seed
}

export const owner = account(9_000)
const committee = developmentSigner('Alice')

/** The enclave account, and the operator, of a slot of a cluster. */
export const enclaveOf = (cluster: number, slot: number) => account(cluster * 100 + slot)
export const enclaveSeedOf = (cluster: number, slot: number) => seedOf(cluster * 100 + slot)
export const operatorOf = (cluster: number, slot: number) => account(5_000 + cluster * 100 + slot)

/** A development chain with a node's view of it, and hands to change it. */
export class ChainWorld {
  readonly generation: 1 | 2
  readonly server: DevelopmentChain
  readonly chain: Chain

  private constructor(generation: 1 | 2, server: DevelopmentChain, chain: Chain) {
    this.generation = generation
    this.server = server
    this.chain = chain
  }

  static async start(generation: 1 | 2, clusters: number, { blockTime = 100 } = {}): Promise<ChainWorld> {
    const slots = [0, 1, 2, 3, 4]
    const all = Array.from({ length: clusters }, (_, cluster) => slots.map((slot) => [cluster, slot] as const)).flat()
    const server = await startDevelopmentChain({
      generation,
      blockTime,
      endowed: [
        owner.account,
        ...all.flatMap(([cluster, slot]) => [enclaveOf(cluster, slot).account, operatorOf(cluster, slot).account]),
      ],
    })
    const chain = await connectChain({ endpoints: [server.url], logger })
    const world = new ChainWorld(generation, server, chain)
    for (let cluster = 0; cluster < clusters; cluster += 1) await world.#createCluster(cluster)
    return world
  }

  async stop(): Promise<void> {
    await this.chain.close()
    await this.server.stop()
  }

  async #createCluster(cluster: number): Promise<void> {
    await this.committee({
      pallet: 'tee',
      method: 'createCluster',
      args: this.generation === 2 ? ['Public'] : [],
    })
    const slots = [0, 1, 2, 3, 4]
    await Promise.all(
      slots.map((slot) =>
        this.send(operatorOf(cluster, slot), 'tee', 'registerEnclave', [
          toSs58(enclaveOf(cluster, slot).account),
          `https://enclave-${cluster}-${slot}.example`,
        ]),
      ),
    )
    for (const slot of slots) await this.committee(this.assignment(cluster, slot))
  }

  assignment(cluster: number, slot: number, operator = operatorOf(cluster, slot).account): ChainCall {
    const place = this.generation === 2 ? [cluster, slot] : [cluster]
    return { pallet: 'tee', method: 'assignEnclave', args: [toSs58(operator), ...place] }
  }

  send(signer: AccountSigner, pallet: string, method: string, args: readonly unknown[]) {
    return this.chain.submit(signer, { pallet, method, args }, { signal })
  }

  committee(call: ChainCall) {
    return this.chain.submit(committee, this.chain.asCommittee(call), { signal })
  }

  /** Mints an NFT that waits for its shares. */
  async mint(kind: ShareKind): Promise<number> {
    const method = kind === 'secret' ? 'createSecretNft' : 'createCapsule'
    const { events } = await this.send(owner, 'nft', method, ['data', 'secret data', 0, null, false])
    const created = events.find(({ name }) => name === 'NFTCreated')?.data[0]
    if (typeof created !== 'number') throw new Error('The chain did not say what was minted.')
    return created
  }

  confirmation(kind: ShareKind, nftId: number): ChainCall {
    return { pallet: 'nft', method: kind === 'secret' ? 'addSecretShard' : 'addCapsuleShard', args: [nftId] }
  }

  /** All five enclaves of a cluster confirm. */
  async sync(kind: ShareKind, nftId: number, cluster: number): Promise<void> {
    await Promise.all(
      [0, 1, 2, 3, 4].map((slot) => this.chain.confirm(enclaveOf(cluster, slot), { kind, nftId }, { signal })),
    )
  }
}

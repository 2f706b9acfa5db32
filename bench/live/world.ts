import { EventEmitter, on, once } from 'node:events'
import { Readable } from 'node:stream'
import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { attestationOf } from '../../src/cli/bench/attestation.js'
import { BLOCK, GENESIS, keyOf, loopbackHost, PROVIDER, restingChain } from '../../src/cli/bench/world.js'
import { type BlockTriggers, type ShareKey, silentLogger, systemClock } from '../../src/domain/index.js'
import { type ChainView, ShareService } from '../../src/share/index.js'
import { openStore, type Store } from '../../src/store/index.js'
import { Serving, type SyncChain, SyncEngine, type SyncListener } from '../../src/sync/index.js'
import { SEALING_KEY } from '../bootstrap/world.js'
import { temporaryFolder } from '../harness/folder.js'

/** Tells the other side of a head, in four bytes. */
export const HEAD_PROTOCOL = '/slotmesh/bench/head'

/** A chain on which so many shares of the provider's are synced in each block, and whose heads come when they are told to. */
class SteppedChain {
  readonly #heads = new EventEmitter()
  readonly #perBlock: number
  #head = BLOCK

  constructor(perBlock: number) {
    this.#perBlock = perBlock
  }

  arrive(block: number): void {
    this.#head = block
    this.#heads.emit('head', block)
  }

  view(): ChainView & SyncChain {
    const [heads, perBlock] = [this.#heads, this.#perBlock]
    return {
      ...restingChain(),
      finalised: () => ({ number: this.#head, hash: GENESIS }),
      nft: async () => undefined,
      confirm: async () => ({ outcome: 'confirmed' }),
      async *follow(_after, { signal }): AsyncGenerator<BlockTriggers> {
        for await (const [number] of on(heads, 'head', { signal })) yield blockOf(number, perBlock)
      },
      syncedShares: () => Readable.from([]),
    }
  }
}

function blockOf(number: number, perBlock: number): BlockTriggers {
  const { cluster } = PROVIDER.seat
  const triggers = sharesOf(number, perBlock).map(({ kind, nftId }) => ({
    type: 'synced' as const,
    kind,
    nftId,
    cluster,
  }))
  return { block: { number, hash: GENESIS }, triggers, registryChanges: [] }
}

/** What is synced in a block. */
export function sharesOf(block: number, perBlock: number): ShareKey[] {
  const first = (block - BLOCK - 1) * perBlock
  return Array.from({ length: perBlock }, (_, index) => keyOf(first + index))
}

export interface RunningEnclave {
  readonly host: Libp2p
  readonly store: Store
  /** It is told of a final block. */
  arrive(block: number): void
}

interface EnclaveParts {
  readonly who: typeof PROVIDER
  readonly machineId: string
  readonly perBlock: number
  readonly listener?: Pick<SyncListener, 'shareStored' | 'exchangeDone'>
  /** Where the other enclave is, if it is known. */
  readonly address?: string
}

/** The engine, the exchanges, the store and the quotes of an enclave that has its seat and lacks nothing. */
export async function startEnclave({
  who,
  machineId,
  perBlock,
  listener,
  address,
}: EnclaveParts): Promise<RunningEnclave> {
  const { signer } = who
  const stepped = new SteppedChain(perBlock)
  const chain = stepped.view()
  const location = await temporaryFolder()
  const store = await openStore({ location, sealingKey: SEALING_KEY, logger: silentLogger })
  const host = await loopbackHost()
  const service = new ShareService({
    host,
    party: { signer, chain, attestation: await attestationOf(machineId) },
    shares: new Serving({ account: signer.account, store, registry: () => chain.registry() }),
    logger: silentLogger,
  })
  await service.start()
  const peer = address === undefined ? undefined : (await host.dial(multiaddr(address))).remotePeer
  const states = new EventEmitter()
  const running = once(states, 'running')
  const engine = new SyncEngine({
    signer,
    chain,
    store,
    peers: {
      request: async (account, request) => {
        if (peer === undefined) throw new Error('Nobody is to be asked.')
        return service.request({ account, peer }, request)
      },
    },
    listener: {
      shareStored: () => undefined,
      exchangeDone: () => undefined,
      ...listener,
      stateChanged: (state) => void states.emit(state),
      exchangeFailed: (_peer, thrown) => {
        throw thrown
      },
    },
    logger: silentLogger,
    clock: systemClock,
  })
  await Promise.race([running, engine.run(new AbortController().signal)])
  return { host, store, arrive: (block) => stepped.arrive(block) }
}

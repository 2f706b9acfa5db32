import {
  type AccountId,
  type BlockHash,
  type BlockNumber,
  type BlockRef,
  type Logger,
  silentLogger,
} from '../domain/index.js'
import { developmentAccounts, developmentSigner } from './accounts.js'
import { BlockStore } from './ledger/block-store.js'
import { Ledger } from './ledger/ledger.js'
import { developmentMetadata, type Generation, ONE_CAPS, openMetadata } from './metadata/index.js'
import { type Endpoint, type EndpointOptions, openEndpoint } from './rpc/endpoint.js'
import type { EndpointFaults } from './rpc/faults.js'
import { RuntimeCodec } from './runtime/codec.js'
import { requireParts } from './runtime/requirements.js'
import { type BlockTime, Sealing } from './sealing.js'

/** What an account has at genesis unless told otherwise. */
const ENDOWMENT = 1_000_000n * ONE_CAPS

/** What a development chain is like; everything has a default. */
export interface DevelopmentChainOptions extends EndpointOptions {
  /** Which layout of the TEE pallet it has; 2 by default. */
  readonly generation?: Generation
  /** Another chain's own metadata, SCALE-encoded in version 14, in the place of a generation. */
  readonly metadata?: Uint8Array | undefined
  /**
   * Milliseconds between blocks, `instant` to make one whenever a transaction came, or `manual` to make them by
   * `sealBlock` only; 6000 by default.
   */
  readonly blockTime?: BlockTime
  /** How many blocks must follow a block before it is final; 1 by default, none when blocks are instant. */
  readonly finalityLag?: number | undefined
  /** Where the chain is kept, and goes on from when it was begun before; by default it is in memory only. */
  readonly folder?: string | undefined
  /** Distinguishes chains: it is part of the genesis hash. */
  readonly name?: string | undefined
  /** Accounts that have a million CAPS at genesis, besides Substrate's development accounts. */
  readonly endowed?: readonly AccountId[]
  /** The technical committee, of which any member decides; `//Alice` by default. */
  readonly committee?: readonly AccountId[]
  /** What a transaction costs, in units of 10^-18 CAPS; 0.001 CAPS by default. */
  readonly transactionFee?: bigint
  readonly logger?: Logger
  /** Milliseconds since 1970, for the blocks' timestamps. */
  readonly now?: () => number
}

/** A runtime upgrade that a block is to carry. */
export interface Upgrade {
  /** SCALE-encoded in version 14, or a generation of the development chain's own; the same as before by default. */
  readonly metadata?: Uint8Array | Generation | undefined
  /** The block that carries it, which is the last that is made with the old metadata; the next one by default. */
  readonly at?: BlockNumber | undefined
}

/** A running development chain. Whoever uses it as a chain knows no more of it than `url`. */
export interface DevelopmentChain {
  /** The WebSocket address of its JSON-RPC. */
  readonly url: string
  /** What that address does wrong. */
  readonly faults: EndpointFaults
  readonly genesisHash: BlockHash
  /** Makes a block at once of the transactions that wait. */
  sealBlock(): BlockRef
  /**
   * Lets a block carry a runtime upgrade: the blocks after it are made with other metadata, and with a higher version.
   * @throws SlotmeshError `devchain/bad-metadata`, `devchain/unsupported-metadata` or `devchain/upgrade-too-late`.
   */
  upgrade(upgrade: Upgrade): void
  /** Fulfilled when the chain was stopped; rejected when it cannot make blocks any more. */
  readonly ended: Promise<void>
  /**
   * Another address of the same chain; it closes with the chain, if not before.
   * @throws SlotmeshError `devchain/port-in-use` or `devchain/listen-failed`.
   */
  openEndpoint(options?: EndpointOptions): Promise<Endpoint>
  /** Closes every connection and the port. */
  stop(): Promise<void>
}

/**
 * Starts a Substrate-style chain with the NFT and TEE pallets in this process and serves it on loopback, so that
 * `@polkadot/api` can use it as any other chain.
 * @throws SlotmeshError `devchain/port-in-use` or `devchain/listen-failed`; `devchain/bad-metadata` or
 * `devchain/unsupported-metadata`; `devchain/folder-in-use`, `devchain/folder-unusable`, `devchain/folder-damaged` or
 * `devchain/other-chain`.
 */
export async function startDevelopmentChain(options: DevelopmentChainOptions = {}): Promise<DevelopmentChain> {
  const { blockTime = 6000, logger = silentLogger, name = 'slotmesh development', folder } = options
  const codec = codecOf(options.metadata ?? options.generation ?? 2)
  const store = folder === undefined ? undefined : await BlockStore.open(folder)
  const endpoints: Endpoint[] = []
  try {
    const ledger = await Ledger.open({
      codec,
      logger,
      name,
      endowed: [...developmentAccounts().map(({ account }) => account), ...(options.endowed ?? [])],
      endowment: ENDOWMENT,
      committee: options.committee ?? [developmentSigner('Alice').account],
      fee: options.transactionFee ?? ONE_CAPS / 1000n,
      finalityLag: options.finalityLag ?? (blockTime === 'instant' ? 0 : 1),
      now: options.now ?? Date.now,
      store,
    })
    const open = async (endpointOptions?: EndpointOptions): Promise<Endpoint> => {
      const endpoint = await openEndpoint(ledger, name, logger, endpointOptions)
      endpoints.push(endpoint)
      return endpoint
    }
    const { url, faults } = await open(options)
    const sealing = new Sealing(ledger, blockTime, logger)
    return {
      url,
      faults,
      genesisHash: ledger.genesisHash,
      ended: sealing.ended,
      openEndpoint: open,
      sealBlock: () => {
        const { number, hash } = ledger.seal()
        return { number, hash }
      },
      upgrade: ({ metadata = ledger.codec.metadata, at }) => ledger.upgrade(codecOf(metadata), at),
      stop: async () => {
        sealing.stop()
        await Promise.all(endpoints.map((endpoint) => endpoint.stop()))
        await ledger.flush()
        await store?.close()
      },
    }
  } catch (thrown) {
    await store?.close()
    throw thrown
  }
}

function codecOf(metadata: Uint8Array | Generation): RuntimeCodec {
  const codec = RuntimeCodec.decode(
    typeof metadata === 'number' ? developmentMetadata(metadata) : openMetadata(metadata),
  )
  requireParts(codec)
  return codec
}

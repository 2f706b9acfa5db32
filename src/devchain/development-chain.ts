import { type AccountId, type BlockHash, type BlockRef, type Logger, silentLogger } from '../domain/index.js'
import { developmentSigner, developmentSigners } from './accounts.js'
import { Ledger } from './ledger/ledger.js'
import { developmentMetadata, type Generation, ONE_CAPS } from './metadata/index.js'
import { type Endpoint, type EndpointOptions, openEndpoint } from './rpc/endpoint.js'
import type { EndpointFaults } from './rpc/faults.js'
import { RuntimeCodec } from './runtime/codec.js'

/** What an account has at genesis unless told otherwise. */
const ENDOWMENT = 1_000_000n * ONE_CAPS

export interface DevelopmentChainOptions extends EndpointOptions {
  /** Which layout of the TEE pallet it has; 2 by default. */
  readonly generation?: Generation
  /** Milliseconds between blocks, or `manual` to make them by `sealBlock` only; 6000 by default. */
  readonly blockTime?: number | 'manual'
  /** How many blocks must follow a block before it is final; 1 by default. */
  readonly finalityLag?: number
  /** Distinguishes chains: it is part of the genesis hash. */
  readonly name?: string
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
   * Another address of the same chain; it closes with the chain, if not before.
   * @throws SlotmeshError `devchain/port-in-use` or `devchain/listen-failed`.
   */
  openEndpoint(options?: EndpointOptions): Promise<Endpoint>
  /** Closes every connection and the port. */
  stop(): Promise<void>
}

/**
 * Starts a Substrate-style chain with the NFT and TEE pallets in this process and serves it on loopback, so that
 * `@polkadot/api` can use it as any other chain. Its state is in memory only.
 * @throws SlotmeshError `devchain/port-in-use` or `devchain/listen-failed`.
 */
export async function startDevelopmentChain(options: DevelopmentChainOptions = {}): Promise<DevelopmentChain> {
  const { blockTime = 6000, logger = silentLogger, name = 'slotmesh development' } = options
  const ledger = new Ledger({
    codec: new RuntimeCodec(developmentMetadata(options.generation ?? 2)),
    logger,
    name,
    endowed: [...developmentSigners().map(({ account }) => account), ...(options.endowed ?? [])],
    endowment: ENDOWMENT,
    committee: options.committee ?? [developmentSigner('Alice').account],
    fee: options.transactionFee ?? ONE_CAPS / 1000n,
    finalityLag: options.finalityLag ?? 1,
    now: options.now ?? Date.now,
  })
  const endpoints: Endpoint[] = []
  const open = async (endpointOptions?: EndpointOptions): Promise<Endpoint> => {
    const endpoint = await openEndpoint(ledger, name, logger, endpointOptions)
    endpoints.push(endpoint)
    return endpoint
  }
  const { url, faults } = await open(options)
  const timer = blockTime === 'manual' ? undefined : setInterval(() => ledger.seal(), blockTime)
  return {
    url,
    faults,
    openEndpoint: open,
    genesisHash: ledger.genesisHash,
    sealBlock: () => {
      const { number, hash } = ledger.seal()
      return { number, hash }
    },
    stop: async () => {
      clearInterval(timer)
      await Promise.all(endpoints.map((endpoint) => endpoint.stop()))
    },
  }
}

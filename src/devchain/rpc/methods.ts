import { Struct } from '@polkadot/types'
import { compactFromU8a, u8aConcat } from '@polkadot/util'
import { blake2AsHex } from '@polkadot/util-crypto'
import { z } from 'zod'
import { fromHex, toHex } from '../../crypto/index.js'
import { type BlockHash, type Hex, messageOf } from '../../domain/index.js'
import type { Block } from '../ledger/block.js'
import type { Ledger } from '../ledger/ledger.js'
import { PoolError, type TransactionStatus, type Watcher } from '../ledger/pool.js'
import { InvalidTransaction } from '../ledger/transaction.js'
import type { Outlook } from './outlook.js'
import { type Client, type Method, type Methods, RpcError, type Subscription } from './server.js'

/** Substrate gives at most this many keys at once. */
const KEYS_PAGE = 1000

const hex = z
  .templateLiteral(['0x', z.string()])
  .refine((text): text is Hex => /^0x(?:[0-9a-f]{2})*$/i.test(text), 'not hexadecimal')
const lowerHex = hex.transform((text): Hex => `0x${text.slice(2).toLowerCase()}`)
const at = lowerHex.nullish()
const blockNumber = z.union([z.int(), z.templateLiteral(['0x', z.hex()]).transform(Number)])
const keys = z.array(lowerHex).max(10_000)
const subscription = z.tuple([z.string()])

/** The parts of Substrate's JSON-RPC that `@polkadot/api` and wallets use, on a ledger as an endpoint shows it. */
export function rpcMethods(ledger: Ledger, outlook: Outlook, name: string): Methods {
  /** @throws RpcError for a block that is not there, as Substrate words it. */
  function blockAt(hash: BlockHash | null | undefined): Block {
    if (hash === null || hash === undefined) return outlook.best
    const block = outlook.blockOf(hash)
    if (block !== undefined) return block
    throw new RpcError(4003, `Client error: UnknownBlock: Header was not found in the database: ${hash}`)
  }

  /** The block that a status names. */
  function blockOf(status: TransactionStatus): Block | undefined {
    if (typeof status !== 'object' || 'usurped' in status) return undefined
    return ledger.blockOf('inBlock' in status ? status.inBlock : status.finalized)
  }

  function storage(key: Hex, block: Block): Hex | null {
    const value = ledger.state.get(key, block.number)
    return value === undefined ? null : toHex(value)
  }

  function blockHash(number: unknown): Hex | null {
    return outlook.block(blockNumber.parse(number))?.hash ?? null
  }

  function runtimeVersion({ number }: Block): object {
    return {
      ...ledger.runtimes.after(number).version,
      implName: 'slotmesh',
      authoringVersion: 1,
      implVersion: 1,
      apis: Object.entries(RUNTIME_APIS).map(([name, version]) => [blake2AsHex(name, 64), version]),
      stateVersion: 1,
    }
  }

  function newHeads(client: Client, notification: string): string {
    return client.subscribe(notification, ({ send }) => {
      const listener = ({ header }: Block) => send(header)
      send(outlook.best.header)
      outlook.headListeners.add(listener)
      return () => outlook.headListeners.delete(listener)
    })
  }

  const methods: Record<string, Method> = {
    rpc_methods: () => ({ methods: Object.keys(methods).sort() }),

    system_chain: () => name,
    system_name: () => 'slotmesh development chain',
    system_version: () => '1.0.0',
    system_chainType: () => 'Development',
    system_syncState: () => ({
      startingBlock: 0,
      currentBlock: outlook.best.number,
      highestBlock: outlook.best.number,
    }),
    system_nodeRoles: () => ['Authority'],
    system_health: () => ({ peers: 0, isSyncing: false, shouldHavePeers: false }),
    system_properties: () => ({
      ss58Format: ledger.codec.constant('System', 'SS58Prefix').number(),
      tokenDecimals: 18,
      tokenSymbol: 'CAPS',
    }),
    system_accountNextIndex: (params) => {
      const [address] = z.tuple([z.string()]).parse(params)
      return ledger.nextNonce(toHex(ledger.codec.registry.createTypeUnsafe('AccountId', [address]).toU8a()))
    },
    system_dryRun: (params) => {
      const [bytes, hash] = z.tuple([lowerHex, at]).parse(params)
      return dryRun(ledger, fromHex(bytes), blockAt(hash))
    },

    chain_getHeader: (params) => {
      const [hash] = z.tuple([at]).parse(params)
      return hash === null || hash === undefined ? outlook.best.header : outlook.blockOf(hash)?.header
    },
    chain_getBlock: (params) => {
      const [hash] = z.tuple([at]).parse(params)
      const block = hash === null || hash === undefined ? outlook.best : outlook.blockOf(hash)
      if (block === undefined) return null
      return { block: { header: block.header, extrinsics: block.extrinsics }, justifications: null }
    },
    chain_getBlockHash: ([number]) => {
      if (number === null || number === undefined) return outlook.best.hash
      return Array.isArray(number) ? number.map(blockHash) : blockHash(number)
    },
    chain_getFinalizedHead: () => outlook.finalized.hash,
    chain_subscribeNewHeads: (_, client) => newHeads(client, 'chain_newHead'),
    chain_unsubscribeNewHeads: unsubscribe,
    chain_subscribeAllHeads: (_, client) => newHeads(client, 'chain_allHead'),
    chain_unsubscribeAllHeads: unsubscribe,
    chain_subscribeFinalizedHeads: (_, client) =>
      client.subscribe('chain_finalizedHead', ({ send }) => {
        const listener = ({ header }: Block) => send(header)
        send(outlook.finalized.header)
        outlook.finalityListeners.add(listener)
        return () => outlook.finalityListeners.delete(listener)
      }),
    chain_unsubscribeFinalizedHeads: unsubscribe,

    state_getMetadata: (params) => {
      const [hash] = z.tuple([at]).parse(params)
      return toHex(ledger.runtimes.after(blockAt(hash).number).codec.metadata)
    },
    state_getRuntimeVersion: (params) => {
      const [hash] = z.tuple([at]).parse(params)
      return runtimeVersion(blockAt(hash))
    },
    state_subscribeRuntimeVersion: (_, client) =>
      client.subscribe('state_runtimeVersion', ({ send }) => {
        let told = ledger.runtimes.after(outlook.best.number)
        const listener = (block: Block) => {
          const runtime = ledger.runtimes.after(block.number)
          if (runtime !== told) send(runtimeVersion(block))
          told = runtime
        }
        send(runtimeVersion(outlook.best))
        outlook.headListeners.add(listener)
        return () => outlook.headListeners.delete(listener)
      }),
    state_unsubscribeRuntimeVersion: unsubscribe,
    state_getStorage: (params) => {
      const [key, hash] = z.tuple([lowerHex, at]).parse(params)
      return storage(key, blockAt(hash))
    },
    state_getStorageHash: (params) => {
      const [key, hash] = z.tuple([lowerHex, at]).parse(params)
      const value = storage(key, blockAt(hash))
      return value === null ? null : blake2AsHex(fromHex(value))
    },
    state_getStorageSize: (params) => {
      const [key, hash] = z.tuple([lowerHex, at]).parse(params)
      const value = storage(key, blockAt(hash))
      return value === null ? null : fromHex(value).length
    },
    state_getKeysPaged: (params) => {
      const [prefix, count, startKey, hash] = z
        .tuple([lowerHex.nullish(), z.int().min(0), lowerHex.nullish(), at])
        .parse(params)
      if (count > KEYS_PAGE) throw new RpcError(4002, `count exceeds maximum value. value: ${count}, max: ${KEYS_PAGE}`)
      return ledger.state.keys(prefix ?? '0x', blockAt(hash).number, count, startKey ?? undefined)
    },
    state_queryStorageAt: (params) => {
      const [asked, hash] = z.tuple([keys, at]).parse(params)
      const block = blockAt(hash)
      return [{ block: block.hash, changes: asked.map((key) => [key, storage(key, block)]) }]
    },
    state_subscribeStorage: (params, client) => {
      const [asked] = z.tuple([keys]).parse(params)
      return client.subscribe('state_storage', (subscription) => {
        const listener: Parameters<typeof outlook.headListeners.add>[0] = (block, mayDiffer) => {
          const changed = asked.filter(mayDiffer)
          if (changed.length > 0) sendStorage(subscription, block, changed)
        }
        sendStorage(subscription, outlook.best, asked)
        outlook.headListeners.add(listener)
        return () => outlook.headListeners.delete(listener)
      })
    },
    state_unsubscribeStorage: unsubscribe,
    state_call: (params) => {
      const [name, argument, hash] = z.tuple([z.string(), lowerHex, at]).parse(params)
      return runtimeCall(ledger, name, fromHex(argument), blockAt(hash))
    },

    author_submitExtrinsic: (params) => {
      const [bytes] = z.tuple([lowerHex]).parse(params)
      return submit(bytes)
    },
    author_submitAndWatchExtrinsic: (params, client) => {
      const [bytes] = z.tuple([lowerHex]).parse(params)
      return client.subscribe('author_extrinsicUpdate', ({ send, end }) => {
        let watching = true
        const tell = (status: TransactionStatus) => {
          if (!watching) return
          send(status)
          if (isLast(status)) end()
        }
        const watcher = (status: TransactionStatus) => outlook.whenShown(blockOf(status), () => tell(status))
        submit(bytes, watcher)
        return () => {
          watching = false
        }
      })
    },
    author_unwatchExtrinsic: unsubscribe,
    payment_queryInfo: (params) => {
      const [bytes] = z.tuple([lowerHex, at]).parse(params)
      refusing(() => ledger.codec.decodeExtrinsic(fromHex(bytes)))
      // One number in runtimes from before 2023, then two.
      const isStruct = ledger.codec.registry.createTypeUnsafe('Weight', []) instanceof Struct
      const weight = isStruct ? { ref_time: 0, proof_size: 0 } : 0
      return { weight, class: 'normal', partialFee: `${ledger.fee}` }
    },

    // As Substrate's manual seal has it: a block on demand.
    engine_createBlock: (params) => {
      z.tuple([z.boolean(), z.boolean()]).rest(z.unknown()).parse(params)
      const { hash } = ledger.seal()
      return { hash, aux: { header_only: false, clear_justification_requests: false, needs_justification: false } }
    },

    author_pendingExtrinsics: () => ledger.pool.all().map(({ bytes }) => bytes),
  }

  function submit(bytes: Hex, watcher?: Watcher): Hex {
    const extrinsic = fromHex(bytes)
    assertOpaque(extrinsic)
    return refusing(() => ledger.submit(extrinsic, watcher), unreadable)
  }

  function sendStorage({ send }: Subscription, block: Block, asked: readonly Hex[]): void {
    send({ block: block.hash, changes: asked.map((key) => [key, storage(key, block)]) })
  }

  // Substrate's other names for these, of which @polkadot/api uses the first two.
  for (const [alias, name] of Object.entries({
    chain_subscribeNewHead: 'chain_subscribeNewHeads',
    chain_unsubscribeNewHead: 'chain_unsubscribeNewHeads',
    chain_subscribeFinalisedHeads: 'chain_subscribeFinalizedHeads',
    chain_unsubscribeFinalisedHeads: 'chain_unsubscribeFinalizedHeads',
    chain_subscribeRuntimeVersion: 'state_subscribeRuntimeVersion',
    chain_unsubscribeRuntimeVersion: 'state_unsubscribeRuntimeVersion',
    chain_getHead: 'chain_getBlockHash',
    chain_getFinalisedHead: 'chain_getFinalizedHead',
    state_getStorageAt: 'state_getStorage',
  })) {
    const method = methods[name]
    if (method !== undefined) methods[alias] = method
  }
  return methods
}

/** After these nothing more can happen to a transaction. */
function isLast(status: TransactionStatus): boolean {
  return status === 'invalid' || (typeof status === 'object' && !('inBlock' in status))
}

function unsubscribe(params: readonly unknown[], client: Client): boolean {
  const [id] = subscription.parse(params)
  return client.unsubscribe(id)
}

/**
 * Turns the reasons for refusing a transaction into Substrate's error codes.
 * @param otherwise what it is when the bytes cannot be decoded.
 */
function refusing<T>(submit: () => T, otherwise: (thrown: unknown) => RpcError = badFormat): T {
  try {
    return submit()
  } catch (thrown) {
    if (thrown instanceof InvalidTransaction) throw new RpcError(1010, 'Invalid Transaction', thrown.message)
    if (thrown instanceof PoolError) throw new RpcError(thrown.code, thrown.message, thrown.data)
    throw otherwise(thrown)
  }
}

/**
 * What a node itself sees of an extrinsic (`OpaqueExtrinsic` in `sp-runtime`): a length, and so many bytes.
 * @throws RpcError when it is not so.
 */
function assertOpaque(extrinsic: Uint8Array): void {
  try {
    const [offset, length] = compactFromU8a(extrinsic)
    if (extrinsic.length >= offset + length.toNumber()) return
  } catch (thrown) {
    throw badFormat(thrown)
  }
  throw badFormat('Not enough data to fill buffer')
}

/** What the node's runtime cannot decode, after an upgrade for example, makes it panic. */
function unreadable(thrown: unknown): RpcError {
  return new RpcError(1002, `Verification Error: Runtime error: Execution failed: ${messageOf(thrown)}`)
}

/** The SCALE encoding of `ApplyExtrinsicResult`, which is `Result<Result<(), DispatchError>, TransactionValidityError>`. */
function dryRun(ledger: Ledger, bytes: Uint8Array, at: Block): Hex {
  const { codec } = ledger
  try {
    const failure = ledger.dryRun(bytes, at)
    return toHex(failure === undefined ? Uint8Array.of(0, 0) : u8aConcat([0, 1], codec.dispatchError(failure).toU8a()))
  } catch (thrown) {
    if (!(thrown instanceof InvalidTransaction)) throw badFormat(thrown)
    const reason = codec.registry.createTypeUnsafe('TransactionValidityError', [{ Invalid: thrown.kind }])
    return toHex(u8aConcat([1], reason.toU8a()))
  }
}

function badFormat(thrown: unknown): RpcError {
  return new RpcError(1001, `Extrinsic has invalid format: ${messageOf(thrown)}`)
}

/** The runtime APIs that `state_call` answers, with their versions. */
const RUNTIME_APIS = { Core: 4, Metadata: 2, AccountNonceApi: 1, TransactionPaymentApi: 2 }

function runtimeCall(ledger: Ledger, name: string, argument: Uint8Array, at: Block): Hex {
  const { registry, metadata } = ledger.runtimes.after(at.number).codec
  switch (name) {
    case 'Metadata_metadata':
      return toHex(registry.createTypeUnsafe('Bytes', [toHex(metadata)]).toU8a())
    case 'Metadata_metadata_versions':
      return toHex(registry.createTypeUnsafe('Vec<u32>', [[metadata[4]]]).toU8a())
    case 'Metadata_metadata_at_version': {
      const version = registry.createTypeUnsafe('u32', [argument]).toString()
      if (version !== `${metadata[4]}`) return '0x00'
      return toHex(u8aConcat(Uint8Array.of(1), registry.createTypeUnsafe('Bytes', [toHex(metadata)]).toU8a()))
    }
    case 'AccountNonceApi_account_nonce': {
      const info = ledger.view(at).value('System', 'Account', argument)
      return toHex(info.field('nonce').codec.toU8a())
    }
    case 'TransactionPaymentApi_query_info': {
      const info = { class: 'Normal', partialFee: ledger.fee }
      return toHex(registry.createTypeUnsafe('RuntimeDispatchInfo', [info]).toU8a())
    }
    case 'TransactionPaymentApi_query_fee_details': {
      const inclusionFee = { baseFee: ledger.fee, lenFee: 0, adjustedWeightFee: 0 }
      return toHex(registry.createTypeUnsafe('FeeDetails', [{ inclusionFee }]).toU8a())
    }
    default:
      throw new RpcError(4003, `Client error: Execution failed: Exported method ${name} is not found`)
  }
}

import { z } from 'zod'
import { toSs58 } from '../../crypto/index.js'
import {
  type AccountId,
  type BlockHash,
  type BlockNumber,
  type BlockRef,
  type Hex,
  SlotmeshError,
} from '../../domain/index.js'
import { discardedState, malformed, RequestRefused } from '../errors.js'
import type { RpcSocket } from './socket.js'

export const hexSchema = z.custom<Hex>((value) => typeof value === 'string' && /^0x(?:[0-9a-f]{2})*$/.test(value))
const blockHash = z.custom<BlockHash>((value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value))
const blockNumber = z
  .string()
  .regex(/^0x[0-9a-f]{1,8}$/)
  .transform(Number)
const header = z.object({ number: blockNumber, parentHash: blockHash })
const nullable = <T extends z.ZodType>(schema: T) => schema.nullable().transform((value) => value ?? undefined)

const hashList = z.array(nullable(blockHash))
const hashesOf = (answer: unknown) => hashList.safeParse(answer).data ?? []

const versionSchema = z.object({
  specName: z.string(),
  specVersion: z.int(),
  transactionVersion: z.int(),
})

/** Which runtime a block is made with. */
export type RuntimeVersion = z.output<typeof versionSchema>

/** One of a map's entries. */
export interface Entry {
  readonly key: Hex
  readonly value: Hex
}

const ANSWERS = {
  chain_getBlockHash: nullable(blockHash),
  chain_getFinalizedHead: blockHash,
  chain_getHeader: header,
  chain_getBlock: z.object({ block: z.object({ extrinsics: z.array(hexSchema) }) }),
  state_getStorage: nullable(hexSchema),
  state_queryStorageAt: z.tuple([z.object({ changes: z.array(z.tuple([hexSchema, hexSchema.nullable()])) })]),
  state_getKeysPaged: z.array(hexSchema),
  state_getRuntimeVersion: versionSchema,
  state_getMetadata: hexSchema,
  system_accountNextIndex: z.int().min(0),
  system_chain: z.string().max(100),
  // Substrate's ChainType: one of its words, or one of the chain's own as { Custom: word }.
  system_chainType: z.union([z.string(), z.record(z.string(), z.string())]),
} as const

type Method = keyof typeof ANSWERS
type Answer<M extends Method> = z.output<(typeof ANSWERS)[M]>

/** Whoever carries requests: a connection, or one socket that is not in general use. */
interface Carrier {
  read<T>(method: string, params: readonly unknown[], signal: AbortSignal, check: (answer: unknown) => T): Promise<T>
}

/** The requests that this room makes, with their answers checked. All reads can throw as their carrier does. */
export class Rpc {
  readonly #carrier: Carrier

  constructor(carrier: Carrier) {
    this.#carrier = carrier
  }

  /** Of a block that is known to be final. @throws SlotmeshError `chain/block-unknown`: the endpoint is left then. */
  async blockHash(number: BlockNumber, signal: AbortSignal): Promise<BlockHash> {
    return this.#read('chain_getBlockHash', [number], signal, (hash) => {
      if (hash !== undefined) return hash
      throw new SlotmeshError('chain/block-unknown', `The endpoint has no block ${number}; ask again later.`)
    })
  }

  /** Of those that the endpoint tells in one answer. Substrate takes a list; what does not tells of none. */
  async blockHashes(
    numbers: readonly BlockNumber[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<BlockNumber, BlockHash>> {
    const found = new Map<BlockNumber, BlockHash>()
    try {
      const hashes = await this.#carrier.read('chain_getBlockHash', [numbers], signal, hashesOf)
      if (hashes.length !== numbers.length) return found
      for (const [index, number] of numbers.entries()) {
        const hash = hashes[index]
        if (hash !== undefined) found.set(number, hash)
      }
    } catch (thrown) {
      if (!(thrown instanceof RequestRefused)) throw thrown
    }
    return found
  }

  /** Of the best block, which need not be final. */
  bestHash(signal: AbortSignal): Promise<BlockHash> {
    return this.#read('chain_getBlockHash', [], signal, (hash) => {
      if (hash !== undefined) return hash
      throw malformed('chain_getBlockHash', 'there is no best block')
    })
  }

  /** What the chain is for, by its specification: `Development`, `Local`, `Live` or `Custom`. */
  async chainType(signal: AbortSignal): Promise<string> {
    const type = await this.#read('system_chainType', [], signal)
    return typeof type === 'string' ? type : 'Custom'
  }

  /** For people. */
  chainName(signal: AbortSignal): Promise<string> {
    return this.#read('system_chain', [], signal)
  }

  async finalisedHead(signal: AbortSignal): Promise<BlockRef> {
    const hash = await this.#read('chain_getFinalizedHead', [], signal)
    const { number } = await this.#read('chain_getHeader', [hash], signal)
    return { number, hash }
  }

  async extrinsics(hash: BlockHash, signal: AbortSignal): Promise<readonly Hex[]> {
    const { block } = await this.#read('chain_getBlock', [hash], signal)
    return block.extrinsics
  }

  storage(key: Hex, at: BlockHash, signal: AbortSignal): Promise<Hex | undefined> {
    return this.#read('state_getStorage', [key, at], signal)
  }

  /** Values in the order of their keys. */
  async storages(keys: readonly Hex[], at: BlockHash, signal: AbortSignal): Promise<(Hex | undefined)[]> {
    if (keys.length === 0) return []
    const [{ changes }] = await this.#read('state_queryStorageAt', [keys, at], signal)
    const values = new Map(changes)
    return keys.map((key) => values.get(key) ?? undefined)
  }

  /** The keys of a map at a block that follow `after`, or the first ones, in their order: `size` of them at most. */
  async keys(
    prefix: Hex,
    { size, after, at }: { size: number; after: Hex | undefined; at: BlockHash },
    signal: AbortSignal,
  ): Promise<readonly Hex[]> {
    return this.#read('state_getKeysPaged', [prefix, size, after ?? null, at], signal, (keys) => {
      const ordered = [after ?? '0x', ...keys]
      if (keys.length <= size && keys.every((key, index) => key.startsWith(prefix) && key > (ordered[index] ?? ''))) {
        return keys
      }
      throw malformed('state_getKeysPaged', 'its keys are not in order')
    })
  }

  /** @throws also when a key has no value. */
  async entries(keys: readonly Hex[], at: BlockHash, signal: AbortSignal): Promise<readonly Entry[]> {
    if (keys.length === 0) return []
    return this.#read('state_queryStorageAt', [keys, at], signal, ([{ changes }]) => {
      const values = new Map(changes)
      return keys.map((key) => {
        const value = values.get(key) ?? undefined
        if (value === undefined) throw malformed('state_queryStorageAt', 'it leaves out a value that there is')
        return { key, value }
      })
    })
  }

  /** The version that blocks made on top of `parent` have. */
  runtimeVersion(parent: BlockHash, signal: AbortSignal): Promise<RuntimeVersion> {
    return this.#read('state_getRuntimeVersion', [parent], signal)
  }

  metadata(parent: BlockHash, signal: AbortSignal): Promise<Hex> {
    return this.#read('state_getMetadata', [parent], signal)
  }

  /** The nonce of an account's next transaction, those that wait in the pool counted. */
  nextNonce(account: AccountId, signal: AbortSignal): Promise<number> {
    return this.#read('system_accountNextIndex', [toSs58(account)], signal)
  }

  #read<M extends Method>(method: M, params: readonly unknown[], signal: AbortSignal): Promise<Answer<M>>
  #read<M extends Method, T>(
    method: M,
    params: readonly unknown[],
    signal: AbortSignal,
    accept: (answer: Answer<M>) => T,
  ): Promise<T>
  #read<M extends Method>(
    method: M,
    params: readonly unknown[],
    signal: AbortSignal,
    accept: (answer: Answer<M>) => unknown = (answer) => answer,
  ): Promise<unknown> {
    return this.#carrier
      .read(method, params, signal, (answer) => accept(checked(method, answer)))
      .catch((thrown) => Promise.reject(discardedState(thrown)))
  }
}

const HEADS = ['chain_subscribeFinalizedHeads', 'chain_unsubscribeFinalizedHeads'] as const

/** What an announcement of a finalised head says. */
export interface AnnouncedHead {
  readonly number: BlockNumber
  readonly parentHash: BlockHash
}

/**
 * Hears of each new finalised head; first of the present one. Numbers may repeat or leave gaps.
 * @returns what ends it.
 */
export async function subscribeFinalisedHeads(
  socket: RpcSocket,
  listener: (head: AnnouncedHead) => void,
  signal: AbortSignal,
): Promise<() => void> {
  const heard = (result: unknown) => {
    const head = header.safeParse(result)
    // Whoever announces such heads is not to be listened to any longer.
    if (head.success) listener(head.data)
    else socket.lose('chain/malformed-answer', 'it announced a finalised head that cannot be read')
  }
  return socket.subscribe(HEADS, [], heard, signal)
}

function checked<M extends Method>(method: M, answer: unknown): Answer<M> {
  const result = ANSWERS[method].safeParse(answer)
  if (!result.success) throw malformed(method, z.prettifyError(result.error))
  // The schema is that of this method; the compiler does not follow that through the union of all.
  return result.data as Answer<M>
}

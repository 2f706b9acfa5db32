import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { toHex } from '../../../src/crypto/index.js'
import type { AccountId, BlockHash, Hex } from '../../../src/domain/index.js'
import type { Encoder } from '../../support/metadata.js'

/** A block's state, made up when it is asked for. */
export interface SyntheticState {
  /** The runtime that made the block, and its metadata. */
  readonly specVersion: number
  readonly metadata: Uint8Array
  read(key: Hex): Hex | undefined
  /** The keys of a map in their order. */
  keys?(prefix: Hex, size: number, after: Hex | undefined): Hex[]
}

type Methods = Readonly<Record<string, (params: readonly unknown[]) => unknown>>

/**
 * A chain that is all made up: `stateOf` says what a block, by its number, holds. An upgrade shows in the runtime of the
 * block that carries it only to those who ask what the next block is made with, as on Substrate.
 */
export class SyntheticChain {
  readonly url: string
  /** How often each method was asked for, and whatever is to be known of that. */
  readonly asked: { readonly method: string; readonly params: readonly unknown[] }[] = []
  /** Answers in place of the chain when it gives anything. */
  intercept: (
    method: string,
    params: readonly unknown[],
  ) => { result: unknown } | { error: object } | 'later' | undefined = () => undefined
  head: number
  /** While false, nobody gets in. */
  isUp = true
  readonly #server: WebSocketServer
  readonly #stateOf: (block: number) => SyntheticState

  private constructor(server: WebSocketServer, head: number, stateOf: (block: number) => SyntheticState) {
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    this.head = head
    this.#server = server
    this.#stateOf = stateOf
    server.on('connection', (client) => {
      if (!this.isUp) client.terminate()
      client.on('message', (data) => this.#answer(client, JSON.parse(data.toString())))
    })
  }

  static async start(head: number, stateOf: (block: number) => SyntheticState): Promise<SyntheticChain> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    return new SyntheticChain(server, head, stateOf)
  }

  count(method: string): number {
    return this.asked.filter((each) => each.method === method).length
  }

  /** Goes on to a block and announces it. */
  advance(head: number): void {
    this.head = head
    for (const client of this.#server.clients) announce(client, head)
  }

  cut(): void {
    for (const client of this.#server.clients) client.terminate()
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #answer(client: WebSocket, { id, method, params }: { id: number; method: string; params: unknown[] }): void {
    this.asked.push({ method, params })
    const intercepted = this.intercept(method, params)
    if (intercepted === 'later') return
    client.send(JSON.stringify({ jsonrpc: '2.0', id, ...(intercepted ?? this.#result(method, params)) }))
    if (method === 'chain_subscribeFinalizedHeads') announce(client, this.head)
  }

  #result(method: string, params: readonly unknown[]): { result: unknown } | { error: object } {
    const answer = this.#methods[method]
    return answer === undefined
      ? { error: { code: -32601, message: 'Method not found' } }
      : { result: answer(params) ?? null }
  }

  readonly #methods: Methods = {
    chain_getBlockHash: ([number]) => {
      if (Array.isArray(number)) return number.map((each: number) => this.#hash(each))
      return this.#hash(typeof number === 'number' ? number : this.head)
    },
    chain_getFinalizedHead: () => hashOf(this.head),
    chain_getHeader: ([hash]) => headerOf(numberOf(hash) ?? this.head),
    chain_subscribeFinalizedHeads: () => 'heads',
    chain_unsubscribeFinalizedHeads: () => true,
    state_getRuntimeVersion: ([parent]) => {
      const { specVersion } = this.#nextOf(parent)
      return { specName: 'synthetic', specVersion, transactionVersion: 1 }
    },
    state_getMetadata: ([parent]) => toHex(this.#nextOf(parent).metadata),
    state_getStorage: ([key, at]) => this.#at(at).read(key as Hex),
    state_queryStorageAt: ([keys, at]) => {
      const state = this.#at(at)
      return [{ block: at, changes: (keys as Hex[]).map((key) => [key, state.read(key) ?? null]) }]
    },
    state_getKeysPaged: ([prefix, size, after, at]) =>
      this.#at(at).keys?.(prefix as Hex, size as number, (after ?? undefined) as Hex | undefined) ?? [],
  }

  #hash(number: number): BlockHash | null {
    return number <= this.head ? hashOf(number) : null
  }

  #at(hash: unknown): SyntheticState {
    return this.#stateOf(numberOf(hash) ?? this.head)
  }

  /** The state after a block holds the code that the next one is made with. */
  #nextOf(hash: unknown): SyntheticState {
    return this.#stateOf((numberOf(hash) ?? this.head) + 1)
  }
}

export function hashOf(number: number): BlockHash {
  return `0x${number.toString(16).padStart(64, '0')}`
}

function numberOf(hash: unknown): number | undefined {
  return typeof hash === 'string' ? Number(hash) : undefined
}

function headerOf(number: number) {
  return { number: `0x${number.toString(16)}`, parentHash: hashOf(Math.max(0, number - 1)) }
}

function announce(client: WebSocket, head: number): void {
  const params = { subscription: 'heads', result: headerOf(head) }
  client.send(JSON.stringify({ jsonrpc: '2.0', method: 'chain_finalizedHead', params }))
}

/** Entries of storage that a state can be made of. */
export class Shelf {
  readonly #entries: ReadonlyMap<Hex, Hex>
  readonly #keys: readonly Hex[]

  constructor(entries: Iterable<readonly [Hex, Hex]>) {
    this.#entries = new Map(entries)
    this.#keys = [...this.#entries.keys()].sort()
  }

  read(key: Hex): Hex | undefined {
    return this.#entries.get(key)
  }

  keys(prefix: Hex, size: number, after: Hex | undefined): Hex[] {
    return this.#keys.filter((key) => key.startsWith(prefix) && key > (after ?? '')).slice(0, size)
  }
}

export interface SyntheticSeat {
  readonly account: AccountId
  readonly operator: AccountId
  readonly slot: number
}

/** What the TEE pallet stores of clusters, by their ids. */
export function registryEntries(
  encoder: Encoder,
  generation: 1 | 2,
  clusters: Readonly<Record<number, readonly SyntheticSeat[]>>,
): [Hex, Hex][] {
  const ofClusters = Object.entries(clusters).map(([id, seats]): [Hex, Hex] => {
    const enclaves = seats.map(({ operator, slot }) => (generation === 1 ? operator : [operator, slot]))
    const value = generation === 1 ? { enclaves } : { enclaves, cluster_type: 'Public' }
    return [encoder.key('tee', 'clusterData', Number(id)), encoder.value('tee', 'clusterData', value)]
  })
  const ofEnclaves = Object.values(clusters)
    .flat()
    .map(({ account, operator }): [Hex, Hex] => [
      encoder.key('tee', 'enclaveData', operator),
      encoder.value('tee', 'enclaveData', { enclave_address: account, api_uri: '0x' }),
    ])
  return [...ofClusters, ...ofEnclaves]
}

export function accountOf(byte: number): AccountId {
  return `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
}

import assert from 'node:assert/strict'
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api'
import type { SubmittableExtrinsic } from '@polkadot/api/types'
import type { Vec } from '@polkadot/types'
import type { DispatchError, EventRecord } from '@polkadot/types/interfaces'
import type { AnyJson, Codec } from '@polkadot/types/types'
import { hexToU8a } from '@polkadot/util'
import {
  type DevelopmentChain,
  type DevelopmentChainOptions,
  startDevelopmentChain,
} from '../../../src/devchain/index.js'

export type Transaction = SubmittableExtrinsic<'promise'>
export type Account = ReturnType<Keyring['addFromUri']>

/** What became of one extrinsic: its events in order, and its error's name if it failed. */
export interface Outcome {
  readonly events: readonly { readonly name: string; readonly data: AnyJson }[]
  readonly error: string | undefined
}

/** Who operates an enclave, and the enclave's own account. */
export interface TestEnclave {
  readonly operator: Account
  readonly account: Account
}

/** A client that knows the chain as any program does, by `@polkadot/api`; blocks are made when it says so. */
export class ChainUser {
  readonly chain: DevelopmentChain
  readonly api: ApiPromise
  readonly provider: WsProvider
  readonly generation: 1 | 2
  readonly alice: Account
  readonly bob: Account

  private constructor(chain: DevelopmentChain, api: ApiPromise, provider: WsProvider, generation: 1 | 2) {
    this.chain = chain
    this.api = api
    this.provider = provider
    this.generation = generation
    this.alice = account('Alice')
    this.bob = account('Bob')
  }

  static async start(options: DevelopmentChainOptions = {}): Promise<ChainUser> {
    const chain = await startDevelopmentChain({ blockTime: 'manual', finalityLag: 0, ...options })
    const provider = new WsProvider(chain.url)
    return new ChainUser(chain, await ApiPromise.create({ provider }), provider, options.generation ?? 2)
  }

  async stop(): Promise<void> {
    await this.api.disconnect()
    await this.chain.stop()
  }

  tx(call: `${string}.${string}`, ...args: unknown[]): Transaction {
    const [pallet = '', name = ''] = call.split('.')
    const make = this.api.tx[pallet]?.[name]
    assert(make !== undefined, `the metadata has no call ${call}`)
    return make(...args)
  }

  /** A call made with the technical committee's authority. */
  governed(call: Transaction): Transaction {
    return this.tx('technicalCommittee.propose', 1, call.method, call.method.encodedLength)
  }

  /** An entry of storage as JSON, at a block or now. */
  async read(item: `${string}.${string}`, keys: unknown[] = [], at?: string): Promise<AnyJson> {
    const { query } = at === undefined ? this.api : await this.api.at(at)
    const [pallet = '', name = ''] = item.split('.')
    const entry = query[pallet]?.[name]
    assert(entry !== undefined, `the metadata has no storage item ${item}`)
    return (await entry(...keys)).toJSON()
  }

  /** Sends transactions in order and makes one block of them. */
  async include(...sent: (readonly [Transaction, Account])[]): Promise<Outcome[]> {
    for (const [transaction, signer] of sent) {
      await transaction.signAsync(signer, { nonce: -1 })
      await this.api.rpc.author.submitExtrinsic(transaction)
    }
    const { hash } = this.chain.sealBlock()
    const { block } = await this.api.rpc.chain.getBlock(hash)
    const records = await this.eventsAt(hash)
    return sent.map(([transaction]) => {
      const index = block.extrinsics.findIndex((extrinsic) => extrinsic.hash.eq(transaction.hash))
      assert(index > 0, 'the block does not hold the transaction')
      const own = records.filter(({ phase }) => phase.isApplyExtrinsic && phase.asApplyExtrinsic.eqn(index))
      const failed = own.find(({ event }) => event.section === 'system' && event.method === 'ExtrinsicFailed')
      return {
        events: own.map(({ event }) => ({ name: `${event.section}.${event.method}`, data: event.data.toHuman() })),
        error: failed === undefined ? undefined : this.#nameOf(failed.event.data[0]),
      }
    })
  }

  /** Sends one transaction, makes a block of it and expects it to succeed. */
  async succeed(transaction: Transaction, signer: Account): Promise<Outcome> {
    const [outcome] = await this.include([transaction, signer])
    assert(outcome !== undefined)
    assert.equal(outcome.error, undefined)
    return outcome
  }

  async fail(transaction: Transaction, signer: Account, error: string): Promise<void> {
    const [outcome] = await this.include([transaction, signer])
    assert.equal(outcome?.error, error)
  }

  async eventsAt(hash: string): Promise<EventRecord[]> {
    const key = this.api.query.system?.events?.key() ?? ''
    const bytes = await this.api.rpc.state.getStorage<Codec>(key, hash)
    const records = this.api.registry.createType<Vec<EventRecord>>('Vec<EventRecord>', hexToU8a(bytes.toHex()))
    return [...records]
  }

  /** A public cluster of five assigned enclaves with funded accounts, made from names that begin alike. */
  async makeCluster(name: string): Promise<{ cluster: number; enclaves: TestEnclave[] }> {
    const cluster = Number(await this.read('tee.nextClusterId'))
    const type = this.generation === 1 ? [] : ['Public']
    const enclaves = [0, 1, 2, 3, 4].map((slot) => ({
      operator: account(`${name}/operator/${slot}`),
      account: account(`${name}/enclave/${slot}`),
    }))
    const funded = enclaves.flatMap((enclave) => [enclave.operator, enclave.account])
    await this.succeed(
      this.tx('utility.batchAll', [
        ...funded.map(({ address }) => this.tx('balances.transferKeepAlive', address, 10n ** 19n)),
        this.governed(this.tx('tee.createCluster', ...type)),
      ]),
      this.alice,
    )
    const registrations = enclaves.map((enclave, slot) => {
      const uri = `https://enclave-${slot}.${name}:8000`
      return [this.tx('tee.registerEnclave', enclave.account.address, uri), enclave.operator] as const
    })
    for (const { error } of await this.include(...registrations)) assert.equal(error, undefined)
    const assignments = enclaves.map(({ operator }, slot) =>
      this.governed(this.tx('tee.assignEnclave', operator.address, cluster, ...(this.generation === 1 ? [] : [slot]))),
    )
    await this.succeed(this.tx('utility.batchAll', assignments), this.alice)
    return { cluster, enclaves }
  }

  /** Mints a secret NFT, a capsule, or one that is neither; gives its id. */
  async mint(kind: 'secret' | 'capsule' | 'plain', owner: Account): Promise<number> {
    const id = Number(await this.read('nft.nextNFTId'))
    const rest = [0, null, false]
    const calls = {
      secret: this.tx('nft.createSecretNft', 'ipfs://nft', 'ipfs://secret', ...rest),
      capsule: this.tx('nft.createCapsule', 'ipfs://nft', 'ipfs://capsule', ...rest),
      plain: this.tx('nft.createNft', 'ipfs://nft', ...rest),
    }
    await this.succeed(calls[kind], owner)
    return id
  }

  #nameOf(error: Codec | undefined): string {
    const dispatchError = this.api.registry.createType(
      'SpRuntimeDispatchError',
      error?.toU8a(),
    ) as unknown as DispatchError
    if (dispatchError.isModule) return this.api.registry.findMetaError(dispatchError.asModule).name
    return dispatchError.isToken ? `Token.${dispatchError.asToken.type}` : dispatchError.type
  }
}

/** The sr25519 account of a development path, for example `Alice` for `//Alice`. */
export function account(path: string): Account {
  return new Keyring({ type: 'sr25519' }).addFromUri(`//${path}`)
}

/** The names of an outcome's events, those of fees left out. */
export function eventNames({ events }: Outcome): string[] {
  return events
    .map(({ name }) => name)
    .filter((name) => !/^(?:balances\.Withdraw|system\.ExtrinsicSuccess)$/.test(name))
}

/** A promise and what fulfils it. */
export function pending(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil
  })
  return { promise, resolve: () => resolve() }
}

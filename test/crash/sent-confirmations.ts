import assert from 'node:assert/strict'
import { ApiPromise, WsProvider } from '@polkadot/api'
import type { Vec } from '@polkadot/types'
import type { AnyTuple, CallBase } from '@polkadot/types/types'
import { type AccountId, type ShareKey, shareKeyText } from '../../src/domain/index.js'

const CONFIRMATIONS: Readonly<Record<string, ShareKey['kind']>> = {
  addSecretShard: 'secret',
  addCapsuleShard: 'capsule',
}

/**
 * What an account has sent to the chain, read from the extrinsics of its final blocks by another client than the node's,
 * so that what the chain refused counts as well.
 */
export class SentConfirmations {
  /** How often each share was confirmed. */
  readonly counts = new Map<string, number>()
  readonly #api: ApiPromise
  readonly #account: AccountId
  #last = 0

  private constructor(api: ApiPromise, account: AccountId) {
    this.#api = api
    this.#account = account
  }

  static async of(account: AccountId, url: string): Promise<SentConfirmations> {
    const provider = new WsProvider(url)
    return new SentConfirmations(await ApiPromise.create({ provider, noInitWarn: true }), account)
  }

  /** Reads the blocks that have become final since. @throws AssertionError when one was sent a second time. */
  async read(): Promise<void> {
    const { chain } = this.#api.rpc
    const final = (await chain.getHeader(await chain.getFinalizedHead())).number.toNumber()
    for (; this.#last < final; this.#last += 1) {
      const { block } = await chain.getBlock(await chain.getBlockHash(this.#last + 1))
      for (const { isSigned, signer, method } of block.extrinsics) {
        if (!isSigned || this.#api.createType('AccountId', signer.value).toHex() !== this.#account) continue
        for (const key of confirmedBy(method)) this.#count(shareKeyText(key))
      }
    }
  }

  async close(): Promise<void> {
    await this.#api.disconnect()
  }

  #count(share: string): void {
    const count = (this.counts.get(share) ?? 0) + 1
    this.counts.set(share, count)
    assert.equal(count, 1, `${share} was confirmed a second time, in block ${this.#last + 1}`)
  }
}

function confirmedBy({ section, method, args }: CallBase<AnyTuple>): ShareKey[] {
  if (section === 'utility') return [...(args[0] as Vec<CallBase<AnyTuple>>)].flatMap(confirmedBy)
  const kind = section === 'nft' ? CONFIRMATIONS[method] : undefined
  return kind === undefined ? [] : [{ kind, nftId: Number(args[0]) }]
}

import type { ApiPromise } from '@polkadot/api'
import type { Account, Transaction } from '../integration/devchain/chain-user.js'

/** Hands transactions to the pool without waiting for a block: the nonces are counted here. */
export class Submitter {
  readonly #api: ApiPromise
  readonly #nonces = new Map<string, number>()

  constructor(api: ApiPromise) {
    this.#api = api
  }

  async hand(transaction: Transaction, signer: Account): Promise<void> {
    const nonce =
      this.#nonces.get(signer.address) ?? (await this.#api.rpc.system.accountNextIndex(signer.address)).toNumber()
    this.#nonces.set(signer.address, nonce + 1)
    await transaction.signAsync(signer, { nonce })
    await this.#api.rpc.author.submitExtrinsic(transaction)
  }
}

import { type AccountSigner, accountSigner, fromHex } from '../crypto/index.js'
import type { AccountId } from '../domain/index.js'

/** The mini secrets of Substrate's well-known development accounts (`//Alice` and so on); anyone knows them. */
const SEEDS = {
  Alice: '0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a',
  Bob: '0x398f0c28f98885e046333d4a41c19cee4c37368a9832c6502f6cfd182e2aef89',
  Charlie: '0xbc1ede780f784bb6991a585e4f6e61522c14e1cae6ad0895fb57b9a205a8f938',
  Dave: '0x868020ae0687dda7d57565093a69090211449845a7e11453612800b663307246',
  Eve: '0x786ad0e2df456fe43dd1f91ebca22e235bc162e0bb8d53c633e8c85b2af68b7a',
  Ferdie: '0x42438b7883391c05512a938e36c2df0131e088b3756d6aa7a755fbff19d2f842',
} as const

/**
 * The names of Substrate’s well-known development accounts.
 * @useDeclaredType
 */
export type DevelopmentAccount = keyof typeof SEEDS

/** Signs as one of the accounts that the development chain endows; `//Alice` is its committee. */
export function developmentSigner(name: DevelopmentAccount): AccountSigner {
  return accountSigner(fromHex(SEEDS[name]))
}

/** The accounts that have funds on every development chain. */
export function developmentAccounts(): { readonly name: string; readonly account: AccountId }[] {
  return Object.entries(SEEDS).map(([name, seed]) => ({ name, account: accountSigner(fromHex(seed)).account }))
}

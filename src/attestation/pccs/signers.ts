import type { ChainPart, Signer, VerifiedCollateral } from '../collateral.js'
import { isEarlier, type Mark, markOfList } from './publications.js'

/** One of a signer's certificates, with its chain. */
interface SignerChain extends Signer {
  /** PEM, as it stood in collateral. */
  readonly pem: string
}

export type Signers = Readonly<Record<ChainPart, Signer>>

/** Intel has three; there is room for those of renewed keys. */
const MAXIMUM_SIGNERS = 16

/**
 * The chain that lasts longest of each signer, that is of each name and key, whatever it came with. A signer can have
 * several certificates, and what it signs stands by any of them: who shows a later issue once with one that ends soon could
 * otherwise put an end to what is held.
 */
export class SignerChains {
  readonly #maximum: number
  /** By signer; the one shown last at the end. */
  readonly #longest = new Map<string, SignerChain>()
  #rootList: { readonly mark: Mark; readonly revoked: ReadonlySet<string> } | undefined

  constructor(maximum = MAXIMUM_SIGNERS) {
    this.#maximum = maximum
  }

  /** Takes what lasts longer in collateral that stands, but for what the newest list of the root's has revoked. */
  take({ collateral, lists, revokedByRoot, signers }: VerifiedCollateral): void {
    const revoked = this.#revokedSince(markOfList(lists.root), revokedByRoot)
    for (const [part, signer] of Object.entries(signers) as [ChainPart, Signer][]) {
      if (revoked.has(signer.serial)) continue
      const former = this.#longest.get(signer.authority)
      const longest =
        former !== undefined && signer.until <= former.until ? former : { ...signer, pem: collateral[part] }
      this.#longest.delete(signer.authority)
      this.#longest.set(signer.authority, longest)
    }
    for (const oldest of this.#longest.keys()) {
      if (this.#longest.size <= this.#maximum) break
      this.#longest.delete(oldest)
    }
  }

  /** Chains of the same signers that last longer; empty where there are none. PEM. */
  outlasting(signers: Signers): Partial<Record<ChainPart, string>> {
    const longer = (Object.entries(signers) as [ChainPart, Signer][]).flatMap(([part, { authority, until }]) => {
      const longest = this.#longest.get(authority)
      return longest !== undefined && until < longest.until ? [[part, longest.pem]] : []
    })
    return Object.fromEntries(longer)
  }

  /** Leaves the chains that these signers are known by, since they do not fit what was signed. */
  forget(signers: Signers): void {
    for (const { authority } of Object.values(signers)) this.#longest.delete(authority)
  }

  /** Serials in the newest list of the root's; what is known by one of them is forgotten. */
  #revokedSince(mark: Mark, revoked: ReadonlySet<string>): ReadonlySet<string> {
    if (this.#rootList !== undefined && !isEarlier(this.#rootList.mark, mark)) return this.#rootList.revoked
    this.#rootList = { mark, revoked }
    for (const [authority, { serial }] of this.#longest) if (revoked.has(serial)) this.#longest.delete(authority)
    return revoked
  }
}

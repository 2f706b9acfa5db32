import type { X509Certificate } from 'node:crypto'
import { type Logger, messageOf } from '../../domain/index.js'
import { isWithin } from '../certificates.js'
import { type QuoteCollateral, type VerifiedCollateral, verifyCollateral } from '../collateral.js'
import { type Dated, isOlder, isOutdone, type Publication, publicationsIn } from './publications.js'
import { SignerChains, type Signers } from './signers.js'

interface Newest extends Dated {
  /** As they came: with the chain that they came with. */
  readonly parts: Partial<QuoteCollateral>
  readonly signers: Partial<Signers>
}

/**
 * The newest that was seen of what Intel publishes. Whatever collateral it came with, all is judged by it: a service that
 * answers for one family and is silent about another could otherwise have a platform believed that is known to be revoked,
 * and one that answers with what ends soon could put an end to what is held. Some half a dozen are for many families, and
 * are recalled by their names; TCB info is of a family that was asked for, and comes back with its collateral.
 */
export class NewestParts {
  readonly #root: X509Certificate
  readonly #read: (name: string) => Promise<QuoteCollateral | undefined>
  readonly #logger: Logger
  readonly #newest = new Map<string, Newest>()
  readonly #chains = new SignerChains()
  readonly #recalled = new Set<string>()

  /** @param read what was kept under a publication's name; the rest of that collateral is not looked at. */
  constructor(root: X509Certificate, read: (name: string) => Promise<QuoteCollateral | undefined>, logger: Logger) {
    this.#root = root
    this.#read = read
    this.#logger = logger
  }

  /** Takes what is newer in collateral that stands. */
  take(collateral: VerifiedCollateral): void {
    this.#chains.take(collateral)
    for (const publication of publicationsIn(collateral)) {
      const former = this.#newest.get(publication.name)
      if (former === undefined || isOutdone(former, publication)) this.#set(publication, collateral)
    }
  }

  /** Names of what is for many families in collateral, but for that than which something newer was seen. */
  namesIn(collateral: VerifiedCollateral): string[] {
    return commonIn(collateral)
      .filter((publication) => !isOutdone(publication, this.#newest.get(publication.name) ?? publication))
      .map(({ name }) => name)
  }

  /**
   * Collateral with the newest of everything, each with the chain of its signer that lasts longest; the same object where
   * nothing is better than what it has. Its chains are taken, since they stand however old the rest is.
   *
   * @throws AttestationError `attestation/collateral-unavailable` when it does not stand so: by the newest list of the
   * root's, say, or since a list has ended.
   */
  appliedTo(collateral: VerifiedCollateral, now: Date): VerifiedCollateral {
    this.#chains.take(collateral)
    const outdone = publicationsIn(collateral).filter((one) => isOutdone(one, this.#newest.get(one.name) ?? one))
    const isRefused = ({ name, mark }: Publication) => isOlder(mark, this.#newest.get(name)?.mark ?? mark)
    const refused = outdone.filter(isRefused)
    const bettered = outdone.filter((publication) => !isRefused(publication))
    if (bettered.length === 0) return this.#with(refused, collateral, now)
    try {
      return this.#with(outdone, collateral, now)
    } catch (thrown) {
      // The better one may have ended all the same, or the root have revoked its signer's certificate. Of the same round the
      // one that collateral has is as good, and the newest from now on.
      const own = this.#with(refused, collateral, now)
      this.#logger.info('a part of collateral that would last longer does not stand', { reason: messageOf(thrown) })
      for (const publication of bettered) this.#set(publication, own)
      return own
    }
  }

  #set(publication: Publication, collateral: VerifiedCollateral): void {
    const { name, mark, until } = publication
    const parts = partsOf(publication, collateral.collateral)
    const signers = partsOf(publication, collateral.signers)
    this.#newest.set(name, { mark, until, parts, signers })
  }

  /** With the longest chains, or as things came where these do not fit. */
  #with(publications: readonly Publication[], collateral: VerifiedCollateral, now: Date): VerifiedCollateral {
    const newest = publications.map(({ name }) => this.#newest.get(name))
    const changes = Object.assign({}, ...newest.map((one) => one?.parts))
    const asTheyCame = () =>
      newest.length === 0 ? collateral : verifyCollateral({ ...collateral.collateral, ...changes }, this.#root, now)

    const signers = Object.assign({}, collateral.signers, ...newest.map((one) => one?.signers))
    const longer = this.#chains.outlasting(signers)
    if (Object.keys(longer).length === 0) return asTheyCame()
    try {
      return verifyCollateral({ ...collateral.collateral, ...changes, ...longer }, this.#root, now)
    } catch (thrown) {
      const former = asTheyCame()
      // What has ended says nothing about the chains.
      if (!isWithin(former.validity, now)) return former
      this.#logger.info('a chain that would last longer does not fit', { reason: messageOf(thrown) })
      this.#chains.forget(signers)
      return former
    }
  }

  /** Takes what former times have kept of the publications in collateral that stands. */
  async recallFor(collateral: VerifiedCollateral, now: Date): Promise<void> {
    for (const publication of commonIn(collateral)) {
      if (!this.#recalled.has(publication.name)) await this.#recall(publication, collateral, now)
    }
  }

  /**
   * It is verified in the place of the one that collateral has, and where that fails with the chain of that one, since its
   * own may have ended; tried again with other collateral where that fails, too.
   */
  async #recall(publication: Publication, collateral: VerifiedCollateral, now: Date): Promise<void> {
    const { name } = publication
    try {
      const kept = await this.#read(name)
      if (kept !== undefined) this.take(this.#inPlace(partsOf(publication, kept), collateral, now))
      this.#recalled.add(name)
    } catch (thrown) {
      this.#logger.warn('a part of collateral that was kept is of no use', { name, reason: messageOf(thrown) })
    }
  }

  #inPlace(parts: Partial<QuoteCollateral>, collateral: VerifiedCollateral, now: Date): VerifiedCollateral {
    const changed = { ...collateral.collateral, ...parts }
    try {
      return verifyCollateral(changed, this.#root, now)
    } catch {
      const { pck_crl_issuer_chain, tcb_info_issuer_chain, qe_identity_issuer_chain } = collateral.collateral
      const chains = { pck_crl_issuer_chain, tcb_info_issuer_chain, qe_identity_issuer_chain }
      return verifyCollateral({ ...changed, ...chains }, this.#root, now)
    }
  }
}

function commonIn(collateral: VerifiedCollateral): Publication[] {
  return publicationsIn(collateral).filter(({ isCommon }) => isCommon)
}

function partsOf<T extends object>({ parts }: Publication, whole: T): Partial<T> {
  const names: readonly string[] = parts
  return Object.fromEntries(Object.entries(whole).filter(([name]) => names.includes(name))) as Partial<T>
}

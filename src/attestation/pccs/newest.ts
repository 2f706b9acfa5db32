import type { X509Certificate } from 'node:crypto'
import { type Logger, messageOf } from '../../domain/index.js'
import { type QuoteCollateral, type VerifiedCollateral, verifyCollateral } from '../collateral.js'
import { type Dated, isOlder, isOutdone, type Publication, publicationsIn } from './publications.js'

interface Newest extends Dated {
  readonly parts: Partial<QuoteCollateral>
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
  readonly #recalled = new Set<string>()

  /** @param read what was kept under a publication's name; the rest of that collateral is not looked at. */
  constructor(root: X509Certificate, read: (name: string) => Promise<QuoteCollateral | undefined>, logger: Logger) {
    this.#root = root
    this.#read = read
    this.#logger = logger
  }

  /** Takes what is newer in collateral that stands. */
  take(collateral: VerifiedCollateral): void {
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
   * Collateral with the newest of everything; the same object where nothing is newer than what it has.
   *
   * @throws AttestationError `attestation/collateral-unavailable` when it does not stand so: by the newest list of the
   * root's, say, or since a list has ended.
   */
  appliedTo(collateral: VerifiedCollateral, now: Date): VerifiedCollateral {
    const outdone = publicationsIn(collateral).filter((one) => isOutdone(one, this.#newest.get(one.name) ?? one))
    const isRefused = ({ name, mark }: Publication) => isOlder(mark, this.#newest.get(name)?.mark ?? mark)
    const refused = outdone.filter(isRefused)
    const bettered = outdone.filter((publication) => !isRefused(publication))
    if (bettered.length === 0) return this.#with(refused, collateral, now)
    try {
      return this.#with([...refused, ...bettered], collateral, now)
    } catch (thrown) {
      // The better one may have ended all the same, or the root have revoked its signer's certificate. Of the same round the
      // one that collateral has is as good, and the newest from now on.
      const own = this.#with(refused, collateral, now)
      this.#logger.info('a part of collateral that would last longer does not stand', { reason: messageOf(thrown) })
      for (const publication of bettered) this.#set(publication, own)
      return own
    }
  }

  #set(publication: Publication, { collateral }: VerifiedCollateral): void {
    const { name, mark, until } = publication
    this.#newest.set(name, { mark, until, parts: partsOf(publication, collateral) })
  }

  #with(publications: readonly Publication[], collateral: VerifiedCollateral, now: Date): VerifiedCollateral {
    if (publications.length === 0) return collateral
    const parts = publications.map(({ name }) => this.#newest.get(name)?.parts)
    return verifyCollateral(Object.assign({}, collateral.collateral, ...parts), this.#root, now)
  }

  /** Takes what former times have kept of the publications in collateral that stands. */
  async recallFor(collateral: VerifiedCollateral, now: Date): Promise<void> {
    for (const publication of commonIn(collateral)) {
      if (!this.#recalled.has(publication.name)) await this.#recall(publication, collateral, now)
    }
  }

  /** It is verified in the place of the one that collateral has; tried again with other collateral where it fails. */
  async #recall(publication: Publication, collateral: VerifiedCollateral, now: Date): Promise<void> {
    const { name } = publication
    try {
      const kept = await this.#read(name)
      if (kept !== undefined) {
        const changed = { ...collateral.collateral, ...partsOf(publication, kept) }
        this.take(verifyCollateral(changed, this.#root, now))
      }
      this.#recalled.add(name)
    } catch (thrown) {
      this.#logger.warn('a part of collateral that was kept is of no use', { name, reason: messageOf(thrown) })
    }
  }
}

function commonIn(collateral: VerifiedCollateral): Publication[] {
  return publicationsIn(collateral).filter(({ isCommon }) => isCommon)
}

function partsOf({ parts }: Publication, collateral: QuoteCollateral): Partial<QuoteCollateral> {
  return Object.fromEntries(parts.map((part) => [part, collateral[part]]))
}

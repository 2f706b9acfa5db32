import { createHash } from 'node:crypto'
import type { QeIdentity, QuoteCollateral, TcbInfo, VerifiedCollateral, VerifiedList } from '../collateral.js'

/** How new a publication of Intel's is: by its evaluation number, then by its date, then by its number in a row. */
export interface Mark {
  /** The evaluation number; lists have none (0). */
  readonly round: number
  /** Unix ms. */
  readonly issued: number
  /** Of a list; 0 of all else. */
  readonly number: number
}

export interface Dated {
  readonly mark: Mark
  /** When it or a certificate of who signed it ends, Unix ms. */
  readonly until: number
}

/** One of the things that Intel signs, as a part of collateral. */
export interface Publication extends Dated {
  /** The same in whatever collateral it comes. */
  readonly name: string
  readonly title: 'TCB info' | 'QE identity' | 'revocation list'
  /** Where it stands in collateral, with the chain of who signed it. */
  readonly parts: readonly (keyof QuoteCollateral)[]
  /** Whether it is about the platforms of more than one family. */
  readonly isCommon: boolean
}

/**
 * TCB info by technology and family, QE identity by technology, revocation lists by authority.
 *
 * Lists go by their date, and by their number only within a second, since every list of Intel's has the number 1.
 */
export function publicationsIn({ tcbInfo, qeIdentity, lists, validities }: VerifiedCollateral): readonly Publication[] {
  const tee = tcbInfo.id.toLowerCase()
  const list = (verified: VerifiedList) => ({
    name: `list/${createHash('sha256').update(verified.authority).digest('hex')}`,
    title: 'revocation list' as const,
    mark: markOfList(verified),
    isCommon: true,
  })
  return [
    {
      name: `tcb-info/${tee}/${tcbInfo.fmspc}/${tcbInfo.pceId}`,
      title: 'TCB info',
      mark: markOf(tcbInfo),
      until: validities.tcbInfo.until.getTime(),
      parts: ['tcb_info_issuer_chain', 'tcb_info', 'tcb_info_signature'],
      isCommon: false,
    },
    {
      name: `qe-identity/${tee}`,
      title: 'QE identity',
      mark: markOf(qeIdentity),
      until: validities.qeIdentity.until.getTime(),
      parts: ['qe_identity_issuer_chain', 'qe_identity', 'qe_identity_signature'],
      isCommon: true,
    },
    { ...list(lists.root), until: validities.rootList.until.getTime(), parts: ['root_ca_crl'] },
    { ...list(lists.pck), until: validities.pckList.until.getTime(), parts: ['pck_crl_issuer_chain', 'pck_crl'] },
  ]
}

/**
 * Whether one is never believed once the other was seen: what is of an earlier round, or a list of an earlier day. What Intel
 * signs of one round says the same on every day, and an honest service of several caches shows now one day's, now another's.
 */
export function isOlder(one: Mark, other: Mark): boolean {
  return one.round === other.round ? one.round === 0 && isEarlier(one, other) : one.round < other.round
}

/**
 * Whether the other takes the place of one where both are known: it was issued later, or is the same and lasts longer, since its
 * signer has several certificates.
 */
export function isOutdone(one: Dated, other: Dated): boolean {
  return isEarlier(one.mark, other.mark) || (!isEarlier(other.mark, one.mark) && one.until < other.until)
}

export function isEarlier(one: Mark, other: Mark): boolean {
  if (one.round !== other.round) return one.round < other.round
  return one.issued === other.issued ? one.number < other.number : one.issued < other.issued
}

export function markOfList({ issuedAt, number }: VerifiedList): Mark {
  return { round: 0, issued: issuedAt.getTime(), number }
}

function markOf({ tcbEvaluationDataNumber: round, issueDate }: TcbInfo | QeIdentity): Mark {
  return { round, issued: new Date(issueDate).getTime(), number: 0 }
}

import { createHash } from 'node:crypto'
import type { QuoteCollateral, VerifiedCollateral } from '../collateral.js'

/**
 * How new a publication of Intel's is: by the evaluation number, or of lists, which have none (0), by date. What Intel signs
 * of one round says the same on every day, and an honest service of several caches shows now one day's, now another's.
 */
export interface Mark {
  readonly round: number
  /** Unix ms. */
  readonly issued: number
}

/** One of the things that Intel signs, as a part of collateral. */
export interface Publication {
  /** The same in whatever collateral it comes. */
  readonly name: string
  /** For people. */
  readonly title: string
  readonly mark: Mark
  /** Where it stands in collateral, with the chain of who signed it. */
  readonly parts: readonly (keyof QuoteCollateral)[]
  /** Whether it is about the platforms of more than one family. */
  readonly isCommon: boolean
}

/**
 * TCB info by technology and family, QE identity by technology, revocation lists by authority.
 *
 * Lists go by their date and not by their number, since every list of Intel's has the number 1.
 */
export function publicationsIn({ tcbInfo, qeIdentity, lists }: VerifiedCollateral): readonly Publication[] {
  const tee = tcbInfo.id.toLowerCase()
  const list = ({ authority, issuedAt }: VerifiedCollateral['lists']['root']) => ({
    name: `list/${createHash('sha256').update(authority).digest('hex')}`,
    title: 'revocation list',
    mark: { round: 0, issued: issuedAt.getTime() },
    isCommon: true,
  })
  return [
    {
      name: `tcb-info/${tee}/${tcbInfo.fmspc}/${tcbInfo.pceId}`,
      title: 'TCB info',
      mark: markOf(tcbInfo),
      parts: ['tcb_info_issuer_chain', 'tcb_info', 'tcb_info_signature'],
      isCommon: false,
    },
    {
      name: `qe-identity/${tee}`,
      title: 'QE identity',
      mark: markOf(qeIdentity),
      parts: ['qe_identity_issuer_chain', 'qe_identity', 'qe_identity_signature'],
      isCommon: true,
    },
    { ...list(lists.root), parts: ['root_ca_crl'] },
    { ...list(lists.pck), parts: ['pck_crl_issuer_chain', 'pck_crl'] },
  ]
}

export function isOlder(one: Mark, other: Mark): boolean {
  return one.round < other.round || (one.round === 0 && other.round === 0 && one.issued < other.issued)
}

function markOf(signed: { readonly tcbEvaluationDataNumber: number; readonly issueDate: string }): Mark {
  return { round: signed.tcbEvaluationDataNumber, issued: new Date(signed.issueDate).getTime() }
}

import { verify, type X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { messageOf } from '../domain/index.js'
import {
  authorityOf,
  certificateValidity,
  isWithin,
  PCK_CA_CHAIN,
  readPemChain,
  serialOf,
  TCB_SIGNING_CHAIN,
  type Validity,
  verifyChain,
} from './certificates.js'
import type { Published, Tee } from './claims.js'
import { type RevocationList, readCrl } from './crl.js'
import { CheckFailed, checking, unavailable } from './errors.js'

/**
 * What Intel publishes for verifying quotes of one platform family, named as in Intel's `sgx_ql_qve_collateral_t`.
 * Chains are PEM, leaf first, root last; CRLs (DER) and signatures (64 bytes) are lower-case hexadecimal; TCB info and
 * QE identity are the exact JSON texts that were signed.
 */
export interface QuoteCollateral {
  readonly pck_crl_issuer_chain: string
  readonly root_ca_crl: string
  readonly pck_crl: string
  readonly tcb_info_issuer_chain: string
  readonly tcb_info: string
  readonly tcb_info_signature: string
  readonly qe_identity_issuer_chain: string
  readonly qe_identity: string
  readonly qe_identity_signature: string
}

/** Which collateral is asked for. */
export interface CollateralRequest {
  readonly tee: Tee
  /** 6 bytes of hexadecimal, lower case: the platform family. */
  readonly fmspc: string
  /** 2 bytes of hexadecimal, lower case. */
  readonly pceId: string
  /** Which of Intel's two authorities issued the platform's certificate, hence whose revocation list is needed. */
  readonly ca: 'platform' | 'processor'
}

/** Where a verifier of quotes gets the collateral from. */
export interface CollateralSource {
  /**
   * Collateral for a platform whose PCK certificate is genuine. Return the same object while it has not changed:
   * it is verified once per object.
   *
   * @throws AttestationError `attestation/collateral-unavailable`
   */
  collateral(request: CollateralRequest, options: { signal: AbortSignal }): Promise<QuoteCollateral>
}

/** One platform family's collateral, fetched beforehand: for its SGX quotes, and for its TDX quotes if it has any. */
export function staticCollateral(sgx: QuoteCollateral, tdx: QuoteCollateral = sgx): CollateralSource {
  return { collateral: async ({ tee }) => ({ sgx, tdx })[tee] }
}

/** Collateral that stands: every signature under the root, every date, every revocation. */
export interface VerifiedCollateral {
  readonly collateral: QuoteCollateral
  readonly tcbInfo: TcbInfo
  readonly qeIdentity: QeIdentity
  readonly validity: Validity
  /** Of each part with the certificates of who signed it. */
  readonly validities: Readonly<Record<'tcbInfo' | 'qeIdentity' | 'rootList' | 'pckList', Validity>>
  readonly signers: Readonly<Record<ChainPart, Signer>>
  /** The CA whose PCK certificates the CRL is about. */
  readonly pckAuthority: string
  readonly revokedByRoot: ReadonlySet<string>
  readonly revokedByPckAuthority: ReadonlySet<string>
  readonly lists: Readonly<Record<'root' | 'pck', VerifiedList>>
}

/** Where the chain of who signed something stands in collateral. */
export type ChainPart = Extract<keyof QuoteCollateral, `${string}_issuer_chain`>

/** Who signed a part of collateral, by the certificate that came with it. */
export interface Signer {
  /** The same by another certificate of its name and key. */
  readonly authority: string
  /** Of the certificate, as `serialOf` writes it. */
  readonly serial: string
  /** When the certificate ends, Unix ms. */
  readonly until: number
}

/** A revocation list of collateral, as one in a row of its authority's. */
export interface VerifiedList extends Pick<RevocationList, 'number'> {
  readonly authority: string
  readonly issuedAt: Date
}

/**
 * Bytes of any one part; TCB info of a long-lived family has about 30 000, and a list of 15 000 certificates 800 000.
 * Lists are written with two digits for a byte.
 */
export const MAXIMUM_PART = 1_048_576

const LISTS: readonly string[] = ['root_ca_crl', 'pck_crl'] satisfies (keyof QuoteCollateral)[]

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`))
    .toLowerCase()
const svn = (maximum: number) => z.int().min(0).max(maximum)
const signed = {
  issueDate: z.iso.datetime(),
  nextUpdate: z.iso.datetime(),
  tcbEvaluationDataNumber: z.int().min(0).max(0xffff_ffff),
}
const level = { tcbStatus: z.string(), advisoryIDs: z.array(z.string()).default([]) }
const components = z.array(z.object({ svn: svn(0xff) })).length(16)
const enclaveLevels = z.array(z.object({ ...level, tcb: z.object({ isvsvn: svn(0xffff) }) })).min(1)
const platform = { version: z.literal(3), fmspc: hex(6), pceId: hex(2) }
const sgxTcb = { sgxtcbcomponents: components, pcesvn: svn(0xffff) }
const tdxModule = { mrsigner: hex(48), attributes: hex(8), attributesMask: hex(8) }

// The verification library takes a missing date, SVN or mask byte for one that fits; these schemas refuse them. It takes
// the first TCB level that fits, so levels must come best first: that is how Intel signs them, and is not checked.
const TcbInfoSchema = z.discriminatedUnion('id', [
  z.object({
    id: z.literal('SGX'),
    ...signed,
    ...platform,
    tcbLevels: z.array(z.object({ ...level, tcb: z.object(sgxTcb) })).min(1),
  }),
  z.object({
    id: z.literal('TDX'),
    ...signed,
    ...platform,
    tdxModule: z.object(tdxModule),
    tdxModuleIdentities: z
      .array(z.object({ id: z.string(), ...tdxModule, tcbLevels: enclaveLevels }))
      .max(256)
      .default([]),
    tcbLevels: z.array(z.object({ ...level, tcb: z.object({ ...sgxTcb, tdxtcbcomponents: components }) })).min(1),
  }),
])

const QeIdentitySchema = z.object({
  ...signed,
  id: z.enum(['QE', 'TD_QE']),
  version: z.literal([2, 3]),
  miscselect: hex(4),
  miscselectMask: hex(4),
  attributes: hex(16),
  attributesMask: hex(16),
  mrsigner: hex(32),
  isvprodid: svn(0xffff),
  tcbLevels: enclaveLevels,
})

/** How Intel judges the platforms of a family. Hexadecimal in lower case. */
export type TcbInfo = z.infer<typeof TcbInfoSchema>
/** What Intel's quoting enclave looks like. Hexadecimal in lower case. */
export type QeIdentity = z.infer<typeof QeIdentitySchema>

/**
 * Verifies collateral down from the root. The verification library leaves out most of this: it takes CRLs unsigned,
 * of any issuer and any age, skips those that do not parse, and lets any certificate under the root sign TCB info.
 *
 * @throws AttestationError `attestation/collateral-unavailable`
 */
export function verifyCollateral(given: QuoteCollateral, root: X509Certificate, now: Date): VerifiedCollateral {
  try {
    // Only the known parts: one more (`pck_certificate_chain`) would take the place of the quote's own chain.
    const collateral: QuoteCollateral = {
      pck_crl_issuer_chain: given.pck_crl_issuer_chain,
      root_ca_crl: given.root_ca_crl,
      pck_crl: given.pck_crl,
      tcb_info_issuer_chain: given.tcb_info_issuer_chain,
      tcb_info: given.tcb_info,
      tcb_info_signature: given.tcb_info_signature,
      qe_identity_issuer_chain: given.qe_identity_issuer_chain,
      qe_identity: given.qe_identity,
      qe_identity_signature: given.qe_identity_signature,
    }
    for (const [name, { length }] of Object.entries(collateral)) {
      const bytes = LISTS.includes(name) ? length / 2 : length
      if (bytes > MAXIMUM_PART) throw new CheckFailed('collateral-form', `its ${name} is too long`)
    }

    const chainOf = (pem: string, members: RegExp[]) =>
      checking('collateral-chain', () => {
        const [first] = verifyChain(readPemChain(pem, root), members, root, now)
        if (first === undefined) throw new Error('a certificate chain is empty')
        return first
      })
    const pckAuthority = chainOf(collateral.pck_crl_issuer_chain, PCK_CA_CHAIN)
    const tcbSigner = chainOf(collateral.tcb_info_issuer_chain, TCB_SIGNING_CHAIN)
    const qeSigner = chainOf(collateral.qe_identity_issuer_chain, TCB_SIGNING_CHAIN)

    const tcbInfo = checking('tcb-info', () => {
      checkSignature(collateral.tcb_info, collateral.tcb_info_signature, tcbSigner)
      return parse(TcbInfoSchema, collateral.tcb_info)
    })
    const qeIdentity = checking('qe-identity-info', () => {
      checkSignature(collateral.qe_identity, collateral.qe_identity_signature, qeSigner)
      const identity = parse(QeIdentitySchema, collateral.qe_identity)
      const isOfTee = tcbInfo.id === 'SGX' ? identity.id === 'QE' && identity.version === 2 : identity.id === 'TD_QE'
      if (!isOfTee) throw new Error('QE identity is of another technology than TCB info')
      return identity
    })

    const rootCrl = checking('crl', () => readCrl(fromCollateralHex(collateral.root_ca_crl), root))
    const pckCrl = checking('crl', () => readCrl(fromCollateralHex(collateral.pck_crl), pckAuthority))
    const underRoot = [root, pckAuthority, tcbSigner, qeSigner]
    if (underRoot.some(({ serialNumber }) => rootCrl.revoked.has(serialOf(serialNumber)))) {
      throw new CheckFailed('collateral-revoked', 'the root has revoked one of its certificates')
    }

    const validities = {
      tcbInfo: intersection([certificateValidity(tcbSigner), signedValidity(tcbInfo)]),
      qeIdentity: intersection([certificateValidity(qeSigner), signedValidity(qeIdentity)]),
      rootList: intersection([certificateValidity(root), rootCrl.validity]),
      pckList: intersection([certificateValidity(pckAuthority), pckCrl.validity]),
    }
    const validity = intersection(Object.values(validities))
    if (!isWithin(validity, now)) {
      const reason = `it is valid from ${validity.from.toISOString()} until ${validity.until.toISOString()}`
      throw new CheckFailed('collateral-validity', reason)
    }
    return {
      collateral,
      tcbInfo,
      qeIdentity,
      validity,
      validities,
      signers: {
        pck_crl_issuer_chain: signerBy(pckAuthority),
        tcb_info_issuer_chain: signerBy(tcbSigner),
        qe_identity_issuer_chain: signerBy(qeSigner),
      },
      pckAuthority: authorityOf(pckAuthority),
      revokedByRoot: rootCrl.revoked,
      revokedByPckAuthority: pckCrl.revoked,
      lists: {
        root: { authority: authorityOf(root), issuedAt: rootCrl.validity.from, number: rootCrl.number },
        pck: { authority: authorityOf(pckAuthority), issuedAt: pckCrl.validity.from, number: pckCrl.number },
      },
    }
  } catch (error) {
    const check = error instanceof CheckFailed ? error.check : 'collateral-form'
    throw unavailable(check, `The attestation collateral is of no use: ${messageOf(error)}; fetch it anew.`, error)
  }
}

export function published({ tcbInfo, qeIdentity }: Pick<VerifiedCollateral, 'tcbInfo' | 'qeIdentity'>): Published {
  const parts = [tcbInfo, qeIdentity]
  return {
    tcbEvaluationDataNumber: Math.min(...parts.map(({ tcbEvaluationDataNumber }) => tcbEvaluationDataNumber)),
    collateralIssuedAt: new Date(Math.min(...parts.map(({ issueDate }) => new Date(issueDate).getTime()))),
  }
}

function parse<T>(schema: z.ZodType<T>, text: string): T {
  const { success, data, error } = schema.safeParse(JSON.parse(text))
  if (!success) throw new Error(`TCB info or QE identity has a wrong field, ${error.issues[0]?.path.join('.')}`)
  return data
}

function checkSignature(text: string, signature: string, signer: X509Certificate): void {
  const key = { key: signer.publicKey, dsaEncoding: 'ieee-p1363' } as const
  if (!verify('sha256', Buffer.from(text), key, fromCollateralHex(signature))) {
    throw new Error('TCB info or QE identity is not signed by its issuer')
  }
}

function fromCollateralHex(text: string): Buffer {
  if (!/^(?:[0-9a-f]{2})+$/.test(text)) throw new Error('a part is not lower-case hexadecimal')
  return Buffer.from(text, 'hex')
}

function signerBy(certificate: X509Certificate): Signer {
  const until = certificateValidity(certificate).until.getTime()
  return { authority: authorityOf(certificate), serial: serialOf(certificate.serialNumber), until }
}

function signedValidity({ issueDate, nextUpdate }: TcbInfo | QeIdentity): Validity {
  return { from: new Date(issueDate), until: new Date(nextUpdate) }
}

function intersection(validities: Validity[]): Validity {
  return {
    from: new Date(Math.max(...validities.map(({ from }) => from.getTime()))),
    until: new Date(Math.min(...validities.map(({ until }) => until.getTime()))),
  }
}

import { X509Certificate } from 'node:crypto'
import { derElements } from './der.js'

/**
 * Who stands in a chain below the root, leaf first, by the end of the common name. Intel's names ("Intel SGX PCK
 * Platform CA") and the development PKI's end alike; that the chain ends in the right root is checked apart.
 */
export const PCK_CHAIN = [/ PCK Certificate$/, / PCK (?:Platform|Processor) CA$/]
export const PCK_CA_CHAIN = [/ PCK (?:Platform|Processor) CA$/]
export const TCB_SIGNING_CHAIN = [/ TCB Signing$/]

export interface Validity {
  readonly from: Date
  readonly until: Date
}

export function certificateValidity(certificate: X509Certificate): Validity {
  return { from: new Date(certificate.validFrom), until: new Date(certificate.validTo) }
}

/** False also where a date did not parse. */
export function isWithin({ from, until }: Validity, now: Date): boolean {
  return from.getTime() <= now.getTime() && now.getTime() <= until.getTime()
}

/** PEM without what may differ between two writings of the same certificates: line breaks, and Intel's closing NUL. */
export function canonicalPem(pem: string): string {
  return pem.replace(/\0$/, '').replace(/[\r\n]/g, '')
}

/**
 * Reads a row of PEM certificates, by its canonical text alone. Nothing else may stand in the text, and the base64 must
 * be canonical: the verification library skips what it does not know, and bytes that nobody checks could be changed
 * unnoticed.
 *
 * @param root stands for itself where a chain has its very bytes: reading it again and again is half of the work.
 */
export function readPemChain(pem: string, root?: X509Certificate): X509Certificate[] {
  const text = canonicalPem(pem)
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)]
  // One more than any accepted chain has, so that a long one costs no more than its length.
  const certificates = blocks.slice(0, 4).map(([, base64 = '']) => {
    const der = Buffer.from(base64, 'base64')
    if (der.toString('base64') !== base64) throw notPlain()
    return root?.raw.equals(der) ? root : new X509Certificate(der)
  })
  if (text !== certificates.map((certificate) => canonicalPem(certificate.toString())).join('')) throw notPlain()
  return certificates
}

function notPlain(): Error {
  return new Error('the certificate chain is not plain PEM')
}

/**
 * Verifies a chain strictly: it has exactly the expected members and then the trusted root itself; every issuer is a
 * CA (basicConstraints and keyUsage), the leaf of a whole chain is not; names, key identifiers, signatures, validity.
 * The verification library checks signatures and dates alone.
 *
 * @returns the chain without the root.
 * @throws Error that names the first thing that is wrong.
 */
export function verifyChain(
  chain: readonly X509Certificate[],
  members: readonly RegExp[],
  root: X509Certificate,
  now: Date,
): X509Certificate[] {
  if (chain.length !== members.length + 1) throw new Error('the certificate chain has not the expected length')
  if (chain.at(-1)?.raw.equals(root.raw) !== true) throw new Error('the certificate chain does not end in the root')
  chain.forEach((certificate, at) => {
    const issuer = chain[at + 1] ?? root
    if (!isWithin(certificateValidity(certificate), now)) throw new Error(`${name(certificate)} is not valid now`)
    if (at < members.length && members[at]?.test(name(certificate)) !== true) {
      throw new Error(`${name(certificate)} does not belong in this place of the chain`)
    }
    if (!issuer.ca) throw new Error(`${name(issuer)} may not issue certificates`)
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      throw new Error(`${name(certificate)} was not issued by ${name(issuer)}`)
    }
  })
  return chain.slice(0, -1)
}

/** The one common name of the subject; empty when it has none, or several. */
function name(certificate: X509Certificate): string {
  const names = certificate.subject.split('\n').filter((line) => line.startsWith('CN='))
  return names.length === 1 ? (names[0]?.slice('CN='.length) ?? '') : ''
}

/** A serial number as comparable text, whoever printed it. */
export function serialOf(hex: string): string {
  return BigInt(`0x${hex}`).toString(16)
}

/** A certification authority as comparable text: the same by another certificate of its name and key. */
export function authorityOf({ subject, publicKey }: X509Certificate): string {
  return `${subject}\n${publicKey.export({ type: 'spki', format: 'der' }).toString('hex')}`
}

/** Which of Intel's two authorities issues PCK certificates, by its subject or its comparable text. */
export function pckCaOf(authority: string): 'platform' | 'processor' {
  return / PCK Processor CA$/m.test(authority) ? 'processor' : 'platform'
}

/** What a PCK certificate says of its platform, in Intel's SGX extension. */
export interface PckPlatform {
  /** 6 bytes of hexadecimal, lower case: the family, model and stepping that TCB info is published for. */
  readonly fmspc: string
  /** 2 bytes of hexadecimal, lower case. */
  readonly pceId: string
  /** 16 bytes: the security versions of the platform's parts. */
  readonly componentSvns: Uint8Array
  /** Of the provisioning certification enclave. */
  readonly pceSvn: number
}

/** 1.2.840.113741.1.13.1, as DER content. */
const SGX_EXTENSION = '2a864886f84d010d01'
const [TCB, PCE_ID, FMSPC] = ['02', '03', '04']
const [PCE_SVN, CPU_SVN] = ['11', '12']

/**
 * Reads "Intel SGX PCK Certificate and CRL Profile Specification", 1.3.5, as far as it is needed here.
 *
 * The verification library compares the raw CPUSVN with TCB info's component SVNs, where Intel's rule compares the
 * certificate's component SVNs. Both are the same bytes on known platforms; where they differ, this throws.
 */
export function readPckPlatform(pck: X509Certificate): PckPlatform {
  const fields = readFields(sgxExtension(pck), SGX_EXTENSION)
  const tcb = readFields(required(fields.get(TCB)), SGX_EXTENSION + TCB)
  const cpuSvn = required(tcb.get(CPU_SVN))
  const components = Array.from({ length: 16 }, (_, at) => required(tcb.get((at + 1).toString(16).padStart(2, '0'))))
  if (cpuSvn.length !== 16 || components.some((svn, at) => svn.length > 2 || svn.at(-1) !== cpuSvn[at])) {
    throw new Error('the PCK certificate has a CPUSVN that is not its component SVNs')
  }
  const fmspc = Buffer.from(required(fields.get(FMSPC))).toString('hex')
  const pceId = Buffer.from(required(fields.get(PCE_ID))).toString('hex')
  const pceSvn = required(tcb.get(PCE_SVN)).reduce((value, byte) => value * 256 + byte, 0)
  return { fmspc, pceId, componentSvns: Uint8Array.from(cpuSvn), pceSvn }
}

/** The content of the SGX extension's SEQUENCE. */
function sgxExtension(certificate: X509Certificate): Uint8Array {
  const [whole] = derElements(certificate.raw)
  const [tbs] = derElements(required(whole?.content))
  const explicit = derElements(required(tbs?.content)).find(({ tag }) => tag === 0xa3)
  const [extensions] = derElements(required(explicit?.content))
  const found = derElements(required(extensions?.content))
    .map(({ content }) => derElements(content))
    .filter(([oid]) => Buffer.from(oid?.content ?? []).toString('hex') === SGX_EXTENSION)
  if (found.length !== 1) throw new Error('the PCK certificate has not exactly one SGX extension')
  const [sequence] = derElements(required(found[0]?.at(-1)?.content))
  return required(sequence?.content)
}

/** Contents of `SEQUENCE { OID, value }` entries by the hexadecimal of what their OID adds to `prefix`. */
function readFields(bytes: Uint8Array, prefix: string): Map<string, Uint8Array> {
  const entries = derElements(bytes).map(({ content }) => {
    const [oid, value] = derElements(content)
    const id = Buffer.from(required(oid?.content)).toString('hex')
    return [id.startsWith(prefix) ? id.slice(prefix.length) : id, required(value?.content)] as const
  })
  return new Map(entries)
}

function required(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new Error('the PCK certificate lacks a field of the SGX extension')
  return bytes
}

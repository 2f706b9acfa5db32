import { verify, type X509Certificate } from 'node:crypto'
import { equalBytes } from '../crypto/index.js'
import { serialOf, type Validity } from './certificates.js'
import { type DerElement, derElements } from './der.js'

/** What a revocation list says. */
export interface RevocationList {
  /** Serial numbers, as `serialOf` writes them. */
  readonly revoked: ReadonlySet<string>
  readonly validity: Validity
  /** Grows from list to list, if the authority counts them; 0 where it is not said. */
  readonly number: number
}

const [BOOLEAN, INTEGER, BIT_STRING, OCTETS, UTC_TIME, GENERALIZED_TIME, SEQUENCE, EXTENSIONS] = [
  0x01, 0x02, 0x03, 0x04, 0x17, 0x18, 0x30, 0xa0,
]

/** The CRL number's OID (2.5.29.20), DER content; and bytes of the longest one (RFC 5280, 5.2.3). */
const [CRL_NUMBER, MAXIMUM_NUMBER] = ['551d14', 20]

/** The AlgorithmIdentifier, DER. */
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')

/**
 * Reads a whole list (RFC 5280, 5.1) in one pass, so that its length is bounded by its bytes alone. Signatures are
 * OpenSSL's to check.
 *
 * @param bytes DER.
 * @throws Error that names the first thing that is wrong; RangeError when it is not DER.
 */
export function readCrl(bytes: Uint8Array, issuer: X509Certificate): RevocationList {
  const [version, algorithm, name, from, ...rest] = derElements(signedList(bytes, issuer))
  if (version?.tag !== INTEGER || version.content.length !== 1 || version.content[0] !== 1) throw formError()
  if (algorithm === undefined || !equalBytes(algorithm.raw, ECDSA_WITH_SHA256)) throw formError()
  if (name === undefined || !equalBytes(name.raw, subjectOf(issuer))) throw new Error('a CRL is not of its authority')
  const until = isTime(rest[0]) ? rest.shift() : undefined
  const entries = rest[0]?.tag === SEQUENCE ? derElements(rest.shift()?.content ?? new Uint8Array()) : []
  const extensions = rest[0]?.tag === EXTENSIONS ? derElements(rest.shift()?.content ?? new Uint8Array()) : []
  if (!isTime(from) || rest.length > 0 || extensions.length > 1) throw formError()
  if (until === undefined) throw new Error('a CRL never ends')
  requireUncritical(extensions[0])
  const validity = { from: timeOf(from), until: timeOf(until) }
  return { revoked: new Set(entries.map(readEntry)), validity, number: numberOf(extensions[0]) }
}

/** @returns the content of the one part that the authority signs, once the signature stands. */
function signedList(bytes: Uint8Array, issuer: X509Certificate): Uint8Array {
  const [list, ...beyond] = derElements(bytes)
  const [tbs, algorithm, signature, ...more] = derElements(list?.content ?? new Uint8Array())
  const isWhole = beyond.length + more.length === 0 && list?.tag === SEQUENCE && tbs?.tag === SEQUENCE
  // The first byte of a BIT STRING counts unused bits.
  if (!isWhole || signature?.tag !== BIT_STRING || signature.content[0] !== 0) throw formError()
  if (algorithm === undefined || !equalBytes(algorithm.raw, ECDSA_WITH_SHA256)) throw formError()
  if (!verify('sha256', tbs.raw, issuer.publicKey, signature.content.subarray(1))) {
    throw new Error('a CRL is not signed by its authority')
  }
  return tbs.content
}

function readEntry({ tag, content }: DerElement): string {
  const [serial, date, extensions, ...more] = derElements(content)
  if (tag !== SEQUENCE || serial?.tag !== INTEGER || !isTime(date) || more.length > 0) throw formError()
  requireUncritical(extensions)
  return serialOf(Buffer.from(serial.content).toString('hex'))
}

/** RFC 5280, 5.2: an unknown critical extension (a delta, a scope) changes what the list means. */
function requireUncritical(extensions: DerElement | undefined): void {
  if (extensions === undefined) return
  if (extensions.tag !== SEQUENCE) throw formError()
  for (const { content } of derElements(extensions.content)) {
    // DER writes the word only where it is true.
    if (derElements(content)[1]?.tag === BOOLEAN) throw new Error('a CRL has a critical extension')
  }
}

/** Beyond 2^53 rounded, which leaves the order of numbers as it is but for neighbours. */
function numberOf(extensions: DerElement | undefined): number {
  const extension = derElements(extensions?.content ?? new Uint8Array())
    .map(({ content }) => derElements(content))
    .find(([oid]) => Buffer.from(oid?.content ?? []).toString('hex') === CRL_NUMBER)
  if (extension === undefined) return 0
  const value = extension.at(-1)
  const [number, ...more] = derElements(value?.content ?? new Uint8Array())
  if (value?.tag !== OCTETS || number?.tag !== INTEGER || more.length > 0) throw formError()
  if (number.content.length > MAXIMUM_NUMBER) throw formError()
  return number.content.reduce((sum, byte) => sum * 256 + byte, 0)
}

/** RFC 5280, 4.1: the sixth field of what is signed in a certificate of version 3. DER. */
function subjectOf({ raw }: X509Certificate): Uint8Array {
  const [certificate] = derElements(raw)
  const [tbs] = derElements(certificate?.content ?? new Uint8Array())
  return derElements(tbs?.content ?? new Uint8Array())[5]?.raw ?? new Uint8Array()
}

function isTime(element: DerElement | undefined): element is DerElement {
  return element?.tag === UTC_TIME || element?.tag === GENERALIZED_TIME
}

/** RFC 5280, 5.1.2.4: to the second, in UTC; until 2049 with two digits of the year. */
function timeOf({ tag, content }: DerElement): Date {
  const digits = Buffer.from(content).toString('latin1')
  const century = Number(digits.slice(0, 2)) < 50 ? '20' : '19'
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(tag === UTC_TIME ? `${century}${digits}` : digits)
  if (parts === null) throw formError()
  const [, year, month, day, hour, minute, second] = parts
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

function formError(): Error {
  return new Error('a CRL has not the one form that is signed')
}

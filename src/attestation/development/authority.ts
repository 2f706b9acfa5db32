import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign, webcrypto } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { DOMAIN, taggedHash, utf8 } from '../../crypto/index.js'
import { derElement, derElements } from '../der.js'
import * as x509 from '../x509.js'

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** Tags of DER, and what a bit string of whole bytes begins with. */
const SEQUENCE = 0x30
const BIT_STRING = 0x03
const NO_UNUSED_BITS = Uint8Array.of(0)

/** Fixed, so that every process that has the seed makes the very same certificates. */
const NOT_BEFORE = new Date('2024-01-01T00:00:00Z')
const NOT_AFTER = new Date('2049-12-31T23:59:59Z')

/** HKDF-SHA256 (RFC 5869) of the development seed; every purpose is its own list of words. */
export function derive(seed: Uint8Array, bytes: number, ...purpose: string[]): Uint8Array {
  const info = taggedHash(DOMAIN.developmentPki, ...purpose.map(utf8))
  return new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(), info, bytes))
}

/** A P-256 key pair that follows from the seed. */
export interface DevelopmentKey {
  /** The secret scalar, for signatures that must come out the same in every process. */
  readonly scalar: Uint8Array
  readonly privateKey: KeyObject
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** x and y, 64 bytes. */
  readonly point: Uint8Array
}

export function deriveKey(seed: Uint8Array, ...purpose: string[]): DevelopmentKey {
  const scalar = p256.utils.randomSecretKey(derive(seed, 48, 'key', ...purpose))
  const point = p256.getPublicKey(scalar, false).subarray(1)
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
  const publicJwk = {
    kty: 'EC',
    crv: 'P-256',
    x: base64url(point.subarray(0, 32)),
    y: base64url(point.subarray(32)),
  }
  const privateKey = createPrivateKey({ key: { ...publicJwk, d: base64url(scalar) }, format: 'jwk' })
  const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }))
  return { scalar, privateKey, spki, point }
}

/** ECDSA as quotes and collateral carry it: r and s, 64 bytes. */
export function signRaw(key: DevelopmentKey, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign('sha256', message, { key: key.privateKey, dsaEncoding: 'ieee-p1363' }))
}

/** A 16-byte positive serial number, hexadecimal. */
export function deriveSerial(seed: Uint8Array, ...purpose: string[]): string {
  const serial = derive(seed, 16, 'serial', ...purpose)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return Buffer.from(serial).toString('hex')
}

/** Who signs certificates and revocation lists. */
export interface Authority {
  readonly name: string
  readonly key: DevelopmentKey
}

export interface CertificateRequest {
  readonly subject: Authority
  readonly issuer: Authority
  /** Hexadecimal. */
  readonly serial: string
  /** How many CAs may stand below this one; absent for one that is none. */
  readonly pathLength?: number
  readonly extensions?: readonly x509.Extension[]
  readonly notAfter?: Date
}

export function subjectName(name: string): string {
  return `CN=SLOTMESH DEVELOPMENT ${name}, O=SLOTMESH DEVELOPMENT, OU=Simulated attestation - proves nothing`
}

/** A certificate (DER); the same request gives the same bytes (RFC 6979). */
export async function issueCertificate(request: CertificateRequest): Promise<Uint8Array> {
  const { subject, issuer, pathLength } = request
  const isAuthority = pathLength !== undefined
  const { keyCertSign, cRLSign, digitalSignature, nonRepudiation } = x509.KeyUsageFlags
  const content = {
    serialNumber: request.serial,
    subject: subjectName(subject.name),
    issuer: subjectName(issuer.name),
    notBefore: NOT_BEFORE,
    notAfter: request.notAfter ?? NOT_AFTER,
    publicKey: subject.key.spki,
    signingAlgorithm: ECDSA,
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(issuer.key.spki),
      await x509.SubjectKeyIdentifierExtension.create(subject.key.spki),
      new x509.KeyUsagesExtension(isAuthority ? keyCertSign | cRLSign : digitalSignature | nonRepudiation, true),
      new x509.BasicConstraintsExtension(isAuthority, pathLength, true),
      ...(request.extensions ?? []),
    ],
  }
  // Made with a signature that is none, to be put in afterwards, since WebCrypto signs at random only.
  const unsigned = await x509.X509CertificateGenerator.create({ ...content, signature: new Uint8Array(64).fill(1) })
  const [certificate] = derElements(new Uint8Array(unsigned.rawData))
  const [tbs, algorithm] = derElements(certificate?.content ?? new Uint8Array()).map(({ raw }) => raw)
  if (tbs === undefined || algorithm === undefined) throw new RangeError('A certificate was made without its parts.')
  const signature = p256.sign(tbs, issuer.key.scalar, { format: 'der' })
  return derElement(SEQUENCE, tbs, algorithm, derElement(BIT_STRING, NO_UNUSED_BITS, signature))
}

/** A certificate revocation list (DER). */
export async function issueCrl(
  issuer: Authority,
  revokedSerials: readonly string[],
  validity: { from: Date; until?: Date },
  extensions: readonly x509.Extension[] = [],
): Promise<Uint8Array> {
  const pkcs8 = issuer.key.privateKey.export({ type: 'pkcs8', format: 'der' })
  const crl = await x509.X509CrlGenerator.create({
    issuer: subjectName(issuer.name),
    thisUpdate: validity.from,
    nextUpdate: validity.until,
    entries: revokedSerials.map((serialNumber) => ({ serialNumber, revocationDate: validity.from })),
    extensions: [await x509.AuthorityKeyIdentifierExtension.create(issuer.key.spki), ...extensions],
    signingAlgorithm: ECDSA,
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ECDSA, false, ['sign']),
  })
  return new Uint8Array(crl.rawData)
}

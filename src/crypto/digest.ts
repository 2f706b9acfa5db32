import { hash } from 'node:crypto'
import { u32Bytes, utf8 } from './bytes.js'
import { pooled } from './pool.js'

/**
 * Every domain-separation string of the product, in one place: no two uses of a hash, signature or key derivation
 * may share one. They are normative in `protocols/`; changing one breaks interoperability or stored data.
 */
export const DOMAIN = {
  shareTranscript: 'ternoa/share/1/transcript',
  shareHelloSignature: 'ternoa/share/1/hello',
  shareQuoteProvider: 'ternoa/share/1/quote/provider',
  shareQuoteRequester: 'ternoa/share/1/quote/requester',
  sharePreSharedKey: 'ternoa/share/1/psk',
  shareSealing: 'ternoa/share/1/sealing',
  provenanceLeaf: 'ternoa/provenance/1/leaf',
  provenanceHead: 'ternoa/provenance/1/head',
  reconcileElement: 'ternoa/reconcile/1/element',
  reconcileFingerprint: 'ternoa/reconcile/1/fingerprint',
  enclaveRecord: 'ternoa/enclave-record/1',
  developmentPki: 'slotmesh/development-pki/1',
  storeRecordKey: 'slotmesh/store/1/record-key',
  storeFingerprint: 'slotmesh/store/1/fingerprint',
  sealingKey: 'slotmesh/sealing-key/1',
} as const

export type Domain = (typeof DOMAIN)[keyof typeof DOMAIN]

/** In a call of its own, by way of text: where millions are hashed, both are a fraction of what a hash object or a buffer takes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = pooled(SHA256_BYTES)
  const written = Buffer.prototype.latin1Write.call(digest, hash('sha256', bytes, 'binary'), 0, SHA256_BYTES)
  if (written !== SHA256_BYTES) throw new RangeError(`A digest came to ${written} bytes.`)
  return digest
}

const SHA256_BYTES = 32

/**
 * SHA-256 over a domain string and parts, each behind its length as a big-endian `u32`, so that no two different
 * lists of parts hash alike.
 */
export function taggedHash(domain: Domain, ...parts: Uint8Array[]): Uint8Array {
  const prefix = prefixOf(domain)
  let length = prefix.length
  for (const part of parts) length += LENGTH_BYTES + part.length
  const whole = length > scratch.length ? new Uint8Array(length) : scratch.subarray(0, length)
  whole.set(prefix)
  let at = prefix.length
  for (const part of parts) {
    whole[at] = part.length >>> 24
    whole[at + 1] = part.length >>> 16
    whole[at + 2] = part.length >>> 8
    whole[at + 3] = part.length
    whole.set(part, at + LENGTH_BYTES)
    at += LENGTH_BYTES + part.length
  }
  return sha256(whole)
}

const LENGTH_BYTES = 4

/** For what is hashed; none of it is secret. */
const scratch = new Uint8Array(1_024)

/**
 * As {@link taggedHash}, for parts that always have the same lengths: what is hashed, with the domain and the lengths in
 * place, and where each part begins. Whoever has set all parts takes `sha256(bytes)`.
 */
export function taggedLayout(domain: Domain, lengths: readonly number[]): { bytes: Uint8Array; at: readonly number[] } {
  const prefix = prefixOf(domain)
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + LENGTH_BYTES + length, prefix.length))
  bytes.set(prefix)
  const starts: number[] = []
  let at = prefix.length
  for (const length of lengths) {
    bytes.set(u32Bytes(length), at)
    starts.push(at + LENGTH_BYTES)
    at += LENGTH_BYTES + length
  }
  return { bytes, at: starts }
}

const PREFIXES = new Map<Domain, Uint8Array>()

/** A domain behind its length, made once: an exchange hashes some dozens of times. */
function prefixOf(domain: Domain): Uint8Array {
  const known = PREFIXES.get(domain)
  if (known !== undefined) return known
  const name = utf8(domain)
  const prefix = Uint8Array.of(...u32Bytes(name.length), ...name)
  PREFIXES.set(domain, prefix)
  return prefix
}

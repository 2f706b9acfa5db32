import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { readPemChain } from '../../src/attestation/certificates.js'
import { readQuote } from '../../src/attestation/quote.js'

/**
 * What checks each quote's own two signatures, and nothing else of it; what that needs of the quotes is read beforehand.
 * @param quotes of one platform.
 */
export function checkersOf(quotes: readonly Uint8Array[]): (() => void)[] {
  const read = quotes.map(readQuote)
  const pck = new X509Certificate(readPemChain(read[0]?.pckChain ?? '')[0]?.raw ?? new Uint8Array()).publicKey
  return read.map(({ signed, signature, attestationKey, qeReport, qeReportSignature }) => () => {
    const [x, y] = [0, 32].map((at) => Buffer.from(attestationKey.subarray(at, at + 32)).toString('base64url'))
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
    const isSigned =
      verify('sha256', qeReport, { key: pck, dsaEncoding: 'ieee-p1363' }, qeReportSignature) &&
      verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
    if (!isSigned) throw new Error('A simulated quote is not signed.')
  })
}

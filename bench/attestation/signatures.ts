import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { readPemChain } from '../../src/attestation/certificates.js'
import { readQuote } from '../../src/attestation/quote.js'
import { input, report } from '../harness/child.js'
import { type AttestationInput, type AttestationOutput, platformQuotes, quickest, WARM_UP } from './world.js'

const { tee, quotes: count } = input<AttestationInput>()
const read = (await platformQuotes(tee, count)).quotes.map(readQuote)
const pck = new X509Certificate(readPemChain(read[0]?.pckChain ?? '')[0]?.raw ?? new Uint8Array()).publicKey

function checkTwo({ signed, signature, attestationKey, qeReport, qeReportSignature }: (typeof read)[number]): void {
  const [x, y] = [0, 32].map((at) => Buffer.from(attestationKey.subarray(at, at + 32)).toString('base64url'))
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  const isSigned =
    verify('sha256', qeReport, { key: pck, dsaEncoding: 'ieee-p1363' }, qeReportSignature) &&
    verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
  if (!isSigned) throw new Error('A simulated quote is not signed.')
}

for (const quote of read.slice(0, WARM_UP)) checkTwo(quote)
report({ millisecondsEach: await quickest(read, checkTwo) } satisfies AttestationOutput)

import { createPrivateKey, generateKeyPairSync, type webcrypto } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as x509 from '../../../src/attestation/x509.js'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000

/** Files of a throw-away authority, and of a certificate for loopback that it has issued. */
export interface CertificateFiles {
  readonly authority: string
  readonly certificate: string
  readonly key: string
  /** Has the authority issue another certificate in place of the one. @returns its serial number. */
  renew(): Promise<string>
}

async function keys(): Promise<{ pair: webcrypto.CryptoKeyPair; pem: string }> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  const jwk = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
  const { d: _, ...publicJwk } = jwk
  const usable = { name: 'ECDSA', namedCurve: 'P-256' } as const
  const pair = {
    privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, usable, true, ['sign']),
    publicKey: await crypto.subtle.importKey('jwk', publicJwk, usable, true, ['verify']),
  }
  return { pair, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

export async function makeCertificates(folder: string): Promise<CertificateFiles> {
  const [ca, own] = [await keys(), await keys()]
  const notBefore = new Date(Date.now() - DAY_MS)
  const notAfter = new Date(Date.now() + DAY_MS)
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=slotmesh test authority',
    keys: ca.pair,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  })
  const files = {
    authority: join(folder, 'authority.pem'),
    certificate: join(folder, 'certificate.pem'),
    key: join(folder, 'key.pem'),
  }
  const renew = async () => {
    const certificate = await x509.X509CertificateGenerator.create({
      subject: 'CN=127.0.0.1',
      issuer: authority.subject,
      publicKey: own.pair.publicKey,
      signingKey: ca.pair.privateKey,
      notBefore,
      notAfter,
      signingAlgorithm: ALGORITHM,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
    })
    await writeFile(files.certificate, certificate.toString('pem'))
    return certificate.serialNumber
  }
  await writeFile(files.authority, authority.toString('pem'))
  await writeFile(files.key, own.pem, { mode: 0o600 })
  await renew()
  return { ...files, renew }
}

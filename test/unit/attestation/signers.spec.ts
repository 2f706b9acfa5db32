import assert from 'node:assert/strict'
import { webcrypto, X509Certificate } from 'node:crypto'
import { verifyCollateral } from '../../../src/attestation/collateral.js'
import { type Authority, issueCertificate, subjectName } from '../../../src/attestation/development/authority.js'
import { createDevelopmentPki, type DevelopmentPki } from '../../../src/attestation/development/index.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import type { PccsCollateral, QuoteCollateral } from '../../../src/attestation/index.js'
import { SignerChains, type Signers } from '../../../src/attestation/pccs/signers.js'
import * as x509 from '../../../src/attestation/x509.js'
import { silentLogger } from '../../../src/domain/index.js'
import { longCrl } from './long-list.js'
import { DAY, KEY, PccsWorld, REQUEST, resigned, signal } from './pccs-world.js'
import { NOW, SEED } from './world.js'

/** All of Intel's signers can have several certificates, and whoever answers can show one that ends soon. */
describe('certificates of who signs collateral', () => {
  const issuedOn = (day: number) => createDevelopmentPki({ seed: SEED, now: () => new Date(NOW.getTime() + day * DAY) })
  const inDays = (days: number) => new Date(NOW.getTime() + days * DAY)
  const { root, tcbSigner, platformCa } = developmentAuthorities(SEED)
  let pki: DevelopmentPki
  let earlier: QuoteCollateral
  let after: QuoteCollateral
  let world: PccsWorld

  before(async () => {
    pki = await issuedOn(0)
    earlier = pki.collateral
    after = (await issuedOn(1)).collateral
  })

  beforeEach(async () => {
    world = await PccsWorld.start(pki)
  })

  afterEach(() => world.stop())

  const chainOf = async (subject: typeof root, until: number, serial = '0102') => {
    const request = { subject, issuer: root, serial, notAfter: inDays(until) }
    const pathLength = subject === platformCa ? { pathLength: 0 } : {}
    const certificate = await issueCertificate({ ...request, ...pathLength })
    return [new X509Certificate(certificate), new X509Certificate(pki.rootCertificate)].join('')
  }
  const tcbChains = (chain: string) => ({ tcb_info_issuer_chain: chain, qe_identity_issuer_chain: chain })
  const serve = (sgx: QuoteCollateral) => world.pccs.serve({ sgx, tdx: pki.tdxCollateral })
  const asking = (collateral: PccsCollateral, request = REQUEST) => collateral.collateral(request, { signal: signal() })
  const onDay = async (day: number, collateral: PccsCollateral) => {
    world.now = inDays(day)
    await collateral.refreshDue()
    return asking(collateral)
  }

  for (const [part, subject] of [
    ['tcb_info', tcbSigner],
    ['qe_identity', tcbSigner],
    ['pck_crl', platformCa],
  ] as const) {
    describe(`of ${part}`, () => {
      const signatures = part === 'pck_crl' ? [] : ([`${part}_signature`] as const)
      const later = () => {
        const parts = [part, ...signatures].map((name) => [name, after[name]])
        return { ...earlier, ...Object.fromEntries(parts) } as QuoteCollateral
      }
      const shortened = async (collateral: QuoteCollateral) => {
        const chain = await chainOf(subject, 3)
        return {
          ...collateral,
          ...(subject === platformCa ? { pck_crl_issuer_chain: chain } : tcbChains(chain)),
        }
      }

      it('are the best that were seen', async () => {
        const short = await shortened(earlier)
        const collateral = world.source()
        for (const [day, sgx] of [short, earlier, short].entries()) {
          serve(sgx)
          assert.deepEqual(await onDay(day, collateral), day === 0 ? short : earlier)
        }
      })

      it('are the best also for a later issue that was shown once with one that ends soon', async () => {
        const collateral = world.source()
        await asking(collateral)
        serve(await shortened(later()))
        assert.deepEqual(await onDay(1, collateral), later())
        world.pccs.faults.status = 503
        for (const source of [collateral, world.source()]) assert.deepEqual(await onDay(4, source), later())
      })

      it('are the best also where these are seen after a later issue, and with an earlier one', async () => {
        const short = await shortened(later())
        const collateral = world.source()
        serve(short)
        world.now = inDays(1)
        assert.deepEqual(await asking(collateral), short)
        serve(earlier)
        assert.deepEqual(await onDay(2, collateral), later())
        world.pccs.faults.status = 503
        for (const source of [collateral, world.source()]) assert.deepEqual(await onDay(4, source), later())
      })

      it('are the best of those that were kept with what is for many families', async () => {
        await asking(world.source())
        world.cache.kept.delete(KEY)
        serve(await shortened(later()))
        world.now = inDays(1)
        assert.deepEqual(await asking(world.source()), later())
      })

      it('are the best also where these are seen when the others have ended', async () => {
        const short = await shortened(later())
        serve(short)
        const collateral = world.source()
        world.now = inDays(1)
        assert.deepEqual(await asking(collateral), short)
        serve(earlier)
        world.now = inDays(4)
        // TCB info is no part that is kept for many families, and one of the same round is as good.
        assert.deepEqual(await asking(world.source()), part === 'tcb_info' ? earlier : later())
        assert.deepEqual(await asking(collateral), later())
      })
    })
  }

  it('are the best at once in what is held, whatever collateral they come with', async () => {
    const other = { ...REQUEST, fmspc: '534c4d444557' }
    const { tcb_info, tcb_info_signature } = resigned(earlier, { tcbInfo: { fmspc: other.fmspc } })
    const short = { ...earlier, ...tcbChains(await chainOf(tcbSigner, 3)) }
    const collateral = world.source()
    serve(short)
    assert.deepEqual(await asking(collateral), short)
    serve({ ...earlier, tcb_info, tcb_info_signature })
    world.now = inDays(1)
    await asking(collateral, other)
    world.pccs.faults.status = 503
    const used = await asking(collateral)
    assert.deepEqual(used, earlier)
    assert.equal(await asking(collateral), used)
    world.now = inDays(4)
    assert.equal(await asking(collateral), used)
  })

  it('are the best of those that the root has not revoked, also if an earlier list of the root comes with one', async () => {
    const [former] = earlier.tcb_info_issuer_chain.split(/(?<=END CERTIFICATE-----\n)/)
    const revoked = [new X509Certificate(former ?? '').serialNumber]
    const list = await longCrl(root, revoked, { from: NOW, until: inDays(300) })
    const renewed = { ...tcbChains(await chainOf(tcbSigner, 200, '0103')), root_ca_crl: list.toString('hex') }
    const collateral = world.source()
    await asking(collateral)
    serve({ ...earlier, ...renewed })
    assert.deepEqual(await onDay(1, collateral), { ...earlier, ...renewed })
    serve(earlier)
    await onDay(2, collateral)
    serve({ ...after, ...renewed, ...tcbChains(await chainOf(tcbSigner, 9)) })
    assert.deepEqual(await onDay(3, collateral), { ...after, ...renewed })
    assert.equal(collateral.health()[0]?.lastFailure, undefined)
  })

  it('are left where they do not fit, as one that writes the name of its signer otherwise than the list does', async () => {
    const name = oddName(platformCa.name)
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: '0104',
      subject: name,
      issuer: subjectName(root.name),
      notBefore: NOW,
      notAfter: inDays(900),
      publicKey: platformCa.key.spki,
      signingAlgorithm: ECDSA,
      signingKey: await signingKey(root),
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    })
    const list = await x509.X509CrlGenerator.create({
      issuer: name,
      thisUpdate: inDays(-0.5),
      nextUpdate: inDays(300),
      signingAlgorithm: ECDSA,
      signingKey: await signingKey(platformCa),
    })
    const certificates = [certificate.rawData, pki.rootCertificate].map(
      (raw) => new X509Certificate(new Uint8Array(raw)),
    )
    const pck_crl = Buffer.from(list.rawData).toString('hex')
    const told: string[] = []
    const collateral = world.source({ logger: { ...silentLogger, info: (message) => told.push(message) } })
    serve({ ...earlier, pck_crl, pck_crl_issuer_chain: certificates.join('') })
    await asking(collateral)
    const plain = { ...after, pck_crl_issuer_chain: await chainOf(platformCa, 200) }
    serve(plain)
    const used = await onDay(1, collateral)
    assert.deepEqual(used, plain)
    assert.equal(await asking(collateral), used)
    assert.equal(collateral.health()[0]?.lastFailure, undefined)
    assert.equal(told.filter((message) => /does not fit/.test(message)).length, 1)
  })

  it('stay known though something that they would better has ended by itself', async () => {
    const [second, third] = ['534c4d444557', '534c4d444558'].map((fmspc) => ({ ...REQUEST, fmspc }))
    const of = (request: typeof REQUEST, collateral: QuoteCollateral) => ({
      ...collateral,
      ...tcbOf(resigned(collateral, { tcbInfo: { fmspc: request.fmspc } })),
    })
    assert.ok(second && third)
    const short = tcbChains(await chainOf(tcbSigner, 5))
    const ending = tcbOf(resigned(earlier, { tcbInfo: { nextUpdate: inDays(2).toISOString() } }))
    const collateral = world.source()
    serve({ ...earlier, ...ending, ...short })
    await asking(collateral)
    serve(of(second, earlier))
    await asking(collateral, second)
    world.pccs.faults.status = 503
    world.now = inDays(3)
    await assert.rejects(asking(collateral), /status 503/)
    delete world.pccs.faults.status
    serve(of(third, { ...after, ...short }))
    const used = await asking(collateral, third)
    assert.equal(used.tcb_info_issuer_chain, earlier.tcb_info_issuer_chain)
  })

  it('are not known by what the newest list of the root has revoked, whichever comes first', () => {
    const verified = verifyCollateral(earlier, new X509Certificate(pki.rootCertificate), NOW)
    const { lists, signers } = verified
    const { serial } = signers.tcb_info_issuer_chain
    const revoking = {
      ...verified,
      lists: { ...lists, root: { ...lists.root, issuedAt: NOW } },
      revokedByRoot: new Set([serial]),
    }
    for (const order of [
      [verified, revoking],
      [revoking, verified],
      [revoking, verified, verified],
    ]) {
      const chains = new SignerChains()
      for (const collateral of order) chains.take(collateral)
      const known = chains.outlasting(ended(signers))
      assert.deepEqual(known, { pck_crl_issuer_chain: earlier.pck_crl_issuer_chain })
    }
  })

  it('are remembered of so many signers, by name and key', () => {
    const verified = verifyCollateral(earlier, new X509Certificate(pki.rootCertificate), NOW)
    const ending = ended(verified.signers)
    const signers = { ...ending, qe_identity_issuer_chain: { ...ending.qe_identity_issuer_chain, authority: 'other' } }
    for (const [maximum, known] of [
      [2, ['pck_crl_issuer_chain', 'tcb_info_issuer_chain']],
      [1, ['tcb_info_issuer_chain']],
    ] as const) {
      const chains = new SignerChains(maximum)
      chains.take(verified)
      assert.deepEqual(chains.outlasting(verified.signers), {})
      assert.deepEqual(chains.outlasting(signers), Object.fromEntries(known.map((part) => [part, earlier[part]])))
    }
  })
})

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

function tcbOf({ tcb_info, tcb_info_signature }: QuoteCollateral) {
  return { tcb_info, tcb_info_signature }
}

/** The same signers, by certificates that have ended. */
function ended({ pck_crl_issuer_chain, tcb_info_issuer_chain, qe_identity_issuer_chain }: Signers): Signers {
  return {
    pck_crl_issuer_chain: { ...pck_crl_issuer_chain, until: 0 },
    tcb_info_issuer_chain: { ...tcb_info_issuer_chain, until: 0 },
    qe_identity_issuer_chain: { ...qe_identity_issuer_chain, until: 0 },
  }
}

/** The same name in another type of text. */
function oddName(name: string): x509.Name {
  const attributes = subjectName(name).split(', ')
  return new x509.Name(
    attributes.map((attribute) => {
      const [type = '', utf8String = ''] = attribute.split('=')
      return { [type]: [{ utf8String }] }
    }),
  )
}

function signingKey({ key }: Authority) {
  const pkcs8 = key.privateKey.export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', pkcs8, ECDSA, false, ['sign'])
}

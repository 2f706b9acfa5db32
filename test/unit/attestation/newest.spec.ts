import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { issueCertificate } from '../../../src/attestation/development/authority.js'
import { createDevelopmentPki, type DevelopmentPki } from '../../../src/attestation/development/index.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import type { QuoteCollateral } from '../../../src/attestation/index.js'
import { longCrl } from './long-list.js'
import { DAY, KEY, ofRound, PccsWorld, REQUEST, resigned, signal } from './pccs-world.js'
import { assertRefused, NOW, quoteOf, SEED, TDX_MEASUREMENT } from './world.js'

describe('what is published for many platform families', () => {
  const issuedOn = (day: number, revokedMachines: string[] = []) =>
    createDevelopmentPki({ seed: SEED, now: () => new Date(NOW.getTime() + day * DAY), revokedMachines })
  const fmspc = '534c4d444557'
  const OTHER = { ...REQUEST, fmspc }
  const ofOther = (collateral: QuoteCollateral) => resigned(collateral, { tcbInfo: { fmspc } })
  let earlier: DevelopmentPki
  let after: DevelopmentPki
  let stolen: Uint8Array
  let world: PccsWorld

  before(async () => {
    earlier = await issuedOn(0)
    after = await issuedOn(1, ['stolen'])
    stolen = await quoteOf(earlier, { machineId: 'stolen' })
  })

  beforeEach(async () => {
    world = await PccsWorld.start(earlier)
  })

  afterEach(() => world.stop())

  const later = (days: number) => {
    world.now = new Date(NOW.getTime() + days * DAY)
  }

  /** All that the service has from now on: nothing for the family that the quotes are of. */
  const serveOther = (collateral: QuoteCollateral) => {
    const sgx = ofOther(collateral)
    world.pccs.serve({ sgx, tdx: earlier.tdxCollateral })
    return sgx
  }

  const listOf = async (authority: 'root' | 'platformCa', serials: string[], until: number) => {
    const validity = { from: new Date(NOW.getTime()), until: new Date(NOW.getTime() + until * DAY) }
    return (await longCrl(developmentAuthorities(SEED)[authority], serials, validity)).toString('hex')
  }

  const refused = (verdict: Promise<unknown>, sentence: RegExp) =>
    assertRefused(verdict, 'attestation/collateral-unavailable', sentence)

  describe('as revocation lists', () => {
    for (const [kind, request] of [
      ['another family', OTHER],
      ['the other technology', { ...REQUEST, tee: 'tdx' }],
    ] as const) {
      it(`has a platform refused that is revoked by what came with ${kind}, at once and after a restart`, async () => {
        const collateral = world.source()
        const verifier = world.verifier(collateral)
        await verifier.verify(stolen)
        world.pccs.serve({ sgx: ofOther(after.collateral), tdx: after.tdxCollateral })
        later(2)
        await collateral.collateral(request, { signal: signal() })
        await assertRefused(verifier.verify(stolen), 'attestation/quote-invalid', /PCK certificate is revoked/)
        await verifier.verify(await quoteOf(earlier))

        world.pccs.faults.status = 503
        later(25)
        await assertRefused(verifier.verify(stolen), 'attestation/quote-invalid', /PCK certificate is revoked/)
        const restarted = world.verifier()
        await assertRefused(restarted.verify(stolen), 'attestation/quote-invalid', /PCK certificate is revoked/)
        await restarted.verify(await quoteOf(earlier))
      })
    }

    it('has a domain refused by what came with SGX', async () => {
      const collateral = world.source()
      const verifier = world.verifier(collateral)
      const domain = await quoteOf(earlier, { machineId: 'stolen', measurement: TDX_MEASUREMENT })
      await verifier.verify(domain)
      world.pccs.serve({ sgx: after.collateral, tdx: earlier.collateral })
      later(2)
      await collateral.collateral(REQUEST, { signal: signal() })
      await assertRefused(verifier.verify(domain), 'attestation/quote-invalid', /PCK certificate is revoked/)
    })

    it('has collateral dropped whose signer the root has revoked since, until it is fetched anew', async () => {
      const collateral = world.source()
      await collateral.collateral(REQUEST, { signal: signal() })
      const { root, tcbSigner } = developmentAuthorities(SEED)
      const renewed = await issueCertificate({ subject: tcbSigner, issuer: root, serial: '0102030405060708' })
      const [former = '', rootPem = ''] = earlier.collateral.tcb_info_issuer_chain.split(/(?<=END CERTIFICATE-----\n)/)
      const chain = new X509Certificate(renewed).toString() + rootPem
      const chains = { tcb_info_issuer_chain: chain, qe_identity_issuer_chain: chain }
      const root_ca_crl = await listOf('root', [new X509Certificate(former).serialNumber], 300)
      serveOther({ ...earlier.collateral, ...chains, root_ca_crl })
      later(1)
      await collateral.collateral(OTHER, { signal: signal() })
      world.pccs.faults.status = 503
      await refused(collateral.collateral(REQUEST, { signal: signal() }), /status 503; .*the root has revoked/)
      assert.equal(collateral.health().find(({ request }) => request === REQUEST)?.held, undefined)
      await refused(world.source().collateral(REQUEST, { signal: signal() }), /status 503; .*list that is older/)

      delete world.pccs.faults.status
      world.pccs.serve({ sgx: { ...earlier.collateral, ...chains, root_ca_crl }, tdx: earlier.tdxCollateral })
      world.now = new Date(world.now.getTime() + 120_000)
      await collateral.collateral(REQUEST, { signal: signal() })
    })

    it('has collateral out of use when the newest has ended, though an older one has not', async () => {
      const collateral = world.source()
      const first = await collateral.collateral(REQUEST, { signal: signal() })
      serveOther({ ...earlier.collateral, pck_crl: await listOf('platformCa', ['01'], 5) })
      later(2)
      await collateral.collateral(OTHER, { signal: signal() })
      later(4)
      const used = await collateral.collateral(REQUEST, { signal: signal() })
      assert.notEqual(used.pck_crl, first.pck_crl)
      world.pccs.faults.status = 503
      later(6)
      await refused(collateral.collateral(REQUEST, { signal: signal() }), /status 503/)
      await refused(world.source().collateral(REQUEST, { signal: signal() }), /status 503/)
    })

    it('leaves collateral the same object as long as nothing newer is seen', async () => {
      const collateral = world.source()
      const first = await collateral.collateral(REQUEST, { signal: signal() })
      serveOther(earlier.collateral)
      await collateral.collateral(OTHER, { signal: signal() })
      assert.equal(await collateral.collateral(REQUEST, { signal: signal() }), first)
      const served = serveOther(after.collateral)
      later(2)
      await collateral.refreshDue()
      const second = await collateral.collateral(REQUEST, { signal: signal() })
      assert.deepEqual(second, { ...first, ...commonOf(served) })
      assert.equal(await collateral.collateral(REQUEST, { signal: signal() }), second)
    })

    it('are what collateral is judged by that was being kept meanwhile', async () => {
      const events = new EventEmitter()
      const reached = once(events, 'put')
      const puts = [once(events, 'go')]
      const put = async () => {
        events.emit('put')
        await puts.shift()
      }
      const collateral = world.source({ cache: { get: async () => undefined, put } })
      const first = collateral.collateral(REQUEST, { signal: signal() })
      await reached
      const served = serveOther(after.collateral)
      later(1)
      await collateral.collateral(OTHER, { signal: signal() })
      events.emit('go')
      assert.deepEqual(await first, { ...earlier.collateral, ...commonOf(served) })
    })

    it('are kept under their names as the newest, though an older one is on its way there', async () => {
      const events = new EventEmitter()
      const reached = once(events, 'put')
      const puts = [once(events, 'go')]
      const put = async (name: string, kept: QuoteCollateral) => {
        events.emit('put')
        await puts.shift()
        await world.cache.put(name, kept)
      }
      const collateral = world.source({ cache: { get: async () => undefined, put } })
      const first = collateral.collateral(REQUEST, { signal: signal() })
      await reached
      serveOther(after.collateral)
      later(1)
      await collateral.collateral(OTHER, { signal: signal() })
      events.emit('go')
      await first
      const lists = [...world.cache.kept].filter(([name]) => name.startsWith('list/'))
      assert.equal(lists.length, 2)
      for (const [, kept] of lists) assert.deepEqual(listsOf(kept), listsOf(after.collateral))
    })

    it('lets what was held be fetched again by the list that it came with', async () => {
      const collateral = world.source()
      await collateral.collateral(REQUEST, { signal: signal() })
      serveOther(after.collateral)
      later(2)
      await collateral.collateral(OTHER, { signal: signal() })
      const applied = await collateral.collateral(REQUEST, { signal: signal() })
      world.pccs.serve({ sgx: { ...earlier.collateral, ...listsOf(after.collateral) }, tdx: earlier.tdxCollateral })
      later(4)
      await collateral.refreshDue()
      assert.equal(await collateral.collateral(REQUEST, { signal: signal() }), applied)
    })
  })

  describe('as QE identity', () => {
    it('is of the newest round of any family, at once and after a restart', async () => {
      const collateral = world.source()
      await collateral.collateral(REQUEST, { signal: signal() })
      serveOther(ofRound(earlier.collateral, 9))
      later(1)
      await collateral.collateral(OTHER, { signal: signal() })
      world.pccs.faults.status = 503
      for (const source of [collateral, world.source()]) {
        const used = await source.collateral(REQUEST, { signal: signal() })
        assert.equal(roundOf(used.qe_identity), 9)
        assert.equal(roundOf(used.tcb_info), roundOf(earlier.collateral.tcb_info))
      }
    })

    it('is of the newest day of its round, from wherever it came, at once and after a restart', async () => {
      const lists = listsOf(after.collateral)
      const collateral = world.source()
      const first = { ...earlier.collateral, ...lists }
      world.pccs.serve({ sgx: first, tdx: earlier.tdxCollateral })
      later(1)
      await collateral.collateral(REQUEST, { signal: signal() })
      const served = serveOther(after.collateral)
      await collateral.collateral(OTHER, { signal: signal() })
      world.pccs.faults.status = 503
      for (const source of [collateral, world.source()]) {
        const used = await source.collateral(REQUEST, { signal: signal() })
        assert.deepEqual(used, { ...first, ...commonOf(served) })
      }
    })

    it('may be of an earlier day in the answer, as where two caches answer in turn, which puts no end to it', async () => {
      const collateral = world.source()
      world.pccs.serve({ sgx: after.collateral, tdx: after.tdxCollateral })
      later(1)
      const first = await collateral.collateral(REQUEST, { signal: signal() })
      const soon = new Date(NOW.getTime() + 3 * DAY).toISOString()
      const ending = resigned(earlier.collateral, { tcbInfo: { nextUpdate: soon }, qeIdentity: { nextUpdate: soon } })
      world.pccs.serve({ sgx: { ...ending, ...listsOf(after.collateral) }, tdx: after.tdxCollateral })
      later(2)
      await collateral.refreshDue()
      assert.deepEqual([collateral.health()[0]?.lastFailure, world.pccs.requests.length], [undefined, 8])
      world.pccs.faults.status = 503
      later(4)
      assert.equal(await collateral.collateral(REQUEST, { signal: signal() }), first)
    })

    it('is of an earlier day of its round where the newer one has ended before', async () => {
      const collateral = world.source()
      const soon = new Date(NOW.getTime() + 3 * DAY).toISOString()
      const ending = resigned(after.collateral, { tcbInfo: { nextUpdate: soon }, qeIdentity: { nextUpdate: soon } })
      world.pccs.serve({ sgx: ending, tdx: after.tdxCollateral })
      later(1)
      await collateral.collateral(REQUEST, { signal: signal() })
      const lasting = { ...earlier.collateral, ...listsOf(after.collateral) }
      world.pccs.serve({ sgx: lasting, tdx: after.tdxCollateral })
      later(4)
      assert.deepEqual(await collateral.collateral(REQUEST, { signal: signal() }), lasting)
    })
  })

  it('is taken with a certificate that ends sooner, where the root has revoked the better one', async () => {
    const { root, tcbSigner } = developmentAuthorities(SEED)
    const notAfter = new Date(NOW.getTime() + 9 * DAY)
    const renewed = await issueCertificate({ subject: tcbSigner, issuer: root, serial: '0102', notAfter })
    const chain = [new X509Certificate(renewed), new X509Certificate(earlier.rootCertificate)].join('')
    const former = new X509Certificate(earlier.collateral.tcb_info_issuer_chain)
    const root_ca_crl = await listOf('root', [former.serialNumber], 300)
    const chains = { tcb_info_issuer_chain: chain, qe_identity_issuer_chain: chain }
    const collateral = world.source()
    await collateral.collateral(REQUEST, { signal: signal() })
    world.pccs.serve({ sgx: { ...earlier.collateral, ...chains, root_ca_crl }, tdx: earlier.tdxCollateral })
    for (const day of [1, 2, 3]) {
      later(day)
      await collateral.refreshDue()
      assert.equal(collateral.health()[0]?.lastFailure, undefined)
      const used = await collateral.collateral(REQUEST, { signal: signal() })
      assert.deepEqual(used, { ...earlier.collateral, ...chains, root_ca_crl })
    }
  })

  describe('when the folder brings back a former time', () => {
    const keep = (key: string, collateral: QuoteCollateral) => {
      assert.ok(world.cache.kept.has(key), key)
      world.cache.kept.set(key, collateral)
    }

    it('does not have collateral used of a round before the newest that was seen, and that is told', async () => {
      const newer = ofRound(after.collateral, 9)
      world.pccs.serve({ sgx: newer, tdx: after.tdxCollateral })
      later(1)
      await world.source().collateral(REQUEST, { signal: signal() })
      keep(KEY, earlier.collateral)
      world.pccs.faults.status = 503
      const collateral = world.source()
      const sentence =
        /status 503; what was kept has a TCB info that is older than the one seen before \(round 1 .*after round 9/
      await refused(collateral.collateral(REQUEST, { signal: signal() }), sentence)
      const [told] = collateral.health()
      assert.equal(told?.held, undefined)
      assert.equal(told?.lastFailure?.isOlder, true)

      delete world.pccs.faults.status
      world.now = new Date(world.now.getTime() + 120_000)
      assert.deepEqual(await collateral.collateral(REQUEST, { signal: signal() }), newer)
      assert.equal(collateral.health()[0]?.lastFailure, undefined)
    })

    it('does without what is kept of lists and does not verify or cannot be read', async () => {
      await world.source().collateral(REQUEST, { signal: signal() })
      world.pccs.faults.status = 503
      const isList = (name: string) => name.startsWith('list/')
      const unreadable = async (name: string) => {
        if (isList(name)) throw new Error('EIO: i/o error')
        return world.cache.get(name)
      }
      const broken = { get: unreadable, put: async () => undefined }
      assert.deepEqual(
        await world.source({ cache: broken }).collateral(REQUEST, { signal: signal() }),
        earlier.collateral,
      )
      for (const name of [...world.cache.kept.keys()].filter(isList)) {
        keep(name, { ...earlier.collateral, pck_crl: after.collateral.root_ca_crl, root_ca_crl: '00' })
      }
      assert.deepEqual(await world.source().collateral(REQUEST, { signal: signal() }), earlier.collateral)
    })

    it('has the newest lists used that are kept still, and without them nothing older', async () => {
      world.pccs.serve({ sgx: after.collateral, tdx: after.tdxCollateral })
      later(1)
      await world.source().collateral(REQUEST, { signal: signal() })
      keep(KEY, earlier.collateral)
      world.pccs.faults.status = 503
      const used = await world.source().collateral(REQUEST, { signal: signal() })
      assert.deepEqual(used, { ...earlier.collateral, ...commonOf(after.collateral) })

      for (const name of [...world.cache.kept.keys()].filter((key) => key.startsWith('list/'))) {
        keep(name, earlier.collateral)
      }
      await refused(
        world.source().collateral(REQUEST, { signal: signal() }),
        /kept has a revocation list that is older/,
      )
    })
  })
})

function listsOf({ pck_crl, root_ca_crl }: Pick<QuoteCollateral, 'pck_crl' | 'root_ca_crl'>) {
  return { pck_crl, root_ca_crl }
}

function commonOf({ qe_identity, qe_identity_signature, ...collateral }: QuoteCollateral) {
  return { qe_identity, qe_identity_signature, ...listsOf(collateral) }
}

function roundOf(signed: string): unknown {
  return JSON.parse(signed).tcbEvaluationDataNumber
}

import assert from 'node:assert/strict'
import { issueCrl } from '../../../src/attestation/development/authority.js'
import { createDevelopmentPki, type DevelopmentPki } from '../../../src/attestation/development/index.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import type { QuoteCollateral } from '../../../src/attestation/index.js'
import * as x509 from '../../../src/attestation/x509.js'
import { DAY, KEY, ofRound, PccsWorld, REQUEST, resigned, signal } from './pccs-world.js'
import { assertRefused, NOW, quoteOf, SEED } from './world.js'

describe('collateral that is older than what has been seen', () => {
  const issuedOn = (day: number, revokedMachines: string[] = []) =>
    createDevelopmentPki({ seed: SEED, now: () => new Date(NOW.getTime() + day * DAY), revokedMachines })
  let before: DevelopmentPki
  let today: DevelopmentPki
  let tomorrow: DevelopmentPki
  let world: PccsWorld

  beforeEach(async () => {
    before = await issuedOn(-10)
    today = await issuedOn(0, ['stolen'])
    tomorrow = await issuedOn(1, ['stolen'])
    world = await PccsWorld.start(today)
  })

  afterEach(() => world.stop())

  const serve = (collateral: QuoteCollateral) => world.pccs.serve({ sgx: collateral, tdx: collateral })
  const later = (days: number) => {
    world.now = new Date(NOW.getTime() + days * DAY)
  }

  for (const list of ['pck_crl', 'root_ca_crl'] as const) {
    it(`does not come back by its ${list} alone`, async () => {
      const collateral = world.source()
      const verifier = world.verifier(collateral)
      const stolen = await quoteOf(today, { machineId: 'stolen' })
      await assertRefused(verifier.verify(stolen), 'attestation/quote-invalid', /revoked/)

      serve({ ...tomorrow.collateral, [list]: before.collateral[list] })
      later(1)
      await collateral.refreshDue()
      const { lastFailure } = collateral.health()[0] ?? {}
      assert.match(lastFailure?.reason ?? '', /revocation list that is older/)
      assert.equal(lastFailure?.isOlder, true)
      await assertRefused(verifier.verify(stolen), 'attestation/quote-invalid', /revoked/)
      // All else is refreshed: who answers with one old list cannot let the rest end.
      assert.deepEqual(world.cache.kept.get(KEY), { ...tomorrow.collateral, [list]: today.collateral[list] })
    })
  }

  it('may be of an earlier day in the same round, as where two caches answer in turn, but for its lists', async () => {
    const [{ collateral: old }, { collateral: fresh }] = [before, tomorrow]
    const collateral = world.source()
    serve(fresh)
    await collateral.collateral(REQUEST, { signal: signal() })
    const lists = { pck_crl: fresh.pck_crl, root_ca_crl: fresh.root_ca_crl }
    serve({ ...old, ...lists })
    later(1)
    await collateral.refreshDue()
    assert.equal(collateral.health()[0]?.lastFailure, undefined)
  })

  it('does not come back by a list of the same second and a lower number', async () => {
    const validity = { from: new Date(NOW.getTime()), until: new Date(NOW.getTime() + 90 * DAY) }
    const { platformCa } = developmentAuthorities(SEED)
    const numbered = async (number: number) => {
      const extension = new x509.Extension('2.5.29.20', false, Uint8Array.of(2, 1, number))
      return Buffer.from(await issueCrl(platformCa, [], validity, [extension])).toString('hex')
    }
    const [first, second] = [await numbered(1), await numbered(2)]
    const collateral = world.source()
    for (const [at, pck_crl] of [first, second, first].entries()) {
      serve({ ...today.collateral, pck_crl })
      later(at)
      await collateral.collateral(REQUEST, { signal: signal() })
      await collateral.refreshDue()
    }
    assert.equal((await collateral.collateral(REQUEST, { signal: signal() })).pck_crl, second)
    world.cache.kept.clear()
    await assert.rejects(world.source().collateral(REQUEST, { signal: signal() }), /number 1 of .*after number 2 of/)
  })

  it('does not come back by floors that were written before lists were told by their numbers', async () => {
    await world.source().collateral(REQUEST, { signal: signal() })
    const marks: Record<string, object> = JSON.parse(world.floors.text ?? '')
    const unnumbered = Object.entries(marks).map(([name, mark]) => [name, { ...mark, number: undefined }])
    world.floors.text = JSON.stringify(Object.fromEntries(unnumbered))
    assert.doesNotMatch(world.floors.text, /number/)
    world.cache.kept.clear()
    serve(before.collateral)
    const collateral = world.source()
    await assert.rejects(collateral.collateral(REQUEST, { signal: signal() }), /revocation list that is older/)
    assert.equal(collateral.floorsFailure(), undefined)
  })

  it('is told from the newest day of the newest round that was seen', async () => {
    const collateral = world.source()
    for (const [day, issued] of [before, today, tomorrow].entries()) {
      serve(ofRound(issued.collateral, 20))
      later(day)
      await collateral.collateral(REQUEST, { signal: signal() })
      await collateral.refreshDue()
    }
    world.cache.kept.clear()
    serve(ofRound(tomorrow.collateral, 19))
    await assert.rejects(
      world.source().collateral(REQUEST, { signal: signal() }),
      /TCB info .*after round 20 of 2026-05-01.*QE identity .*after round 20 of 2026-05-01/,
    )
  })

  it('does not come back after a restart, though all that was kept has ended', async () => {
    serve(ofRound(today.collateral, 20))
    await world.source().collateral(REQUEST, { signal: signal() })
    // Intel signs former rounds anew on request.
    serve(ofRound((await issuedOn(370)).collateral, 19))
    later(371)
    await assert.rejects(
      world.source().collateral(REQUEST, { signal: signal() }),
      /TCB info that is older .*round 19.*round 20/,
    )
    serve(ofRound((await issuedOn(370)).collateral, 20))
    later(372)
    await world.source().collateral(REQUEST, { signal: signal() })
  })

  it('does not come back when nothing is kept any more', async () => {
    await world.source().collateral(REQUEST, { signal: signal() })
    world.cache.kept.clear()
    serve({ ...today.collateral, pck_crl: before.collateral.pck_crl })
    await assert.rejects(world.source().collateral(REQUEST, { signal: signal() }), /revocation list that is older/)
  })

  it('does not come back by way of another platform family', async () => {
    const fmspc = '534c4d444557'
    const ofFamily = (pki: DevelopmentPki) => resigned(ofRound(pki.collateral, 20), { tcbInfo: { fmspc } })
    const earlier = ofRound(before.collateral, 19)
    const collateral = world.source()
    serve(ofRound(today.collateral, 20))
    await collateral.collateral(REQUEST, { signal: signal() })
    for (const [part, sentence] of [
      ['pck_crl', /revocation list that is older/],
      ['root_ca_crl', /revocation list that is older/],
      ['qe_identity', /QE identity that is older/],
    ] as const) {
      serve({
        ...ofFamily(today),
        [part]: earlier[part],
        ...(part === 'qe_identity' && { qe_identity_signature: earlier.qe_identity_signature }),
      })
      const other = world.source()
      const used = await other.collateral({ ...REQUEST, fmspc }, { signal: signal() })
      assert.equal(used[part], ofRound(today.collateral, 20)[part])
      assert.match(other.health()[0]?.lastFailure?.reason ?? '', sentence)
      world.cache.kept.clear()
      await assert.rejects(world.source().collateral({ ...REQUEST, fmspc }, { signal: signal() }), sentence)
      serve(ofRound(today.collateral, 20))
      await world.source().collateral(REQUEST, { signal: signal() })
    }
    // Its own TCB info may be older than another family's.
    const third = { fmspc: '534c4d444558' }
    serve(resigned(ofRound(today.collateral, 20), { tcbInfo: { ...third, tcbEvaluationDataNumber: 19 } }))
    await world.source().collateral({ ...REQUEST, ...third }, { signal: signal() })
  })

  it('does not come back when the cache is slower than a refresh', async () => {
    serve(before.collateral)
    await world.source().collateral(REQUEST, { signal: signal() })
    let release: () => void = () => undefined
    const slow = new Promise<void>((resolve) => {
      release = resolve
    })
    const reads = [slow, undefined]
    const collateral = world.source({
      cache: {
        get: async (key) => {
          const isSlow = reads.shift()
          await isSlow
          return isSlow === undefined ? undefined : world.cache.get(key)
        },
        put: async () => undefined,
      },
    })
    serve(today.collateral)
    const first = collateral.collateral(REQUEST, { signal: signal() })
    assert.deepEqual(await collateral.collateral(REQUEST, { signal: signal() }), today.collateral)
    release()
    assert.deepEqual(await first, today.collateral)
    assert.deepEqual(await collateral.collateral(REQUEST, { signal: signal() }), today.collateral)
  })

  it('stays in use while it is valid, when it was kept in the same round, but for what is common to many', async () => {
    const collateral = world.source()
    await collateral.collateral(REQUEST, { signal: signal() })
    serve(tomorrow.collateral)
    later(1)
    await collateral.refreshDue()
    world.cache.kept.set(KEY, today.collateral)
    world.pccs.faults.status = 503
    const { tcb_info, tcb_info_signature } = today.collateral
    const used = await world.source().collateral(REQUEST, { signal: signal() })
    assert.deepEqual(used, { ...tomorrow.collateral, tcb_info, tcb_info_signature })
  })
})

import assert from 'node:assert/strict'
import type { DevelopmentPki, PccsAnswer } from '../../../src/attestation/development/index.js'
import { createQuoteVerifier, type PccsCollateral, type QuoteCollateral } from '../../../src/attestation/index.js'
import { DAY, ofRound, PccsWorld, REQUEST, resigned, signal } from './pccs-world.js'
import { assertRefused, developmentPki, NOW, POLICY, quoteOf } from './world.js'

/** Intel publishes a round early, and some months later as the standard; whoever answers can show the early one once. */
describe('collateral when a later round was shown once', () => {
  const fmspc = '534c4d444557'
  let pki: DevelopmentPki
  let standard: QuoteCollateral
  let early: QuoteCollateral
  let world: PccsWorld

  before(async () => {
    pki = await developmentPki()
    standard = ofRound(pki.collateral, 17)
    early = ofRound(pki.collateral, 18)
  })

  beforeEach(async () => {
    world = await PccsWorld.start(pki)
  })

  afterEach(() => world.stop())

  const later = (days: number) => {
    world.now = new Date(NOW.getTime() + days * DAY)
  }
  const serve = (sgx: QuoteCollateral, later?: QuoteCollateral) => {
    const tdx = pki.tdxCollateral
    world.pccs.serve({ sgx, tdx, ...(later && { early: { sgx: later, tdx } }) })
  }
  const earlyParts = {
    'TCB info': () => ({ tcb_info: early.tcb_info, tcb_info_signature: early.tcb_info_signature }),
    'QE identity': () => ({ qe_identity: early.qe_identity, qe_identity_signature: early.qe_identity_signature }),
  }
  const roundsOf = ({ tcb_info, qe_identity }: QuoteCollateral) =>
    [tcb_info, qe_identity].map((text) => JSON.parse(text).tcbEvaluationDataNumber)
  const askedAgain = () => world.pccs.requests.filter((path) => /tcbEvaluationDataNumber|update/.test(path))

  for (const [part, rounds] of [
    ['TCB info', [18, 17]],
    ['QE identity', [17, 18]],
  ] as const) {
    describe(`of ${part}`, () => {
      let collateral: PccsCollateral

      beforeEach(async () => {
        collateral = world.source()
        serve({ ...standard, ...earlyParts[part]() })
        assert.deepEqual(roundsOf(await collateral.collateral(REQUEST, { signal: signal() })), rounds)
        later(1)
      })

      it('comes from a service with the standard round by its number, with nothing older, and is refreshed', async () => {
        serve(standard, early)
        await collateral.refreshDue()
        assert.equal(collateral.health()[0]?.lastFailure, undefined)
        assert.deepEqual(roundsOf(await collateral.collateral(REQUEST, { signal: signal() })), rounds)
        assert.deepEqual(
          askedAgain().map((path) => path.replace(/^.*[?&]/, '')),
          ['tcbEvaluationDataNumber=18'],
        )
      })

      it('comes so too when nothing is kept but how new it was', async () => {
        world.cache.kept.clear()
        serve(standard, early)
        assert.deepEqual(roundsOf(await world.source().collateral(REQUEST, { signal: signal() })), rounds)
      })

      it('comes as the early one where the service has another by now', async () => {
        world.cache.kept.clear()
        serve(standard, ofRound(pki.collateral, 19))
        const used = await world.source().collateral(REQUEST, { signal: signal() })
        assert.deepEqual(
          roundsOf(used),
          rounds.map((round) => (round === 18 ? 19 : 17)),
        )
        assert.deepEqual(
          askedAgain().map((path) => path.replace(/^.*[?&]/, '')),
          ['tcbEvaluationDataNumber=18', 'update=early'],
        )
      })

      it('stays in use until it ends where the service has the standard round alone, and what was tried is told', async () => {
        serve(standard)
        await collateral.refreshDue()
        assert.deepEqual(roundsOf(await collateral.collateral(REQUEST, { signal: signal() })), rounds)
        const [health] = collateral.health()
        assert.equal(health?.lastFailure?.isOlder, true)
        const told = new RegExp(
          `answers with a ${part} that is older .*round 17 .*after round 18 .*` +
            'tcbEvaluationDataNumber=18: .*status 404; .*update=early: it answers with round 17',
        )
        assert.match(health.lastFailure.reason, told)
        assert.match(String(collateral.health()[0]?.held?.validUntil.toISOString()), /^2027-05-01/)

        later(366)
        serve(ofRound((await developmentPki({ now: () => world.now })).collateral, 17))
        await assert.rejects(collateral.collateral(REQUEST, { signal: signal() }), told)
        await assert.rejects(world.source().collateral(REQUEST, { signal: signal() }), told)
        serve(ofRound((await developmentPki({ now: () => world.now })).collateral, 18))
        world.now = new Date(world.now.getTime() + 120_000)
        await collateral.collateral(REQUEST, { signal: signal() })
      })

      it('does not come back in the round before, when nothing is kept, and what was tried is told', async () => {
        world.cache.kept.clear()
        serve(standard)
        await assert.rejects(
          world.source().collateral(REQUEST, { signal: signal() }),
          new RegExp(`${part} that is older .*=18: .*status 404.*update=early: it answers with round 17`),
        )
      })

      it('is taken from no answer that does not verify, or is of another platform family', async () => {
        world.cache.kept.clear()
        serve(standard, early)
        const answers: [change: (answer: PccsAnswer) => string, sentence: RegExp][] = [
          [() => '<html>', /no signed (tcbInfo|enclaveIdentity).*no signed/],
          [({ body }) => Buffer.from(body).toString().replace('UpToDate', 'UpToDatE'), /not signed by its issuer/],
        ]
        const other = resigned(early, { tcbInfo: { fmspc } })
        const ofOther = `{"tcbInfo":${other.tcb_info},"signature":"${other.tcb_info_signature}"}`
        if (part === 'TCB info') answers.push([() => ofOther, /TCB info of another technology or platform family/])
        for (const [change, sentence] of answers) {
          world.pccs.faults.rewrite = (path, answer) =>
            askedAgain().includes(path) ? { ...answer, body: Buffer.from(change(answer)) } : answer
          await assert.rejects(world.source().collateral(REQUEST, { signal: signal() }), sentence)
        }
      })
    })
  }

  it('has another platform family judged by it, too', async () => {
    const collateral = world.source()
    serve({ ...standard, ...earlyParts['QE identity']() })
    await collateral.collateral(REQUEST, { signal: signal() })
    serve(resigned(standard, { tcbInfo: { fmspc } }))
    const used = await collateral.collateral({ ...REQUEST, fmspc }, { signal: signal() })
    assert.deepEqual(roundsOf(used), [17, 18])
  })

  describe('and ended soon, in the collateral of another platform family', () => {
    const HOUR = DAY / 24
    const inHours = (hours: number) => new Date(NOW.getTime() + hours * HOUR)
    const asking = (collateral: PccsCollateral, request = REQUEST) =>
      collateral.collateral(request, { signal: signal() })
    const showOther = async (collateral: PccsCollateral) => {
      const ending = { tcbEvaluationDataNumber: 18, nextUpdate: inHours(3).toISOString() }
      serve(resigned(standard, { tcbInfo: { fmspc }, qeIdentity: ending }))
      await asking(collateral, { ...REQUEST, fmspc })
      serve(standard, early)
    }

    it('is fetched anew before that', async () => {
      const collateral = world.source()
      serve(standard)
      await asking(collateral)
      await showOther(collateral)
      assert.deepEqual(roundsOf(await asking(collateral)), [17, 18])
      world.now = inHours(2.5)
      await collateral.refreshDue()
      world.pccs.faults.status = 503
      world.now = inHours(4)
      assert.deepEqual(roundsOf(await asking(collateral)), [17, 18])
    })

    it('is fetched anew for who asks after that, also where the service was behind in something else', async () => {
      const collateral = world.source()
      const { collateral: former } = await developmentPki({ now: () => new Date(NOW.getTime() - DAY) })
      serve(standard)
      await asking(collateral)
      serve({ ...standard, pck_crl: former.pck_crl })
      later(1)
      await collateral.refreshDue()
      assert.match(collateral.health()[0]?.lastFailure?.reason ?? '', /revocation list that is older/)
      const ending = { tcbEvaluationDataNumber: 18, nextUpdate: inHours(27).toISOString() }
      serve(resigned(standard, { tcbInfo: { fmspc }, qeIdentity: ending }))
      await asking(collateral, { ...REQUEST, fmspc })
      assert.deepEqual(roundsOf(await asking(collateral)), [17, 18])
      serve(standard, early)
      world.now = inHours(28)
      assert.deepEqual(roundsOf(await asking(collateral)), [17, 18])
    })
  })

  it('is judged as of the round before while any part is of that', async () => {
    const { rootCertificate } = pki
    const judging = (collateral: PccsCollateral, minimumTcbEvaluationDataNumber: number) => {
      const policy = { ...POLICY, minimumTcbEvaluationDataNumber }
      return createQuoteVerifier({ rootCertificate, collateral, policy, now: () => world.now })
    }
    const quote = await quoteOf(pki)
    for (const part of ['TCB info', 'QE identity'] as const) {
      serve({ ...standard, ...earlyParts[part]() })
      world.cache.kept.clear()
      world.floors.text = undefined
      const collateral = world.source()
      assert.equal((await judging(collateral, 17).verify(quote)).tcbEvaluationDataNumber, 17)
      const refused = judging(collateral, 18).verify(quote)
      await assertRefused(refused, 'attestation/collateral-unavailable', /number is 17.* asks for 18/)
    }
  })
})

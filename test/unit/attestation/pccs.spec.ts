import assert from 'node:assert/strict'
import {
  createDevelopmentPki,
  type DevelopmentPki,
  type PccsAnswer,
  type SimulatedPccs,
  startSimulatedPccs,
} from '../../../src/attestation/development/index.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import {
  AttestationError,
  createQuoteVerifier,
  type PccsCollateral,
  pccsCollateral,
} from '../../../src/attestation/index.js'
import { silentLogger } from '../../../src/domain/index.js'
import { longCrl } from './long-list.js'
import { DAY, HOUR, MemoryCache, MemoryFloors, ofRound, REQUEST, signal } from './pccs-world.js'
import {
  assertRefused,
  developmentPki,
  LAYOUT,
  NOW,
  POLICY,
  quoteOf,
  SEED,
  TDX_LAYOUT,
  TDX_MEASUREMENT,
} from './world.js'

describe('collateral from a PCCS', () => {
  let pki: DevelopmentPki
  let pccs: SimulatedPccs
  let cache: MemoryCache
  let floors: MemoryFloors
  let now: Date
  let lifetime: AbortController

  before(async () => {
    pki = await developmentPki()
  })

  beforeEach(async () => {
    pccs = await startSimulatedPccs({ sgx: pki.collateral, tdx: pki.tdxCollateral })
    cache = new MemoryCache()
    floors = new MemoryFloors()
    now = NOW
    lifetime = new AbortController()
  })

  afterEach(async () => {
    lifetime.abort()
    await pccs.stop()
  })

  const source = (options: Partial<Parameters<typeof pccsCollateral>[0]> = {}): PccsCollateral =>
    pccsCollateral({
      url: pccs.url,
      cache,
      floors,
      rootCertificate: pki.rootCertificate,
      logger: silentLogger,
      lifetime: lifetime.signal,
      now: () => now,
      ...options,
    })
  /** Collateral that the PKI issues on another day. */
  const issuedAt = async (day: Date) => {
    const { collateral, tdxCollateral } = await createDevelopmentPki({ seed: SEED, now: () => day })
    return { sgx: collateral, tdx: tdxCollateral }
  }

  function fails(work: Promise<unknown>, sentence: RegExp): Promise<void> {
    return assert.rejects(work, (thrown) => {
      assert.ok(thrown instanceof AttestationError, String(thrown))
      assert.deepEqual([thrown.code, thrown.check], ['attestation/collateral-unavailable', 'collateral-source'])
      assert.match(thrown.message, sentence)
      return true
    })
  }

  it('is put together from four answers, each as it was signed', async () => {
    assert.deepEqual(await source().collateral(REQUEST, { signal: signal() }), pki.collateral)
    assert.deepEqual(pccs.requests, [
      '/sgx/certification/v4/tcb?fmspc=534c4d444556',
      '/sgx/certification/v4/qe/identity',
      '/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
      '/sgx/certification/v4/rootcacrl',
    ])
  })

  it('has room for lists of 1 MiB, in bytes or in digits', async () => {
    const { platformCa, root } = developmentAuthorities(SEED)
    const many = Array.from({ length: 24_000 }, (_, at) => (2n ** 158n + BigInt(at)).toString(16))
    const validity = { from: new Date(NOW.getTime() - DAY), until: new Date(NOW.getTime() + DAY) }
    const [pck_crl, root_ca_crl] = await Promise.all(
      [platformCa, root].map(async (authority) => (await longCrl(authority, many, validity)).toString('hex')),
    )
    const collateral = { ...pki.collateral, pck_crl: pck_crl ?? '', root_ca_crl: root_ca_crl ?? '' }
    pccs.serve({ sgx: collateral, tdx: collateral })
    assert.deepEqual(await source().collateral(REQUEST, { signal: signal() }), collateral)
  })

  it('lets quotes of SGX and of TDX be verified', async () => {
    const verifier = createQuoteVerifier({
      rootCertificate: pki.rootCertificate,
      collateral: source(),
      policy: POLICY,
      now: () => now,
    })
    await verifier.verify(await quoteOf(pki))
    await verifier.verify(await quoteOf(pki, { measurement: TDX_MEASUREMENT }))
    assert.equal(pccs.requests.filter((path) => path.startsWith('/tdx/')).length, 2)
    const before = pccs.requests.length
    await verifier.verify(await quoteOf(pki, { machineId: 'machine-2' }))
    assert.equal(pccs.requests.length, before)
  })

  it('is not fetched for a quote that its platform has not signed', async () => {
    const verifier = createQuoteVerifier({
      rootCertificate: pki.rootCertificate,
      collateral: source(),
      policy: POLICY,
      now: () => now,
    })
    for (const [from, to] of [LAYOUT.reportData, LAYOUT.signature, LAYOUT.attestationKey, LAYOUT.qeReportSignature]) {
      const forged = (await quoteOf(pki)).fill(1, from, to)
      await assertRefused(verifier.verify(forged), 'attestation/quote-invalid')
    }
    const forged = (await quoteOf(pki, { measurement: TDX_MEASUREMENT })).fill(1, ...TDX_LAYOUT.signature)
    await assertRefused(verifier.verify(forged), 'attestation/quote-invalid')
    assert.deepEqual(pccs.requests, [])
  })

  it('is fetched once, however many wait for it', async () => {
    const { collateral } = source()
    const all = await Promise.all(Array.from({ length: 20 }, () => collateral(REQUEST, { signal: signal() })))
    assert.equal(pccs.requests.length, 4)
    assert.equal(new Set(all).size, 1)
  })

  it('takes the root’s list from elsewhere when told so', async () => {
    const other = await startSimulatedPccs({ sgx: pki.collateral, tdx: pki.tdxCollateral })
    try {
      const rootCrlUrl = `${other.url}/sgx/certification/v4/rootcacrl`
      await source({ rootCrlUrl }).collateral(REQUEST, { signal: signal() })
      assert.deepEqual([pccs.requests.length, other.requests.length], [3, 1])
    } finally {
      await other.stop()
    }
  })

  describe('that goes wrong', () => {
    const rewritten = (part: string, change: (answer: PccsAnswer) => Partial<PccsAnswer>) => {
      pccs.faults.rewrite = (path, answer) => (path.includes(part) ? { ...answer, ...change(answer) } : answer)
    }
    const text = ({ body }: PccsAnswer) => Buffer.from(body).toString()

    const cases: [name: string, arrange: () => void, sentence: RegExp][] = [
      ['a status that is not 200', () => Object.assign(pccs.faults, { status: 503 }), /tcb\?.*status 503/],
      [
        'a body without end',
        () => rewritten('tcb', () => ({ body: new Uint8Array(1_100_000) })),
        /more than 1048576 bytes/,
      ],
      ['a body that is no JSON', () => rewritten('tcb', () => ({ body: Buffer.from('<html>') })), /no signed tcbInfo/],
      [
        'no signature',
        () => rewritten('identity', (answer) => ({ body: Buffer.from(text(answer).replace(/,"signature.*/, '}')) })),
        /no signed enclaveIdentity/,
      ],
      ['no chain', () => rewritten('pckcrl', () => ({ headers: {} })), /without SGX-PCK-CRL-Issuer-Chain/],
      [
        'a chain that is not encoded',
        () => rewritten('pckcrl', () => ({ headers: { 'SGX-PCK-CRL-Issuer-Chain': '%E0%A4%A' } })),
        /not URL-encoded/,
      ],
      [
        'a list that is altered',
        () => rewritten('rootcacrl', ({ body }) => ({ body: Buffer.from(body).fill('0', 200, 202) })),
        /of no use/,
      ],
      [
        'TCB info that is altered',
        () => rewritten('tcb', (answer) => ({ body: Buffer.from(text(answer).replace('UpToDate', 'UpToDatE')) })),
        /not signed by its issuer/,
      ],
    ]
    for (const [name, arrange, sentence] of cases) {
      it(`is refused for ${name}`, async () => {
        arrange()
        await fails(source().collateral(REQUEST, { signal: signal() }), sentence)
        assert.equal(cache.kept.size, 0)
      })
    }

    it('is refused when it is of another platform family', async () => {
      pccs.faults.rewrite = (_, answer) => answer
      const { collateral } = source()
      await fails(collateral({ ...REQUEST, pceId: '0001' }, { signal: signal() }), /another platform family/)
      await fails(collateral({ ...REQUEST, fmspc: '000000000000' }, { signal: signal() }), /status 404/)
    })

    it('is refused when nothing is there, and when nothing is answered in time', async () => {
      pccs.faults.isSilent = true
      const waiting = new AbortController()
      const verdict = source().collateral(REQUEST, { signal: waiting.signal })
      waiting.abort(new Error('enough'))
      await assert.rejects(verdict, /enough/)
      const { url } = pccs
      await pccs.stop()
      await fails(source({ url }).collateral(REQUEST, { signal: signal() }), /ECONNREFUSED/)
      pccs = await startSimulatedPccs({ sgx: pki.collateral, tdx: pki.tdxCollateral })
    })
  })

  describe('with time', () => {
    it('is refreshed in the background after a day, and the same object as long as nothing has changed', async () => {
      const pccsSource = source()
      const first = await pccsSource.collateral(REQUEST, { signal: signal() })
      now = new Date(NOW.getTime() + DAY - HOUR)
      await pccsSource.refreshDue()
      assert.equal(pccs.requests.length, 4)
      now = new Date(NOW.getTime() + DAY)
      await pccsSource.refreshDue()
      assert.equal(pccs.requests.length, 8)
      assert.equal(await pccsSource.collateral(REQUEST, { signal: signal() }), first)

      pccs.serve(await issuedAt(now))
      now = new Date(NOW.getTime() + 2 * DAY)
      await pccsSource.refreshDue()
      const fresh = await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.notEqual(fresh.tcb_info, first.tcb_info)
      assert.deepEqual([...cache.kept.values()], [fresh])
    })

    it('is refreshed when two thirds of a short life are over', async () => {
      now = new Date(NOW.getTime() + 365 * DAY - 3 * HOUR)
      const pccsSource = source()
      await pccsSource.collateral(REQUEST, { signal: signal() })
      now = new Date(now.getTime() + 2 * HOUR - 1)
      await pccsSource.refreshDue()
      assert.equal(pccs.requests.length, 4)
      now = new Date(now.getTime() + 1)
      await pccsSource.refreshDue()
      assert.equal(pccs.requests.length, 8)
    })

    it('is kept through an outage until it really ends, and the failure is told', async () => {
      const pccsSource = source()
      const first = await pccsSource.collateral(REQUEST, { signal: signal() })
      pccs.faults.status = 500
      now = new Date(NOW.getTime() + 2 * DAY)
      await pccsSource.refreshDue()
      assert.equal(await pccsSource.collateral(REQUEST, { signal: signal() }), first)
      const [health] = pccsSource.health()
      assert.deepEqual(health?.request, REQUEST)
      assert.deepEqual(health.held?.validUntil, new Date(NOW.getTime() + 365 * DAY))
      assert.match(health.lastFailure?.reason ?? '', /status 500/)

      now = new Date(NOW.getTime() + 365 * DAY + 1)
      await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /status 500/)
      delete pccs.faults.status
      pccs.serve(await issuedAt(now))
      now = new Date(now.getTime() + 120_000)
      await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.equal(pccsSource.health()[0]?.lastFailure, undefined)
    })

    it('is asked for less and less often while that fails', async () => {
      const pccsSource = source()
      await pccsSource.collateral(REQUEST, { signal: signal() })
      pccs.faults.status = 500
      now = new Date(NOW.getTime() + DAY)
      const from = pccs.requests.length
      const attempts: number[] = []
      for (let minute = 0; minute < 300; minute += 1) {
        const before = pccs.requests.length
        await pccsSource.refreshDue()
        if (pccs.requests.length > before) attempts.push(minute)
        now = new Date(now.getTime() + 60_000)
      }
      assert.ok(pccs.requests.length - from < 14, `${attempts}`)
      const last = attempts.slice(-2)
      const pause = (last[1] ?? 0) - (last[0] ?? 0)
      assert.ok(pause >= 40 && pause <= 80, `${attempts}`)
    })

    it('is fetched no more often for many who ask while that fails', async () => {
      const pccsSource = source()
      pccs.faults.status = 500
      for (let times = 0; times < 50; times += 1) {
        await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /status 500/)
      }
      assert.equal(pccs.requests.length, 1)
      for (let second = 0; second < 600; second += 1) {
        now = new Date(now.getTime() + 1_000)
        await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /status 500/)
      }
      assert.ok(pccs.requests.length > 8 && pccs.requests.length < 20, `${pccs.requests.length}`)
      delete pccs.faults.status
      now = new Date(now.getTime() + 75_000)
      assert.deepEqual(await pccsSource.collateral(REQUEST, { signal: signal() }), pki.collateral)
    })

    it('is fetched when it has ended, though the last failure asks for a longer pause', async () => {
      const pccsSource = source()
      await pccsSource.collateral(REQUEST, { signal: signal() })
      pccs.faults.status = 500
      for (const minutes of [600, 400, 200, 100, 50, 10]) {
        now = new Date(NOW.getTime() + 365 * DAY - minutes * 60_000)
        await pccsSource.refreshDue()
      }
      delete pccs.faults.status
      now = new Date(NOW.getTime() + 365 * DAY + 1)
      pccs.serve(await issuedAt(now))
      await pccsSource.collateral(REQUEST, { signal: signal() })
    })

    it('is told of when there is none, until nobody has asked for an hour', async () => {
      const pccsSource = source()
      assert.deepEqual(pccsSource.health(), [])
      pccs.faults.status = 500
      await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /status 500/)
      const [health] = pccsSource.health()
      assert.deepEqual([health?.request, health?.held], [REQUEST, undefined])
      assert.match(health?.lastFailure?.reason ?? '', /status 500/)
      now = new Date(NOW.getTime() + HOUR)
      await pccsSource.refreshDue()
      assert.deepEqual([pccsSource.health(), pccs.requests.length], [[], 1])
    })

    it('is told of by how long the policy takes it, and refreshed in time for that', async () => {
      const pccsSource = source({ limits: { maximumCollateralAgeDays: 1.5 } })
      await pccsSource.collateral(REQUEST, { signal: signal() })
      // It was issued a day ago.
      assert.deepEqual(pccsSource.health()[0]?.held?.usableUntil, new Date(NOW.getTime() + DAY / 2))
      now = new Date(NOW.getTime() + 8 * HOUR)
      await pccsSource.refreshDue()
      assert.equal(pccs.requests.length, 8)
    })

    it('is asked for every hour while it is of an earlier round than the policy takes', async () => {
      const pccsSource = source({ limits: { minimumTcbEvaluationDataNumber: 2 } })
      await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.deepEqual(pccsSource.health()[0]?.held?.usableUntil, new Date(NOW.getTime() - DAY))
      now = new Date(NOW.getTime() + HOUR)
      pccs.serve({ sgx: ofRound(pki.collateral, 2), tdx: pki.tdxCollateral })
      await pccsSource.refreshDue()
      const { held } = pccsSource.health()[0] ?? {}
      assert.deepEqual([held?.tcbEvaluationDataNumber, held?.usableUntil], [2, held?.validUntil])
    })

    it('is refreshed although the clock was far ahead for a moment', async () => {
      const pccsSource = source()
      await pccsSource.collateral(REQUEST, { signal: signal() })
      now = new Date(NOW.getTime() + 300 * DAY)
      await pccsSource.refreshDue()
      now = new Date(NOW.getTime() + HOUR)
      const before = pccs.requests.length
      await pccsSource.refreshDue()
      assert.equal(pccs.requests.length, before + 4)
      await pccsSource.refreshDue()
      assert.equal(pccs.requests.length, before + 4)
    })

    it('is fetched although it failed while the clock was far ahead', async () => {
      const pccsSource = source()
      now = new Date(NOW.getTime() + 3_000 * DAY)
      await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /valid from/)
      now = NOW
      await pccsSource.collateral(REQUEST, { signal: signal() })
    })

    it('is never replaced by what is older or does not verify', async () => {
      const pccsSource = source()
      const first = await pccsSource.collateral(REQUEST, { signal: signal() })
      pccs.serve(await issuedAt(new Date(NOW.getTime() - DAY)))
      now = new Date(NOW.getTime() + DAY)
      await pccsSource.refreshDue()
      assert.match(pccsSource.health()[0]?.lastFailure?.reason ?? '', /older than the one in use/)

      const other = await createDevelopmentPki({ seed: new Uint8Array(32).fill(8), now: () => now })
      pccs.serve({ sgx: other.collateral, tdx: other.tdxCollateral })
      now = new Date(NOW.getTime() + 2 * DAY)
      await pccsSource.refreshDue()
      assert.match(pccsSource.health()[0]?.lastFailure?.reason ?? '', /does not end in the root/)
      assert.equal(await pccsSource.collateral(REQUEST, { signal: signal() }), first)
      assert.deepEqual([...cache.kept.values()], [first])
    })

    it('looks after itself in the background until its life ends', async () => {
      const pccsSource = source({ lookEveryMs: 5 })
      await pccsSource.collateral(REQUEST, { signal: signal() })
      now = new Date(NOW.getTime() + DAY)
      const until = Date.now() + 5_000
      while (pccs.requests.length < 8 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 5))
      assert.equal(pccs.requests.length, 8)
    })
  })

  describe('in a cache that fails', () => {
    const broken = async () => {
      throw new Error('EIO: i/o error')
    }
    const warnings: string[] = []
    const logger = { ...silentLogger, warn: (message: string) => warnings.push(message) }
    beforeEach(() => {
      warnings.length = 0
    })

    it('is fetched, and held in memory', async () => {
      const pccsSource = source({ cache: { get: broken, put: broken }, logger })
      for (let times = 0; times < 3; times += 1) {
        assert.deepEqual(await pccsSource.collateral(REQUEST, { signal: signal() }), pki.collateral)
      }
      assert.equal(pccs.requests.length, 4)
      assert.deepEqual(warnings, ['the collateral that was kept could not be read', 'the collateral could not be kept'])
      assert.equal(pccsSource.health()[0]?.lastFailure, undefined)
    })

    it('is judged by the floors of this run, which is told, and lowers none that were kept', async () => {
      await source().collateral(REQUEST, { signal: signal() })
      const kept = floors.text
      let isBroken = true
      const flaky = {
        read: () => (isBroken ? broken() : floors.read()),
        write: (text: string) => (isBroken ? broken() : floors.write(text)),
      }
      cache.kept.clear()
      const pccsSource = source({ floors: flaky, logger })
      const older = await issuedAt(new Date(NOW.getTime() - DAY))
      pccs.serve(older)
      await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.match(pccsSource.floorsFailure() ?? '', /could not be read: EIO/)
      pccs.serve(await issuedAt(new Date(NOW.getTime() - 2 * DAY)))
      now = new Date(NOW.getTime() + DAY)
      await pccsSource.refreshDue()
      assert.match(pccsSource.health()[0]?.lastFailure?.reason ?? '', /older than the one in use/)
      assert.equal(floors.text, kept)

      isBroken = false
      pccs.serve(older)
      now = new Date(NOW.getTime() + 2 * DAY)
      await pccsSource.refreshDue()
      assert.equal(pccsSource.floorsFailure(), undefined)
      assert.match(pccsSource.health()[0]?.lastFailure?.reason ?? '', /older than the one in use/)
      assert.equal(floors.text, kept)
    })

    it('writes floors again that could not be kept', async () => {
      let isBroken = true
      const flaky = {
        read: async () => undefined,
        write: (text: string) => (isBroken ? broken() : floors.write(text)),
      }
      const pccsSource = source({ floors: flaky, logger })
      await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.match(pccsSource.floorsFailure() ?? '', /could not be kept: EIO/)
      isBroken = false
      now = new Date(NOW.getTime() + DAY)
      await pccsSource.refreshDue()
      assert.equal(pccsSource.floorsFailure(), undefined)
      assert.match(floors.text ?? '', /tcb-info\/sgx\/534c4d444556/)
    })
  })

  describe('that was kept', () => {
    it('serves a node that starts during an outage', async () => {
      await source().collateral(REQUEST, { signal: signal() })
      pccs.faults.status = 500
      assert.deepEqual(await source().collateral(REQUEST, { signal: signal() }), pki.collateral)
    })

    it('is not used when it has ended, or was altered', async () => {
      await source().collateral(REQUEST, { signal: signal() })
      pccs.faults.status = 500
      now = new Date(NOW.getTime() + 366 * DAY)
      await fails(source().collateral(REQUEST, { signal: signal() }), /status 500/)
      now = NOW
      for (const [key, kept] of cache.kept) cache.kept.set(key, { ...kept, tcb_info: `${kept.tcb_info} ` })
      await fails(source().collateral(REQUEST, { signal: signal() }), /status 500/)
    })
  })
})

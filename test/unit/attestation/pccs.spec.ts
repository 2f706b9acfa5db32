import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deriveKey, issueCertificate, issueCrl } from '../../../src/attestation/development/authority.js'
import {
  createDevelopmentPki,
  type DevelopmentPki,
  type PccsAnswer,
  startSimulatedPccs,
} from '../../../src/attestation/development/index.js'
import { developmentAuthorities } from '../../../src/attestation/development/pki.js'
import { AttestationError, type QuoteCollateral } from '../../../src/attestation/index.js'
import { silentLogger } from '../../../src/domain/index.js'
import { longCrl } from './long-list.js'
import { DAY, HOUR, KEY, ofRound, PccsWorld, REQUEST, resigned, signal } from './pccs-world.js'
import { assertRefused, developmentPki, LAYOUT, NOW, quoteOf, SEED, TDX_LAYOUT, TDX_MEASUREMENT } from './world.js'

describe('collateral from a PCCS', () => {
  let pki: DevelopmentPki
  let world: PccsWorld

  before(async () => {
    pki = await developmentPki()
  })

  beforeEach(async () => {
    world = await PccsWorld.start(pki)
  })

  afterEach(() => world.stop())

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
    assert.deepEqual(await world.source().collateral(REQUEST, { signal: signal() }), pki.collateral)
    assert.deepEqual(world.pccs.requests, [
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
    world.pccs.serve({ sgx: collateral, tdx: collateral })
    assert.deepEqual(await world.source().collateral(REQUEST, { signal: signal() }), collateral)
  })

  it('lets quotes of SGX and of TDX be verified', async () => {
    const verifier = world.verifier()
    await verifier.verify(await quoteOf(pki))
    await verifier.verify(await quoteOf(pki, { measurement: TDX_MEASUREMENT }))
    assert.equal(world.pccs.requests.filter((path) => path.startsWith('/tdx/')).length, 2)
    const before = world.pccs.requests.length
    await verifier.verify(await quoteOf(pki, { machineId: 'machine-2' }))
    assert.equal(world.pccs.requests.length, before)
  })

  it('is not fetched for a quote that its platform has not signed', async () => {
    const verifier = world.verifier()
    for (const [from, to] of [LAYOUT.reportData, LAYOUT.signature, LAYOUT.attestationKey, LAYOUT.qeReportSignature]) {
      const forged = (await quoteOf(pki)).fill(1, from, to)
      await assertRefused(verifier.verify(forged), 'attestation/quote-invalid')
    }
    const forged = (await quoteOf(pki, { measurement: TDX_MEASUREMENT })).fill(1, ...TDX_LAYOUT.signature)
    await assertRefused(verifier.verify(forged), 'attestation/quote-invalid')
    assert.deepEqual(world.pccs.requests, [])
  })

  it('is fetched once, however many wait for it', async () => {
    const { collateral } = world.source()
    const all = await Promise.all(Array.from({ length: 20 }, () => collateral(REQUEST, { signal: signal() })))
    assert.equal(world.pccs.requests.length, 4)
    assert.equal(new Set(all).size, 1)
  })

  it('is of one technology, family, PCE and authority, and serves no other', async () => {
    const held = world.source()
    await held.collateral(REQUEST, { signal: signal() })
    world.pccs.faults.status = 503
    const others = [{ tee: 'tdx' }, { fmspc: '000000000000' }, { pceId: '0001' }, { ca: 'processor' }] as const
    for (const other of others) {
      for (const source of [held, world.source()]) {
        await fails(source.collateral({ ...REQUEST, ...other }, { signal: signal() }), /status 503/)
      }
    }
    for (const source of [held, world.source()]) await source.collateral(REQUEST, { signal: signal() })
  })

  it('takes the root’s list from elsewhere when told so', async () => {
    const other = await startSimulatedPccs({ sgx: pki.collateral, tdx: pki.tdxCollateral })
    try {
      const rootCrlUrl = `${other.url}/sgx/certification/v4/rootcacrl`
      await world.source({ rootCrlUrl }).collateral(REQUEST, { signal: signal() })
      assert.deepEqual([world.pccs.requests.length, other.requests.length], [3, 1])
    } finally {
      await other.stop()
    }
  })

  describe('that goes wrong', () => {
    const rewritten = (part: string, change: (answer: PccsAnswer) => Partial<PccsAnswer>) => {
      world.pccs.faults.rewrite = (path, answer) => (path.includes(part) ? { ...answer, ...change(answer) } : answer)
    }
    const text = ({ body }: PccsAnswer) => Buffer.from(body).toString()

    const cases: [name: string, arrange: () => void, sentence: RegExp][] = [
      ['a status that is not 200', () => Object.assign(world.pccs.faults, { status: 503 }), /tcb\?.*status 503/],
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
        await fails(world.source().collateral(REQUEST, { signal: signal() }), sentence)
        assert.equal(world.cache.kept.size, 0)
      })
    }

    it('is refused when it is of another platform family than was asked for', async () => {
      const answering = (other: QuoteCollateral) => {
        const body = `{"tcbInfo":${other.tcb_info},"signature":"${other.tcb_info_signature}"}`
        rewritten('tcb', () => ({ body: Buffer.from(body) }))
      }
      const asking = () => world.source().collateral(REQUEST, { signal: signal() })
      for (const tcbInfo of [{ fmspc: '534C4D444557' }, { pceId: '0001' }]) {
        answering(resigned(pki.collateral, { tcbInfo }))
        await fails(asking(), /TCB info of another technology or platform family/)
      }
      answering(resigned(pki.collateral, {}))
      await asking()
    })

    it('is refused when it is of the other technology than was asked for', async () => {
      world.pccs.serve({ sgx: pki.tdxCollateral, tdx: pki.collateral })
      for (const tee of ['sgx', 'tdx'] as const) {
        const asked = world.source().collateral({ ...REQUEST, tee }, { signal: signal() })
        await fails(asked, /TCB info of another technology or platform family/)
      }
    })

    it('is refused when its list is of the other authority than was asked for', async () => {
      const { root } = developmentAuthorities(SEED)
      const processorCa = { name: 'SGX PCK Processor CA', key: deriveKey(SEED, 'SGX PCK Processor CA') }
      const serial = '0102030405060708'
      const certificate = await issueCertificate({ subject: processorCa, issuer: root, serial, pathLength: 0 })
      const validity = { from: NOW, until: new Date(NOW.getTime() + DAY) }
      const ofProcessors = {
        ...pki.collateral,
        pck_crl: Buffer.from(await issueCrl(processorCa, [], validity)).toString('hex'),
        pck_crl_issuer_chain: [new X509Certificate(certificate), new X509Certificate(pki.rootCertificate)].join(''),
      }
      world.pccs.serve({ sgx: ofProcessors, tdx: pki.tdxCollateral })
      const collateral = world.source()
      await fails(collateral.collateral(REQUEST, { signal: signal() }), /revocation list of another authority/)
      assert.deepEqual([world.cache.kept.size, world.floors.text], [0, undefined])
      world.pccs.serve({ sgx: pki.collateral, tdx: pki.tdxCollateral })
      world.now = new Date(world.now.getTime() + 60_000)
      await world.verifier(collateral).verify(await quoteOf(pki))
      const names = [...world.cache.kept.keys()].map((name) => name.replace(/[0-9a-f]{64}/, '…'))
      assert.deepEqual(names, ['qe-identity/sgx', 'list/…', 'list/…', KEY])
    })

    it('is not fetched from where the service sends one on to', async () => {
      const { url } = world.pccs
      const elsewhere = createServer(({ url: path }, response) => {
        response.writeHead(302, { location: `${url}${path}` }).end()
      })
      elsewhere.listen(0, '127.0.0.1')
      await once(elsewhere, 'listening')
      try {
        const { port } = elsewhere.address() as AddressInfo
        const sent = world.source({ url: `http://127.0.0.1:${port}` })
        await fails(sent.collateral(REQUEST, { signal: signal() }), /redirect/)
        assert.deepEqual(world.pccs.requests, [])
      } finally {
        elsewhere.closeAllConnections()
        elsewhere.close()
      }
    })

    it('is refused when nothing is there, and when nothing is answered in time', async () => {
      world.pccs.faults.isSilent = true
      const waiting = new AbortController()
      const verdict = world.source().collateral(REQUEST, { signal: waiting.signal })
      waiting.abort(new Error('enough'))
      await assert.rejects(verdict, /enough/)
      const gone = await startSimulatedPccs({ sgx: pki.collateral, tdx: pki.tdxCollateral })
      await gone.stop()
      await fails(world.source({ url: gone.url }).collateral(REQUEST, { signal: signal() }), /ECONNREFUSED/)
    })
  })

  describe('with time', () => {
    it('is refreshed in the background after a day, and the same object as long as nothing has changed', async () => {
      const pccsSource = world.source()
      const first = await pccsSource.collateral(REQUEST, { signal: signal() })
      world.now = new Date(NOW.getTime() + DAY - HOUR)
      await pccsSource.refreshDue()
      assert.equal(world.pccs.requests.length, 4)
      world.now = new Date(NOW.getTime() + DAY)
      await pccsSource.refreshDue()
      assert.equal(world.pccs.requests.length, 8)
      assert.equal(await pccsSource.collateral(REQUEST, { signal: signal() }), first)

      world.pccs.serve(await issuedAt(world.now))
      world.now = new Date(NOW.getTime() + 2 * DAY)
      await pccsSource.refreshDue()
      const fresh = await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.notEqual(fresh.tcb_info, first.tcb_info)
      assert.deepEqual(world.cache.kept.get(KEY), fresh)
    })

    it('is refreshed when two thirds of a short life are over', async () => {
      world.now = new Date(NOW.getTime() + 365 * DAY - 3 * HOUR)
      const pccsSource = world.source()
      await pccsSource.collateral(REQUEST, { signal: signal() })
      world.now = new Date(world.now.getTime() + 2 * HOUR - 1)
      await pccsSource.refreshDue()
      assert.equal(world.pccs.requests.length, 4)
      world.now = new Date(world.now.getTime() + 1)
      await pccsSource.refreshDue()
      assert.equal(world.pccs.requests.length, 8)
    })

    it('is kept through an outage until it really ends, and the failure is told', async () => {
      const pccsSource = world.source()
      const first = await pccsSource.collateral(REQUEST, { signal: signal() })
      world.pccs.faults.status = 500
      world.now = new Date(NOW.getTime() + 2 * DAY)
      await pccsSource.refreshDue()
      assert.equal(await pccsSource.collateral(REQUEST, { signal: signal() }), first)
      const [health] = pccsSource.health()
      assert.deepEqual(health?.request, REQUEST)
      assert.deepEqual(health.held?.validUntil, new Date(NOW.getTime() + 365 * DAY))
      assert.match(health.lastFailure?.reason ?? '', /status 500/)

      world.now = new Date(NOW.getTime() + 365 * DAY + 1)
      await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /status 500/)
      delete world.pccs.faults.status
      world.pccs.serve(await issuedAt(world.now))
      world.now = new Date(world.now.getTime() + 120_000)
      await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.equal(pccsSource.health()[0]?.lastFailure, undefined)
    })

    it('is asked for less and less often while that fails', async () => {
      const pccsSource = world.source()
      await pccsSource.collateral(REQUEST, { signal: signal() })
      world.pccs.faults.status = 500
      world.now = new Date(NOW.getTime() + DAY)
      const from = world.pccs.requests.length
      const attempts: number[] = []
      for (let minute = 0; minute < 300; minute += 1) {
        const before = world.pccs.requests.length
        await pccsSource.refreshDue()
        if (world.pccs.requests.length > before) attempts.push(minute)
        world.now = new Date(world.now.getTime() + 60_000)
      }
      assert.ok(world.pccs.requests.length - from < 14, `${attempts}`)
      const last = attempts.slice(-2)
      const pause = (last[1] ?? 0) - (last[0] ?? 0)
      assert.ok(pause >= 40 && pause <= 80, `${attempts}`)
    })

    it('is fetched no more often for many who ask while that fails', async () => {
      const pccsSource = world.source()
      world.pccs.faults.status = 500
      for (let times = 0; times < 50; times += 1) {
        await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /status 500/)
      }
      assert.equal(world.pccs.requests.length, 1)
      for (let second = 0; second < 600; second += 1) {
        world.now = new Date(world.now.getTime() + 1_000)
        await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /status 500/)
      }
      assert.ok(world.pccs.requests.length > 8 && world.pccs.requests.length < 20, `${world.pccs.requests.length}`)
      delete world.pccs.faults.status
      world.now = new Date(world.now.getTime() + 75_000)
      assert.deepEqual(await pccsSource.collateral(REQUEST, { signal: signal() }), pki.collateral)
    })

    it('is fetched when it has ended, though the last failure asks for a longer pause', async () => {
      const pccsSource = world.source()
      await pccsSource.collateral(REQUEST, { signal: signal() })
      world.pccs.faults.status = 500
      for (const minutes of [600, 400, 200, 100, 50, 10]) {
        world.now = new Date(NOW.getTime() + 365 * DAY - minutes * 60_000)
        await pccsSource.refreshDue()
      }
      delete world.pccs.faults.status
      world.now = new Date(NOW.getTime() + 365 * DAY + 1)
      world.pccs.serve(await issuedAt(world.now))
      await pccsSource.collateral(REQUEST, { signal: signal() })
    })

    it('is told of when there is none, until nobody has asked for an hour', async () => {
      const pccsSource = world.source()
      assert.deepEqual(pccsSource.health(), [])
      world.pccs.faults.status = 500
      await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /status 500/)
      const [health] = pccsSource.health()
      assert.deepEqual([health?.request, health?.held], [REQUEST, undefined])
      assert.match(health?.lastFailure?.reason ?? '', /status 500/)
      world.now = new Date(NOW.getTime() + HOUR)
      await pccsSource.refreshDue()
      assert.deepEqual([pccsSource.health(), world.pccs.requests.length], [[], 1])
    })

    it('is told of by how long the policy takes it, and refreshed in time for that', async () => {
      const pccsSource = world.source({ limits: { maximumCollateralAgeDays: 1.5 } })
      await pccsSource.collateral(REQUEST, { signal: signal() })
      // It was issued a day ago.
      assert.deepEqual(pccsSource.health()[0]?.held?.usableUntil, new Date(NOW.getTime() + DAY / 2))
      world.now = new Date(NOW.getTime() + 8 * HOUR)
      await pccsSource.refreshDue()
      assert.equal(world.pccs.requests.length, 8)
    })

    it('is asked for every hour while it is of an earlier round than the policy takes', async () => {
      const pccsSource = world.source({ limits: { minimumTcbEvaluationDataNumber: 2 } })
      await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.deepEqual(pccsSource.health()[0]?.held?.usableUntil, new Date(NOW.getTime() - DAY))
      world.now = new Date(NOW.getTime() + HOUR)
      world.pccs.serve({ sgx: ofRound(pki.collateral, 2), tdx: pki.tdxCollateral })
      await pccsSource.refreshDue()
      const { held } = pccsSource.health()[0] ?? {}
      assert.deepEqual([held?.tcbEvaluationDataNumber, held?.usableUntil], [2, held?.validUntil])
    })

    it('is refreshed although the clock was far ahead for a moment', async () => {
      const pccsSource = world.source()
      await pccsSource.collateral(REQUEST, { signal: signal() })
      world.now = new Date(NOW.getTime() + 300 * DAY)
      await pccsSource.refreshDue()
      world.now = new Date(NOW.getTime() + HOUR)
      const before = world.pccs.requests.length
      await pccsSource.refreshDue()
      assert.equal(world.pccs.requests.length, before + 4)
      await pccsSource.refreshDue()
      assert.equal(world.pccs.requests.length, before + 4)
    })

    it('is fetched although it failed while the clock was far ahead', async () => {
      const pccsSource = world.source()
      world.now = new Date(NOW.getTime() + 3_000 * DAY)
      await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /valid from/)
      world.now = NOW
      await pccsSource.collateral(REQUEST, { signal: signal() })
    })

    it('is fetched although it failed while the clock was some hours ahead', async () => {
      const pccsSource = world.source()
      world.pccs.faults.status = 503
      world.now = new Date(NOW.getTime() + 6 * HOUR)
      await fails(pccsSource.collateral(REQUEST, { signal: signal() }), /503/)
      delete world.pccs.faults.status
      world.now = NOW
      await pccsSource.collateral(REQUEST, { signal: signal() })
    })

    it('is never replaced by what is older or does not verify', async () => {
      const pccsSource = world.source()
      const first = await pccsSource.collateral(REQUEST, { signal: signal() })
      world.pccs.serve(await issuedAt(new Date(NOW.getTime() - DAY)))
      world.now = new Date(NOW.getTime() + DAY)
      await pccsSource.refreshDue()
      assert.match(pccsSource.health()[0]?.lastFailure?.reason ?? '', /older than the one seen before/)

      const other = await createDevelopmentPki({ seed: new Uint8Array(32).fill(8), now: () => world.now })
      world.pccs.serve({ sgx: other.collateral, tdx: other.tdxCollateral })
      world.now = new Date(NOW.getTime() + 2 * DAY)
      await pccsSource.refreshDue()
      assert.match(pccsSource.health()[0]?.lastFailure?.reason ?? '', /does not end in the root/)
      assert.equal(await pccsSource.collateral(REQUEST, { signal: signal() }), first)
      assert.deepEqual(world.cache.kept.get(KEY), first)
    })

    it('looks after itself in the background until its life ends', async () => {
      const pccsSource = world.source({ lookEveryMs: 5 })
      await pccsSource.collateral(REQUEST, { signal: signal() })
      world.now = new Date(NOW.getTime() + DAY)
      const until = Date.now() + 5_000
      while (world.pccs.requests.length < 8 && Date.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 5))
      assert.equal(world.pccs.requests.length, 8)
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
      const pccsSource = world.source({ cache: { get: broken, put: broken }, logger })
      for (let times = 0; times < 3; times += 1) {
        assert.deepEqual(await pccsSource.collateral(REQUEST, { signal: signal() }), pki.collateral)
      }
      assert.equal(world.pccs.requests.length, 4)
      assert.deepEqual(
        new Set(warnings),
        new Set([
          'the collateral that was kept could not be read',
          'a part of collateral that was kept is of no use',
          'the collateral could not be kept',
        ]),
      )
      assert.equal(pccsSource.health()[0]?.lastFailure, undefined)
    })

    it('is judged by the floors of this run, which is told, and lowers none that were kept', async () => {
      await world.source().collateral(REQUEST, { signal: signal() })
      const kept = world.floors.text
      let isBroken = true
      const flaky = {
        read: () => (isBroken ? broken() : world.floors.read()),
        write: (text: string) => (isBroken ? broken() : world.floors.write(text)),
      }
      world.cache.kept.clear()
      const pccsSource = world.source({ floors: flaky, logger })
      const older = await issuedAt(new Date(NOW.getTime() - DAY))
      world.pccs.serve(older)
      await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.match(pccsSource.floorsFailure() ?? '', /could not be read: EIO/)
      world.pccs.serve(await issuedAt(new Date(NOW.getTime() - 2 * DAY)))
      world.now = new Date(NOW.getTime() + DAY)
      await pccsSource.refreshDue()
      assert.match(pccsSource.health()[0]?.lastFailure?.reason ?? '', /older than the one seen before/)
      assert.equal(world.floors.text, kept)

      isBroken = false
      world.pccs.serve(older)
      world.now = new Date(NOW.getTime() + 2 * DAY)
      await pccsSource.refreshDue()
      assert.equal(pccsSource.floorsFailure(), undefined)
      assert.match(pccsSource.health()[0]?.lastFailure?.reason ?? '', /older than the one seen before/)
      assert.equal(world.floors.text, kept)
    })

    it('writes floors again that could not be kept', async () => {
      let isBroken = true
      const flaky = {
        read: async () => undefined,
        write: (text: string) => (isBroken ? broken() : world.floors.write(text)),
      }
      const pccsSource = world.source({ floors: flaky, logger })
      await pccsSource.collateral(REQUEST, { signal: signal() })
      assert.match(pccsSource.floorsFailure() ?? '', /could not be kept: EIO/)
      isBroken = false
      world.now = new Date(NOW.getTime() + DAY)
      await pccsSource.refreshDue()
      assert.equal(pccsSource.floorsFailure(), undefined)
      assert.match(world.floors.text ?? '', /tcb-info\/sgx\/534c4d444556/)
    })
  })

  describe('that was kept', () => {
    it('serves a node that starts during an outage', async () => {
      await world.source().collateral(REQUEST, { signal: signal() })
      world.pccs.faults.status = 500
      assert.deepEqual(await world.source().collateral(REQUEST, { signal: signal() }), pki.collateral)
    })

    it('is not used when it has ended, or was altered', async () => {
      await world.source().collateral(REQUEST, { signal: signal() })
      world.pccs.faults.status = 500
      world.now = new Date(NOW.getTime() + 366 * DAY)
      await fails(world.source().collateral(REQUEST, { signal: signal() }), /status 500/)
      world.now = NOW
      for (const [key, kept] of world.cache.kept) world.cache.kept.set(key, { ...kept, tcb_info: `${kept.tcb_info} ` })
      await fails(world.source().collateral(REQUEST, { signal: signal() }), /status 500/)
    })
  })
})

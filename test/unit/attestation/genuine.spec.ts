import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { verifyCollateral } from '../../../src/attestation/collateral.js'
import {
  type AttestationCheck,
  AttestationError,
  type AttestationPolicy,
  type CollateralRequest,
  createQuoteVerifier,
  type QuoteCollateral,
  type QuoteVerifier,
  staticCollateral,
} from '../../../src/attestation/index.js'
import { PckChains } from '../../../src/attestation/pck-chains.js'
import { readQuote, withoutPadding } from '../../../src/attestation/quote.js'
import { INTEL_ROOT } from '../../../src/attestation/root.js'
import { checkSignatures } from '../../../src/attestation/signatures.js'
import { toHex } from '../../../src/crypto/index.js'
import { Random } from '../../support/random.js'
import { flipped } from './world.js'

/** See genuine/README.md. */
interface Genuine {
  readonly validAt: Date
  readonly quote: Uint8Array
  readonly collateral: QuoteCollateral
}

function genuine(file: string): Genuine {
  const { validAt, quote, collateral } = JSON.parse(readFileSync(`test/unit/attestation/genuine/${file}`, 'utf8'))
  return { validAt: new Date(validAt), quote: Buffer.from(quote, 'hex'), collateral }
}

const ROOT = new X509Certificate(INTEL_ROOT)

/** Every how many bytes of collateral one is changed, from a random one on; 1 takes two minutes. */
const STRIDE = Number(process.env.GENUINE_STRIDE ?? 20)

const POLICY: AttestationPolicy = {
  allowedMeasurements: [
    { mrEnclave: '0x33d8736db756ed4997e04ba358d27833188f1932ff7b1d156904d3f560452fbb' },
    {
      mrSigner: '0x815f42f11cf64430c30bab7816ba596a1da0130c3b028b673133a66cf9a3e0e6',
      productId: 0,
      minimumSecurityVersion: 0,
    },
    {
      mrTd: '0x7348651a34b2d2d3462822e3a750ec6110125f36757c78480bbfc69cc0d21fb001a1ced3ee19747dda8f750c3bc8f876',
      rtmr0: 'any',
      rtmr1: 'any',
      rtmr2: 'any',
      rtmr3: 'any',
    },
    {
      mrTd: '0x935be7742dd89c6a4df6dba8353d89041ae0f052beef993b1e7f4524d3bc57650df20e5582158352e1240b3f1fed55d8',
      rtmr0: 'any',
      rtmr1: 'any',
      rtmr2: 'any',
      rtmr3: 'any',
    },
  ],
  tcbExceptions: [
    {
      status: 'ConfigurationAndSWHardeningNeeded',
      advisoryIds: ['INTEL-SA-00289', 'INTEL-SA-00615'],
      until: '2025-12-31T00:00:00Z',
    },
    {
      status: 'OutOfDate',
      advisoryIds: ['INTEL-SA-00960', 'INTEL-SA-00982', 'INTEL-SA-00986'],
      until: '2025-12-31T00:00:00Z',
    },
  ],
}

const STRICT: AttestationPolicy = { allowedMeasurements: POLICY.allowedMeasurements }

function verifierOf({ collateral, validAt }: Genuine, policy = POLICY): QuoteVerifier {
  return createQuoteVerifier({ collateral: staticCollateral(collateral), policy, now: () => validAt })
}

async function checkOf(verdict: Promise<unknown>): Promise<AttestationCheck> {
  try {
    await verdict
  } catch (thrown) {
    assert.ok(thrown instanceof AttestationError, String(thrown))
    return thrown.check
  }
  return assert.fail('it was accepted')
}

describe('genuine quotes', function () {
  this.timeout(STRIDE === 1 ? 300_000 : 30_000)
  const seed = Date.now() % 2 ** 31
  const random = new Random(seed)
  const sgx = genuine('sgx-v3.json')
  const tdx4 = genuine('tdx-v4.json')
  const tdx5 = genuine('tdx-v5.json')

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stdout.write(`seed ${seed}\n`)
  })

  it('of SGX, version 3, verify under Intel’s root', async () => {
    const { reportData, ...rest } = await verifierOf(sgx).verify(sgx.quote)
    assert.match(Buffer.from(reportData).toString('latin1'), /^Hello, world!\0{51}$/)
    assert.deepEqual(rest, {
      measurement: {
        tee: 'sgx',
        mrEnclave: '0x33d8736db756ed4997e04ba358d27833188f1932ff7b1d156904d3f560452fbb',
        mrSigner: '0x815f42f11cf64430c30bab7816ba596a1da0130c3b028b673133a66cf9a3e0e6',
        productId: 0,
        securityVersion: 0,
      },
      tcbStatus: 'ConfigurationAndSWHardeningNeeded',
      advisoryIds: ['INTEL-SA-00289', 'INTEL-SA-00615'],
      tcbEvaluationDataNumber: 17,
    })
    assert.equal(await checkOf(verifierOf(sgx, STRICT).verify(sgx.quote)), 'tcb-status')
  })

  it('of TDX, version 5, verify under Intel’s root', async () => {
    const { measurement, reportData, ...rest } = await verifierOf(tdx5).verify(tdx5.quote)
    assert.equal(measurement.tee === 'tdx' && measurement.tdAttributes, '0x0000001000000000')
    assert.equal(
      toHex(reportData),
      '0x945eaacf5abc1f719d8666a942fda03d1edcb4490277396093dc5a5289ab9f1e' +
        '094aed63060cd4a4933a4dd537ed1255c9c79ecb3ed82cd1b486233e31c25c3a',
    )
    assert.deepEqual(rest, {
      tcbStatus: 'UpToDate',
      advisoryIds: [],
      tcbEvaluationDataNumber: 20,
    })
  })

  it('of TDX, version 4, verify under Intel’s root', async () => {
    const { measurement, reportData, ...rest } = await verifierOf(tdx4).verify(tdx4.quote)
    assert.equal(measurement.tee === 'tdx' && measurement.tdAttributes, '0x0000001000000000')
    assert.deepEqual(reportData, new Uint8Array(64))
    assert.deepEqual(rest, {
      tcbStatus: 'OutOfDate',
      advisoryIds: ['INTEL-SA-00960', 'INTEL-SA-00982', 'INTEL-SA-00986'],
      tcbEvaluationDataNumber: 17,
    })
    assert.equal(await checkOf(verifierOf(tdx4, STRICT).verify(tdx4.quote)), 'tcb-status')
  })

  it('of TDX, version 4, are signed up to Intel’s root, once the zeros behind them are gone', () => {
    const { quote, validAt } = genuine('tdx-v4-padded.json')
    assert.throws(() => readQuote(quote), { check: 'form' })
    const read = readQuote(withoutPadding(quote))
    assert.equal(read.claims.measurement.tee, 'tdx')
    const { key, ca, platform } = new PckChains(ROOT).verify(read.pckChain, validAt)
    assert.deepEqual([ca, platform.fmspc], ['platform', 'b0c06f000000'])
    checkSignatures(read, key)
  })

  it('say by their certificates which family’s collateral, and which authority’s list, they are judged by', async () => {
    const asked: CollateralRequest[] = []
    for (const { quote, collateral, validAt } of [sgx, tdx4, tdx5]) {
      const source = {
        collateral: async (request: CollateralRequest) => {
          asked.push(request)
          return collateral
        },
      }
      await createQuoteVerifier({ collateral: source, policy: POLICY, now: () => validAt }).verify(quote)
    }
    assert.deepEqual(asked, [
      { tee: 'sgx', fmspc: '00a067110000', pceId: '0000', ca: 'processor' },
      { tee: 'tdx', fmspc: '00806f050000', pceId: '0000', ca: 'platform' },
      { tee: 'tdx', fmspc: '90c06f000000', pceId: '0000', ca: 'platform' },
    ])
  })

  it('keep what is not zero behind them, for the verifier to refuse', () => {
    const longer = Buffer.concat([sgx.quote, Uint8Array.of(0, 1)])
    assert.equal(withoutPadding(longer).length, longer.length)
    assert.equal(withoutPadding(sgx.quote).length, sgx.quote.length)
  })

  it('do not outlive their collateral', async () => {
    const late = new Date('2025-07-19T10:01:19Z')
    assert.equal(await checkOf(verifierOf({ ...sgx, validAt: late }).verify(sgx.quote)), 'collateral-validity')
    const early = new Date('2025-06-19T10:55:00Z')
    assert.equal(await checkOf(verifierOf({ ...sgx, validAt: early }).verify(sgx.quote)), 'collateral-validity')
    const lateTdx4 = new Date('2025-07-04T09:19:32Z')
    assert.equal(await checkOf(verifierOf({ ...tdx4, validAt: lateTdx4 }).verify(tdx4.quote)), 'collateral-validity')
    const lateTdx5 = new Date('2026-10-11T00:00:00Z')
    assert.equal(await checkOf(verifierOf({ ...tdx5, validAt: lateTdx5 }).verify(tdx5.quote)), 'collateral-validity')
  })

  for (const [name, given] of Object.entries({ SGX: sgx, 'TDX, version 4,': tdx4, 'TDX, version 5,': tdx5 })) {
    it(`of ${name} are refused when one bit of any byte is another`, async () => {
      const verifier = verifierOf(given)
      await verifier.verify(given.quote)
      for (let at = 0; at < given.quote.length; at += 1) {
        await checkOf(verifier.verify(flipped(given.quote, at, random.below(8))))
      }
    })

    for (const part of Object.keys(given.collateral) as (keyof QuoteCollateral)[]) {
      it(`of ${name} are not judged by a ${part} of which one bit is another`, () => {
        const { collateral, validAt } = given
        const bytes = Buffer.from(collateral[part], 'latin1')
        for (let at = random.below(STRIDE); at < bytes.length; at += STRIDE) {
          const changed = Buffer.from(flipped(bytes, at, random.below(8))).toString('latin1')
          assert.throws(
            () => verifyCollateral({ ...collateral, [part]: changed }, ROOT, validAt),
            { name: 'AttestationError', code: 'attestation/collateral-unavailable' },
            `byte ${at}`,
          )
        }
      })
    }
  }

  /** What no signature covers, and Intel itself writes one way or the other: no more than these may differ. */
  describe('may differ from one another without being another quote', () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

    it('in the half that s of a signature is in', async () => {
      const other = Buffer.from(sgx.quote)
      const s = BigInt(`0x${other.toString('hex', 468, 500)}`)
      other.write((order - s).toString(16).padStart(64, '0'), 468, 'hex')
      await verifierOf(sgx).verify(other)
    })

    it('in the line breaks of their certificates, and a NUL that ends them', async () => {
      const length = sgx.quote.length - 1
      const other = Buffer.from(sgx.quote.subarray(0, length))
      other.writeUInt32LE(length - 436, 432)
      other.writeUInt32LE(length - 1_052, 1_048)
      await verifierOf(sgx).verify(other)
      other[other.length - 1] = 0x0d
      await verifierOf(sgx).verify(other)
    })
  })
})

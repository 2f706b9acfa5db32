import assert from 'node:assert/strict'
import type { DevelopmentPki } from '../../../src/attestation/development/index.js'
import type { QuoteSource } from '../../../src/attestation/source.js'
import { configfsTsmQuoteSource } from '../../../src/attestation/sources/configfs-tsm.js'
import { hardwareQuoteSource } from '../../../src/attestation/sources/detect.js'
import { QuoteSourceError, type QuoteSourceErrorCode } from '../../../src/attestation/sources/errors.js'
import { gramineQuoteSource } from '../../../src/attestation/sources/gramine.js'
import { errno, FakeGramine, FakeTsm } from './fake-device.js'
import { developmentPki, MACHINE, MEASUREMENT } from './world.js'

const signal = () => AbortSignal.timeout(5_000)
const dataOf = (byte: number) => new Uint8Array(64).fill(byte)

function fails(work: Promise<unknown>, code: QuoteSourceErrorCode, sentence: RegExp): Promise<void> {
  return assert.rejects(work, (thrown) => {
    assert.ok(thrown instanceof QuoteSourceError, String(thrown))
    assert.equal(thrown.code, code)
    assert.match(thrown.message, sentence)
    return true
  })
}

/** Something that others wait for until it is opened. */
class Gate {
  readonly passed: Promise<void>
  #resolve: (() => void) | undefined

  constructor() {
    this.passed = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  open(): void {
    this.#resolve?.()
  }
}

describe('hardware quote sources', () => {
  let pki: DevelopmentPki
  let signing: QuoteSource

  before(async () => {
    pki = await developmentPki()
    signing = pki.platform({ machineId: MACHINE, measurement: MEASUREMENT }).quoteSource
  })

  /** The devices' own quoting enclave. */
  const sign = (reportData: Uint8Array) => signing.quote(reportData, { signal: signal() })
  const reportDataIn = (quote: Uint8Array) => Buffer.from(quote.subarray(368, 432)).toString('hex')

  describe('Gramine', () => {
    it('writes the report data, then reads a quote over it', async () => {
      const device = new FakeGramine(sign)
      const source = await gramineQuoteSource({ files: device })
      assert.equal(source.kind, 'sgx')
      const quote = await source.quote(dataOf(7), { signal: signal() })
      assert.equal(reportDataIn(quote), '07'.repeat(64))
      assert.deepEqual(device.log, ['read attestation_type', 'write user_report_data', 'read quote'])
    })

    it('makes one quote after the other, each over its own data', async () => {
      const device = new FakeGramine(sign)
      const source = await gramineQuoteSource({ files: device })
      const bytes = [1, 2, 3, 4, 5]
      const quotes = await Promise.all(bytes.map((byte) => source.quote(dataOf(byte), { signal: signal() })))
      assert.deepEqual(
        quotes.map(reportDataIn),
        bytes.map((byte) => `0${byte}`.repeat(64)),
      )
      const acts = device.log.slice(1)
      assert.deepEqual(
        acts,
        bytes.flatMap(() => ['write user_report_data', 'read quote']),
      )
    })

    it('is one device for all sources of the process, by whatever path', async () => {
      const device = new FakeGramine(sign)
      device.realPath = async () => '/dev/attestation'
      const sources = await Promise.all(
        ['/dev/attestation', '/link'].map((folder) => gramineQuoteSource({ files: device, folder })),
      )
      const bytes = [1, 2, 3, 4, 5, 6]
      device.log.length = 0
      const quotes = await Promise.all(
        bytes.map((byte) => sources[byte % 2]?.quote(dataOf(byte), { signal: signal() }) ?? new Uint8Array()),
      )
      assert.deepEqual(
        quotes.map(reportDataIn),
        bytes.map((byte) => `0${byte}`.repeat(64)),
      )
      assert.deepEqual(
        device.log,
        bytes.flatMap(() => ['write user_report_data', 'read quote']),
      )
    })

    it('tries again when something else came between, and gives up when that goes on', async () => {
      const device = new FakeGramine(sign)
      const source = await gramineQuoteSource({ files: device })
      let intrusions = 2
      device.sign = (reportData) => {
        intrusions -= 1
        return sign(intrusions >= 0 ? dataOf(0xee) : reportData)
      }
      assert.equal(reportDataIn(await source.quote(dataOf(7), { signal: signal() })), '07'.repeat(64))
      intrusions = Number.POSITIVE_INFINITY
      // Its own words alone, without a hint that belongs to what the system says.
      const sentence = /^The device that makes quotes failed: it answers with quotes over other data[^;]*\.$/
      await fails(source.quote(dataOf(7), { signal: signal() }), 'quote-source/failed', sentence)
    })

    it('keeps to the data as it was given, whatever becomes of the buffer', async () => {
      const device = new FakeGramine(sign)
      const source = await gramineQuoteSource({ files: device })
      const given = dataOf(7)
      const quote = source.quote(given, { signal: signal() })
      given.fill(0)
      assert.equal(reportDataIn(await quote), '07'.repeat(64))
    })

    it('tells what fails, and works again afterwards', async () => {
      const device = new FakeGramine(async () => {
        throw errno('EIO')
      })
      const source = await gramineQuoteSource({ files: device })
      await fails(source.quote(dataOf(7), { signal: signal() }), 'quote-source/failed', /EIO.*AESM/)
      device.sign = async () => {
        throw new RangeError('quote has more than 16384 bytes.')
      }
      await fails(source.quote(dataOf(7), { signal: signal() }), 'quote-source/failed', /more than 16384 bytes; see/)
      device.sign = async () => Uint8Array.of(1, 2, 3)
      await fails(source.quote(dataOf(7), { signal: signal() }), 'quote-source/failed', /is no quote/)
      device.sign = sign
      await source.quote(dataOf(7), { signal: signal() })
    })

    it('is left by whoever gives up, but not entered before the device is free', async () => {
      const stuck = new Gate()
      const begun = new Gate()
      const device = new FakeGramine(async (reportData) => {
        begun.open()
        await stuck.passed
        return sign(reportData)
      })
      const source = await gramineQuoteSource({ files: device })
      const impatient = new AbortController()
      const first = source.quote(dataOf(1), { signal: impatient.signal })
      const second = source.quote(dataOf(2), { signal: signal() })
      await begun.passed
      impatient.abort(new Error('enough'))
      await assert.rejects(first, /enough/)
      assert.deepEqual(device.log.slice(1), ['write user_report_data', 'read quote'])
      stuck.open()
      assert.equal(reportDataIn(await second), '02'.repeat(64))
    })

    it('is not tried again for whoever has given up', async () => {
      const impatient = new AbortController()
      const device = new FakeGramine(async () => {
        impatient.abort(new Error('enough'))
        return sign(dataOf(0xee))
      })
      const source = await gramineQuoteSource({ files: device })
      await assert.rejects(source.quote(dataOf(1), { signal: impatient.signal }), /enough/)
      device.sign = sign
      await source.quote(dataOf(2), { signal: signal() })
      const reads = device.log.filter((act) => act === 'read quote')
      assert.equal(reads.length, 2)
    })

    it('says that it is busy when too many wait', async () => {
      const stuck = new Gate()
      const device = new FakeGramine(async (reportData) => {
        await stuck.passed
        return sign(reportData)
      })
      const source = await gramineQuoteSource({ files: device })
      const waiting = Array.from({ length: 64 }, () => source.quote(dataOf(1), { signal: signal() }))
      await fails(source.quote(dataOf(2), { signal: signal() }), 'quote-source/busy', /64 quotes wait/)
      stuck.open()
      await Promise.all(waiting)
      await source.quote(dataOf(2), { signal: signal() })
    })

    it('is refused where the enclave was built without DCAP', async () => {
      for (const type of ['none', 'epid']) {
        const device = new FakeGramine(sign)
        device.type = type
        await fails(
          gramineQuoteSource({ files: device }),
          'quote-source/none',
          new RegExp(`says "${type}".*sgx\\.remote_attestation = "dcap"`),
        )
      }
    })

    it('takes 64 bytes of report data, no more and no less', async () => {
      const source = await gramineQuoteSource({ files: new FakeGramine(sign) })
      for (const length of [0, 63, 65]) {
        await assert.rejects(source.quote(new Uint8Array(length), { signal: signal() }), RangeError)
      }
    })
  })

  describe('configfs-tsm', () => {
    it('makes an entry for each quote, and leaves none behind', async () => {
      const device = new FakeTsm(sign)
      const source = await configfsTsmQuoteSource({ files: device })
      assert.equal(source.kind, 'tdx')
      const bytes = [1, 2, 3]
      const quotes = await Promise.all(bytes.map((byte) => source.quote(dataOf(byte), { signal: signal() })))
      assert.deepEqual(
        quotes.map(reportDataIn),
        bytes.map((byte) => `0${byte}`.repeat(64)),
      )
      assert.deepEqual([device.entries.size, device.mostEntries], [0, 1])
    })

    it('leaves away the zeros that the host fills its buffer with', async () => {
      const device = new FakeTsm(async (reportData) => Buffer.concat([await sign(reportData), new Uint8Array(3_065)]))
      const source = await configfsTsmQuoteSource({ files: device })
      assert.deepEqual(reportDataIn(await source.quote(dataOf(7), { signal: signal() })), '07'.repeat(64))
      assert.equal((await source.quote(dataOf(7), { signal: signal() })).length, (await sign(dataOf(7))).length)
    })

    it('tries again when the entry was written to meanwhile, was busy, or the kernel was interrupted', async () => {
      for (const trouble of ['generation', 'EBUSY', 'EAGAIN', 'EINTR']) {
        const device = new FakeTsm(sign)
        const source = await configfsTsmQuoteSource({ files: device, pauseMs: 1 })
        let times = 1
        device.sign = async (reportData, entry) => {
          times -= 1
          if (times < 0) return sign(reportData)
          if (trouble !== 'generation') throw errno(trouble)
          entry.generation += 1
          return sign(reportData)
        }
        assert.equal(reportDataIn(await source.quote(dataOf(7), { signal: signal() })), '07'.repeat(64), trouble)
        assert.ok(times < 0)
        times = Number.POSITIVE_INFINITY
        // What the kernel said last is what is told, and where to look.
        const sentence = trouble === 'generation' ? /over other data/ : new RegExp(`${trouble}.*qgsd`)
        await fails(source.quote(dataOf(7), { signal: signal() }), 'quote-source/failed', sentence)
        assert.equal(device.entries.size, 0)
      }
    })

    it('waits between attempts, longer each time, but not for whoever gives up', async () => {
      let attempts = 0
      const device = new FakeTsm(async () => {
        attempts += 1
        throw errno('EBUSY')
      })
      const since = performance.now()
      const source = await configfsTsmQuoteSource({ files: device, pauseMs: 20 })
      await fails(source.quote(dataOf(7), { signal: signal() }), 'quote-source/failed', /EBUSY/)
      assert.ok(performance.now() - since >= 115, `${performance.now() - since}`)
      assert.equal(attempts, 4)

      const patient = await configfsTsmQuoteSource({ files: device, pauseMs: 3_600_000 })
      const impatient = new AbortController()
      device.sign = async () => {
        setImmediate(() => impatient.abort(new Error('enough')))
        throw errno('EBUSY')
      }
      await assert.rejects(patient.quote(dataOf(7), { signal: impatient.signal }), /enough/)
      device.sign = sign
      await patient.quote(dataOf(7), { signal: signal() })
    })

    it('tells what fails, and leaves no entry behind', async () => {
      const device = new FakeTsm(sign)
      const source = await configfsTsmQuoteSource({ files: device })
      for (const code of ['EIO', 'ENXIO', 'ETIMEDOUT']) {
        device.sign = async () => {
          throw errno(code)
        }
        await fails(source.quote(dataOf(7), { signal: signal() }), 'quote-source/failed', new RegExp(`${code}.*qgsd`))
      }
      assert.equal(device.entries.size, 0)
    })

    it('is refused where the reports are of another technology', async () => {
      const device = new FakeTsm(sign)
      device.provider = 'sev_guest'
      await fails(configfsTsmQuoteSource({ files: device }), 'quote-source/none', /"sev_guest".*tdx_guest/)
      assert.equal(device.entries.size, 0)
    })

    it('says what to do where the folder cannot be used', async () => {
      for (const [code, hint] of [
        ['EACCES', /run it as root/],
        ['ENOENT', /no TDX domain/],
      ] as const) {
        const device = new FakeTsm(sign)
        device.makeFolder = async () => {
          throw errno(code)
        }
        await fails(configfsTsmQuoteSource({ files: device }), 'quote-source/none', hint)
      }
    })

    it('gives the quote although the entry cannot be removed, and says so', async () => {
      const device = new FakeTsm(sign)
      const said: string[] = []
      const note = (message: string) => said.push(message)
      const logger = { debug: note, info: note, warn: note, error: note }
      const source = await configfsTsmQuoteSource({ files: device, logger })
      device.removeFolder = async () => {
        throw errno('EBUSY')
      }
      await source.quote(dataOf(7), { signal: signal() })
      assert.deepEqual(said, ['an entry for a TDX quote could not be removed'])
    })
  })

  describe('of this machine', () => {
    const nothing = new FakeGramine(async () => {
      throw errno('ENOENT')
    })
    nothing.read = async () => {
      throw errno('ENOENT')
    }

    it('are taken as they are found, Gramine first', async () => {
      const [gramine, tsm] = [{ files: new FakeGramine(sign) }, { files: new FakeTsm(sign) }]
      const kindOf = async (...given: Parameters<typeof hardwareQuoteSource>) =>
        (await hardwareQuoteSource(...given)).kind
      assert.equal(await kindOf('auto', { gramine, configfsTsm: tsm }), 'sgx')
      assert.equal(await kindOf('auto', { gramine: { files: nothing }, configfsTsm: tsm }), 'tdx')
      assert.equal(await kindOf('configfs-tsm', { gramine, configfsTsm: tsm }), 'tdx')
      await fails(
        hardwareQuoteSource('gramine', { gramine: { files: nothing }, configfsTsm: tsm }),
        'quote-source/none',
        /no SGX enclave/,
      )
    })

    it('are not passed over when they are there and fail', async () => {
      const gramine = new FakeGramine(sign)
      gramine.realPath = async () => {
        throw errno('EIO')
      }
      const options = { gramine: { files: gramine }, configfsTsm: { files: new FakeTsm(sign) } }
      await assert.rejects(hardwareQuoteSource('auto', options), /EIO/)
    })

    it('are not waited for while the kernel is busy, and leave no entry behind', async () => {
      const device = new FakeTsm(sign)
      const [begun, stuck, removed] = [new Gate(), new Gate(), new Gate()]
      const provider = Buffer.from('tdx_guest')
      device.read = async () => {
        begun.open()
        await stuck.passed
        return provider
      }
      const removeFolder = device.removeFolder.bind(device)
      device.removeFolder = async (path) => {
        await removeFolder(path)
        removed.open()
      }
      const impatient = new AbortController()
      const source = hardwareQuoteSource('configfs-tsm', { configfsTsm: { files: device }, signal: impatient.signal })
      await begun.passed
      impatient.abort(new Error('enough'))
      await assert.rejects(source, /enough/)
      stuck.open()
      await removed.passed
      assert.equal(device.entries.size, 0)
    })

    it('are missed in one sentence that says what was looked for', async () => {
      await fails(
        hardwareQuoteSource('auto', { gramine: { files: nothing }, configfsTsm: { files: nothing } }),
        'quote-source/none',
        /^No device of this machine makes quotes: .*no SGX enclave of Gramine.*run it as root/,
      )
    })
  })
})

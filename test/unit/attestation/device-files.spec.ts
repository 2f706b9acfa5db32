import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { DevelopmentPki } from '../../../src/attestation/development/index.js'
import { MAXIMUM_QUOTE } from '../../../src/attestation/quote.js'
import { configfsTsmQuoteSource } from '../../../src/attestation/sources/configfs-tsm.js'
import { deviceFiles } from '../../../src/attestation/sources/device-files.js'
import { QuoteSourceError } from '../../../src/attestation/sources/errors.js'
import { gramineQuoteSource } from '../../../src/attestation/sources/gramine.js'
import { GramineFolder, TsmFolder } from './device-folder.js'
import { developmentPki, LAYOUT, MACHINE, MEASUREMENT, TDX_LAYOUT, TDX_MEASUREMENT } from './world.js'

const DEVICE_FILES = new URL('../../../src/attestation/sources/device-files.js', import.meta.url)

const run = promisify(execFile)
const signal = () => AbortSignal.timeout(10_000)
const dataOf = (byte: number) => new Uint8Array(64).fill(byte)
const BYTES = [1, 2, 3, 4, 5, 6]

function fails(work: Promise<unknown>, code: QuoteSourceError['code'], sentence: RegExp): Promise<void> {
  return assert.rejects(work, (thrown) => {
    assert.ok(thrown instanceof QuoteSourceError, String(thrown))
    assert.equal(thrown.code, code)
    assert.match(thrown.message, sentence)
    return true
  })
}

/** What an enclave, and a domain, read of their devices on a disk. What only a kernel says is in sources.spec.ts. */
describe('device files on a disk', () => {
  let pki: DevelopmentPki
  let folder: string

  before(async () => {
    pki = await developmentPki()
  })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-device-'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  /** The devices' own quoting enclaves. */
  const signing = (measurement: typeof MEASUREMENT | typeof TDX_MEASUREMENT) => (reportData: Uint8Array) =>
    pki.platform({ machineId: MACHINE, measurement }).quoteSource.quote(reportData, { signal: signal() })
  const [signSgx, signTdx] = [signing(MEASUREMENT), signing(TDX_MEASUREMENT)]

  describe('by themselves', () => {
    it('are read to their end, although they come in pieces', async () => {
      const path = join(folder, 'quote')
      await run('mkfifo', [path])
      const read = deviceFiles.read(path, 16_384)
      const pipe = await open(path, 'w')
      for (const part of [5_000, 1, 2_000]) await pipe.write(new Uint8Array(part).fill(part % 251))
      await pipe.close()
      assert.equal((await read).length, 7_001)
    })

    it('are not read without end', async () => {
      await assert.rejects(deviceFiles.read('/dev/zero', 16_384), RangeError)
    })

    it('are written anew, and never made', async () => {
      const path = join(folder, 'user_report_data')
      await assert.rejects(deviceFiles.write(path, dataOf(7)), { code: 'ENOENT' })
      await writeFile(path, new Uint8Array(100))
      await deviceFiles.write(path, dataOf(7))
      assert.deepEqual(new Uint8Array(await readFile(path)), dataOf(7))
    })

    it('are not written when the system takes less than the whole', async () => {
      const path = join(folder, 'user_report_data')
      await writeFile(path, '')
      const program = `
        const { deviceFiles } = await import(process.argv[1])
        await deviceFiles.write(process.argv[2], new Uint8Array(4_000)).catch(({ message }) => console.log(message))`
      // One block of 512 or 1,024 bytes, by which shell it is.
      const limited = `ulimit -f 1; exec "$@"`
      const node = [process.execPath, '--input-type=module', '-e', program, DEVICE_FILES.href, path]
      const { stdout } = await run('sh', ['-c', limited, 'sh', ...node])
      assert.match(stdout, /user_report_data took (512|1024) of 4000 bytes/)
    })
  })

  describe('of Gramine', () => {
    let device: GramineFolder | undefined

    afterEach(async () => {
      await device?.stop()
      device = undefined
    })

    const reportDataIn = (quote: Uint8Array) => quote.subarray(...LAYOUT.reportData)

    it('give a quote over what was written, though it comes in pieces', async () => {
      device = await GramineFolder.make(folder, signSgx)
      const source = await gramineQuoteSource({ folder })
      const quote = await source.quote(dataOf(7), { signal: signal() })
      assert.deepEqual(reportDataIn(quote), dataOf(7))
      assert.ok(quote.length > 4_096)
      assert.deepEqual(quote.length, (await signSgx(dataOf(7))).length)
    })

    it('are one device for all who ask, of whom each gets a quote over its own data', async () => {
      const written: Uint8Array[] = []
      device = await GramineFolder.make(folder, (reportData) => {
        written.push(reportData)
        return signSgx(reportData)
      })
      const sources = [await gramineQuoteSource({ folder }), await gramineQuoteSource({ folder: `${folder}/.` })]
      const quotes = await Promise.all(
        BYTES.map((byte) => sources[byte % 2]?.quote(dataOf(byte), { signal: signal() }) ?? new Uint8Array()),
      )
      assert.deepEqual(quotes.map(reportDataIn), BYTES.map(dataOf))
      assert.deepEqual(
        written.map((data) => new Uint8Array(data)),
        BYTES.map(dataOf),
      )
    })

    it('are asked again when the quote is over other data, and work again after what has failed', async () => {
      const answers = [
        () => signSgx(dataOf(0xee)),
        signSgx,
        async (reportData: Uint8Array) => (await signSgx(reportData)).subarray(0, 3_000),
        async () => new Uint8Array(),
        async () => new Uint8Array(MAXIMUM_QUOTE + 1),
        signSgx,
      ]
      device = await GramineFolder.make(folder, (reportData) => answers.shift()?.(reportData) ?? signSgx(dataOf(0)))
      const source = await gramineQuoteSource({ folder, pauseMs: 1 })
      const asked = () => source.quote(dataOf(7), { signal: signal() })
      assert.deepEqual(reportDataIn(await asked()), dataOf(7))
      await fails(asked(), 'quote-source/failed', /is no quote/)
      await fails(asked(), 'quote-source/failed', /is no quote/)
      await fails(asked(), 'quote-source/failed', /more than 16384 bytes; see that the AESM/)
      assert.deepEqual(reportDataIn(await asked()), dataOf(7))
      await fails(asked(), 'quote-source/failed', /over other data/)
    })

    it('are told of by the system’s own word when they cannot be used', async () => {
      await fails(gramineQuoteSource({ folder }), 'quote-source/none', /no SGX enclave of Gramine: ENOENT/)
      await mkdir(join(folder, 'attestation_type'))
      await fails(gramineQuoteSource({ folder }), 'quote-source/none', /no SGX enclave of Gramine: EISDIR/)
      await rm(join(folder, 'attestation_type'), { recursive: true })
      await writeFile(join(folder, 'attestation_type'), 'dcap')
      const source = await gramineQuoteSource({ folder })
      const asked = () => source.quote(dataOf(7), { signal: signal() })
      await fails(asked(), 'quote-source/failed', /ENOENT.*user_report_data.*AESM/)
      await writeFile(join(folder, 'user_report_data'), '')
      await fails(asked(), 'quote-source/failed', /ENOENT.*quote.*AESM/)
      await mkdir(join(folder, 'quote'))
      await fails(asked(), 'quote-source/failed', /EISDIR.*AESM/)
    })
  })

  describe('of configfs-tsm', () => {
    let device: TsmFolder

    beforeEach(() => {
      device = new TsmFolder(signTdx)
    })

    afterEach(async () => {
      const left = await readdir(folder)
      await device.stop()
      assert.deepEqual(left, [], 'an entry was left behind')
    })

    const sourceOf = () => configfsTsmQuoteSource({ folder, files: device, pauseMs: 1 })
    const reportDataIn = (quote: Uint8Array) => quote.subarray(...TDX_LAYOUT.reportData)

    it('give each who asks a quote over its own data, by an entry of its own, one after the other', async () => {
      const entries = new Set<string>()
      device.answer = async (reportData, entry) => {
        entries.add(entry)
        return Buffer.concat([await signTdx(reportData), new Uint8Array(3_065)])
      }
      const source = await sourceOf()
      const quotes = await Promise.all(BYTES.map((byte) => source.quote(dataOf(byte), { signal: signal() })))
      assert.deepEqual(quotes.map(reportDataIn), BYTES.map(dataOf))
      assert.deepEqual([entries.size, device.mostEntries], [BYTES.length, 1])
    })

    it('are asked again when something else has written to the entry, or the quote is over other data', async () => {
      const source = await sourceOf()
      let times = 0
      device.answer = async (reportData, entry) => {
        times += 1
        if (times === 1) await device.countWrite(entry)
        return signTdx(times === 2 ? dataOf(0xee) : reportData)
      }
      assert.deepEqual(reportDataIn(await source.quote(dataOf(7), { signal: signal() })), dataOf(7))
      assert.equal(times, 3)
      device.answer = async (reportData, entry) => {
        await device.countWrite(entry)
        return signTdx(reportData)
      }
      await fails(source.quote(dataOf(7), { signal: signal() }), 'quote-source/failed', /over other data/)
    })

    it('are told of when they give no quote, and work again afterwards', async () => {
      const source = await sourceOf()
      const asked = () => source.quote(dataOf(7), { signal: signal() })
      device.answer = async (reportData) => (await signTdx(reportData)).subarray(0, 3_000)
      await fails(asked(), 'quote-source/failed', /is no quote/)
      device.answer = async () => new Uint8Array(MAXIMUM_QUOTE + 1)
      await fails(asked(), 'quote-source/failed', /outblob has more than 16384 bytes; see that.*qgsd/)
      device.answer = signTdx
      await asked()
    })

    it('are told of by the system’s own word when an entry is not as it should be', async () => {
      const source = await sourceOf()
      for (const [names, sentence] of [
        [[], /ENOENT.*generation.*qgsd/],
        [['generation'], /ENOENT.*inblob.*qgsd/],
        [['generation', 'inblob'], /ENOENT.*outblob.*qgsd/],
      ] as const) {
        device.makeFolder = async (path) => {
          await deviceFiles.makeFolder(path)
          for (const name of names) await writeFile(join(path, name), '0')
        }
        await fails(source.quote(dataOf(7), { signal: signal() }), 'quote-source/failed', sentence)
      }
    })

    it('are no TDX device only because a folder can be made there', async () => {
      await fails(configfsTsmQuoteSource({ folder }), 'quote-source/none', /no TDX domain/)
    })

    it('are not there where the folder is not, or is a file', async () => {
      const [absent, file] = [join(folder, 'absent'), join(folder, 'file')]
      await fails(configfsTsmQuoteSource({ folder: absent }), 'quote-source/none', /ENOENT.*no TDX domain/)
      await writeFile(file, '')
      await fails(configfsTsmQuoteSource({ folder: file }), 'quote-source/none', /ENOTDIR.*no TDX domain/)
      await rm(file)
    })
  })
})

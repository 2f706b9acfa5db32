import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { scryptSync } from 'node:crypto'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readWhole } from '../../../src/sealing-key/files.js'
import {
  createKeyFile,
  parseSealingKeySource,
  SealingKeyError,
  type SealingKeyErrorCode,
  type SealingKeySource,
  sealingKey,
} from '../../../src/sealing-key/index.js'
import { MadeArrays } from '../../support/made-arrays.js'

const RAW = Uint8Array.from({ length: 32 }, (_, at) => 255 - at)
const DIGITS = Buffer.from(RAW).toString('hex')
const PASSPHRASE = 'correct horse battery staple'

describe('sealing key', () => {
  let scratch: string
  let folder: string

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-key-'))
    folder = join(scratch, 'store')
  })

  afterEach(() => rm(scratch, { recursive: true }))

  async function fileOf(content: string | Uint8Array, mode = 0o600): Promise<string> {
    const path = join(scratch, 'source')
    await writeFile(path, content)
    await chmod(path, mode)
    return path
  }

  const keyOf = (source: SealingKeySource) => sealingKey(source, { folder, gramineKeys: scratch })

  /** No message, nor anything that hangs on it, may hold what was read. */
  function refused(source: SealingKeySource, code: SealingKeyErrorCode, sentence: RegExp): Promise<void> {
    return assert.rejects(keyOf(source), (thrown) => {
      assert.ok(thrown instanceof SealingKeyError, String(thrown))
      assert.equal(thrown.code, code)
      assert.match(thrown.message, sentence)
      const told = `${thrown.stack}${String(thrown.cause)}`
      for (const secret of [DIGITS.slice(0, 16), PASSPHRASE.slice(0, 8)]) assert.ok(!told.includes(secret), told)
      return true
    })
  }

  describe('from Gramine', () => {
    it('is of this build or of this signer, and never the CPU’s key itself', async () => {
      const cpuKey = RAW.subarray(0, 16)
      for (const policy of ['mrenclave', 'mrsigner']) await writeFile(join(scratch, `_sgx_${policy}`), cpuKey)
      const [build, signer] = [
        await keyOf({ from: 'gramine', policy: 'mrenclave' }),
        await keyOf({ from: 'gramine', policy: 'mrsigner' }),
      ]
      assert.deepEqual([build.length, signer.length], [32, 32])
      assert.notDeepEqual(build, signer)
      assert.ok(!Buffer.from(build).includes(Buffer.from(cpuKey.subarray(0, 8))))
      assert.deepEqual(await keyOf({ from: 'gramine', policy: 'mrenclave' }), build)
      await writeFile(join(scratch, '_sgx_mrenclave'), RAW.subarray(16))
      assert.notDeepEqual(await keyOf({ from: 'gramine', policy: 'mrenclave' }), build)
    })

    it('is refused where there is none, or one of another length', async () => {
      const source = { from: 'gramine', policy: 'mrenclave' } as const
      await refused(source, 'sealing-key/unavailable', /_sgx_mrenclave cannot be read .*inside an SGX enclave/)
      for (const length of [0, 15, 17, 32]) {
        await writeFile(join(scratch, '_sgx_mrenclave'), RAW.subarray(0, length))
        await refused(source, 'sealing-key/unfit', new RegExp(`has ${length} bytes in place of 16`))
      }
    })
  })

  describe('from a file', () => {
    it('is its 32 bytes, or 64 digits in either case, with or without the end of a line', async () => {
      for (const content of [RAW, DIGITS, DIGITS.toUpperCase(), `${DIGITS}\n`]) {
        assert.deepEqual(await keyOf({ from: 'file', path: await fileOf(content) }), RAW)
      }
    })

    it('is read whole, though the system gives it in pieces', async () => {
      const path = await fileOf(DIGITS)
      const inPieces = async () => {
        const file = await open(path)
        const read = (buffer: Uint8Array, offset: number, length: number) =>
          file.read(buffer, offset, Math.min(length, 5))
        return Object.create(file, { read: { value: read }, close: { value: () => file.close() } })
      }
      assert.equal(Buffer.from(await readWhole(path, 'no hint', inPieces)).toString(), DIGITS)
    })

    it('is refused when it is something else', async () => {
      const wrong = [RAW.subarray(1), '', DIGITS.slice(1), `${DIGITS}\n\n`, `g${DIGITS.slice(1)}`, `0x${DIGITS}`]
      for (const content of wrong) {
        await refused({ from: 'file', path: await fileOf(content) }, 'sealing-key/unfit', /neither 32 bytes nor 64/)
      }
      const path = await fileOf(new Uint8Array(1_025))
      await refused({ from: 'file', path }, 'sealing-key/unfit', /more than 1024 bytes/)
    })

    it('is refused when others may read or write it, also by another name', async () => {
      for (const mode of [0o640, 0o604, 0o620, 0o666]) {
        const path = await fileOf(RAW, mode)
        await refused({ from: 'file', path }, 'sealing-key/unfit', /run chmod 600/)
        await rm(join(scratch, 'link'), { force: true })
        await symlink(path, join(scratch, 'link'))
        await refused({ from: 'file', path: join(scratch, 'link') }, 'sealing-key/unfit', /run chmod 600/)
      }
    })

    it('is refused when it is not there', async () => {
      await refused({ from: 'file', path: join(scratch, 'absent') }, 'sealing-key/unavailable', /ENOENT/)
    })

    it('is refused when it is no file: a pipe that nobody writes to would stop the start', async () => {
      await mkdir(join(scratch, 'folder'), { mode: 0o700 })
      await promisify(execFile)('mkfifo', ['-m', '600', join(scratch, 'pipe')])
      for (const path of [join(scratch, 'folder'), join(scratch, 'pipe'), '/dev/zero']) {
        await refused({ from: 'file', path }, 'sealing-key/unfit', /is no regular file/)
      }
    })

    it('may be a link within its folder, and none that leads out of it', async () => {
      const path = await fileOf(RAW)
      // As Kubernetes lays mounted secrets out.
      await mkdir(join(scratch, '..of-today'))
      await rename(path, join(scratch, '..of-today', 'key'))
      await symlink('..of-today', join(scratch, '..data'))
      await symlink('..data/key', join(scratch, 'link'))
      assert.deepEqual(await keyOf({ from: 'file', path: join(scratch, 'link') }), RAW)
      await mkdir(join(scratch, 'elsewhere'))
      await symlink('../link', join(scratch, 'elsewhere', 'link'))
      const away = { from: 'file', path: join(scratch, 'elsewhere', 'link') } as const
      await refused(away, 'sealing-key/unfit', /leads out of its folder/)
    })

    it('is refused when it is of another account', async function () {
      // Only root can give a file away.
      if (process.geteuid?.() !== 0) this.skip()
      const path = await fileOf(RAW)
      await chown(path, 65_534, 65_534)
      await refused({ from: 'file', path }, 'sealing-key/unfit', /belongs to another account/)
    })

    it('is made once, for this account alone', async () => {
      const path = join(scratch, 'made')
      await createKeyFile(path)
      assert.equal((await stat(path)).mode & 0o777, 0o600)
      const key = await keyOf({ from: 'file', path })
      assert.deepEqual(new Uint8Array(await readFile(path)), key)
      assert.deepEqual(await readdir(scratch), ['made'])
      for (const taken of [path, join(scratch, 'absent', 'key')]) {
        await assert.rejects(createKeyFile(taken), { code: 'sealing-key/unavailable', message: /cannot be made/ })
      }
      assert.deepEqual(await keyOf({ from: 'file', path }), key)
      await createKeyFile(join(scratch, 'other'))
      assert.notDeepEqual(await keyOf({ from: 'file', path: join(scratch, 'other') }), key)
    })
  })

  describe('from a passphrase', function () {
    this.timeout(20_000)
    const saltFile = () => `${folder}.sealing-salt.json`

    it('is stretched with a salt that stands beside the folder from then on', async () => {
      const source = { from: 'passphrase', path: await fileOf(`${PASSPHRASE}\n`) } as const
      const key = await keyOf(source)
      const { salt, N, r, p } = JSON.parse(await readFile(saltFile(), 'utf8'))
      const stretched = scryptSync(PASSPHRASE, Buffer.from(salt.slice(2), 'hex'), 32, { N, r, p, maxmem: 2 ** 28 })
      assert.deepEqual(key, new Uint8Array(stretched))
      assert.deepEqual([N, r, p], [2 ** 17, 8, 1])
      assert.equal((await stat(saltFile())).mode & 0o777, 0o600)
      assert.deepEqual(await keyOf(source), key)
      await rm(saltFile())
      assert.notDeepEqual(await keyOf(source), key)
      assert.deepEqual((await readdir(scratch)).sort(), ['source', 'store.sealing-salt.json'])
    })

    it('is refused when the salt is gone and the folder is not, but for a folder that is to be sealed under it', async () => {
      const source = { from: 'passphrase', path: await fileOf(PASSPHRASE) } as const
      const key = await keyOf(source)
      const salt = join(scratch, 'store.sealing-salt.json')
      await mkdir(folder)
      await writeFile(join(folder, 'CURRENT'), '')
      assert.deepEqual(await keyOf(source), key)
      await rm(salt)
      await refused(source, 'sealing-key/salt-gone', /store\.sealing-salt\.json is gone/)
      await assert.rejects(stat(salt), { code: 'ENOENT' })
      assert.equal((await sealingKey(source, { folder, isNext: true })).length, 32)
      assert.equal((await stat(salt)).mode & 0o777, 0o600)
      await keyOf(source)
    })

    it('has one salt, however the folder is written', async () => {
      const source = { from: 'passphrase', path: await fileOf(PASSPHRASE) } as const
      await mkdir(folder)
      const key = await sealingKey(source, { folder })
      for (const same of [`${folder}/`, join(scratch, 'x', '..', 'store')]) {
        assert.deepEqual(await sealingKey(source, { folder: same }), key)
      }
      assert.deepEqual(await readdir(folder), [])
    })

    it('has one salt, whoever makes it first', async () => {
      const source = { from: 'passphrase', path: await fileOf(PASSPHRASE) } as const
      const [key, ...others] = await Promise.all([1, 2, 3].map(() => keyOf(source)))
      for (const other of others) assert.deepEqual(other, key)
      assert.deepEqual((await readdir(scratch)).sort(), ['source', 'store.sealing-salt.json'])
    })

    it('is not waited for when nobody wants it any more', async () => {
      const source = { from: 'passphrase', path: await fileOf(PASSPHRASE) } as const
      const reason = new Error('enough')
      const aborted = sealingKey(source, { folder: join(scratch, 'never'), signal: AbortSignal.abort(reason) })
      await assert.rejects(aborted, reason)
      await keyOf(source)
      const impatient = new AbortController()
      const begun = sealingKey(source, { folder, signal: impatient.signal })
      impatient.abort(reason)
      await assert.rejects(begun, reason)
      assert.equal((await sealingKey(source, { folder, signal: new AbortController().signal })).length, 32)
      assert.deepEqual((await readdir(scratch)).sort(), ['source', 'store.sealing-salt.json'])
    })

    it('is refused when the host has changed what it is stretched with', async () => {
      const source = { from: 'passphrase', path: await fileOf(PASSPHRASE) } as const
      const right = { scheme: 'scrypt', salt: `0x${'5a'.repeat(16)}`, N: 2 ** 17, r: 8, p: 1 }
      const wrong = [
        { N: 2 ** 14 },
        { N: 2 ** 24 },
        { N: 2 ** 17 + 1 },
        { r: 1 },
        { p: 64 },
        { salt: '0x' },
        { more: 1 },
      ]
      for (const change of wrong) {
        await writeFile(saltFile(), JSON.stringify({ ...right, ...change }))
        await refused(source, 'sealing-key/unfit', /sealing-salt\.json was altered/)
      }
      await writeFile(saltFile(), '{')
      await refused(source, 'sealing-key/unfit', /sealing-salt\.json was altered/)
    })

    it('is refused when it is short, or others can read it', async () => {
      const path = await fileOf('correct hor\n')
      await refused({ from: 'passphrase', path }, 'sealing-key/unfit', /less than 12 bytes/)
      await fileOf(PASSPHRASE, 0o644)
      await refused({ from: 'passphrase', path }, 'sealing-key/unfit', /run chmod 600/)
    })
  })

  it('leaves no copy of what it was read from, whether that is fit or not', async () => {
    const cpuKey = RAW.subarray(0, 16)
    await writeFile(join(scratch, '_sgx_mrenclave'), cpuKey)
    const cases: [SealingKeySource, string | Uint8Array, string | Uint8Array][] = [
      [{ from: 'gramine', policy: 'mrenclave' }, '', cpuKey.subarray(0, 8)],
      [{ from: 'file', path: '' }, RAW, RAW.subarray(8, 16)],
      [{ from: 'file', path: '' }, DIGITS, DIGITS.slice(0, 16)],
      [{ from: 'file', path: '' }, `${DIGITS.slice(1)}g`, DIGITS.slice(1, 17)],
      // What was read of the key until the wrong digit came.
      [{ from: 'file', path: '' }, `${DIGITS.slice(0, 63)}g`, RAW.subarray(0, 16)],
      [{ from: 'file', path: '' }, DIGITS.slice(0, 40), DIGITS.slice(0, 16)],
      [{ from: 'file', path: '' }, DIGITS.repeat(20), DIGITS.slice(0, 16)],
      [{ from: 'passphrase', path: '' }, PASSPHRASE, PASSPHRASE.slice(0, 12)],
      [{ from: 'passphrase', path: '' }, PASSPHRASE.slice(0, 11), PASSPHRASE.slice(0, 11)],
    ]
    for (const [source, content, needle] of cases) {
      const path = await fileOf(content)
      const made = new MadeArrays()
      const key = await made.during(() =>
        keyOf('path' in source ? { ...source, path } : source).catch(() => new Uint8Array()),
      )
      assert.ok(made.count > 1)
      assert.deepEqual(made.holding(Buffer.from(needle), [key]), [], `${source.from} ${needle}`)
    }
    await writeFile(`${folder}.sealing-salt.json`, '{')
    const made = new MadeArrays()
    const path = await fileOf(PASSPHRASE)
    await made.during(() => assert.rejects(keyOf({ from: 'passphrase', path }), { code: 'sealing-key/unfit' }))
    assert.deepEqual(made.holding(Buffer.from(PASSPHRASE)), [])
  })

  it('has sources that are written as words', () => {
    const sources: [string, SealingKeySource][] = [
      ['gramine:mrenclave', { from: 'gramine', policy: 'mrenclave' }],
      ['gramine:mrsigner', { from: 'gramine', policy: 'mrsigner' }],
      ['file:/run/secrets/key', { from: 'file', path: '/run/secrets/key' }],
      ['passphrase:a:b', { from: 'passphrase', path: 'a:b' }],
    ]
    for (const [words, source] of sources) assert.deepEqual(parseSealingKeySource(words), source)
    for (const words of ['', 'gramine', 'gramine:', 'gramine:other', 'file:', 'FILE:x', 'key:x', DIGITS]) {
      assert.throws(
        () => parseSealingKeySource(words),
        (thrown) => {
          assert.ok(thrown instanceof SealingKeyError && thrown.code === 'sealing-key/bad-source', words)
          return !thrown.message.includes(DIGITS)
        },
      )
    }
  })
})

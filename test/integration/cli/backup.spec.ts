import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs, {
  cp,
  type FileHandle,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settingsOf } from '../../../src/cli/settings.js'
import { sealingKeyOf } from '../../../src/cli/tee.js'
import { controlSocketOf, serveControl } from '../../../src/control/index.js'
import { silentLogger } from '../../../src/domain/index.js'
import { nodeIdentity } from '../../../src/node/index.js'
import { underFolderLock } from '../../../src/store/folder-lock.js'
import { openStore } from '../../../src/store/index.js'
import { runHere } from '../../e2e/cli.js'

const { signal } = new AbortController()

describe('the commands for copies of a store', function () {
  this.timeout(60_000)
  let scratch: string
  let folder: string
  let passphrase: string
  let copy: string

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-copies-'))
    folder = join(scratch, 'node', 'store')
    passphrase = join(scratch, 'passphrase')
    copy = join(scratch, 'copy')
    await mkdir(join(scratch, 'node'))
    await writeFile(passphrase, 'correct horse battery staple', { mode: 0o600 })
  })

  afterEach(() => rm(scratch, { recursive: true }))

  const options = (sealing = `passphrase:${passphrase}`) => ['--folder', folder, '--sealing', sealing]
  const salt = () => `${folder}.sealing-salt.json`
  const beside = async () => (await readdir(join(scratch, 'node'))).sort()

  async function said(...parameters: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await runHere(...parameters)
    assert.equal(exitCode, 0, stderr)
    return stdout
  }

  async function refused(sentence: RegExp, ...parameters: string[]): Promise<void> {
    const { exitCode, stderr } = await runHere(...parameters)
    assert.match(stderr, sentence)
    assert.equal(exitCode, 1)
  }

  /** @returns the account. */
  async function made(): Promise<string> {
    const sealingKey = await sealingKeyOf(await settingsOf({ folder, sealing: `passphrase:${passphrase}` }))
    return (await nodeIdentity({ folder, sealingKey })).account
  }

  describe('that put one back', () => {
    let account: string | undefined
    let kept: string

    before(async () => {
      kept = await mkdtemp(join(tmpdir(), 'slotmesh-copies-'))
    })

    after(() => rm(kept, { recursive: true }))

    beforeEach(async () => {
      if (account === undefined) {
        account = await made()
        await said('backup', ...options(), join(kept, 'copy'))
      }
      await cp(join(kept, 'copy'), copy, { recursive: true, preserveTimestamps: true })
      await rm(join(scratch, 'node'), { recursive: true })
    })

    it('bring the salt of the passphrase with the store', async () => {
      await said('restore', ...options(), copy)
      assert.equal(await made(), account)
    })

    it('leave nothing in their places when the copy does not open', async () => {
      await writeFile(passphrase, 'another horse battery staple')
      await refused(/sealed under another key/, 'restore', ...options(), copy)
      assert.deepEqual(await beside(), ['store.lock'])
      await refused(/cannot be read/, 'restore', ...options(`file:${join(scratch, 'nothing')}`), copy)
      assert.deepEqual(await beside(), ['store.lock'])
      await writeFile(passphrase, 'correct horse battery staple')
      await said('restore', ...options(), copy)
      assert.equal(await made(), account)
    })

    it('can be run again where they were killed after the salt, and keep a salt that was there', async () => {
      await mkdir(join(scratch, 'node'))
      const kept = await readFile(join(copy, 'store.sealing-salt.json'))
      await writeFile(salt(), kept, { mode: 0o600 })
      await writeFile(passphrase, 'another horse battery staple')
      await refused(/sealed under another key/, 'restore', ...options(), copy)
      assert.deepEqual(await readFile(salt()), kept)
      await writeFile(passphrase, 'correct horse battery staple')
      await said('restore', ...options(), copy)
      assert.equal(await made(), account)
    })

    it('say of a store that is there what it is, whatever salt is there as well', async () => {
      await made()
      const kept = await readFile(salt())
      await refused(/There is something in .*store already/, 'restore', ...options(), copy)
      assert.deepEqual(await readFile(salt()), kept)
    })

    it('refuse the salt of another store before anything is put anywhere', async () => {
      await mkdir(join(scratch, 'node'))
      await writeFile(salt(), '{}')
      await refused(/is the salt of another store than the copy/, 'restore', ...options(), copy)
      assert.deepEqual(await beside(), ['store.lock', 'store.sealing-salt.json'])
      assert.equal(await readFile(salt(), 'utf8'), '{}')
    })

    /** A file system of which some functions are other ones. */
    async function withFiles(others: Partial<typeof fs>, work: () => Promise<void>): Promise<void> {
      const real = Object.fromEntries(Object.keys(others).map((name) => [name, Reflect.get(fs, name)]))
      Object.assign(fs, others)
      syncBuiltinESMExports()
      try {
        await work()
      } finally {
        Object.assign(fs, real)
        syncBuiltinESMExports()
      }
    }

    it('leave nothing of a salt for which the disk has no room', async () => {
      const { open, writeFile } = fs
      const isSalt = (path: unknown) => String(path).startsWith(salt())
      const full = async (handle: FileHandle) => {
        await handle.write('{"s')
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
      }
      const others = {
        open: async (...given: Parameters<typeof open>) => {
          const handle = await open(...given)
          if (isSalt(given[0])) handle.writeFile = () => full(handle)
          return handle
        },
        writeFile: async (...[path, data, options]: Parameters<typeof writeFile>) => {
          if (!isSalt(path)) return writeFile(path, data, options)
          const handle = await open(String(path), 'wx')
          await full(handle).finally(() => handle.close())
        },
      }
      await withFiles(others, () => refused(/salt .* cannot be written .*ENOSPC/, 'restore', ...options(), copy))
      assert.deepEqual(await beside(), ['store.lock'])
      await said('restore', ...options(), copy)
      assert.equal(await made(), account)
    })

    it('take the store away where a link leads to, and leave the link', async () => {
      await mkdir(join(scratch, 'node'))
      await symlink('elsewhere', folder)
      await writeFile(passphrase, 'another horse battery staple')
      await refused(/sealed under another key/, 'restore', ...options(), copy)
      assert.deepEqual(await beside(), ['elsewhere.lock', 'store'])
      assert.ok((await lstat(folder)).isSymbolicLink())
    })

    /** Fails for want of its key, which it looks for when the store is in its place; something happens before. */
    async function failsAfter(happening: () => Promise<void>): Promise<void> {
      const { realpath } = fs
      const others = {
        realpath: (async (path: string) => {
          if (path === passphrase) {
            await happening()
            throw new Error('the key is gone')
          }
          return realpath(path)
        }) as typeof realpath,
      }
      await withFiles(others, () => refused(/the key is gone/, 'restore', ...options(), copy))
      assert.deepEqual(await beside(), ['store', 'store.lock', 'store.sealing-salt.json'])
      assert.ok((await readdir(folder)).includes('CURRENT'))
    }

    it('take nothing from under a node that has opened it meanwhile', async () => {
      const holder = new URL('../store/holding-process.js', import.meta.url)
      let child: ReturnType<typeof fork> | undefined
      try {
        await failsAfter(async () => {
          child = fork(holder, [folder], { timeout: 60_000 })
          await once(child, 'message')
        })
      } finally {
        child?.disconnect()
        if (child !== undefined) await once(child, 'exit')
      }
    })

    it('take nothing away while somebody is about to open it', async () => {
      let letGo: () => void = () => undefined
      let holding: Promise<unknown> = Promise.resolve()
      try {
        await failsAfter(
          () =>
            new Promise((held) => {
              holding = underFolderLock(folder, () => {
                held()
                return new Promise<void>((resolve) => {
                  letGo = resolve
                })
              })
            }),
        )
      } finally {
        letGo()
        await holding
      }
    })
  })

  describe('that have a running node make one', () => {
    /** What a node says and does that is asked for a copy. */
    async function asNode(answer: (to: string) => Promise<void>, work: () => Promise<void>): Promise<void> {
      const asks = new Map([
        [
          'backup',
          {
            answer: async (request: unknown) => {
              await answer(String(Object(request).to))
              return {}
            },
          },
        ],
      ])
      const server = await serveControl({ path: controlSocketOf(folder), asks, logger: silentLogger })
      try {
        await work()
      } finally {
        await server.close()
      }
    }

    it('say when it is not where they look for it', async () => {
      await asNode(
        async () => undefined,
        () => refused(/is not in .*copy.store here: in a container/, 'backup', ...options(), copy),
      )
      assert.ok(!(await readdir(scratch)).includes('copy'))
    })

    it('say when it is not whole', async () => {
      const sealingKey = new Uint8Array(randomBytes(32))
      const store = await openStore({ location: folder, sealingKey, logger: silentLogger })
      const answer = async (to: string) => {
        await store.backUp(to, { signal })
        const [manifest = ''] = (await readdir(to)).filter((name) => name.startsWith('MANIFEST-'))
        await truncate(join(to, manifest), 10)
      }
      await asNode(answer, () => refused(/The copy in .* is not whole/, 'backup', ...options(), copy))
      assert.ok(!(await readdir(scratch)).includes('copy'))
      await asNode(
        (to) => store.backUp(to, { signal }),
        async () => assert.match(await said('backup', ...options(), copy), /is copied to/),
      )
      await store.close()
    })
  })
})

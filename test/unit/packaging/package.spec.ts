import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'

const Packed = z.tuple([
  z.object({ filename: z.string(), files: z.array(z.object({ path: z.string(), mode: z.int() })) }),
])

const Manifest = z.object({
  files: z.array(z.string()),
  bin: z.record(z.string(), z.string()),
  exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
})

/** Of the build as it is: what is older than its source is for `npm run build` to see to. */
describe('the package', function () {
  this.timeout(240_000)
  let scratch: string
  let paths: string[]
  let modes: ReadonlyMap<string, number>
  let manifest: z.infer<typeof Manifest>

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-package-'))
    const words = ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch]
    const [{ filename, files }] = Packed.parse(JSON.parse(execFileSync('npm', words, { encoding: 'utf8' })))
    paths = files.map(({ path }) => path)
    modes = new Map(files.map(({ path, mode }) => [path, mode]))
    manifest = Manifest.parse(JSON.parse(await readFile('package.json', 'utf8')))
    // As it is installed, but for its dependencies, which are those of this tree.
    const installed = join(scratch, 'node_modules/slotmesh')
    await mkdir(installed, { recursive: true })
    execFileSync('tar', ['-xzf', join(scratch, filename), '-C', installed, '--strip-components', '1'])
    await symlink(resolve('node_modules'), join(installed, 'node_modules'))
  })

  after(() => rm(scratch, { recursive: true }))

  it('has everything that its manifest promises', () => {
    for (const promised of manifest.files) {
      assert.ok(
        paths.some((path) => path === promised || path.startsWith(`${promised}/`)),
        promised,
      )
    }
    const named = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    )
    for (const file of [...named, ...Object.values(manifest.bin)]) {
      assert.ok(paths.includes(file.replace(/^\.\//, '')), file)
    }
    for (const file of Object.values(manifest.bin)) assert.equal((modes.get(file) ?? 0) & 0o111, 0o111, file)
  })

  it('has nothing besides', () => {
    const allowed = [...manifest.files, 'package.json']
    const besides = paths.filter((path) => !allowed.some((each) => path === each || path.startsWith(`${each}/`)))
    assert.deepEqual(besides, [])
    for (const path of paths.filter((each) => each.startsWith('dist/'))) {
      const source = path.replace(/^dist/, 'src').replace(/(?:\.d\.ts|\.js)$/, '.ts')
      assert.match(path, /\.(?:js|d\.ts|html|css)$/)
      assert.ok(existsSync(source), `${path} is made of nothing`)
    }
    const suspects = paths.filter((path) =>
      /(?:^|\/)\.|\.(?:map|pem|key|seed|env|tgz|log|bin)$|\.spec\.|\btest\b/.test(path),
    )
    assert.deepEqual(suspects, [])
  })

  it('has no map that points to what it has not', async () => {
    for (const path of paths.filter((each) => each.endsWith('.js'))) {
      assert.doesNotMatch(await readFile(path, 'utf8'), /^\/\/# sourceMappingURL=/m, path)
    }
  })

  it('can be imported by each of its doors, and run', async () => {
    const doors = Object.keys(manifest.exports).filter((each) => each !== './package.json')
    const names = doors.map((door) => door.replace(/^\./, 'slotmesh'))
    const script = `
      const exported = async (name) => [name, Object.keys(await import(name)).sort()]
      console.log(JSON.stringify(await Promise.all(${JSON.stringify(names)}.map(exported))))`
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: scratch,
      encoding: 'utf8',
    })
    const here = names.map(async (name) => [name, Object.keys(await import(name)).sort()])
    assert.deepEqual(JSON.parse(said), await Promise.all(here))
    const main = join(scratch, 'node_modules/slotmesh', manifest.bin.slotmesh ?? '')
    assert.match(execFileSync(process.execPath, [main, '--version'], { encoding: 'utf8' }), /^\d+\.\d+\.\d+\n$/)
  })
})

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import nunjucks from 'nunjucks'
import { parse } from 'smol-toml'
import { z } from 'zod'
import { readSettings } from '../../../src/config/index.js'

const PACKAGING = 'packaging/gramine'

const Manifest = z.object({
  libos: z.object({ entrypoint: z.string() }),
  loader: z.object({ argv: z.array(z.string()), env: z.record(z.string(), z.string()), log_level: z.string() }),
  fs: z.object({
    mounts: z.array(
      z.object({
        type: z.string().optional(),
        path: z.string(),
        uri: z.string().optional(),
        key_name: z.string().optional(),
        enable_recovery: z.boolean().optional(),
      }),
    ),
  }),
  sgx: z.object({
    debug: z.boolean(),
    remote_attestation: z.string(),
    isvprodid: z.number(),
    isvsvn: z.number(),
    edmm_enable: z.boolean(),
    max_threads: z.number(),
    trusted_files: z.array(z.string()),
    allowed_files: z.array(z.string()).optional(),
  }),
})

/** Of the C library, as Gramine's runtime brings its own: what `node` is started by, and loads first. */
const RUNTIME = /^(ld-linux[^/]*|lib(c|m|dl|pthread|rt|resolv|nss_dns|nss_files))\.so[.0-9]*$/

/** Puts the machine's C library where Gramine has its own. @returns why that, or a root of mounts, cannot be had. */
async function standIn(folder: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'this is no Linux'
  const probe = spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /tmp'], { encoding: 'utf8' })
  if (probe.status !== 0) return `no mounts can be made here (${probe.error?.message ?? probe.stderr.trim()})`
  const libraries = `/lib/${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`
  if (!existsSync(libraries)) return `there is no ${libraries}`
  await mkdir(join(folder, libraries.replace('/lib/', '')), { recursive: true })
  for (const name of readdirSync(libraries).filter((each) => RUNTIME.test(each))) {
    await copyFile(join(libraries, name), join(folder, name))
  }
  return undefined
}

/**
 * Runs the entry point in a root that has the manifest's mounts and nothing else: what is trusted can only be read. The
 * kernel finds the loader under /lib64, where Gramine takes it from /lib.
 */
function inMounts(root: string, { fs, loader, libos }: z.infer<typeof Manifest>) {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  const lines = [`mkdir -p ${quoted(root)}`, `mount -t tmpfs tmpfs ${quoted(root)}`, `cd ${quoted(root)}`]
  for (const { path, uri, type } of fs.mounts) {
    const target = quoted(`.${path}`)
    if (type === 'tmpfs') {
      lines.push(`mkdir -p ${target}`, `mount -t tmpfs tmpfs ${target}`)
      continue
    }
    const source = (uri ?? '').replace(/^file:/, '')
    const isFolder = statSync(source).isDirectory()
    lines.push(isFolder ? `mkdir -p ${target}` : `mkdir -p $(dirname ${target}) && touch ${target}`)
    lines.push(`mount --bind ${quoted(source)} ${target}`)
    if (path !== '/var/lib/slotmesh') lines.push(`mount -o remount,bind,ro ${target}`)
  }
  lines.push('mkdir -p lib64', 'mount --bind lib lib64', 'chroot=$(command -v chroot)')
  const environment = Object.entries(loader.env).map(([name, value]) => quoted(`${name}=${value}`))
  const argv = [libos.entrypoint, ...loader.argv.slice(1)].map(quoted)
  lines.push(`exec env -i ${environment.join(' ')} "$chroot" . ${argv.join(' ')}`)
  const script = lines.join('\n')
  return spawnSync('unshare', ['--mount', 'sh', '-ec', script], { encoding: 'utf8', timeout: 60_000 })
}

/** What has `sh` run the staged Node in as much address space as the enclave has by default, 4 GiB. */
function inEnclaveSize(stage: string, argv: readonly string[]): string[] {
  const limit = process.platform === 'linux' ? 'ulimit -v 4194304 && ' : ''
  return ['-c', `${limit}exec "$0" "$@"`, join(stage, 'node'), ...argv]
}

/** What of the packaging can be checked without SGX: that it renders, and that the node starts in what it describes. */
describe('packaging for Gramine', function () {
  this.timeout(120_000)
  let stage: string
  let data: string
  let text: string

  before(async () => {
    stage = await mkdtemp(join(tmpdir(), 'slotmesh-gramine-'))
    data = join(stage, 'data')
    text = await readFile(join(PACKAGING, 'slotmesh.manifest.template'), 'utf8')
    const env = { ...process.env, STAGE: stage, DATA: data, PRODUCTION_MODULES: 'node_modules' }
    await promisify(execFile)('sh', [join(PACKAGING, 'build.sh'), 'stage'], { env })
  })

  after(() => rm(stage, { recursive: true }))

  /** As gramine-manifest does it: Jinja, with Gramine's own places. */
  function rendered(more: Record<string, unknown> = {}): z.infer<typeof Manifest> {
    const context = {
      stage,
      data,
      arch_libdir: '/lib/x86_64-linux-gnu',
      heap_mb: 1536,
      product_id: 1,
      security_version: 2,
      enclave_size: '4G',
      store_mount: 'encrypted',
      store_recovery: '1',
      gramine: { libos: '/usr/lib/gramine/libsysdb.so', runtimedir: () => '/usr/lib/gramine/runtime' },
      ...more,
    }
    const environment = new nunjucks.Environment(null, { autoescape: false, throwOnUndefined: false })
    return Manifest.parse(parse(environment.renderString(text, context)))
  }

  const fileOf = (uri: string) => uri.replace(/^file:/, '')

  it('renders to an enclave that is no debug one, with DCAP, and versions as told', () => {
    const { sgx } = rendered()
    assert.deepEqual(
      [sgx.debug, sgx.remote_attestation, sgx.isvprodid, sgx.isvsvn, sgx.edmm_enable],
      [false, 'dcap', 1, 2, false],
    )
    assert.equal(rendered({ edmm: '1' }).sgx.edmm_enable, true)
    assert.equal(rendered({ edmm: '0' }).sgx.edmm_enable, false)
  })

  it('takes neither arguments nor environment from the host', () => {
    assert.doesNotMatch(text, /insecure__|passthrough/)
    const { loader, libos } = rendered()
    assert.equal(libos.entrypoint, '/usr/bin/node')
    assert.equal(loader.env.NODE_OPTIONS, '')
    assert.deepEqual(loader.argv.slice(4), [
      '/opt/slotmesh/dist/cli/main.js',
      'join',
      '--config',
      '/etc/slotmesh/node.yaml',
    ])
  })

  it('trusts all code and the configuration, and allows no file that the host can write', () => {
    const { sgx, fs } = rendered()
    assert.equal(sgx.allowed_files, undefined)
    for (const file of ['node', 'app/', 'node.yaml']) assert.ok(sgx.trusted_files.includes(`file:${stage}/${file}`))
    for (const { path, uri, type } of fs.mounts) {
      if (type === 'tmpfs') continue
      const isTrusted = sgx.trusted_files.some((trusted) => fileOf(trusted).replace(/\/$/, '') === fileOf(uri ?? ''))
      assert.equal(isTrusted, path !== '/var/lib/slotmesh', path)
    }
    for (const trusted of sgx.trusted_files.map(fileOf).filter((file) => file.startsWith(stage))) {
      assert.ok(existsSync(trusted), trusted)
      if (trusted.endsWith('/')) assert.ok(statSync(trusted).isDirectory())
    }
  })

  /** A repository with nothing to stage, and tools that do nothing but what is said: shell scripts by their names. */
  async function bareRepository(scripts: Record<string, string>): Promise<{ root: string; PATH: string }> {
    const root = await mkdtemp(join(stage, 'repository-'))
    await cp(PACKAGING, join(root, PACKAGING), { recursive: true })
    for (const folder of ['dist/cli', 'tools']) await mkdir(join(root, folder), { recursive: true })
    for (const file of ['dist/cli/main.js', 'package.json', 'package-lock.json']) await writeFile(join(root, file), '')
    for (const [name, script] of Object.entries({ npm: '', ...scripts })) {
      await writeFile(join(root, 'tools', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    }
    return { root, PATH: `${join(root, 'tools')}:${process.env.PATH}` }
  }

  /** What build.sh has Gramine render the template with, and what it says. */
  async function told(settings: NodeJS.ProcessEnv) {
    const { root, PATH } = await bareRepository({ 'gramine-manifest': `printf '%s\\n' "$@" > "$STAGE/arguments"` })
    const { STORE_MOUNT: _, STORE_RECOVERY: __, PRODUCTION_MODULES: ___, ...rest } = process.env
    const STAGE = join(root, 'stage')
    const { status, stderr } = spawnSync('sh', [join(root, PACKAGING, 'build.sh'), 'render'], {
      env: { ...rest, PATH, STAGE, ...settings },
      encoding: 'utf8',
    })
    const lines = status === 0 ? readFileSync(join(STAGE, 'arguments'), 'utf8').split('\n') : []
    const definitions: Record<string, string> = {}
    for (const line of lines) {
      const [, name, value] = /^-D(\w+)=(.*)$/.exec(line) ?? []
      if (name !== undefined && value !== undefined) definitions[name] = value
    }
    return { status, stderr, isStaged: existsSync(STAGE), definitions }
  }

  const storeOf = ({ fs }: z.infer<typeof Manifest>) => fs.mounts.find(({ path }) => path === '/var/lib/slotmesh')

  it('has the store on an encrypted mount, under a key that the next build of the signer has, too', async () => {
    const config = join(stage, 'mrsigner.yaml')
    await writeFile(config, 'sealing: gramine:mrsigner\n')
    for (const settings of [{}, { STORE_MOUNT: '' }, { STORE_MOUNT: 'encrypted' }, { CONFIG: config }]) {
      const { status, stderr, definitions } = await told(settings)
      assert.equal(status, 0, stderr)
      assert.doesNotMatch(stderr, /INSECURE/)
      const manifest = rendered(definitions)
      assert.deepEqual(storeOf(manifest), {
        type: 'encrypted',
        path: '/var/lib/slotmesh',
        uri: `file:${definitions.data}`,
        key_name: '_sgx_mrsigner',
        enable_recovery: true,
      })
      assert.equal(manifest.sgx.allowed_files, undefined)
      assert.equal(manifest.sgx.debug, false)
    }
    const { definitions } = await told({ STORE_RECOVERY: '0' })
    assert.deepEqual(
      [storeOf(rendered(definitions))?.type, storeOf(rendered(definitions))?.enable_recovery],
      ['encrypted', undefined],
    )
  })

  it('takes a plain mount only by a name that says what it is, and for a debug enclave', async () => {
    for (const STORE_MOUNT of ['plain', 'none', 'insecure-plain', 'Encrypted']) {
      const { status, stderr, isStaged, definitions } = await told({ STORE_MOUNT })
      assert.equal(status, 1)
      assert.match(stderr, /the store's mount is encrypted: leave STORE_MOUNT out/)
      assert.ok(!isStaged)
      assert.deepEqual(definitions, {})
      assert.equal(storeOf(rendered({ store_mount: STORE_MOUNT }))?.type, 'encrypted')
    }
    assert.equal(storeOf(rendered({ store_mount: undefined }))?.type, 'encrypted')

    const { status, stderr, definitions } = await told({ STORE_MOUNT: 'insecure-plain-for-development' })
    assert.equal(status, 0, stderr)
    assert.match(stderr, /INSECURE: the host can craft the store's files/)
    const manifest = rendered(definitions)
    assert.equal(storeOf(manifest)?.type, undefined)
    assert.deepEqual(manifest.sgx.allowed_files, [`file:${definitions.data}/`])
    assert.equal(manifest.sgx.debug, true)
  })

  it('moves a folder to another key by the command that is measured, and tells of no other way', async () => {
    const [readme, example] = await Promise.all(
      ['README.md', 'node.yaml'].map((file) => readFile(join(PACKAGING, file), 'utf8')),
    )
    assert.match(readme ?? '', /nextSealing: gramine:mrenclave/)
    assert.match(readme ?? '', /CPUSVN/)
    assert.match(readme ?? '', /ISVSVN/)
    assert.doesNotMatch(readme ?? '', /slotmesh reseal/)
    assert.deepEqual(rendered().loader.argv.slice(5), ['join', '--config', '/etc/slotmesh/node.yaml'])
    assert.match(text, /nextSealing/)
    assert.match(example ?? '', /CPUSVN/)
  })

  it('has a configuration that is understood, and names Gramine and no simulated machine', async () => {
    const { attestation, folder } = await readSettings(join(PACKAGING, 'node.yaml'))
    assert.deepEqual(
      [attestation?.source, attestation?.simulated, folder],
      ['gramine', undefined, '/var/lib/slotmesh/store'],
    )
  })

  it('stages all that the node needs, without what only developers need', () => {
    const dependencies = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>
      devDependencies: Record<string, string>
    }
    for (const name of Object.keys(dependencies.dependencies)) {
      assert.ok(existsSync(join(stage, 'app/node_modules', name)), name)
    }
    for (const name of ['typescript', 'mocha', 'nunjucks', '@polkadot/api']) {
      assert.ok(!existsSync(join(stage, 'app/node_modules', name)), name)
    }
  })

  it('starts from a copy of the staged files with the environment of the manifest, and misses the device', async () => {
    const { loader } = rendered()
    // As the mounts would have it, as far as a folder can.
    const root = join(stage, 'root')
    await mkdir(join(root, 'etc'), { recursive: true })
    await cp(join(stage, 'node.yaml'), join(root, 'etc/node.yaml'))
    const options = loader.argv.slice(1, 4)
    const run = (...argv: string[]) =>
      spawnSync('sh', inEnclaveSize(stage, [...options, join(stage, 'app/dist/cli/main.js'), ...argv]), {
        // The places of libraries are those of the mounts, which are not here.
        env: { ...loader.env, LD_LIBRARY_PATH: '' },
        cwd: root,
        encoding: 'utf8',
        timeout: 60_000,
      })
    assert.match(run('--help').stdout, /Usage: slotmesh/)
    const joined = run('join', '--config', join(root, 'etc/node.yaml'), '--folder', join(root, 'store'))
    assert.equal(joined.status, 1, joined.stderr)
    assert.match(joined.stderr, /^slotmesh: This process runs in no SGX enclave of Gramine: .*attestation_type/)
  })

  it('has WebAssembly in an address space of the size of the enclave, which Node has not by itself', function () {
    if (process.platform !== 'linux') this.skip()
    const { argv, env } = rendered().loader
    const options = argv.slice(1, 4)
    const ours = ['crypto', 'mesh'].map((room) => pathToFileURL(join(stage, `app/dist/${room}/index.js`)).href)
    const script = `
      new WebAssembly.Memory({ initial: 1 })
      for (const room of ${JSON.stringify(ours)}) await import(room)
      // Its parser is WebAssembly, whether anybody answers or not.
      await fetch('http://127.0.0.1:1').catch(() => undefined)
      const { readFileSync } = await import('node:fs')
      console.log(/VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])`
    const run = (given: readonly string[]) =>
      spawnSync('sh', inEnclaveSize(stage, [...given, '--input-type=module', '--eval', script]), {
        env: { ...env, LD_LIBRARY_PATH: '' },
        encoding: 'utf8',
        timeout: 60_000,
      })
    const { stdout, stderr } = run(options)
    // So that there is room for the heap that it may have, and for all else.
    const kib = Number(stdout)
    assert.ok(kib > 0 && kib < 1_500_000, `${stdout} KiB are reserved. ${stderr}`)
    assert.match(run(options.slice(0, 1)).stderr, /could not allocate memory/)
  })

  it('starts in a root of its mounts alone, by the argv and with the environment of the manifest, and opens its store', async function () {
    const runtime = join(stage, 'runtime')
    const reason = await standIn(runtime)
    if (reason !== undefined) {
      process.stderr.write(`the packaging's mounts are not tested: ${reason}\n`)
      this.skip()
    }
    const arch_libdir = `/lib/${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`
    const config = join(stage, 'node.yaml')
    const original = await readFile(config, 'utf8')
    await writeFile(config, original.replace(/wss:\S+?(?=\])/, 'ws://127.0.0.1:1'))
    const manifest = rendered({ arch_libdir, gramine: { libos: '', runtimedir: () => runtime } })
    const run = () => inMounts(join(stage, 'mounted'), manifest)
    try {
      const outside = run()
      assert.match(outside.stderr, /^slotmesh: This process runs in no SGX enclave of Gramine: .*attestation_type/m)
      assert.equal(outside.status, 1)

      // What the device would say, so far as the node asks it before it looks for its chain.
      const device = join(stage, 'device')
      await mkdir(join(device, 'keys'), { recursive: true })
      await writeFile(join(device, 'attestation_type'), 'dcap')
      await writeFile(join(device, 'keys/_sgx_mrenclave'), new Uint8Array(16).fill(7))
      manifest.fs.mounts.push({ path: '/dev/attestation', uri: `file:${device}` })
      const inside = run()
      assert.match(inside.stdout, /^account {2}\S+ {2}0x[0-9a-f]{64}$/m, inside.stderr)
      assert.match(inside.stderr, /^slotmesh: .*ws:\/\/127\.0\.0\.1:1/m)
      assert.equal(inside.status, 1)
      assert.ok(existsSync(join(data, 'store/CURRENT')))
    } finally {
      await writeFile(config, original)
    }
  })

  it('prints as a policy what Gramine says of the signature, and nothing where it says less', async () => {
    const view = join(stage, 'view.toml')
    const { root, PATH } = await bareRepository({
      'gramine-manifest': '',
      'gramine-sgx-sign': '',
      // The plain text has other words for the same, and may have others tomorrow.
      'gramine-sgx-sigstruct-view': `if [ "$1" = --output-format=toml ]; then cat ${view}; else echo "Attributes: none"; fi`,
    })
    const { PRODUCTION_MODULES: _, ...rest } = process.env
    const env = { ...rest, PATH, STAGE: join(stage, 'signed') }
    const policy = () => spawnSync('sh', [join(root, PACKAGING, 'build.sh'), 'policy'], { env, encoding: 'utf8' })
    const toml = [
      `mr_signer = "${'5e'.repeat(32)}"`,
      `mr_enclave = "${'de'.repeat(32)}"`,
      'isv_prod_id = 1',
      'isv_svn = 12',
      'debug_enclave = false',
    ]
    await writeFile(view, toml.join('\n'))
    const { status, stdout, stderr } = policy()
    assert.equal(status, 0, stderr)
    const said = join(stage, 'policy.yaml')
    await writeFile(
      said,
      ['attestation:', '  policy:', '    allowedMeasurements:', stdout.replace(/^/gm, '      ')].join('\n'),
    )
    assert.deepEqual((await readSettings(said)).attestation?.policy?.allowedMeasurements, [
      { mrEnclave: `0x${'de'.repeat(32)}` },
      { mrSigner: `0x${'5e'.repeat(32)}`, productId: 1, minimumSecurityVersion: 12 },
    ])

    await writeFile(view, toml.filter((line) => !line.startsWith('isv_svn')).join('\n'))
    const less = policy()
    assert.notEqual(less.status, 0)
    assert.equal(less.stdout, '')
    assert.match(less.stderr, /says no isv_svn that is one/)
  })

  for (const step of ['render', 'sign', 'policy']) {
    it(`goes no further with ${step} when the files cannot all be put together`, () => {
      const env = {
        ...process.env,
        STAGE: join(stage, 'partial'),
        CONFIG: join(stage, 'absent.yaml'),
        PRODUCTION_MODULES: join(process.cwd(), 'node_modules'),
      }
      const { status, stderr } = spawnSync('sh', [join(PACKAGING, 'build.sh'), step], { env, encoding: 'utf8' })
      assert.notEqual(status, 0)
      assert.match(stderr, /absent\.yaml/)
      assert.doesNotMatch(stderr, /the files are in|is not installed/)
    }).timeout(60_000)
  }

  it('says that there is no dist before it begins', async () => {
    const root = join(stage, 'bare')
    await cp(PACKAGING, join(root, PACKAGING), { recursive: true })
    const env = { ...process.env, STAGE: join(root, 'stage') }
    const { status, stderr } = spawnSync('sh', [join(root, PACKAGING, 'build.sh'), 'stage'], { env, encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /there is no dist: run npm ci in /)
    assert.ok(!existsSync(join(root, 'stage')))
  })

  it('says what is missing where Gramine is not installed', () => {
    const env = { PATH: `${process.execPath.replace(/\/node$/, '')}:/usr/bin:/bin`, STAGE: stage }
    const { status, stderr } = spawnSync('sh', [join(PACKAGING, 'build.sh'), 'run'], { env, encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /gramine-sgx is not installed: install Gramine 1\.7 or later/)
    assert.equal(spawnSync('sh', [join(PACKAGING, 'build.sh')], { env }).status, 2)
  })
})

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
      store_mount: 'plain',
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
    assert.deepEqual(loader.argv.slice(2), [
      '/opt/slotmesh/dist/cli/main.js',
      'join',
      '--config',
      '/etc/slotmesh/node.yaml',
    ])
  })

  it('trusts all code and the configuration, and allows the sealed store alone', () => {
    const { sgx, fs } = rendered()
    assert.deepEqual(sgx.allowed_files, [`file:${data}/`])
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

  it('can have the store on an encrypted mount, under another key than the node seals with', async () => {
    const { sgx, fs } = rendered({ store_mount: 'encrypted' })
    assert.equal(sgx.allowed_files, undefined)
    const store = fs.mounts.find(({ path }) => path === '/var/lib/slotmesh')
    assert.deepEqual([store?.type, store?.key_name], ['encrypted', '_sgx_mrsigner'])
    assert.equal((await readSettings(join(PACKAGING, 'node.yaml'))).sealing, 'gramine:mrenclave')
  })

  it('does not use the signer’s key for both the encrypted mount and the store', async () => {
    const config = join(stage, 'mrsigner.yaml')
    const env = { ...process.env, STAGE: join(stage, 'none'), CONFIG: config, STORE_MOUNT: 'encrypted' }
    for (const line of ['sealing: gramine:mrsigner', 'nextSealing:  gramine:mrsigner']) {
      await writeFile(config, `${line}\n`)
      const { status, stderr } = spawnSync('sh', [join(PACKAGING, 'build.sh'), 'stage'], { env, encoding: 'utf8' })
      assert.equal(status, 1)
      assert.match(stderr, /STORE_MOUNT=encrypted takes _sgx_mrsigner for itself/)
    }
    assert.ok(!existsSync(join(stage, 'none')))
  })

  it('moves a folder to another key by the command that is measured, and tells of no other way', async () => {
    const [readme, example] = await Promise.all(
      ['README.md', 'node.yaml'].map((file) => readFile(join(PACKAGING, file), 'utf8')),
    )
    assert.match(readme ?? '', /nextSealing: gramine:mrenclave/)
    assert.match(readme ?? '', /CPUSVN/)
    assert.match(readme ?? '', /ISVSVN/)
    assert.doesNotMatch(readme ?? '', /slotmesh reseal/)
    assert.deepEqual(rendered().loader.argv.slice(3), ['join', '--config', '/etc/slotmesh/node.yaml'])
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

  it('starts from the staged files, with the environment of the manifest and nothing else, and misses the device', async () => {
    const { loader } = rendered()
    // As the mounts would have it, as far as a folder can.
    const root = join(stage, 'root')
    await mkdir(join(root, 'etc'), { recursive: true })
    await cp(join(stage, 'node.yaml'), join(root, 'etc/node.yaml'))
    const [, heap = ''] = loader.argv
    const run = (...argv: string[]) =>
      spawnSync(join(stage, 'node'), [heap, join(stage, 'app/dist/cli/main.js'), ...argv], {
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

  it('says what is missing where Gramine is not installed', () => {
    const env = { PATH: `${process.execPath.replace(/\/node$/, '')}:/usr/bin:/bin`, STAGE: stage }
    const { status, stderr } = spawnSync('sh', [join(PACKAGING, 'build.sh'), 'run'], { env, encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /gramine-sgx is not installed: install Gramine 1\.7 or later/)
    assert.equal(spawnSync('sh', [join(PACKAGING, 'build.sh')], { env }).status, 2)
  })
})

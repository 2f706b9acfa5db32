import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { outcomeOf } from '../e2e/cli.js'

/** The chain's, and four for each of twenty enclaves. */
const PORTS = 81

/** Below those that the kernel gives to whoever asks for any. */
const [LOWEST, HIGHEST] = [20_000, 32_000]

/** What a stranger does: the package is packed, installed, and used, and nothing of its sources is at hand. */
describe('the packed and installed package', function () {
  this.timeout(600_000)
  let scratch: string
  let command: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-installed-'))
    // It has been built for the tests; nothing else may be built while others use that.
    await npm('pack', '--ignore-scripts', '--pack-destination', scratch)
    const [tarball] = (await readdir(scratch)).filter((name) => name.endsWith('.tgz'))
    assert.ok(tarball !== undefined)
    const prefix = join(scratch, 'prefix')
    const quietly = ['--no-audit', '--no-fund', '--prefer-offline']
    await npm('install', '--global', '--prefix', prefix, ...quietly, join(scratch, tarball))
    command = join(prefix, 'bin', 'slotmesh')
  })

  after(() => rm(scratch, { recursive: true, force: true }))

  it('makes a mesh of processes, into which a fourth cluster finds its way by the chain alone', async () => {
    // A copy: what is beside the original is not beside it.
    const script = join(scratch, 'local-mesh.mjs')
    await copyFile(resolve('examples/local-mesh/local-mesh.mjs'), script)
    const folder = join(scratch, 'mesh')
    const parameters = [script, folder, '--once', '--port', String(await freePorts())]
    const env = { ...process.env, SLOTMESH: command }
    const child = spawn(process.execPath, parameters, { cwd: scratch, env, stdio: ['ignore', 'pipe', 'pipe'] })
    try {
      const { exitCode, stdout, stderr } = await outcomeOf(child)
      assert.equal(exitCode, 0, `${stdout}\n${stderr}`)
      assert.match(stdout, /^PASS /m)
      assert.match(stdout, /^5 of 5 shares of the secret of NFT 0 are kept by cluster 0/m)
      for (const cluster of [0, 1, 2, 3]) {
        assert.match(stdout, new RegExp(`^cluster ${cluster}, slot 4 .*http://127\\.0\\.0\\.1:\\d+$`, 'm'))
      }
      const seed = (await readFile(join(folder, 'owner.seed'), 'utf8')).trim()
      assert.ok(!stdout.includes(seed) && !stdout.includes(seed.slice(2)))
      assert.equal((await stat(join(folder, 'owner.seed'))).mode & 0o077, 0)
      // No enclave was told of another.
      const config = await readFile(join(folder, 'cluster-3-slot-0', 'slotmesh.yaml'), 'utf8')
      assert.doesNotMatch(config, /^ *bootstrap:/m)
    } finally {
      // It stops all that it has started.
      if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'close')
    }
  })

  it('says what is missing where it is not installed', async () => {
    const env = { ...process.env, SLOTMESH: join(scratch, 'no-such-command') }
    const script = resolve('examples/local-mesh/local-mesh.mjs')
    const { exitCode, stderr } = await outcomeOf(spawn(process.execPath, [script, '--once'], { env }))
    assert.equal(exitCode, 1)
    assert.match(stderr, /^local-mesh: There is no command ".*no-such-command": install the package first/)
  })

  async function npm(...words: string[]): Promise<void> {
    const { exitCode, stderr, stdout } = await outcomeOf(spawn('npm', words, { stdio: ['ignore', 'pipe', 'pipe'] }))
    assert.equal(exitCode, 0, `npm ${words[0]}: ${stderr}${stdout}`)
  }
})

/** @returns the first of so many in a row that nobody listens on. */
async function freePorts(): Promise<number> {
  for (let first = LOWEST + (process.pid % 100) * 100; first < HIGHEST; first += PORTS) {
    const servers = Array.from({ length: PORTS }, (_, at) => createServer().listen(first + at, '127.0.0.1'))
    const listening = await Promise.allSettled(servers.map((server) => once(server, 'listening')))
    await Promise.all(servers.map((server) => server.listening && once(server.close(), 'close')))
    if (listening.every(({ status }) => status === 'fulfilled')) return first
  }
  return assert.fail('no free ports')
}

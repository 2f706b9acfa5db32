import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { outcomeOf, runHere, spawnCli } from './cli.js'

const Figure = z.number().positive()

const Report = z.strictObject({
  machine: z.strictObject({ processor: z.string(), cores: Figure, memoryGiB: z.number(), node: z.string() }),
  folder: z.string(),
  signatures: z.strictObject({ made: Figure, checked: Figure }),
  quotes: z.strictObject({ cold: Figure, warm: Figure }),
  sizes: z.array(
    z.strictObject({
      bytes: Figure,
      store: z.strictObject({ written: Figure, writtenMegabytes: Figure, read: Figure }),
      exchange: z.strictObject({ shares: Figure, megabytes: Figure, handshakeMs: Figure }),
      setup: z.strictObject({
        shares: Figure,
        seconds: Figure,
        parts: z.strictObject({ attestation: Figure, exchange: Figure, store: Figure }),
        bottleneck: z.enum(['attestation', 'exchange', 'store']),
      }),
    }),
  ),
})

describe('slotmesh bench', function () {
  this.timeout(240_000)
  let scratch: string

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-bench-spec-'))
  })

  afterEach(() => rm(scratch, { recursive: true }))

  it('measures everything beside the node’s folder, and leaves nothing there', async () => {
    const folder = join(scratch, 'store')
    const { exitCode, stdout, stderr } = await runHere(
      'bench',
      ...['--folder', folder, '--seconds', '0.1', '--shares', '1000', '--json'],
    )
    assert.equal(exitCode, 0, stderr)
    const report = Report.parse(JSON.parse(stdout))
    assert.ok(report.folder.startsWith(`${folder}.bench-`), report.folder)
    assert.deepEqual(await readdir(scratch), [])
    assert.deepEqual(
      report.sizes.map(({ bytes, setup }) => [bytes, setup.shares]),
      [
        [64, 1_000],
        [3_000, 1_000],
      ],
    )
    for (const { setup } of report.sizes) {
      const { attestation, exchange, store } = setup.parts
      assert.ok(Math.abs(setup.seconds - attestation - exchange - store) < 1e-9)
      assert.equal(setup.parts[setup.bottleneck], Math.max(attestation, exchange, store))
    }
    assert.equal(stderr.split('\n').filter((line) => line.startsWith('measuring ')).length, 6)
  })

  it('stops when it is interrupted, and leaves nothing then either', async () => {
    const child = spawnCli('bench', '--folder', join(scratch, 'store'), '--seconds', '60')
    const outcome = outcomeOf(child)
    child.stderr?.once('data', () => child.kill('SIGINT'))
    const { exitCode, stdout, stderr } = await outcome
    assert.match(stderr, /^measuring signatures …\nslotmesh: Interrupted\.\n$/)
    assert.deepEqual([exitCode, stdout], [130, ''])
    assert.deepEqual(await readdir(scratch), [])
  })

  it('tells a person what it has found, and where it cannot write', async () => {
    const { exitCode, stdout, stderr } = await runHere('bench', '--seconds', '0.01', '--shares', '1000')
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /^shares of 64 bytes written +\d+ \/s {2}[\d.]+ MB\/s$/m)
    assert.match(stdout, /^A setup with 1000 shares of 3000 bytes would take about [\d.]+ (s|min), /m)
    const refused = await runHere('bench', '--folder', join(scratch, 'nowhere', 'store'))
    assert.equal(refused.exitCode, 1)
    assert.match(refused.stderr, /^slotmesh: No folder can be made at .*nowhere.* \(ENOENT.*\): name one on the disk /)
    for (const seconds of ['0', '61']) {
      assert.equal((await runHere('bench', '--seconds', seconds)).exitCode, 2)
    }
  })
})

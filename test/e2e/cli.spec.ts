import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SCENARIO, shippedScenarios } from '../../src/simulation/index.js'
import { type Outcome, outcomeOf, runCli, runHere, spawnCli } from './cli.js'

describe('slotmesh on the command line', () => {
  it('prints its help and its version', async () => {
    const help = await runCli('--help')
    assert.equal(help.exitCode, 0)
    for (const command of ['simulate', 'devchain', 'join']) assert.match(help.stdout, new RegExp(`^  ${command}`, 'm'))

    const version = await runHere('--version')
    const { version: expected }: { version: string } = JSON.parse(await readFile('package.json', 'utf8'))
    assert.deepEqual([version.exitCode, version.stdout], [0, `${expected}\n`])
  })

  it('loses nothing to a reader that is slower than it is', async () => {
    const prompt = await runHere('conformance', '--list')
    const child = spawnCli('conformance', '--list')
    const { stdout } = await new Promise<Outcome>((resolve) => {
      const read = () => resolve(outcomeOf(child))
      child.once('exit', read)
      setTimeout(read, 2_000)
    })
    assert.equal(stdout.length, prompt.stdout.length)
  })

  it('has nothing to complain of when its reader has enough', async () => {
    const child = spawnCli('conformance', '--list')
    await once(child.stdout ?? child, 'data')
    child.stdout?.destroy()
    const { exitCode, stderr } = await outcomeOf(child)
    assert.deepEqual([exitCode, stderr], [0, ''])
  })

  it('tells what a simulation plays by itself, and lists what it can play', async () => {
    const help = await runHere('simulate', '--help')
    assert.match(help.stdout, new RegExp(`\\(default:\\s+"${DEFAULT_SCENARIO}"\\)`))
    const { exitCode, stdout } = await runHere('simulate', '--list')
    assert.equal(exitCode, 0)
    const shipped = await shippedScenarios()
    assert.ok(shipped.length >= 12)
    for (const { name, scenario } of shipped) assert.ok(stdout.includes(`${name}\n    ${scenario.title}\n`), name)
  })

  it('plays everything at random for a minute under a computed clock, and tells what was done', async () => {
    const runs = await mkdtemp(join(tmpdir(), 'slotmesh-chaos-'))
    try {
      const seed = `0x${'0c'.repeat(32)}`
      const flags = ['--minutes', '1', '--mode', 'discrete', '--runs', runs, '--seed', seed]
      const { exitCode, stdout } = await runHere('simulate', 'chaos', ...flags)
      assert.match(stdout, /^with .*\d+ × mint/m)
      assert.match(stdout, new RegExp(`^seed ${seed}$`, 'm'))
      assert.deepEqual([stdout.trimEnd().split('\n').at(-1), exitCode], ['PASS', 0])
    } finally {
      await rm(runs, { recursive: true })
    }
  })

  const misuse: [parameters: string[], sentence: RegExp][] = [
    [['simulate', '--threshold', '6'], /^slotmesh: The threshold must be a whole number from 2 to 5, not 6\.\n$/],
    [['simulate', '--clusters', 'many'], /It takes a whole number\./],
    [['simulate', '--mode', 'dead'], /Allowed choices are live, processes, discrete/],
    [['simulate', '--generation', '3'], /two generations of the TEE pallet/],
    [['simulate', '--seed', 'abc'], /64 hexadecimal digits/],
    [['simulate', '--unheard-of'], /unknown option/],
    [['devchain', '--port', '70000'], /whole number from 0 to 65535/],
  ]
  for (const [parameters, sentence] of misuse) {
    it(`answers "${parameters.join(' ')}" with a sentence and exit code 2`, async () => {
      requireSentence(await runHere(...parameters), sentence)
    })
  }

  it('answers misuse with a sentence and exit code 2 as a process of its own', async () => {
    requireSentence(await runCli('simulat'), /Did you mean simulate/)
  })

  it('runs a development chain until it is interrupted, and says when its port is taken', async () => {
    const chain = spawnCli('devchain', '--port', '0', '--block-time', '200')
    const outcome = outcomeOf(chain)
    const [announcement]: string[] = await once(chain.stdout ?? chain, 'data')
    const port = /^Development chain listening on ws:\/\/127\.0\.0\.1:(\d+)\n/.exec(announcement ?? '')?.[1]
    assert.ok(port, announcement)

    const second = await runHere('devchain', '--port', port)
    assert.equal(second.exitCode, 1)
    assert.equal(second.stderr.trim().split('\n').length, 1)
    assert.match(second.stderr, new RegExp(`^slotmesh: Port ${port} is already in use; `))

    chain.kill('SIGINT')
    const { exitCode, stderr } = await outcome
    assert.deepEqual([exitCode, stderr], [0, ''])
  })

  it('refuses a folder for the simulation that is not empty', async () => {
    const { exitCode, stderr } = await runHere('simulate', '--folder', 'src')
    assert.equal(exitCode, 1)
    assert.match(
      stderr,
      /^slotmesh: The folder src cannot be used: it is not empty\. Choose an empty or a new one\.\n$/,
    )
  })
})

function requireSentence({ exitCode, stdout, stderr }: Outcome, sentence: RegExp): void {
  assert.equal(exitCode, 2)
  assert.match(stderr, sentence)
  assert.ok(!stderr.includes(' at '), stderr)
  assert.equal(stdout, '')
}

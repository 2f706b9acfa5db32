import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChainWorld } from '../integration/chain/fixture.js'
import { MAIN, outcomeOf, runHere } from './cli.js'

const [ETX, ERASE_LINE] = ['\x03', '\x1b[K']

/** What a person sees. A terminal is made by util-linux' script; without it these are pending. */
describe('a node on a terminal', function () {
  this.timeout(60_000)
  let world: ChainWorld
  let scratch: string
  let child: ChildProcess | undefined

  before(async function () {
    const { stdout } = spawnSync('script', ['--version'], { encoding: 'utf8' })
    if (!/util-linux/.test(stdout ?? '')) this.skip()
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-terminal-'))
    world = await ChainWorld.start(2, 1, { blockTime: 200 })
  })

  // Its terminal goes with it, and with that the node.
  afterEach(() => child?.kill('SIGKILL'))

  after(async () => {
    await world?.stop()
    if (scratch !== undefined) await rm(scratch, { recursive: true })
  })

  it('is told how far the setup is by a line that is redrawn, and stops at Ctrl-C', async () => {
    // Of a cluster of which no enclave runs, so that there is a share to be fetched until the end.
    await world.sync('secret', await world.mint('secret'), 0)
    const config = join(scratch, 'node', 'slotmesh.yaml')
    const flags = ['--chain', world.server.url, '--development-seed', '01'.repeat(32)]
    const local = ['--listen', '/ip4/127.0.0.1/tcp/0', '--allow-private-addresses']
    const made = await runHere('init', join(scratch, 'node'), ...flags, ...local)
    const account = /^account {4}(\S+)/m.exec(made.stdout)?.[1] ?? assert.fail(made.stderr)
    const seated = await runHere('devchain', 'seat', '--chain', world.server.url, account)
    assert.match(
      seated.stdout,
      new RegExp(`^cluster 1, slot 0  ${account}  https://not-served\\.invalid\\n$`),
      seated.stderr,
    )

    const words = [process.execPath, MAIN, 'join', '--config', config].map((word) => `'${word}'`).join(' ')
    const { CI: _, ...env } = process.env
    const started = spawn('script', ['-qefc', `exec ${words}`, '/dev/null'], { env: { ...env, COLUMNS: '100' } })
    child = started
    const outcome = outcomeOf(started)
    let shown = ''
    const drawn = new Promise<void>((resolve) => {
      started.stdout.on('data', (text: string) => {
        shown += text
        if (/setup {5}░{24} {2}0 of 1 shares/.test(shown)) resolve()
      })
    })
    await Promise.race([drawn, outcome.then(() => assert.fail(`ended: ${shown}`))])
    started.stdin.write(ETX)
    const { exitCode, stdout } = await outcome
    assert.equal(exitCode, 0, stdout)
    // For people, and not for programs; and nothing is left of the line at the end.
    assert.match(stdout, /^\S*\d\d:\d\d:\d\d\S* info /m)
    assert.doesNotMatch(stdout, /^\{"/m)
    const [, behind = ''] = stdout.slice(stdout.lastIndexOf('setup     ')).split('\r')
    assert.ok(behind.startsWith(ERASE_LINE), stdout)
    assert.match(stdout, /info stopping, after the exchanges under way/)
  })
})

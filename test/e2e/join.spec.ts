import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DevelopmentChain, startDevelopmentChain } from '../../src/devchain/index.js'
import { outcomeOf, runCli, spawnCli } from './cli.js'

const SEED = randomBytes(32).toString('hex')

describe('slotmesh join', function () {
  this.timeout(60_000)
  let chain: DevelopmentChain
  let scratch: string
  const running = new Set<ChildProcess>()

  before(async () => {
    chain = await startDevelopmentChain({ blockTime: 300 })
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-join-'))
  })

  afterEach(() => {
    for (const child of running) child.kill('SIGKILL')
    running.clear()
  })

  after(async () => {
    await chain.stop()
    await rm(scratch, { recursive: true })
  })

  const parameters = (folder: string, ...more: string[]) => [
    'join',
    ...['--folder', join(scratch, folder), '--chain', chain.url, '--development-seed', SEED],
    ...['--listen', '/ip4/127.0.0.1/tcp/0', '--allow-private-addresses'],
    ...more,
  ]

  /** Starts a node and waits until it has printed a line that begins with `words`. */
  async function start(words: string, ...given: string[]) {
    const child = spawnCli(...given)
    running.add(child)
    const outcome = outcomeOf(child)
    let printed = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (chunk: Buffer | string) => {
        printed += chunk
        if (printed.split('\n').some((line) => line.startsWith(words))) resolve()
      })
      outcome.then(({ stderr }) => reject(new Error(`ended before it printed "${words}": ${stderr}`)), reject)
    })
    return { child, outcome, printed: () => printed }
  }

  /** Runs a node that cannot start: it must end with one sentence, and no stack trace. */
  async function refused(exitCode: number, sentence: RegExp, ...given: string[]): Promise<void> {
    const { exitCode: actual, stderr } = await runCli(...given)
    assert.match(stderr, sentence)
    assert.equal(actual, exitCode)
    assert.ok(!/^ +at /m.test(stderr), stderr)
    assert.equal(stderr.split('\n').filter((line) => line.startsWith('slotmesh: ')).length, 1, stderr)
  }

  it('runs until it is told to stop, and is the same enclave when it starts again', async () => {
    const first = await start('state    unregistered', ...parameters('again'))
    first.child.kill('SIGTERM')
    const begun = Date.now()
    assert.equal((await first.outcome).exitCode, 0)
    assert.ok(Date.now() - begun < 10_000)
    const account = /^account {2}\S+ {2}(0x[0-9a-f]{64})$/m.exec(first.printed())?.[1]
    assert.ok(account, first.printed())

    const second = await start('listens', ...parameters('again'))
    assert.ok(second.printed().includes(account))
    second.child.kill('SIGTERM')
    assert.equal((await second.outcome).exitCode, 0)
  })

  it('says that the folder is another node’s, or was sealed under another key', async () => {
    const node = await start('listens', ...parameters('shared'))
    await refused(1, /^slotmesh: .*shared.* in use by another node/m, ...parameters('shared'))
    node.child.kill('SIGTERM')
    await node.outcome
    await refused(
      1,
      /^slotmesh: .*shared.* sealed under another key/m,
      ...parameters('shared', '--machine-id', 'other'),
    )
  })

  it('says that nothing answers where the chain should be', async () => {
    const given = parameters('no-chain')
    given[given.indexOf(chain.url)] = 'ws://127.0.0.1:1'
    await refused(1, /^slotmesh: .*ws:\/\/127\.0\.0\.1:1/m, ...given)
  })

  it('says that the address is no chain’s', async () => {
    const given = parameters('bad-chain')
    given[given.indexOf(chain.url)] = 'somewhere'
    await refused(1, /^slotmesh: "somewhere" is no address of a chain/m, ...given)
  })

  it('says that the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const given = parameters('port-taken')
    given[given.indexOf('/ip4/127.0.0.1/tcp/0')] = `/ip4/127.0.0.1/tcp/${port}`
    try {
      await refused(
        1,
        new RegExp(`^slotmesh: Cannot listen on .*${port}: another program uses that port;`, 'm'),
        ...given,
      )
    } finally {
      server.close()
    }
  })

  it('says that the folder cannot be made', async () => {
    await writeFile(join(scratch, 'a-file'), '')
    await refused(1, /^slotmesh: .*a-file/m, ...parameters('a-file/below'))
  })

  it('checks every option before it starts anything', async () => {
    await refused(
      2,
      /^slotmesh: --bootstrap "nowhere" is no multiaddr/m,
      ...parameters('bad', '--bootstrap', 'nowhere'),
    )
    await refused(2, /^slotmesh: .*--development-seed/m, 'join', '--folder', 'x', '--chain', chain.url)
    const { exitCode, stderr } = await runCli(...parameters('bad', '--development-seed', 'ff'))
    assert.deepEqual([exitCode, /64 hexadecimal digits/.test(stderr)], [2, true])
  })
})

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocketServer } from 'ws'
import { z } from 'zod'
import { type DevelopmentChain, startDevelopmentChain } from '../../src/devchain/index.js'
import { outcomeOf, runHere, spawnCli } from './cli.js'

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
    const { exitCode: actual, stderr } = await runHere(...given)
    assert.match(stderr, sentence)
    assert.equal(actual, exitCode)
    assert.ok(!/^ +at /m.test(stderr), stderr)
    assert.equal(stderr.split('\n').filter((line) => line.startsWith('slotmesh: ')).length, 1, stderr)
  }

  it('shows how it is on a page and to Prometheus, where that is asked for', async () => {
    const node = await start(
      'listens',
      ...parameters('seen', '--status-listen', '0', '--metrics-listen', '127.0.0.1:0'),
    )
    const [, page = ''] = /^status {3}(\S+)$/m.exec(node.printed()) ?? []
    const [, metrics = ''] = /^metrics {2}(\S+)$/m.exec(node.printed()) ?? []
    const shown = await (await fetch(new URL('status.json', page))).json()
    assert.equal(z.object({ condition: z.string() }).parse(shown).condition, 'joining')
    const text = await (await fetch(metrics)).text()
    assert.match(text, /^slotmesh_state\{state="unregistered"\} 1$/m)
    assert.match(text, /^slotmesh_chain_connected 1$/m)
    assert.match(text, /^libp2p_transport_manager_listeners 1$/m)
    node.child.kill('SIGTERM')
    assert.equal((await node.outcome).exitCode, 0)
    await refused(2, /metrics-listen takes an address such as/, ...parameters('seen', '--metrics-listen', 'here'))
    const { port } = new URL(chain.url)
    await refused(
      1,
      /Cannot listen on 127\.0\.0\.1, port \d+: .*EADDRINUSE/,
      ...parameters('seen', '--status-listen', port),
    )
  })

  it('runs until it is told to stop, and is the same enclave when it starts again, by the next address of the chain', async () => {
    const first = await start('listens', ...parameters('again'))
    await refused(1, /^slotmesh: .*again.* in use by another node/m, ...parameters('again'))
    first.child.kill('SIGTERM')
    const begun = Date.now()
    assert.equal((await first.outcome).exitCode, 0)
    assert.ok(Date.now() - begun < 10_000)
    const account = /^account {2}\S+ {2}(0x[0-9a-f]{64})$/m.exec(first.printed())?.[1]
    assert.ok(account, first.printed())
    await refused(1, /^slotmesh: .*again.* sealed under another key/m, ...parameters('again', '--machine-id', 'other'))

    // The first address does not answer.
    const given = parameters('again', '--chain', chain.url)
    given[given.indexOf(chain.url)] = 'ws://127.0.0.1:1'
    const second = await start('listens', ...given)
    assert.ok(second.printed().includes(account))
    second.child.kill('SIGTERM')
    assert.equal((await second.outcome).exitCode, 0)
  })

  it('takes from a file what the flags do not say, and seals under the key that it is told', async () => {
    const config = join(scratch, 'node.yaml')
    const write = (sealing: string) =>
      writeFile(
        config,
        `folder: from-file
chain: { endpoints: ['ws://127.0.0.1:1'] }
mesh: { listen: [/ip4/127.0.0.1/tcp/0], allowPrivateAddresses: true }
attestation: { simulated: { seed: 0x${SEED} } }
sealing: ${sealing}
`,
      )
    const key = join(scratch, 'key')
    await writeFile(key, randomBytes(32), { mode: 0o600 })
    await write(`file:${key}`)
    const node = await start('listens', 'join', '--config', config, '--chain', chain.url)
    node.child.kill('SIGTERM')
    assert.equal((await node.outcome).exitCode, 0)
    assert.ok((await stat(join(scratch, 'from-file'))).isDirectory())

    await writeFile(key, randomBytes(32))
    await refused(1, /^slotmesh: .*from-file.* sealed under another key/m, 'join', '--config', config)
    await write('elsewhere')
    await refused(1, /^slotmesh: .*node\.yaml, sealing takes gramine:mrenclave, /m, 'join', '--config', config)
    await writeFile(config, 'folder: x\nsealling: file:x\n')
    await refused(
      1,
      /^slotmesh: .*node\.yaml, the whole has no setting sealling \(is sealing meant\?\)/m,
      'join',
      '--config',
      config,
    )
  })

  it('has its folder sealed anew under another key while it is stopped', async () => {
    const folder = join(scratch, 'moving')
    const node = await start('listens', ...parameters('moving'))
    const account = /^account {2}\S+ {2}(0x[0-9a-f]{64})$/m.exec(node.printed())?.[1]
    assert.ok(account)
    const key = join(scratch, 'new-key')
    await writeFile(key, randomBytes(32), { mode: 0o600 })
    const given = ['reseal', '--folder', folder, '--development-seed', SEED, '--to', `file:${key}`]
    await refused(1, /^slotmesh: .*moving.* in use by another node/m, ...given)
    node.child.kill('SIGTERM')
    await node.outcome
    const { exitCode, stdout } = await runHere(...given)
    assert.equal(exitCode, 0)
    assert.match(stdout, /moving is sealed under the key of file:/)
    await refused(1, /^slotmesh: .*moving.* sealed under another key/m, ...parameters('moving'))
    const again = await start('listens', ...parameters('moving', '--sealing', `file:${key}`))
    assert.ok(again.printed().includes(account))
  })

  it('seals its folder under the next key that the file names before it opens it', async () => {
    const config = join(scratch, 'moving.yaml')
    const [old, next] = [join(scratch, 'old-key'), join(scratch, 'next-key')]
    for (const key of [old, next]) await writeFile(key, randomBytes(32), { mode: 0o600 })
    const write = (...sealing: string[]) =>
      writeFile(
        config,
        [
          'folder: moving-by-file',
          `chain: { endpoints: ['${chain.url}'] }`,
          'mesh: { listen: [/ip4/127.0.0.1/tcp/0], allowPrivateAddresses: true }',
          `attestation: { simulated: { seed: 0x${SEED} } }`,
          ...sealing,
        ].join('\n'),
      )
    async function account(): Promise<string> {
      const node = await start('account', 'join', '--config', config)
      node.child.kill('SIGTERM')
      assert.equal((await node.outcome).exitCode, 0)
      return /^account {2}\S+ {2}(0x[0-9a-f]{64})$/m.exec(node.printed())?.[1] ?? node.printed()
    }

    await write(`sealing: file:${old}`)
    const first = await account()
    await write(`sealing: file:${old}`, `nextSealing: file:${next}`)
    assert.equal(await account(), first)
    await refused(
      1,
      /^slotmesh: .*moving-by-file.* sealed under another key/m,
      ...parameters('moving-by-file', '--sealing', `file:${old}`),
    )
    await writeFile(next, randomBytes(32))
    await refused(1, /^slotmesh: .*moving-by-file.* sealed under another key/m, 'join', '--config', config)
  })

  it('says that this machine makes no quotes, and what it needs to know besides', async () => {
    const config = join(scratch, 'hardware.yaml')
    await writeFile(config, `attestation: { policy: { allowedMeasurements: [{ mrEnclave: 0x${SEED} }] } }`)
    const given = ['join', '--config', config, '--folder', join(scratch, 'hardware'), '--chain', chain.url]
    await refused(1, /^slotmesh: No device of this machine makes quotes/m, ...given)
  })

  it('says that nothing answers where the chain should be', async () => {
    const given = parameters('no-chain')
    given[given.indexOf(chain.url)] = 'ws://127.0.0.1:1'
    await refused(1, /^slotmesh: .*ws:\/\/127\.0\.0\.1:1/m, ...given)
  })

  it('says that what answers is no chain', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    server.on('connection', (socket) => {
      socket.on('message', (request) => {
        const { id } = z.object({ id: z.number() }).parse(JSON.parse(String(request)))
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }))
      })
    })
    try {
      await once(server, 'listening')
      const given = parameters('other-service')
      given[given.indexOf(chain.url)] = `ws://127.0.0.1:${portOf(server)}`
      await refused(1, /^slotmesh: What answers at ws:\S+ is no chain with the NFT and TEE pallets: /m, ...given)
    } finally {
      server.close()
    }
  })

  it('says no more than a sentence when what answers is not even JSON', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    server.on('connection', (socket) => socket.send('hello'))
    try {
      await once(server, 'listening')
      const given = parameters('no-json')
      given[given.indexOf(chain.url)] = `ws://127.0.0.1:${portOf(server)}`
      await refused(1, /^slotmesh: /m, ...given)
    } finally {
      server.close()
    }
  })

  it('ends when it is told to while it waits for a chain that never answers, and keeps its folder whole', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    try {
      await once(server, 'listening')
      const connected = once(server, 'connection')
      const given = parameters('waiting')
      given[given.indexOf(chain.url)] = `ws://127.0.0.1:${portOf(server)}`
      const node = await start('account', ...given)
      await connected
      const begun = Date.now()
      node.child.kill('SIGTERM')
      assert.equal((await node.outcome).exitCode, 0)
      // Well before the chain would have been given up.
      assert.ok(Date.now() - begun < 5_000)

      const again = await start('listens', ...parameters('waiting'))
      const account = /^account .*$/m.exec(node.printed())?.[0]
      assert.ok(account !== undefined && again.printed().includes(account))
      again.child.kill('SIGTERM')
      assert.equal((await again.outcome).exitCode, 0)
    } finally {
      server.close()
    }
  })

  it('says that the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const given = parameters('port-taken')
    const port = portOf(server)
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
      /^slotmesh: The flag --bootstrap takes a multiaddr such as/m,
      ...parameters('bad', '--bootstrap', 'nowhere'),
    )
    await refused(
      2,
      /^slotmesh: The flag --listen takes a multiaddr of a TCP port such as/m,
      ...parameters('bad', '--listen', '/ip4/127.0.0.1/udp/4001'),
    )
    const folder = join(scratch, 'bad')
    await refused(2, /^slotmesh: .*--development-seed/m, 'join', '--folder', folder, '--chain', chain.url)

    const misuse: [option: string, value: string, sentence: RegExp][] = [
      ['--development-seed', 'ff', /takes 32 bytes in hexadecimal/],
      ['--chain', 'somewhere', /takes a URL that begins with ws:\/\/ or wss:\/\//],
      ['--chain', 'http://127.0.0.1:9944', /takes a URL that begins with ws:\/\/ or wss:\/\//],
    ]
    for (const [option, value, sentence] of misuse) {
      const { exitCode, stderr } = await runHere(...parameters('bad', option, value))
      assert.match(stderr, sentence)
      assert.equal(exitCode, 2)
    }
    await assert.rejects(stat(folder), { code: 'ENOENT' })
  })
})

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

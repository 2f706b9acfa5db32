import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type DevelopmentChain, startDevelopmentChain } from '../../src/devchain/index.js'
import { type Outcome, outcomeOf, runHere, spawnCli } from './cli.js'

const SEED = randomBytes(32).toString('hex')

/** From nothing to a node that runs, is looked at, is backed up and restored, by the commands as they are typed. */
describe('an operator', function () {
  this.timeout(240_000)
  let chain: DevelopmentChain
  let scratch: string
  let config: string
  let child: ChildProcess | undefined

  before(async () => {
    chain = await startDevelopmentChain({ blockTime: 500 })
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-operator-'))
    config = join(scratch, 'node', 'slotmesh.yaml')
  })

  after(async () => {
    child?.kill('SIGKILL')
    await chain.stop()
    await rm(scratch, { recursive: true })
  })

  const simulated = () => ['--chain', chain.url, '--development-seed', SEED]
  const local = ['--listen', '/ip4/127.0.0.1/tcp/0', '--allow-private-addresses']

  async function said(...parameters: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await runHere(...parameters)
    assert.equal(exitCode, 0, stderr)
    return stdout
  }

  async function refused(exitCode: number, sentence: RegExp, ...parameters: string[]): Promise<void> {
    const { exitCode: actual, stderr } = await runHere(...parameters)
    assert.match(stderr, sentence)
    assert.equal(actual, exitCode)
  }

  const find = (text: string, pattern: RegExp) => pattern.exec(text)?.[1] ?? assert.fail(`no ${pattern} in ${text}`)

  let account: string
  let peerId: string

  it('makes a node, is told what to register, and overwrites nothing', async () => {
    const folder = join(scratch, 'node')
    process.env.SLOTMESH_CONFIG = config
    const printed = await said(
      'init',
      folder,
      ...simulated(),
      ...local,
      '--api-uri',
      'https://node.example:8100',
    ).finally(() => delete process.env.SLOTMESH_CONFIG)
    account = find(printed, /^account {4}\S+ {2}(0x[0-9a-f]{64})$/m)
    peerId = find(printed, /^peer {7}(\S+)$/m)
    assert.match(printed, new RegExp(`^multiaddr {2}/ip4/127\\.0\\.0\\.1/tcp/0/p2p/${peerId}$`, 'm'))
    const calls = [...printed.matchAll(/(?:TEE|Balances)\.\w+/g)].map(([call]) => call)
    assert.deepEqual(calls, ['TEE.register_enclave', 'TEE.assign_enclave', 'Balances.transfer_keep_alive'])
    assert.ok(printed.includes('api_uri: "https://node.example:8100"'))
    assert.ok(printed.includes(`slotmesh join --config ${config}`))

    const text = await readFile(config, 'utf8')
    assert.match(text, /^# yaml-language-server: \$schema=\.\/slotmesh\.schema\.json\n/)
    JSON.parse(await readFile(join(folder, 'slotmesh.schema.json'), 'utf8'))
    assert.equal((await stat(config)).mode & 0o077, 0)
    await refused(1, /^slotmesh: .* is not empty, and nothing is overwritten/m, 'init', folder, ...simulated())
    assert.equal(await readFile(config, 'utf8'), text)
  })

  it('makes the key file of a node that simulates nothing, and leaves nothing of one that cannot be made', async () => {
    const [folder, key] = [join(scratch, 'hardware'), join(scratch, 'sealing.key')]
    const tls = ['--api-certificate', 'certificate.pem', '--api-key', '/etc/key.pem']
    const printed = await said('init', folder, '--chain', chain.url, '--sealing', `file:${key}`, ...tls)
    assert.equal((await stat(key)).size, 32)
    assert.match(printed, /attestation\.policy/)
    const text = await readFile(join(folder, 'slotmesh.yaml'), 'utf8')
    // In the file it would be beside that.
    for (const line of [`sealing: file:${key}`, `certificate: ${resolve('certificate.pem')}`, 'key: /etc/key.pem']) {
      assert.ok(text.includes(line), line)
    }

    const failed = join(scratch, 'failed')
    await refused(1, /^slotmesh: No device of this machine/m, 'init', failed, '--chain', chain.url)
    await refused(2, /^slotmesh: The flag --api-uri takes a URL/m, 'init', failed, ...simulated(), '--api-uri', 'here')
    await assert.rejects(stat(failed), { code: 'ENOENT' })
  })

  it('is told that nothing runs yet, and sees the clusters without a node', async () => {
    await refused(
      1,
      /^slotmesh: No node is running with the store .*node.store: start it/m,
      'status',
      '--config',
      config,
    )
    assert.equal(await said('registry', '--chain', chain.url), 'no clusters\n')
    assert.equal(await said('registry', '--config', config), 'no clusters\n')
  })

  it('has its node looked at, before and while it runs', async () => {
    // What has a time: the first block has none, and the latest is not final yet.
    for (let block = 0; block < 2; block++) chain.sealBlock()
    const findings: { about: string; state: string }[] = JSON.parse(await said('doctor', '--config', config, '--json'))
    const states = Object.fromEntries(findings.map(({ about, state }) => [about, state]))
    const { disk: _, reach, TEE, ...rest } = states
    assert.deepEqual([reach, TEE], ['warns', 'warns'])
    for (const about of ['config', 'sealing', 'port', 'chain', 'clock', 'collateral'])
      assert.equal(rest[about], 'well', about)

    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port }: AddressInfo = Object(taken.address())
    try {
      const flags = ['--listen', `/ip4/127.0.0.1/tcp/${port}`, '--chain', 'ws://127.0.0.1:1', '--machine-id', 'other']
      const { exitCode, stdout } = await runHere('doctor', '--config', config, ...flags)
      assert.equal(exitCode, 1)
      assert.match(stdout, /^FAIL port .*\n +→ Stop the program that uses it/m)
      assert.match(stdout, /^FAIL chain .*No chain answers at ws:\/\/127\.0\.0\.1:1/m)
      assert.match(stdout, /^FAIL sealing +the store is sealed under another key\n +→ /m)
    } finally {
      taken.close()
    }
    const { exitCode, stdout } = await runHere('doctor', '--config', config, '--log-level', 'loud')
    assert.equal(exitCode, 1)
    assert.match(stdout, /^FAIL config +The flag --log-level takes one of /m)
  })

  let outcome: Promise<Outcome>

  it('starts it, and asks it how it is', async () => {
    child = spawnCli('join', '--config', config)
    outcome = outcomeOf(child)
    await new Promise<void>((resolve, reject) => {
      let printed = ''
      child?.stdout?.on('data', (chunk: string) => {
        printed += chunk
        if (printed.includes('listens')) resolve()
      })
      outcome.then(({ stderr }) => reject(new Error(stderr)), reject)
    })
    const socket = join(scratch, 'node', 'store.control')
    assert.equal((await stat(socket)).mode & 0o777, 0o600)
    const text = await said('status', '--config', config)
    assert.match(text, /^state {4}unregistered, up for /m)
    assert.match(text, /^seat {5}none: register /m)
    const status = JSON.parse(await said('status', '--config', config, '--json'))
    assert.deepEqual([status.account, status.peerId, status.peers, status.errors], [account, peerId, [], []])
    assert.equal(await said('peers', '--config', config), 'no slot peers\n')
    assert.equal(await said('registry', '--config', config, '--json'), '[]\n')
    const watching = spawnCli('status', '--config', config, '--watch', '--json')
    const watched = outcomeOf(watching)
    let lines = ''
    while (lines.split('\n').length < 3) lines += String((await once(watching.stdout ?? watching, 'data'))[0])
    watching.kill('SIGINT')
    assert.equal((await watched).exitCode, 130)
    assert.deepEqual(
      lines
        .split('\n')
        .slice(0, 2)
        .map((line) => JSON.parse(line).account),
      [account, account],
    )
    assert.match(await said('doctor', '--config', config), /^ok {3}port .* is in use by the node itself$/m)
  })

  it('copies its store while it runs, stops it, and restores the copy where nothing is', async () => {
    const [store, running, stopped] = ['node/store', 'running', 'stopped'].map((name) => join(scratch, name))
    assert.ok(store && running && stopped)
    await said('backup', '--config', config, running)
    await refused(1, /^slotmesh: .*running cannot be made/m, 'backup', '--config', config, running)
    child?.kill('SIGTERM')
    const { exitCode, stderr } = await outcome
    assert.equal(exitCode, 0, stderr)
    for (const line of stderr.trimEnd().split('\n')) assert.equal(typeof JSON.parse(line).message, 'string')
    await assert.rejects(stat(`${store}.control`), { code: 'ENOENT' })

    await said('backup', '--config', config, stopped)
    for (const copy of [running, stopped]) {
      await refused(1, /^slotmesh: There is something in .*store already/m, 'restore', '--config', config, copy)
      await rename(store, `${copy}.replaced`)
      await said('restore', '--config', config, copy)
      const { nodeIdentity } = await import('../../src/node/index.js')
      const { settingsOf } = await import('../../src/cli/settings.js')
      const { sealingKeyOf } = await import('../../src/cli/tee.js')
      const sealingKey = await sealingKeyOf(await settingsOf({ config }))
      assert.equal((await nodeIdentity({ folder: store, sealingKey })).account, account)
    }
    await rename(store, join(scratch, 'gone'))
    await refused(
      1,
      /^slotmesh: .*sealed under another key/m,
      ...['restore', '--config', config, running, '--machine-id', 'other'],
    )
    await assert.rejects(stat(store), { code: 'ENOENT' })
    await refused(1, /^slotmesh: There is no store in /m, 'backup', '--config', config, join(scratch, 'nothing'))
    await assert.rejects(stat(join(scratch, 'nothing')), { code: 'ENOENT' })
  })

  it('is told the right name of what is misspelt, on the command line and in the environment', async () => {
    await refused(2, /Did you mean --folder/, 'status', '--foldr', 'x')
    await writeFile(join(scratch, 'bad.yaml'), 'chain: { endpoint: [] }')
    await refused(
      1,
      /has no setting endpoint \(is endpoints meant\?\)/,
      'status',
      '--config',
      join(scratch, 'bad.yaml'),
    )
    process.env.SLOTMESH_FOLDR = 'x'
    try {
      await refused(1, /SLOTMESH_FOLDR \(is SLOTMESH_FOLDER meant\?\)/, 'status')
    } finally {
      delete process.env.SLOTMESH_FOLDR
    }
  })
})

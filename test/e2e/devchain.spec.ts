import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import substrate from '@polkadot/types-support/metadata/v14/substrate-hex'
import { RawClient } from '../integration/devchain/raw-client.js'
import { splicedMetadata } from '../support/foreign-metadata.js'
import { outcomeOf, runHere, spawnCli } from './cli.js'

describe('slotmesh devchain', () => {
  let folder: string
  const running: ChildProcess[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-devchain-'))
  })

  afterEach(async () => {
    for (const child of running.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })

  /** Starts it and gives what it says first. */
  async function start(...parameters: string[]): Promise<{ child: ChildProcess; url: string; lines: string[] }> {
    const child = spawnCli('devchain', '--port', '0', ...parameters)
    running.push(child)
    assert.ok(child.stdout !== null)
    const lines: string[] = []
    for await (const line of createInterface(child.stdout)) {
      lines.push(line)
      if (lines.length === 8) break
    }
    const url = /^Development chain listening on (ws:\/\/127\.0\.0\.1:\d+)$/.exec(lines[0] ?? '')?.[1]
    assert.ok(url !== undefined, lines.join('\n'))
    return { child, url, lines }
  }

  it('names the accounts that have funds, and ends in peace', async () => {
    const { child, lines } = await start('--block-time', '200')
    assert.equal(lines[2], 'Alice    5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY')
    const outcome = outcomeOf(child)
    child.kill('SIGTERM')
    const { exitCode, stderr } = await outcome
    assert.deepEqual([exitCode, stderr], [0, ''])
  })

  it('goes on with the chain of its folder after it was killed, under another runtime from a block on', async () => {
    const metadata = splicedMetadata(substrate, { pallets: { NFT: 129, TEE: 134 } })
    const file = join(folder, 'metadata.scale')
    await writeFile(file, metadata)
    const options = ['--instant', '--metadata', file, '--folder', join(folder, 'chain'), '--name', 'mine']
    const first = await start(...options, '--upgrade-at', '2')
    const client = await RawClient.connect(first.url)
    assert.equal(await client.result('system_chain'), 'mine')
    await client.result('chain_subscribeNewHeads')
    for (let block = 1; block <= 3; block++) await client.result('engine_createBlock', true, true)
    // A block is shown once it is on the disk.
    await client.until(() => client.notified('chain_newHead').length === 4)
    const hashes = [0, 1, 2, 3]
    const before = await client.result('chain_getBlockHash', hashes)
    const version = await client.result('state_getRuntimeVersion')
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')

    const second = await start(...options)
    const again = await RawClient.connect(second.url)
    assert.deepEqual(await again.result('chain_getBlockHash', hashes), before)
    assert.deepEqual(await again.result('state_getRuntimeVersion'), version)
    again.close()
    const { exitCode, stderr } = await runHere('devchain', '--port', '0', '--folder', join(folder, 'chain'))
    assert.deepEqual([exitCode, stderr.split('\n').length], [1, 2])
    assert.match(stderr, /^slotmesh: Another chain is running on the folder /)
  })

  it('cuts connections every so often', async () => {
    const { url } = await start('--drop-every', '50')
    const { socket } = await RawClient.connect(url)
    const [code] = await once(socket, 'close')
    assert.equal(code, 1006)
  })

  it('is silent for a while, in turn, without closing a connection', async () => {
    const { url } = await start('--pause-every', '300', '--block-time', '50')
    const client = await RawClient.connect(url)
    const heights: number[] = []
    client.socket.on('message', () => heights.push(performance.now()))
    client.socket.send(JSON.stringify({ jsonrpc: '2.0', id: 99, method: 'chain_subscribeNewHeads', params: [] }))
    const gaps = () => heights.slice(1).map((at, index) => at - (heights[index] ?? at))
    // Blocks come every 50 ms while it speaks: a gap of more than 200 ms is its silence.
    while (!gaps().some((gap) => gap > 200)) await once(client.socket, 'message')
    assert.equal(client.socket.readyState, client.socket.OPEN)
    client.socket.terminate()
  })

  const misuse: [parameters: string[], exitCode: number, sentence: RegExp][] = [
    [['--metadata', 'nowhere.scale'], 1, /^slotmesh: The file nowhere\.scale cannot be read: ENOENT/],
    [['--metadata', 'package.json'], 1, /^slotmesh: The metadata cannot be read: /],
    [['--folder', 'src'], 1, /^slotmesh: The folder src cannot hold the chain: it holds something else\./],
    [['--upgrade-metadata', 'package.json'], 2, /^slotmesh: --upgrade-metadata needs --upgrade-at/],
    [['--upgrade-at', '0'], 1, /^slotmesh: The chain is at block 0 already/],
    [['--notifications', 'sometimes'], 2, /Allowed choices are deliver, duplicate, skip, none/],
    [['--instant', '--block-time', '100'], 2, /cannot be used with option/],
  ]
  for (const [parameters, expected, sentence] of misuse) {
    it(`answers "${parameters.join(' ')}" with a sentence`, async () => {
      const { exitCode, stderr } = await runHere('devchain', '--port', '0', ...parameters)
      assert.deepEqual([exitCode, stderr.trim().split('\n').length], [expected, 1], stderr)
      assert.match(stderr, sentence)
    })
  }
})

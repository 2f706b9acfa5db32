import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { type DevelopmentChainOptions, startDevelopmentChain } from '../../../src/devchain/index.js'
import { ChainUser } from './chain-user.js'
import { RawClient } from './raw-client.js'

describe('the folder of a development chain', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-devchain-'))
  })

  afterEach(() => rm(folder, { recursive: true, force: true }))

  const start = (options: DevelopmentChainOptions = {}) =>
    startDevelopmentChain({ folder, blockTime: 'manual', ...options })

  /** Everything that a client can see of a block. */
  async function seen(url: string, block: number): Promise<unknown[]> {
    const client = await RawClient.connect(url)
    const hash = await client.result('chain_getBlockHash', block)
    const keys = await client.result('state_getKeysPaged', '0x', 1000, null, hash)
    const all = await Promise.all([
      client.result('chain_getBlock', hash),
      client.result('state_queryStorageAt', keys, hash),
      client.result('state_getRuntimeVersion', hash),
      client.result('chain_getBlockHash', block + 1),
      client.result('chain_getFinalizedHead'),
    ])
    client.close()
    return [hash, ...all]
  }

  it('holds blocks, state, nonces and runtimes, and the chain goes on from there', async () => {
    const first = await ChainUser.start({ folder, generation: 1, blockTime: 'instant' })
    const nonce = async ({ api, alice }: ChainUser) => (await api.rpc.system.accountNextIndex(alice.address)).toNumber()
    for (let sent = 0; sent < 3; sent++) {
      const included = new Promise<void>((resolve) => {
        void first.tx('system.remark', `${sent}`).signAndSend(first.alice, { nonce: -1 }, ({ status }) => {
          if (status.isFinalized) resolve()
        })
      })
      await included
    }
    first.chain.upgrade({ metadata: 2 })
    const { number } = first.chain.sealBlock()
    const { genesisHash } = first.chain
    await first.stop()

    const second = await start({ generation: 1, finalityLag: 0 })
    assert.equal(second.genesisHash, genesisHash)
    const before = [await seen(second.url, number - 1), await seen(second.url, number)]
    await second.stop()

    const third = await ChainUser.start({ folder, generation: 1 })
    assert.deepEqual([await seen(third.chain.url, number - 1), await seen(third.chain.url, number)], before)
    assert.equal(await nonce(third), 3)
    assert.equal(third.api.runtimeVersion.specVersion.toNumber(), 2)
    const next = third.chain.sealBlock()
    assert.equal(next.number, number + 1)
    await third.stop()
  })

  it('has every block that anybody was shown, in whatever moment the process ends', async () => {
    const chain = await start({ finalityLag: 0 })
    const client = await RawClient.connect(chain.url)
    await client.result('chain_subscribeNewHeads')
    for (let made = 0; made < 20; made++) chain.sealBlock()
    // Made, but nobody is shown a block that a sudden end would take back.
    assert.equal(await client.result('chain_getBlockHash', 20), null)
    await client.until(() => client.notified('chain_newHead').length === 21)
    const shown = await seen(chain.url, 20)
    client.close()
    await chain.stop()
    const again = await start({ finalityLag: 0 })
    assert.deepEqual(await seen(again.url, 20), shown)
    await again.stop()
  })

  it('is refused when it is in use, of another chain, of another program or damaged', async () => {
    const chain = await start()
    chain.sealBlock()
    await assert.rejects(start(), { code: 'devchain/folder-in-use' })
    await chain.stop()
    for (const other of [{ name: 'another' }, { generation: 1 }] as const) {
      await assert.rejects(start(other), { code: 'devchain/other-chain' })
    }
    const level = new Level(folder)
    await level.put('0000000001', '{}')
    await level.close()
    await assert.rejects(start(), { code: 'devchain/folder-damaged', message: /Block 1 / })
    await assert.rejects(start({ folder: 'src' }), { code: 'devchain/folder-unusable', message: /something else/ })
    await writeFile(join(folder, 'file'), '')
    await assert.rejects(start({ folder: join(folder, 'file') }), { code: 'devchain/folder-unusable' })
  })
})

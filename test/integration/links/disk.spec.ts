import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EnclaveNode } from '../../../src/node/index.js'
import { createNode } from '../../crash/node.js'
import { ChainWorld, enclaveSeedOf, signal } from '../chain/fixture.js'
import { Pair, type Peer } from './pair.js'

/** A database's next table does not fit in, and its journal does for a moment. */
const LEFT_BYTES = 16_384

describe('a node whose disk', function () {
  this.timeout(120_000)
  let scratch: string
  let disk: string
  let world: ChainWorld
  let nodes: EnclaveNode[]
  let pair: Pair

  before(async function () {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-disk-'))
    disk = join(scratch, 'disk')
    await mkdir(disk)
    nodes = []
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'slotmesh-test', disk]).status !== 0) {
      console.info('      not tried: only root can make a disk that is full or read-only')
      this.skip()
    }
    world = await ChainWorld.start(2, 2)
    pair = Pair.of(world, 1, await start(0, join(disk, 'store')), await start(1, join(scratch, 'other')))
    await Promise.all([pair.give(0, 2), pair.give(1, 2)])
    await pair.untilWhole()
  })

  after(async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    await world?.stop()
    spawnSync('umount', [disk])
    await rm(scratch, { recursive: true })
  })

  const create = async (cluster: number, folder: string) =>
    createNode({
      folder,
      chainUrl: world.server.url,
      bootstrap: (await nodes[1 - cluster]?.status())?.multiaddrs ?? [],
      accountSeed: enclaveSeedOf(cluster, 0),
    })

  async function start(cluster: number, folder: string): Promise<Peer> {
    const node = await create(cluster, folder)
    nodes[cluster] = node
    await node.start()
    return { status: () => node.status(), store: (kind, request) => node.storeShare(kind, request, { signal }) }
  }

  it('is full stops and says what to do; with room again it goes on, and has all', async () => {
    const [node] = nodes
    assert.ok(node)
    const { bavail, bsize } = await statfs(disk)
    await writeFile(join(disk, 'filling'), new Uint8Array(bavail * bsize - LEFT_BYTES))
    const given = Promise.all([pair.give(0, 6), pair.give(1, 12)])
    await new Promise((resolve) => node.failed.addEventListener('abort', resolve))
    await node.stop()
    const { state, problems } = await node.status()
    assert.equal(state, 'stopped')
    assert.equal(problems[0]?.code, 'store/failed')
    assert.match(
      problems[0]?.sentence ?? '',
      /[Nn]o space left on device.*: free or mend the disk, and start the node again\.$/,
    )
    await assert.rejects(create(0, join(disk, 'store')), /no space left on device/i)

    await rm(join(disk, 'filling'))
    pair.replace(0, await start(0, join(disk, 'store')))
    await given
    await pair.untilWhole()
    assert.equal((await pair.peer(0).status()).integrity.state, 'whole')
  })

  it('is read-only does not start and says so; writable again it goes on, and has all', async () => {
    await nodes[0]?.stop()
    assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk]).status, 0)
    await assert.rejects(create(0, join(disk, 'store')), {
      code: 'store/unreadable',
      message: /Read-only file system.*: check the path, the disk and its permissions/,
    })
    await pair.give(1, 2)
    assert.equal(spawnSync('mount', ['-o', 'remount,rw', disk]).status, 0)
    pair.replace(0, await start(0, join(disk, 'store')))
    await pair.untilWhole()
    assert.equal((await pair.peer(0).status()).integrity.state, 'whole')
  })
})

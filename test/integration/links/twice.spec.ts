import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ShareKey, shareKeyText } from '../../../src/domain/index.js'
import type { EnclaveNode } from '../../../src/node/index.js'
import { createNode } from '../../crash/node.js'
import { ChainWorld, enclaveSeedOf, signal } from '../chain/fixture.js'
import { Pair, type Peer } from './pair.js'

/** Who was asked in vain for long is asked again after half a minute. */
const PATIENCE_MS = 60_000

const LOOK_EVERY_MS = 50

describe('a folder that was copied, with the key that opens it', function () {
  this.timeout(240_000)
  let scratch: string
  let world: ChainWorld
  const running: EnclaveNode[] = []

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-twice-'))
    world = await ChainWorld.start(2, 2)
  })

  after(async () => {
    await Promise.all(running.map((node) => node.stop()))
    await world.stop()
    await rm(scratch, { recursive: true })
  })

  async function start(cluster: number, name: string, bootstrap: readonly string[]): Promise<EnclaveNode> {
    const accountSeed = enclaveSeedOf(cluster, 0)
    const node = await createNode({ folder: join(scratch, name), chainUrl: world.server.url, bootstrap, accountSeed })
    running.push(node)
    await node.start()
    return node
  }

  const peerOf = (node: EnclaveNode): Peer => ({
    status: () => node.status(),
    store: (kind, request) => node.storeShare(kind, request, { signal }),
  })

  /** mocha's timeout ends it otherwise. */
  async function untilHeld(node: EnclaveNode, keys: readonly ShareKey[]): Promise<void> {
    for (;;) {
      const held = new Set<string>()
      for await (const share of node.heldShares()) held.add(shareKeyText(share))
      if (keys.every((key) => held.has(shareKeyText(key)))) return
      await pause(LOOK_EVERY_MS)
    }
  }

  it('makes two nodes of one enclave, of which others reach one at a time: nothing is lost, and no log is forked', async () => {
    const other = await start(1, 'other', [])
    const { multiaddrs } = await other.status()
    const before = await start(0, 'first', multiaddrs)
    const pair = Pair.of(world, 1, peerOf(before), peerOf(other))
    await Promise.all([pair.give(0, 2), pair.give(1, 2)])
    await pair.untilWhole()
    await before.stop()
    await cp(join(scratch, 'first'), join(scratch, 'second'), { recursive: true })

    const first = await start(0, 'first', multiaddrs)
    const second = await start(0, 'second', multiaddrs)
    assert.deepEqual([second.account, second.peerId], [first.account, first.peerId])
    pair.replace(0, peerOf(first))
    const copied = pair.withAnother(peerOf(second))
    // What an owner hands to one of them the other can only have from others.
    const [ofFirst] = await Promise.all([pair.give(0, 2), copied.give(0, 2), pair.give(1, 2)])
    await second.stop()
    await untilHeld(other, ofFirst)
    await first.stop()
    const secondAgain = await start(0, 'second', multiaddrs)
    copied.replace(0, peerOf(secondAgain))
    await copied.untilWhole(PATIENCE_MS)
    await secondAgain.stop()
    const firstAgain = await start(0, 'first', multiaddrs)
    pair.replace(0, peerOf(firstAgain))
    await pair.untilWhole(PATIENCE_MS)
    for (const node of [firstAgain, other]) assert.deepEqual(node.forks(), [])
  })
})

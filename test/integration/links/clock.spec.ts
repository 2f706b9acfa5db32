import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EnclaveNode } from '../../../src/node/index.js'
import { EnclaveChild } from '../../crash/enclave-child.js'
import { createNode } from '../../crash/node.js'
import { ChainWorld, enclaveSeedOf, signal } from '../chain/fixture.js'
import { Pair } from './pair.js'

const HOUR_MS = 3_600_000

describe('a node whose clock is set', function () {
  this.timeout(120_000)
  let scratch: string
  let world: ChainWorld
  let node: EnclaveNode
  let child: EnclaveChild
  let pair: Pair

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-clock-'))
    world = await ChainWorld.start(2, 2)
    const chainUrl = world.server.url
    child = new EnclaveChild()
    node = await createNode({
      folder: join(scratch, 'steady'),
      chainUrl,
      bootstrap: [],
      accountSeed: enclaveSeedOf(0, 0),
    })
    await node.start()
    await child.ready
    await child.call('live', {
      folder: join(scratch, 'set'),
      chainUrl,
      bootstrap: (await node.status()).multiaddrs,
      accountSeed: enclaveSeedOf(1, 0),
      deadlyWrite: undefined,
      tableBytes: undefined,
    })
    pair = Pair.of(
      world,
      1,
      { status: () => node.status(), store: (kind, request) => node.storeShare(kind, request, { signal }) },
      { status: () => child.call('status'), store: (kind, request) => child.call('store', kind, request) },
    )
    await exchangeBothWays()
  })

  after(async () => {
    await child.kill()
    await node.stop()
    await world.stop()
    await rm(scratch, { recursive: true })
  })

  async function exchangeBothWays(): Promise<void> {
    await Promise.all([pair.give(0, 2), pair.give(1, 2)])
    await pair.untilWhole()
    const { problems } = await child.call('status')
    assert.deepEqual(problems, [])
  }

  // One after the other: it ends right again, and is right or wrong by hours in between.
  for (const [hours, what] of [
    [1, 'an hour ahead'],
    [-1, 'right again, by an hour back'],
    [-6, 'six hours behind'],
    [6, 'right again, by six hours ahead'],
  ] as const) {
    it(`goes on as before: ${what}`, async () => {
      await child.call('setClock', hours * HOUR_MS)
      await exchangeBothWays()
    })
  }
})

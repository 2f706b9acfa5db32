import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Endpoint } from '../../../src/devchain/index.js'
import type { EnclaveNode } from '../../../src/node/index.js'
import { type LinkShape, PLAIN_LINK, Shaping } from '../../../src/simulation/live/shaping/index.js'
import { createNode } from '../../crash/node.js'
import { Random } from '../../support/random.js'
import { ChainWorld, enclaveSeedOf } from '../chain/fixture.js'
import { Pair, type Peer } from './pair.js'

const CHAIN_PATIENCE_MS = 2_000

/** The same as in network namespaces, with the network played: this needs nothing of the machine. */
describe('two slot peers on links that fail', function () {
  this.timeout(120_000)
  const seed = Math.floor(Math.random() * 2 ** 31)
  const nodes: EnclaveNode[] = []
  const shapings: Shaping[] = []
  let scratch: string
  let world: ChainWorld
  let endpoints: Endpoint[]
  let pair: Pair

  before(async () => {
    console.info(`      seed 0x${seed.toString(16)}`)
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-links-'))
    world = await ChainWorld.start(2, 2)
    endpoints = [await world.server.openEndpoint(), await world.server.openEndpoint()]
    const peers: Peer[] = []
    for (const [cluster, { url }] of endpoints.entries()) {
      const random = new Random(seed + cluster)
      const shaping = new Shaping(() => random.fraction())
      const bootstrap = (await nodes[0]?.status())?.multiaddrs ?? []
      const accountSeed = enclaveSeedOf(cluster, 0)
      const folder = join(scratch, `${cluster}`)
      const input = { folder, chainUrl: url, bootstrap, accountSeed, chainPatienceMs: CHAIN_PATIENCE_MS }
      const node = await createNode(input, { transport: shaping.transport })
      await node.start()
      nodes.push(node)
      shapings.push(shaping)
      const { signal } = new AbortController()
      peers.push({
        status: () => node.status(),
        store: (kind, request) => node.storeShare(kind, request, { signal }),
      })
    }
    pair = Pair.of(world, seed, ...peers)
    await pair.give(0, 1)
    await pair.give(1, 1)
    await pair.untilWhole()
  })

  after(async () => {
    shape(PLAIN_LINK)
    await Promise.all(nodes.map((node) => node.stop()))
    for (const shaping of shapings) shaping.end()
    await world.stop()
    await rm(scratch, { recursive: true })
  })

  function shape(link: LinkShape): void {
    for (const [at, shaping] of shapings.entries()) {
      shaping.change(nodes.flatMap(({ peerId }, other) => (other === at ? [] : [[peerId, link] as const])))
    }
  }

  it('have all when they were cut from each other, with their connections left half open', async () => {
    shape({ ...PLAIN_LINK, isCut: true })
    await Promise.all([pair.give(0, 2), pair.give(1, 2)])
    await Promise.all([0, 1].map((at) => pair.until(at, 'two wants', ({ wantsOpen }) => wantsOpen === 2)))
    shape(PLAIN_LINK)
    await pair.untilWhole()
  })

  it('have all when one was cut from the chain, whose connection was left half open', async () => {
    const faults = endpoints[0]?.faults
    if (faults === undefined) throw new Error('There is no endpoint.')
    faults.isPaused = true
    await pair.give(1, 3)
    await pair.until(0, 'a broken connection', ({ chain }) => chain?.state === 'connecting')
    faults.isPaused = false
    await pair.untilWhole()
  })

  it('have all over 200 ms and a loss of 5 %', async () => {
    shape({ ...PLAIN_LINK, latency: 200, loss: 0.05 })
    await Promise.all([pair.give(0, 4), pair.give(1, 4)])
    await pair.untilWhole()
    shape(PLAIN_LINK)
  })

  it('have all though their connections are dropped again and again', async () => {
    const random = new Random(seed)
    const given = Promise.all([pair.give(0, 4), pair.give(1, 4)])
    for (let drops = 0; drops < 12; drops += 1) {
      await pause(50 + random.below(250))
      for (const shaping of shapings) shaping.dropConnections()
      for (const { faults } of endpoints) if (random.chance(0.3)) faults.dropConnections()
    }
    await given
    await pair.untilWhole()
  })
})

/*
 * Inside of a namespace: the chain, two machines of which each runs an enclave's process, and the cases that are asked
 * for by name.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../../src/domain/index.js'
import { EnclaveChild } from '../../crash/enclave-child.js'
import { Random } from '../../support/random.js'
import { ChainWorld, enclaveSeedOf } from '../chain/fixture.js'
import { CHAIN_HOST, Machine, makeBridges } from './namespaces.js'
import { Pair, type Peer } from './pair.js'

/** What is asked of the process, by name; its answer has none of the two when all went well. */
export interface CaseAnswer {
  readonly error?: string
  /** Why it could not be tried. */
  readonly skipped?: string
}

const CHAIN_PATIENCE_MS = 2_000

const seed = Number(process.argv[2])
const random = new Random(seed)
makeBridges()
const scratch = await mkdtemp(join(tmpdir(), 'slotmesh-namespaces-'))
const world = await ChainWorld.start(2, 2)
const chainUrl = await throughBridge(world.server.url)
const machines = [new Machine(2), new Machine(3)] as const
const children: EnclaveChild[] = []
const pair = Pair.of(world, seed, await start(0), await start(1))

const cases: Readonly<Record<string, () => Promise<CaseAnswer>>> = {
  'cut from each other': async () => {
    machines[0].cut('mesh')
    await Promise.all([pair.give(0, 2), pair.give(1, 2)])
    await Promise.all([0, 1].map((at) => pair.until(at, 'two wants', ({ wantsOpen }) => wantsOpen === 2)))
    machines[0].heal('mesh')
    await pair.untilWhole()
    return {}
  },
  'cut from the chain': async () => {
    machines[0].cut('chain')
    await pair.give(1, 3)
    await pair.until(0, 'a broken connection', ({ chain }) => chain?.state === 'connecting')
    machines[0].heal('chain')
    await pair.untilWhole()
    return {}
  },
  flapping: async () => {
    const given = Promise.all([pair.give(0, 4), pair.give(1, 4)])
    for (let cuts = 0; cuts < 10; cuts += 1) {
      const [machine, network] = [random.pick(machines), random.pick(['chain', 'mesh'] as const)]
      machine.cut(network)
      await pause(100 + random.below(400))
      machine.heal(network)
      await pause(random.below(200))
    }
    await given
    await pair.untilWhole()
    return {}
  },
  'slow and lossy': async () => {
    const isImpaired = machines.map((machine) => machine.impair(200, 5))
    if (!isImpaired.every(Boolean))
      return { skipped: 'this kernel has no netem, so that no packets can be delayed or lost' }
    await Promise.all([pair.give(0, 4), pair.give(1, 4)])
    await pair.untilWhole()
    for (const machine of machines) machine.repair()
    return {}
  },
  'half open': async () => {
    machines[1].cut('mesh')
    await children[1]?.kill()
    const host = machines[1].moveTo(4)
    machines[1].heal('mesh')
    pair.replace(1, await start(1, host))
    await Promise.all([pair.give(0, 2), pair.give(1, 2)])
    await pair.untilWhole()
    return {}
  },
}

/** The development chain is on loopback only. */
async function throughBridge(url: string): Promise<string> {
  const { port } = new URL(url)
  const join = (one: Socket, other: Socket) => {
    one.pipe(other)
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
  const server = createServer((outside) => {
    const inside = connect(Number(port), '127.0.0.1')
    join(outside, inside)
    join(inside, outside)
  }).listen(0, CHAIN_HOST)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('There is no port.')
  return `ws://${CHAIN_HOST}:${address.port}`
}

async function start(cluster: 0 | 1, host = machines[cluster].meshHost): Promise<Peer> {
  const child = new EnclaveChild(...machines[cluster].command)
  await child.ready
  const first = cluster === 1 ? await children[0]?.call('status') : undefined
  await child.call('live', {
    folder: join(scratch, `${cluster}`),
    chainUrl,
    bootstrap: first?.multiaddrs ?? [],
    accountSeed: enclaveSeedOf(cluster, 0),
    listen: `/ip4/${host}/tcp/0`,
    chainPatienceMs: CHAIN_PATIENCE_MS,
    deadlyWrite: undefined,
    tableBytes: undefined,
  })
  children[cluster] = child
  return { status: () => child.call('status'), store: (kind, request) => child.call('store', kind, request) }
}

async function answerOf(name: string): Promise<CaseAnswer> {
  try {
    return (await cases[name]?.()) ?? { error: `There is no case ${name}.` }
  } catch (thrown) {
    return { error: messageOf(thrown) }
  }
}

process.on('message', async (name: string) => process.send?.(await answerOf(name)))
process.once('disconnect', async () => {
  await Promise.all(children.map((child) => child.kill()))
  await rm(scratch, { recursive: true, force: true })
  process.exit(0)
})
await pair.give(0, 1)
await pair.give(1, 1)
await pair.untilWhole()
process.send?.({})

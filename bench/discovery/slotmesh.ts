/* Many hosts in one process, each of which enters the mesh, tells where it is, and finds its slot peers. */
import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { type AccountSigner, accountSigner, toHex } from '../../src/crypto/index.js'
import {
  type AccountId,
  CLUSTER_SIZE,
  type Cluster,
  type EnclaveSeat,
  pause,
  Registry,
  SlotmeshError,
  silentLogger,
} from '../../src/domain/index.js'
import { createMeshHost, type MeshHost } from '../../src/mesh/index.js'
import { input, report } from '../harness/child.js'

export interface DiscoveryInput {
  readonly nodes: number
}

export interface DiscoveryOutput {
  /**
   * Processor time of one node until it has entered, is found by others, and has found {@link PEERS} of its slot. Where not
   * all have when the time is over, what was used for them counts for those that have.
   */
  readonly secondsPerNode: number
  /** Messages of the DHT for that. */
  readonly messagesPerNode: number
  /** Open by then. */
  readonly connectionsPerNode: number
  /** Opened until then. */
  readonly openedPerNode: number
  /** Of those {@link PEERS} of each node, how many were found in time; percent. */
  readonly foundFirstPercent: number
  /** Of all slot peers of all nodes, how many were found at the address where they are; percent. */
  readonly foundPercent: number
  /** Messages of the DHT for each of the others that were found after that. */
  readonly messagesPerFurther: number
}

/** As many as a mesh of 25 has in a slot beside oneself: so nodes of all sizes of mesh have as much to do. */
const PEERS = 4

/** By which all others enter, each by one of them. */
const BOOTSTRAPS = 5

/** Starts, and look-ups, under way at once. */
const AT_ONCE = 25

/** As long as the engine leaves a peer alone that could not be used. */
const AGAIN_MS = 500

/** What is not found by then counts as not found; the rest of them have a quarter as long. */
const DEADLINE_MS = 88_000

/** Between looks at whether all that were started have entered. */
const LOOK_MS = 100

interface Member {
  readonly seat: EnclaveSeat
  readonly host: MeshHost
}

const { nodes } = input<DiscoveryInput>()
const genesisHash = toHex(randomBytes(32))
const signers = Array.from({ length: nodes }, () => accountSigner(new Uint8Array(randomBytes(32))))
const registry = registryOf(signers.map(({ account }) => account))
const members: Member[] = []
let opened = 0
const begun = process.cpuUsage()
const inTime = AbortSignal.timeout(DEADLINE_MS)
setMaxListeners(0, inTime)

while (members.length < nodes && !inTime.aborted) {
  const starting = signers.slice(
    members.length,
    members.length < BOOTSTRAPS ? members.length + 1 : members.length + AT_ONCE,
  )
  const started = await Promise.all(starting.map((signer, index) => start(signer, members.length + index)))
  members.push(...started)
  await entered(started)
}
let foundFirst = 0
await each(members, inTime, async (member, signal) => {
  const here = await find(member, slotPeers(member).slice(0, PEERS), signal)
  foundFirst += here
})
const { user, system } = process.cpuUsage(begun)
const messages = messagesOfAll()
const openedByThen = opened
const connections = members.reduce((sum, { host }) => sum + host.libp2p.getConnections().length, 0)
let found = 0
let further = 0
await each(members, AbortSignal.timeout(DEADLINE_MS / 4), async (member, signal) => {
  const peers = slotPeers(member)
  const here = await find(member, peers, signal)
  found += here
  further += Math.max(0, peers.length - PEERS)
})
// In each cluster all seats are taken, so each has a slot peer in every other one.
const peersOfEach = registry.clusters().length - 1
const wantedFirst = nodes * Math.min(PEERS, peersOfEach)
const output: DiscoveryOutput = {
  secondsPerNode: (user + system) / 1e6 / Math.max(1, (nodes * foundFirst) / Math.max(1, wantedFirst)),
  messagesPerNode: messages / members.length,
  connectionsPerNode: connections / members.length,
  openedPerNode: openedByThen / members.length,
  foundFirstPercent: (100 * foundFirst) / wantedFirst,
  foundPercent: (100 * found) / (nodes * peersOfEach),
  messagesPerFurther: further === 0 ? 0 : (messagesOfAll() - messages) / further,
}
report(output)
process.exit()

async function start(signer: AccountSigner, at: number): Promise<Member> {
  const seat = registry.seatOf(signer.account)
  if (seat === undefined) throw new Error('Nobody is without a seat.')
  // Not the same for all of a slot: that would be a mesh for each slot.
  const entry = members[Math.floor(at / CLUSTER_SIZE) % BOOTSTRAPS] ?? members[0]
  const host = await createMeshHost({
    privateKey: new Uint8Array(randomBytes(32)),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: entry?.host.multiaddrs() ?? [],
    allowPrivateAddresses: true,
    // They would be of as many addresses elsewhere.
    inboundConnectionThreshold: nodes * AT_ONCE,
    genesisHash,
    signer,
    registry: () => registry,
    logger: silentLogger,
  })
  host.libp2p.addEventListener('connection:open', () => {
    opened += 1
  })
  await host.start()
  await host.publish(seat)
  return { seat, host }
}

/** One process is to be as good as many machines: without this, all that start wait for each other's processor time. */
async function entered(started: readonly Member[]): Promise<void> {
  const isIn = ({ host }: Member): boolean => host.libp2p.services.dht.routingTable.size > 0
  while (members.length > 1 && !inTime.aborted && !started.every(isIn)) {
    await pause(LOOK_MS, { signal: inTime }).catch(() => undefined)
  }
}

/** @returns how many were found where they are. */
async function find({ host }: Member, peers: readonly Member[], signal: AbortSignal): Promise<number> {
  let found = 0
  for (const { seat, host: sought } of peers) {
    const peerId = await resolveIn(host, seat.account, signal)
    if (peerId === sought.peerId.toString()) found += 1
  }
  return found
}

/** Again and again, as whoever wants shares does: who is sought may not have told anybody yet. Undefined when it is too late. */
async function resolveIn(host: MeshHost, account: AccountId, signal: AbortSignal): Promise<string | undefined> {
  while (!signal.aborted) {
    try {
      const { peerId } = await host.resolve(account, { signal })
      return peerId.toString()
    } catch (thrown) {
      if (signal.aborted) return undefined
      if (!(thrown instanceof SlotmeshError) || thrown.code !== 'mesh/enclave-not-found') throw thrown
      await pause(AGAIN_MS, { signal }).catch(() => undefined)
    }
  }
  return undefined
}

/** Those of the nearest clusters first, as the relay of shares has it. */
function slotPeers({ seat }: Member): Member[] {
  const others = members.filter(({ seat: other }) => other.slot === seat.slot && other !== seat)
  const start = others.findIndex(({ seat: other }) => other.cluster > seat.cluster)
  return start < 0 ? others : [...others.slice(start), ...others.slice(0, start)]
}

function messagesOfAll(): number {
  return members.reduce((sum, { host }) => sum + host.dhtTraffic().messages, 0)
}

async function each(
  all: readonly Member[],
  signal: AbortSignal,
  task: (member: Member, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  setMaxListeners(0, signal)
  const left = [...all]
  const worker = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await task(next, signal)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

function registryOf(accounts: readonly AccountId[]): Registry {
  const clusters = Array.from({ length: Math.ceil(accounts.length / CLUSTER_SIZE) }, (_, id): Cluster => {
    const members = accounts.slice(id * CLUSTER_SIZE, (id + 1) * CLUSTER_SIZE)
    const seats = members.map((account, slot) => ({ account, operator: account, apiUri: '', cluster: id, slot }))
    return { id, type: 'public', seats }
  })
  return new Registry(clusters)
}

import { type ShareKey, type ShareKind, shareKeyText } from '../domain/index.js'
import type { NodeEvent } from '../node/index.js'
import {
  auditFailover,
  auditHoldings,
  auditMinted,
  auditOutsiders,
  auditRecovery,
  auditRefusals,
  auditRefusalsSent,
  auditResume,
  type Sent,
} from './audit.js'
import { convertToHybrid, mintAll, mintOrders } from './minting.js'
import type { Timing } from './report.js'
import { askAsSomebodyElse, holdingOf, retrieveAll } from './retrieving.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import { launch, launchCluster, launchImpostor, seat, untilAllHold } from './staging.js'
import { askAsStranger } from './stranger.js'
import type { World } from './world.js'

/** A chapter of the story. */
export interface Phase {
  readonly title: string
  readonly run: (world: World) => Promise<void>
}

/** The life of shares, from an empty chain to the audit. */
export const PHASES: readonly Phase[] = [
  { title: 'A development chain starts', run: startChain },
  { title: 'The enclaves of the first clusters start', run: startFirstClusters },
  { title: 'They register and take their seats', run: seatFirstClusters },
  { title: 'Owners mint NFTs and hand their shares over', run: mintFirstNfts },
  { title: 'Slot peers of the other clusters fetch the shares', run: replicate },
  { title: 'A late cluster fetches everything, though a peer is down', run: joinLate },
  { title: 'An enclave is killed while NFTs are minted, and resumes', run: killAndResume },
  { title: 'An impostor and a stranger ask for shares', run: refuseOutsiders },
  { title: 'Everybody is compared with the chain', run: audit },
]

/** Who plays which part, as cluster and slot. */
const CAST = {
  /** Killed; in the second cluster, so that the first one's enclaves, by which others enter the mesh, stay. */
  victim: [1, 2],
  /** Down while its slot peer of the late cluster joins, which tries the first cluster first. */
  absent: [0, 4],
} as const

/** The part of all NFTs that is kept for the time when an enclave is down. */
const MINTED_LATER = 1 / 4

async function startChain(world: World): Promise<void> {
  await world.openChain()
  world.note(`listening on ${world.actors.endpoint}`)
}

async function startFirstClusters(world: World): Promise<void> {
  const { clusters } = world.options
  for (let started = 0; started < clusters; started++) {
    await launchCluster(world, { ownProcess: started === CAST.victim[0] ? CAST.victim[1] : undefined })
    world.count('clusters', started + 1, clusters)
  }
  const victim = world.enclave(...CAST.victim)
  world.note(`${victim.name} runs in a process of its own, ${victim.processId}`)
}

async function seatFirstClusters(world: World): Promise<void> {
  await seat(world, world.officials)
}

async function mintFirstNfts(world: World): Promise<void> {
  const { secrets, capsules } = world.options
  const later = mintedLater(world)
  await mintAll(
    world,
    mintOrders(world.clusters, { secret: secrets - later.secret, capsule: capsules - later.capsule }),
  )
}

async function replicate(world: World): Promise<void> {
  await untilAllHold(world, world.officials)
  world.timings.push(replicationTiming(world, 'replication, all NFTs at once: trigger seen -> share durable'))
  const hybrid = await convertToHybrid(world)
  await untilAllHold(world, world.officials)
  world.timings.push(replicationTiming(world, 'replication, one NFT alone: trigger seen -> share durable', hybrid))
}

async function joinLate(world: World): Promise<void> {
  const absent = world.enclave(...CAST.absent)
  await absent.stop()
  world.note(`${absent.name} is stopped`)
  const late = await launchCluster(world)
  await seat(world, late.enclaves)
  await untilAllHold(world, late.enclaves)
  world.timings.push({
    name: 'bootstrap: seat seen -> last share durable',
    samples: late.enclaves.map(({ events }) => bootstrapTime(events)),
  })
  for (const enclave of late.enclaves) enclave.notes.push('late')
  const newcomer = world.enclave(late.id, absent.slot)
  const failed = newcomer.events.filter((event) => event.type === 'exchange-failed')
  world.checks.push(auditFailover(absent.account, failed, stored(newcomer.events)))

  await launch(world, absent)
  absent.notes.push('stopped, restarted')
  await untilAllHold(world, [absent])
}

async function killAndResume(world: World): Promise<void> {
  const victim = world.enclave(...CAST.victim)
  const heldBefore = await victim.handle.heldShares()
  const others = world.clusters.filter(({ id }) => id !== victim.cluster)
  world.note(`${victim.name} is killed`)
  await Promise.all([victim.kill(), mintAll(world, mintOrders(others, mintedLater(world)))])
  await untilAllHold(
    world,
    others.flatMap(({ enclaves }) => enclaves),
  )

  const [reportedBefore, startedAt] = [victim.events.length, Date.now()]
  await launch(world, victim)
  victim.notes.push('killed, resumed')
  await untilAllHold(world, [victim])
  const fetched = stored(victim.events.slice(reportedBefore))
  world.timings.push({
    name: 'resume: process started -> missed share durable',
    samples: fetched.map(({ at }) => at - startedAt),
  })
  world.checks.push(auditResume(await world.listedShares(), heldBefore, fetched))
}

async function refuseOutsiders(world: World): Promise<void> {
  const impostor = await launchImpostor(world)
  const peers = world.officials.filter(({ slot }) => slot === impostor.slot)
  const refusalBy = (peer: SimulatedEnclave) =>
    impostor.events.find((event) => event.type === 'refusal-received' && event.from === peer.account)
  await world.waitUntil(
    async () => peers.every(refusalBy) || undefined,
    () => `${peers.filter((peer) => !refusalBy(peer)).map(({ name }) => name)} to refuse the impostor`,
  )
  const refusals = impostor.events.filter((event) => event.type === 'refusal-received')
  const oneOfEachCluster = world.officials.filter(({ slot }) => slot === impostor.slot + 1)
  const stranger = await askAsStranger(world, oneOfEachCluster)
  world.strangers.push({ enclave: 'stranger', shares: stranger.shares })
  world.checks.push(
    auditRefusals(
      'Every slot peer refuses the impostor for its measurement, at every try',
      'MEASUREMENT_NOT_ALLOWED',
      refusals.map(({ from, code }) => ({ what: `the impostor at ${world.nameOf(from)}`, refusedWith: code })),
    ),
    auditRefusals('Every cluster refuses a stranger whom the chain does not know', 'NOT_REGISTERED', stranger.attempts),
  )
}

async function audit(world: World): Promise<void> {
  const { threshold } = world.options
  const listed = await world.listedShares()
  const clusters = world.clusters.map(({ id }) => id)
  world.checks.push(
    auditMinted(
      listed,
      world.secrets.map(({ key }) => key),
    ),
    ...auditHoldings(listed, await Promise.all(world.officials.map(holdingOf))),
    ...(await auditRecovery(listed, clusters, await retrieveAll(world), threshold)),
    auditRefusals(
      'Nobody but the owner gets a share',
      'owner/requesterverificationfailed',
      await askAsSomebodyElse(world),
    ),
    auditOutsiders([...(await Promise.all(world.impostors.map(holdingOf))), ...world.strangers]),
    auditRefusalsSent(OFFICIAL_REFUSALS, await Promise.all(world.officials.map(refusalsSentBy))),
  )
}

/** What official enclaves have reason to send: to impostor and stranger, and for the moment to one that is ahead. */
const OFFICIAL_REFUSALS = ['MEASUREMENT_NOT_ALLOWED', 'NOT_REGISTERED', 'NOT_READY', 'BUSY', 'TOKEN_IN_FUTURE']

async function refusalsSentBy(enclave: SimulatedEnclave): Promise<Sent> {
  return { enclave: enclave.name, codes: (await enclave.status()).refusals.sent }
}

/** How many NFTs of each kind are minted while an enclave is down. */
function mintedLater({ options }: World): Record<ShareKind, number> {
  return { secret: Math.ceil(options.secrets * MINTED_LATER), capsule: Math.ceil(options.capsules * MINTED_LATER) }
}

type Stored = NodeEvent & { readonly type: 'share-stored' }

function stored(events: readonly NodeEvent[]): Stored[] {
  return events.filter((event) => event.type === 'share-stored')
}

/** How long shares took, or one share, at every replica. */
function replicationTiming({ officials }: World, name: string, only?: ShareKey): Timing {
  const events = officials.flatMap(({ events }) => stored(events))
  const chosen = only === undefined ? events : events.filter(({ key }) => shareKeyText(key) === shareKeyText(only))
  return { name, samples: chosen.map(({ triggeredAt, at }) => at - triggeredAt) }
}

/** From the moment that an enclave saw its seat to its last share, in ms. */
function bootstrapTime(events: readonly NodeEvent[]): number {
  const begun = events.find((event) => event.type === 'state' && event.state === 'setup')?.at ?? Number.NaN
  return Math.max(...stored(events).map(({ at }) => at)) - begun
}

import type { ShareKey } from '../../domain/index.js'
import type { NodeEvent } from '../../node/index.js'
import {
  auditFailover,
  auditHoldings,
  auditImpostors,
  auditMinted,
  auditOutsiders,
  auditPrivacy,
  auditRecovery,
  auditRefusals,
  auditRefusalsSent,
  auditResume,
  CHECK_NAMES,
} from '../audit.js'
import type { Check } from '../report.js'
import type { EnclaveName } from '../scenario/index.js'
import type { AuditedExpectation } from '../stage.js'
import { refusalsOf } from './performing.js'
import { askAsSomebodyElse, holdingOf, retrieveAll } from './retrieving.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import type { Watcher } from './watching.js'
import type { World } from './world.js'

/** What official enclaves have reason to send: to impostor and stranger, and for the moment to one that is ahead. */
const OFFICIAL_REFUSALS = ['MEASUREMENT_NOT_ALLOWED', 'NOT_REGISTERED', 'NOT_READY', 'BUSY', 'TOKEN_IN_FUTURE']

/** Looks into enclaves and at what they reported, and says what an expectation comes to. */
export async function audit(world: World, watcher: Watcher, expectation: AuditedExpectation): Promise<Check[]> {
  switch (expectation.type) {
    case 'complete':
      return auditComplete(world, watcher)
    case 'recovery':
      return auditSecrets(world)
    case 'outsiders-get-nothing':
      return auditThoseOutside(world)
    case 'resumed':
      return [auditReturn(world, watcher, expectation.enclave, await world.listedShares())]
    case 'failed-over':
      return [auditDetour(world.enclave(expectation.enclave), world.enclave(expectation.peer))]
    case 'no-needless-refusals': {
      const up = world.officials.filter(({ isUp }) => isUp)
      const sent = up.map(async (enclave) => ({ enclave: enclave.name, codes: (await enclave.status()).refusals.sent }))
      return [auditRefusalsSent(OFFICIAL_REFUSALS, await Promise.all(sent))]
    }
  }
}

async function auditComplete(world: World, { listing }: Watcher): Promise<Check[]> {
  const listed = await world.listedShares()
  const handedOver = world.secrets.map(({ key }) => key)
  const holdings = await Promise.all(world.replicas.map(holdingOf))
  const closed = world.clusters.filter(({ access }) => access === 'private')
  const privately = closed.map(async ({ id, enclaves, privateSince = 0 }) => {
    const holding = await Promise.all(enclaves.filter(({ isUp }) => isUp).map(holdingOf))
    const isOfOthers = (share: ShareKey) => {
      const known = listing.of(share)
      return known !== undefined && known.origin !== id && known.version > privateSince
    }
    return holding.map(({ enclave, shares }) => ({ enclave, shares: shares.filter(isOfOthers) }))
  })
  return [
    auditMinted(listed, handedOver),
    ...auditHoldings(listed, holdings),
    ...(closed.length > 0 ? [auditPrivacy((await Promise.all(privately)).flat())] : []),
  ]
}

async function auditSecrets(world: World): Promise<Check[]> {
  const listed = await world.listedShares()
  const open = world.clusters.filter(({ access }) => access === 'public').map(({ id }) => id)
  return [
    ...(await auditRecovery(listed, open, await retrieveAll(world), world.scenario.threshold)),
    auditRefusals(
      'Nobody but the owner gets a share',
      'owner/requesterverificationfailed',
      await askAsSomebodyElse(world),
    ),
  ]
}

async function auditThoseOutside(world: World): Promise<Check[]> {
  const { impostors, refusedStrangers, strangers } = world.outsiders
  const refusals = impostors.flatMap(refusalsOf)
  const checks: Check[] = []
  if (impostors.length > 0) {
    checks.push(
      auditImpostors(
        refusals.map(({ from, code }) => ({ what: `the impostor at ${world.nameOf(from)}`, refusedWith: code })),
      ),
    )
  }
  if (strangers.length > 0) {
    checks.push(auditRefusals(CHECK_NAMES.strangerRefused, 'NOT_REGISTERED', refusedStrangers))
  }
  const up = impostors.filter(({ isUp }) => isUp)
  return [...checks, auditOutsiders([...(await Promise.all(up.map(holdingOf))), ...strangers])]
}

/** Of what it could not have from its own cluster. */
function auditReturn(world: World, { listing }: Watcher, name: EnclaveName, listed: readonly ShareKey[]): Check {
  const { falls, events, cluster } = world.enclave(name)
  const lastFall = falls.at(-1)
  const fromOthers = listed.filter((key) => listing.of(key)?.origin !== cluster)
  return auditResume(fromOthers, lastFall?.held ?? [], stored(events.slice(lastFall?.eventsBefore ?? 0)))
}

/** What it did while the peer was down. */
function auditDetour(enclave: SimulatedEnclave, peer: SimulatedEnclave): Check {
  const meanwhile = enclave.events.filter(({ at }) =>
    peer.falls.some(({ fellAt, returnedAt }) => at >= fellAt && at <= returnedAt),
  )
  const failed = meanwhile.filter((event) => event.type === 'exchange-failed')
  return auditFailover(peer.account, failed, stored(meanwhile))
}

type Stored = NodeEvent & { readonly type: 'share-stored' }

function stored(events: readonly NodeEvent[]): Stored[] {
  return events.filter((event) => event.type === 'share-stored')
}

import { type ClusterId, type ShareKey, shareKeyText } from '../../domain/index.js'
import {
  type Attempt,
  auditFailover,
  auditHoldings,
  auditImpostors,
  auditMinted,
  auditOutsiders,
  auditRefusals,
  auditRefusalsSent,
  auditResume,
  CHECK_NAMES,
  check,
} from '../audit.js'
import type { Check } from '../report.js'
import { nameOf } from '../scenario/index.js'
import type { AuditedExpectation } from '../stage.js'
import type { ListedShare } from './chain.js'
import type { DiscreteEnclave } from './enclave.js'
import type { SharedShare } from './logs.js'

/** Somebody whom nobody must give anything, and what it met. */
export interface Outsider {
  readonly kind: 'impostor' | 'stranger'
  readonly name: string
  readonly held: readonly ShareKey[]
  readonly attempts: readonly Attempt[]
}

/** What is looked at when the run is over. */
export interface Finding {
  readonly listed: readonly ListedShare[]
  /** What owners handed over, but for what was burned since. */
  readonly handedOver: readonly ShareKey[]
  /** Official, in a public cluster, and up. */
  readonly officials: readonly DiscreteEnclave[]
  /** All that are official, in whatever cluster, up or down. */
  readonly everybody: readonly DiscreteEnclave[]
  readonly outsiders: readonly Outsider[]
  readonly threshold: number
  readonly byName: (name: string) => DiscreteEnclave | undefined
}

/** What official enclaves have reason to send: to outsiders, and for the moment to one another. */
const WITH_REASON = ['MEASUREMENT_NOT_ALLOWED', 'NOT_REGISTERED', 'NOT_READY', 'BUSY', 'TOKEN_IN_FUTURE']

/**
 * The checks of the live modes, under their names. Missing is what nobody does here: owners do not ask for their shares
 * back, and so nobody is refused one; and what private clusters hold is not looked at.
 */
export function audited(expectation: AuditedExpectation, finding: Finding): Check[] {
  switch (expectation.type) {
    case 'complete': {
      const listed = finding.listed.map(({ key }) => key)
      const holdings = finding.officials.map(({ name, store }) => ({
        enclave: name,
        shares: [...store.held()].map(heldShare),
      }))
      return [auditMinted(listed, finding.handedOver), ...auditHoldings(listed, holdings)]
    }
    case 'recovery':
      return recovery(finding)
    case 'outsiders-get-nothing':
      return outsidersGetNothing(finding)
    case 'resumed': {
      const enclave = finding.byName(nameOf(expectation.enclave))
      if (enclave === undefined) return [nobody(nameOf(expectation.enclave))]
      const listed = finding.listed.filter(({ cluster }) => cluster !== enclave.cluster).map(({ key }) => key)
      return [auditResume(listed, enclave.heldBefore, enclave.fetched)]
    }
    case 'failed-over': {
      const [enclave, peer] = [expectation.enclave, expectation.peer].map(nameOf).map(finding.byName)
      if (enclave === undefined || peer === undefined) return [nobody(nameOf(expectation.enclave))]
      const failed = enclave.failedPeers.map((account) => ({ peer: account }))
      // When it is up again there is nothing wrong with asking it.
      const fetched = enclave.fetched.filter(({ at }) => at < peer.startedAt || peer.startedAt < enclave.startedAt)
      return [auditFailover(peer.account, failed, fetched)]
    }
    case 'no-needless-refusals':
      return [
        auditRefusalsSent(
          WITH_REASON,
          finding.everybody.map(({ name, refusalsSent }) => ({ enclave: name, codes: refusalsSent })),
        ),
      ]
  }
}

function heldShare({ key, version, origin }: SharedShare) {
  return { ...key, version, origin }
}

/** Payloads are those that owners handed over, or the proofs would not have held: who holds a share can give it. */
function recovery({ listed, officials, threshold }: Finding): Check[] {
  const clusters = new Map<ClusterId, DiscreteEnclave[]>()
  for (const enclave of officials) {
    const members = clusters.get(enclave.cluster)
    if (members === undefined) clusters.set(enclave.cluster, [enclave])
    else members.push(enclave)
  }
  const faults: Record<'anywhere' | 'replicas', string[]> = { anywhere: [], replicas: [] }
  const recovered = { anywhere: 0, replicas: 0 }
  for (const { key, version, cluster: origin } of listed) {
    for (const [cluster, members] of clusters) {
      const holders = members.filter(({ store }) => store.heldOf(key)?.version === version).length
      for (const of of cluster === origin ? (['anywhere'] as const) : (['anywhere', 'replicas'] as const)) {
        if (holders >= threshold) recovered[of] += 1
        else faults[of].push(`${shareKeyText(key)} is held by ${holders} of cluster ${cluster} only`)
      }
    }
  }
  const detail = (of: keyof typeof recovered) => `${recovered[of]} times, in ${clusters.size} clusters`
  const hasReplicas = listed.length > 0 && clusters.size > 1
  return [
    check(CHECK_NAMES.recovery(threshold), listed.length > 0, faults.anywhere, detail('anywhere')),
    check(CHECK_NAMES.replicasAlone, hasReplicas, faults.replicas, detail('replicas')),
  ]
}

function outsidersGetNothing({ outsiders }: Finding): Check[] {
  const met = (kind: Outsider['kind']) => outsiders.filter((each) => each.kind === kind)
  const attempts = (kind: Outsider['kind']) => met(kind).flatMap((each) => each.attempts)
  const checks: Check[] = []
  if (met('impostor').length > 0) {
    checks.push(auditImpostors(attempts('impostor')))
  }
  if (met('stranger').length > 0) {
    checks.push(auditRefusals(CHECK_NAMES.strangerRefused, 'NOT_REGISTERED', attempts('stranger')))
  }
  return [...checks, auditOutsiders(outsiders.map(({ name, held }) => ({ enclave: name, shares: held })))]
}

function nobody(name: string): Check {
  return { name: `There is an enclave ${name}`, passed: false, detail: 'There is none of that name.' }
}

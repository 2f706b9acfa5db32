import { type ShareKey, shareKeyText } from '../../domain/index.js'
import {
  type Attempt,
  auditFailover,
  auditHoldings,
  auditOutsiders,
  auditRefusals,
  auditRefusalsSent,
  auditResume,
} from '../audit.js'
import type { Check } from '../report.js'
import { nameOf } from '../scenario/index.js'
import type { AuditedExpectation } from '../stage.js'
import type { ListedShare } from './chain.js'
import type { DiscreteEnclave } from './enclave.js'
import type { SharedShare } from './logs.js'

/** Somebody without a seat, and what it met. */
export interface Outsider {
  readonly name: string
  readonly held: readonly ShareKey[]
  readonly attempts: readonly Attempt[]
  /** The refusal that it deserves. */
  readonly deserves: string
}

/** What is looked at when the run is over. */
export interface Finding {
  readonly listed: readonly ListedShare[]
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

export function audited(expectation: AuditedExpectation, finding: Finding): Check {
  switch (expectation.type) {
    case 'complete':
      return joined(
        auditHoldings(
          finding.listed.map(({ key }) => key),
          finding.officials.map(({ name, store }) => ({ enclave: name, shares: [...store.held()].map(heldShare) })),
        ),
      )
    case 'recovery':
      return recovery(finding)
    case 'outsiders-get-nothing':
      return outsidersGetNothing(finding)
    case 'resumed': {
      const enclave = finding.byName(nameOf(expectation.enclave))
      if (enclave === undefined) return nobody(nameOf(expectation.enclave))
      const listed = finding.listed.filter(({ cluster }) => cluster !== enclave.cluster).map(({ key }) => key)
      return auditResume(listed, enclave.heldBefore, enclave.fetched)
    }
    case 'failed-over': {
      const [enclave, peer] = [expectation.enclave, expectation.peer].map(nameOf).map(finding.byName)
      if (enclave === undefined || peer === undefined) return nobody(nameOf(expectation.enclave))
      return auditFailover(
        peer.account,
        enclave.failedPeers.map((account) => ({ peer: account })),
        // When it is up again there is nothing wrong with asking it.
        enclave.fetched.filter(({ at }) => at < peer.startedAt || peer.startedAt < enclave.startedAt),
      )
    }
    case 'no-needless-refusals':
      return auditRefusalsSent(
        WITH_REASON,
        finding.everybody.map(({ name, refusalsSent }) => ({ enclave: name, codes: refusalsSent })),
      )
  }
}

function heldShare({ key, version, origin }: SharedShare) {
  return { ...key, version, origin }
}

/** Payloads are those that owners handed over, or the proofs would not have held: who holds a share can give it. */
function recovery({ listed, officials, threshold }: Finding): Check {
  const clusters = new Map<number, DiscreteEnclave[]>()
  for (const enclave of officials) {
    const members = clusters.get(enclave.cluster)
    if (members === undefined) clusters.set(enclave.cluster, [enclave])
    else members.push(enclave)
  }
  const faults: string[] = []
  for (const { key, version, cluster: origin } of listed) {
    let replicas = 0
    for (const [cluster, members] of clusters) {
      const holders = members.filter(({ store }) => store.heldOf(key)?.version === version).length
      if (holders < threshold) {
        faults.push(`${shareKeyText(key)} is held by ${holders} of cluster ${cluster} only`)
        continue
      }
      if (cluster !== origin) replicas += 1
    }
    if (replicas === 0) faults.push(`${shareKeyText(key)} is lost with cluster ${origin}`)
  }
  const name = `Any ${threshold} slots of any cluster recover every secret, and so do the replicas alone`
  if (listed.length === 0) return { name, passed: false, detail: 'There was nothing to check.' }
  const some = faults.slice(0, 3).join('; ')
  const detail = `${listed.length} secrets in ${clusters.size} clusters`
  return {
    name,
    passed: faults.length === 0,
    detail: faults.length === 0 ? detail : `${some} (${faults.length} in all)`,
  }
}

function outsidersGetNothing({ outsiders }: Finding): Check {
  return joined([
    auditOutsiders(outsiders.map(({ name, held }) => ({ enclave: name, shares: held }))),
    ...outsiders.map(({ name, attempts, deserves }) =>
      auditRefusals(`Everybody whom ${name} asked refused with ${deserves}`, deserves, attempts),
    ),
  ])
}

/** One check of several: it holds if all do. */
function joined(checks: readonly Check[]): Check {
  const failed = checks.filter(({ passed }) => !passed)
  const shown = failed.length > 0 ? failed : checks
  return {
    name: checks.map(({ name }) => name).join('; '),
    passed: failed.length === 0,
    detail: shown.map(({ detail }) => detail).join('; '),
  }
}

function nobody(name: string): Check {
  return { name: `There is an enclave ${name}`, passed: false, detail: 'There is none of that name.' }
}

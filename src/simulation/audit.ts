import { equalBytes } from '../crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  type ClusterId,
  type ShareKey,
  type SlotId,
  shareKeyText,
} from '../domain/index.js'
import { combineShares } from '../owner/index.js'
import { combinations } from './combinations.js'
import type { Check } from './report.js'

/** A share as an enclave lists it, without its payload. */
export type HeldShare = ShareKey & { readonly version: BlockNumber; readonly origin: ClusterId }

/** What one enclave holds, or somebody who should hold nothing. */
export interface Holding<Share extends ShareKey = HeldShare> {
  /** How the report calls the enclave. */
  readonly enclave: string
  readonly shares: readonly Share[]
}

/** What owners got when they asked every enclave of one cluster for their shares of one secret. */
export interface Retrieval {
  readonly key: ShareKey
  readonly cluster: ClusterId
  /** The cluster that the owner handed the shares to. */
  readonly origin: ClusterId
  /** By slot; undefined where the enclave did not give it. */
  readonly shares: ReadonlyMap<SlotId, string | undefined>
  /** What the owner split. */
  readonly secret: Uint8Array
}

/** An attempt that an enclave had to turn down. */
export interface Attempt {
  readonly what: string
  /** The code of the refusal, or undefined when there was none. */
  readonly refusedWith: string | undefined
}

/** What checks are called in every mode, so that runs can be compared. */
export const CHECK_NAMES = {
  recovery: (threshold: number) => `Any ${threshold} slots of any cluster recover every secret`,
  replicasAlone: 'Replicas alone recover every secret, without the cluster that its owner used',
  impostorRefused: 'The impostor is refused for its measurement, or before that is looked at, at every try',
  strangerRefused: 'Every cluster refuses a stranger whom the chain does not know',
} as const

/** Every enclave holds what the chain lists as synced, nothing else, and all agree on where it came from. */
export function auditHoldings(listed: readonly ShareKey[], holdings: readonly Holding[]): Check[] {
  const expected = new Set(listed.map(shareKeyText))
  const faults = holdings.flatMap(({ enclave, shares }) => {
    const held = shares.map(shareKeyText)
    const heldOnce = new Set(held)
    const missing = [...expected].filter((key) => !heldOnce.has(key))
    const surplus = held.filter((key, index) => !expected.has(key) || held.indexOf(key) !== index)
    return [
      ...missing.map((key) => `${enclave} misses ${key}`),
      ...surplus.map((key) => `${enclave} holds ${key}, which the chain does not list`),
    ]
  })
  return [
    check(
      'Every enclave holds exactly the shares that the chain lists',
      expected.size > 0 && holdings.length > 0,
      faults,
      `${expected.size} shares in each of ${holdings.length} enclaves`,
    ),
    auditAgreement(holdings),
  ]
}

function auditAgreement(holdings: readonly Holding[]): Check {
  const byKey = new Map<string, Map<string, string[]>>()
  for (const { enclave, shares } of holdings) {
    for (const share of shares) {
      const versions = byKey.get(shareKeyText(share)) ?? new Map<string, string[]>()
      const version = `block ${share.version} from cluster ${share.origin}`
      versions.set(version, [...(versions.get(version) ?? []), enclave])
      byKey.set(shareKeyText(share), versions)
    }
  }
  const faults = [...byKey]
    .filter(([, versions]) => versions.size > 1)
    .map(([key, versions]) => `${key} is ${[...versions].map(([what, who]) => `${what} at ${who[0]}`).join(', but ')}`)
  return check(
    'All enclaves agree on the version and the origin of every share',
    byKey.size > 0,
    faults,
    `${byKey.size} shares`,
  )
}

/** Any `threshold` shares of any cluster give the secret back, and so do the replicas without their origin. */
export async function auditRecovery(
  listed: readonly ShareKey[],
  clusters: readonly ClusterId[],
  retrievals: readonly Retrieval[],
  threshold: number,
): Promise<Check[]> {
  const tried = new Set(retrievals.map(({ key, cluster }) => `${shareKeyText(key)} of cluster ${cluster}`))
  const untried = listed
    .flatMap((key) => clusters.map((cluster) => `${shareKeyText(key)} of cluster ${cluster}`))
    .filter((name) => !tried.has(name))
    .map((name) => `${name} was not asked for`)

  const results = await Promise.all(
    retrievals.map(async (retrieval) => ({ retrieval, ...(await recover(retrieval, threshold)) })),
  )
  const faultsOf = (some: typeof results) => some.flatMap(({ faults }) => faults)
  const countOf = (some: typeof results) => some.reduce((sum, { recoveries }) => sum + recoveries, 0)
  const replicas = results.filter(({ retrieval }) => retrieval.cluster !== retrieval.origin)
  return [
    check(
      CHECK_NAMES.recovery(threshold),
      results.length > 0,
      [...untried, ...faultsOf(results)],
      `${countOf(results)} recoveries of ${listed.length} secrets in ${clusters.length} clusters`,
    ),
    check(CHECK_NAMES.replicasAlone, replicas.length > 0, faultsOf(replicas), `${countOf(replicas)} recoveries`),
  ]
}

async function recover({ key, cluster, shares, secret }: Retrieval, threshold: number) {
  const where = `${shareKeyText(key)} of cluster ${cluster}`
  const present = [...shares].flatMap(([slot, share]) => (share === undefined ? [] : [{ slot, share }]))
  const missing = [...shares].filter(([, share]) => share === undefined).map(([slot]) => slot)
  const faults = missing.length === 0 ? [] : [`${where} was not given by slots ${missing.join(', ')}`]
  if (present.length < threshold) faults.push(`${where} has ${present.length} shares only`)
  let recoveries = 0
  for (const chosen of combinations(present, threshold)) {
    if (
      await recovers(
        chosen.map(({ share }) => share),
        secret,
      )
    )
      recoveries += 1
    else faults.push(`${where} is not recovered by slots ${chosen.map(({ slot }) => slot).join(', ')}`)
  }
  return { recoveries, faults }
}

async function recovers(shares: readonly string[], secret: Uint8Array): Promise<boolean> {
  try {
    return equalBytes(await combineShares(shares), secret)
  } catch {
    // The library throws where shares cannot belong together, such as two of one slot: not recovered either way.
    return false
  }
}

/** Those who must hold nothing hold nothing. */
export function auditOutsiders(holdings: readonly Holding<ShareKey>[]): Check {
  const faults = holdings.flatMap(({ enclave, shares }) =>
    shares.map((share) => `${enclave} holds ${shareKeyText(share)}`),
  )
  return check(
    'Impostor and stranger hold no share',
    holdings.length > 0,
    faults,
    holdings.map(({ enclave }) => enclave).join(', '),
  )
}

/** What clusters that are private by now hold of others, synced since. */
export function auditPrivacy(holdings: readonly Holding<ShareKey>[]): Check {
  const faults = holdings.flatMap(({ enclave, shares }) =>
    shares.map((share) => `${enclave} holds ${shareKeyText(share)}`),
  )
  const name = 'Private clusters got nothing of the others since they are private'
  return check(name, holdings.length > 0, faults, holdings.map(({ enclave }) => enclave).join(', '))
}

/** Every attempt met exactly the refusal that it deserves. */
export function auditRefusals(name: string, expectedCode: string, attempts: readonly Attempt[]): Check {
  const faults = attempts
    .filter(({ refusedWith }) => refusedWith !== expectedCode)
    .map(({ what, refusedWith }) => `${what} met ${refusedWith ?? 'no refusal'} instead of ${expectedCode}`)
  return check(name, attempts.length > 0, faults, `${attempts.length} times ${expectedCode}`)
}

/** For what a provider refuses before it has a quote: the impostor's seat is not seen, or the provider's own has changed. */
const BEFORE_QUOTES = [
  'BUSY',
  'NOT_READY',
  'NOT_REGISTERED',
  'WRONG_SLOT',
  'CLUSTER_NOT_PUBLIC',
  'TOKEN_EXPIRED',
  'TOKEN_IN_FUTURE',
]

/** Every try of an impostor was refused, and some of them for what it is. */
export function auditImpostors(attempts: readonly Attempt[]): Check {
  const measured = attempts.filter(({ refusedWith }) => refusedWith === 'MEASUREMENT_NOT_ALLOWED').length
  const faults = attempts
    .filter(({ refusedWith }) => ![...BEFORE_QUOTES, 'MEASUREMENT_NOT_ALLOWED'].includes(refusedWith ?? ''))
    .map(({ what, refusedWith }) => `${what} met ${refusedWith ?? 'no refusal'}`)
  if (measured === 0) faults.push('nobody refused it for its measurement')
  const sooner = attempts.length - measured
  const detail = `${measured} times for its measurement${sooner === 0 ? '' : `, ${sooner} times before that`}`
  return check(CHECK_NAMES.impostorRefused, attempts.length > 0, faults, detail)
}

/** The chain lists what owners handed over, nothing less and nothing else. */
export function auditMinted(listed: readonly ShareKey[], minted: readonly ShareKey[]): Check {
  const [onChain, handedOver] = [new Set(listed.map(shareKeyText)), new Set(minted.map(shareKeyText))]
  const faults = [
    ...[...handedOver].filter((key) => !onChain.has(key)).map((key) => `${key} is not synced`),
    ...[...onChain].filter((key) => !handedOver.has(key)).map((key) => `${key} was never handed over`),
  ]
  return check(
    'The chain lists every secret that owners handed over',
    handedOver.size > 0,
    faults,
    `${onChain.size} of them`,
  )
}

/** An enclave that was killed fetches what it missed, and nothing that it had. */
export function auditResume(
  listed: readonly ShareKey[],
  heldBefore: readonly ShareKey[],
  fetched: readonly { readonly key: ShareKey }[],
): Check {
  const before = new Set(heldBefore.map(shareKeyText))
  const missed = listed.map(shareKeyText).filter((key) => !before.has(key))
  const got = fetched.map(({ key }) => shareKeyText(key))
  const faults = [
    ...missed.filter((key) => !got.includes(key)).map((key) => `${key} was not fetched`),
    ...got.filter((key) => before.has(key)).map((key) => `${key} was fetched although it was there`),
  ]
  return check(
    'An enclave that was down resumes from its folder and fetches only what it missed',
    missed.length > 0,
    faults,
    `${before.size} shares kept, ${missed.length} fetched`,
  )
}

/** The late enclave tried the peer that was down, and got everything elsewhere. */
export function auditFailover(
  absent: AccountId,
  failed: readonly { readonly peer: AccountId }[],
  fetched: readonly { readonly from: AccountId }[],
): Check {
  const tries = failed.filter(({ peer }) => peer === absent).length
  const faults = tries === 0 ? ['it never tried the peer that was down'] : []
  if (fetched.some(({ from }) => from === absent)) faults.push('it got a share from the peer that was down')
  return check(
    'An enclave fails over from the peer that is down to another cluster',
    fetched.length > 0,
    faults,
    `${tries} tries in vain, ${fetched.length} shares from others`,
  )
}

/** Official enclaves refuse the outsiders, and one another only for the moment. */
export function auditRefusalsSent(allowed: readonly string[], sent: readonly Sent[]): Check {
  const faults = sent.flatMap(({ enclave, codes }) =>
    Object.entries(codes)
      .filter(([code]) => !allowed.includes(code))
      .map(([code, times]) => `${enclave} sent ${code} ${times} times`),
  )
  return check(
    'Official enclaves send no refusal without reason',
    sent.length > 0,
    faults,
    `only ${allowed.join(', ')}`,
  )
}

/** The refusals that an enclave sent, by code. */
export interface Sent {
  readonly enclave: string
  readonly codes: Readonly<Record<string, number>>
}

/** How many faults a report spells out. */
const SHOWN_FAULTS = 3

/** A check without a subject does not hold: an audit of nothing must not pass. */
export function check(name: string, hasSubject: boolean, faults: readonly string[], detail: string): Check {
  if (!hasSubject) return { name, passed: false, detail: 'There was nothing to check.' }
  if (faults.length === 0) return { name, passed: true, detail }
  const more = faults.length > SHOWN_FAULTS ? `; and ${faults.length - SHOWN_FAULTS} more` : ''
  return { name, passed: false, detail: faults.slice(0, SHOWN_FAULTS).join('; ') + more }
}

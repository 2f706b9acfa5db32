import { X509Certificate } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { abortable, type Logger, messageOf } from '../../domain/index.js'
import { isWithin } from '../certificates.js'
import type { Published } from '../claims.js'
import {
  type CollateralRequest,
  type CollateralSource,
  published,
  type QuoteCollateral,
  type VerifiedCollateral,
  verifyCollateral,
} from '../collateral.js'
import { type AttestationError, unavailable } from '../errors.js'
import { type CollateralLimits, judgedUntil } from '../policy.js'
import { INTEL_ROOT } from '../root.js'
import { fetchCollateral, type PccsAddress } from './client.js'
import { Floors, type FloorsRecord, OlderCollateral } from './floors.js'

/** Where fetched collateral outlives the process. */
export interface CollateralCache {
  get(key: string): Promise<QuoteCollateral | undefined>
  put(key: string, collateral: QuoteCollateral): Promise<void>
}

export interface PccsCollateralOptions extends PccsAddress {
  readonly cache: CollateralCache
  /** Apart from the cache, since it outlives what is cached. */
  readonly floors: FloorsRecord
  /** What the policy asks of collateral: it is fetched anew in time for that. */
  readonly limits?: CollateralLimits | undefined
  /** DER of the root; Intel's when absent. */
  readonly rootCertificate?: Uint8Array | undefined
  readonly logger: Logger
  /** Ends the refreshing in the background. */
  readonly lifetime: AbortSignal
  readonly now?: () => Date
  /** Between two looks at what is due, ms; 600,000 by default. */
  readonly lookEveryMs?: number
}

/** How the collateral for one kind of platform does. */
export interface CollateralHealth {
  readonly request: CollateralRequest
  /** Undefined when there is none. */
  readonly held: HeldCollateral | undefined
  /** Why it could not be fetched the last time; undefined when it was. */
  readonly lastFailure: CollateralFailure | undefined
}

export interface HeldCollateral extends Published {
  /** By Intel's word. */
  readonly validUntil: Date
  /** By the policy as well; the day it was issued when the policy asks for a later round. */
  readonly usableUntil: Date
}

export interface CollateralFailure {
  readonly at: Date
  readonly reason: string
  /** What the service has is older than what was seen before. */
  readonly isOlder: boolean
}

/** Collateral from a PCCS. */
export interface PccsCollateral extends CollateralSource {
  /** Of what is held, and of what could not be had within the last hour. */
  health(): readonly CollateralHealth[]
  /** Why it cannot be told by a former time's floors what is older; undefined when it can. */
  floorsFailure(): string | undefined
  /** Fetches what is due for a refresh; failures are logged and shown by `health`. */
  refreshDue(): Promise<void>
}

interface Entry {
  readonly request: CollateralRequest
  /** Undefined until it was fetched once. */
  readonly verified: VerifiedCollateral | undefined
  /** When to fetch anew, Unix ms; not before, whoever asks. */
  readonly due: number
  readonly failures: number
  readonly lastFailure: CollateralFailure | undefined
}

/** Intel may judge a family anew on any day. */
const REFRESH_AFTER_MS = 86_400_000

/** Of its life that is left when it is refreshed at the latest. */
const LIFE_LEFT = 1 / 3

/** The first and the longest pause after failures: while there is collateral that stands, and while there is none. */
const [REFRESH_RETRY_MS, FETCH_RETRY_MS] = [
  [60_000, 3_600_000],
  [5_000, 60_000],
] as const

/** What nobody has asked for in this time is no matter any more. */
const FORGET_FAILURE_AFTER_MS = 3_600_000

/** Kinds of platforms that are remembered; a mesh has a few. */
const MAXIMUM_ENTRIES = 64

const LOOK_EVERY_MS = 600_000

/**
 * Serves collateral from memory, then from the cache, then from the service; refreshed ahead of its end in the
 * background, and used until it really ends when the service is out of order. Nothing is taken but what verifies and is
 * not older than anything seen before.
 */
export function pccsCollateral(options: PccsCollateralOptions): PccsCollateral {
  const { cache, logger, lifetime, limits = {}, now = () => new Date() } = options
  const root = new X509Certificate(options.rootCertificate ?? INTEL_ROOT)
  const floors = new Floors(options.floors, logger)
  const entries = new Map<string, Entry>()
  const fetching = new Map<string, Promise<VerifiedCollateral>>()

  function remember(key: string, entry: Entry): Entry {
    entries.delete(key)
    entries.set(key, entry)
    for (const oldest of entries.keys()) {
      if (entries.size <= MAXIMUM_ENTRIES) break
      entries.delete(oldest)
    }
    return entry
  }

  /** What the cache has, if it still stands; looked at anew at once, since nobody knows how old it is. */
  async function recall(key: string, request: CollateralRequest): Promise<Entry | undefined> {
    const verified = standing(key, await cache.get(key))
    if (verified !== undefined) await floors.remember(verified)
    // A refresh may have been quicker: what it brought is newer.
    const meanwhile = entries.get(key)
    if (meanwhile !== undefined || verified === undefined) return meanwhile
    return remember(key, { request, verified, due: 0, failures: 0, lastFailure: undefined })
  }

  function standing(key: string, kept: QuoteCollateral | undefined): VerifiedCollateral | undefined {
    try {
      return kept && verifyCollateral(kept, root, now())
    } catch (thrown) {
      logger.info('the collateral that was kept is of no use any more', { key, reason: messageOf(thrown) })
      return undefined
    }
  }

  async function fetchAnew(key: string, request: CollateralRequest): Promise<VerifiedCollateral> {
    const fetched = await fetchCollateral(options, request, { signal: lifetime })
    const at = now()
    const verified = verifyCollateral(fetched, root, at)
    requireRequested(verified, request)
    await floors.admit(verified)
    // The same object as long as nothing has changed: whoever has verified it need not do it again.
    const former = entries.get(key)?.verified
    const isSame = former !== undefined && sameText(former.collateral, fetched)
    const current = isSame ? former : verified
    await cache.put(key, verified.collateral)
    logger.info('attestation collateral fetched', { key, validUntil: verified.validity.until.toISOString() })
    remember(key, {
      request,
      verified: current,
      due: at.getTime() + restOf(held(current, limits), at),
      failures: 0,
      lastFailure: undefined,
    })
    return current
  }

  /** However many wait for it, it is fetched once. */
  function fetchOnce(key: string, request: CollateralRequest): Promise<VerifiedCollateral> {
    const under = fetching.get(key)
    if (under !== undefined) return under
    const fetched = fetchAnew(key, request)
      .catch((thrown) => {
        noteFailure(key, request, thrown)
        throw thrown
      })
      .finally(() => fetching.delete(key))
    fetching.set(key, fetched)
    return fetched
  }

  function noteFailure(key: string, request: CollateralRequest, thrown: unknown): void {
    const reason = messageOf(thrown)
    if (!lifetime.aborted) logger.warn('attestation collateral could not be fetched', { key, reason })
    const { verified, failures = 0 } = entries.get(key) ?? {}
    const at = now().getTime()
    const end = verified?.validity.until.getTime() ?? 0
    const [first, longest] = at <= end ? REFRESH_RETRY_MS : FETCH_RETRY_MS
    // Somewhat scattered, so that the enclaves of a mesh do not come all at once after an outage.
    const due = at + Math.min(first * 2 ** failures, longest) * (0.75 + Math.random() / 2)
    remember(key, {
      request,
      verified,
      due: at <= end ? Math.min(due, end) : due,
      failures: failures + 1,
      lastFailure: { at: new Date(at), reason, isOlder: thrown instanceof OlderCollateral },
    })
  }

  /** Its failures are noted where they happen. */
  async function refresh(key: string, { request }: Entry): Promise<void> {
    await fetchOnce(key, request).catch(() => undefined)
  }

  async function refreshDue(): Promise<void> {
    const at = now().getTime()
    // What never came is fetched for whoever asks.
    const due = [...entries].filter(([, entry]) => entry.verified !== undefined && entry.due <= at)
    for (const [key, entry] of due) await refresh(key, entry)
  }

  async function keepFresh(): Promise<void> {
    while (!lifetime.aborted) {
      await delay(options.lookEveryMs ?? LOOK_EVERY_MS, undefined, { signal: lifetime, ref: false })
      await refreshDue()
    }
  }

  keepFresh().catch((thrown) => {
    if (!lifetime.aborted) logger.error('collateral is no longer refreshed', { reason: messageOf(thrown) })
  })

  return {
    async collateral(request, { signal }) {
      const key = keyOf(request)
      const found = entries.get(key) ?? (await recall(key, request))
      const isDue = found === undefined || found.due <= now().getTime()
      if (found?.verified !== undefined && isWithin(found.verified.validity, now())) {
        remember(key, found)
        if (isDue) void refresh(key, found)
        return found.verified.collateral
      }
      if (!isDue && found.lastFailure !== undefined) throw noCollateral(found.lastFailure.reason)
      try {
        return (await abortable(fetchOnce(key, request), signal)).collateral
      } catch (thrown) {
        signal.throwIfAborted()
        throw noCollateral(messageOf(thrown), thrown)
      }
    },

    health() {
      const forgotten = now().getTime() - FORGET_FAILURE_AFTER_MS
      return [...entries.values()]
        .filter(({ verified, lastFailure }) => verified !== undefined || (lastFailure?.at.getTime() ?? 0) > forgotten)
        .map(({ request, verified, lastFailure }) => ({
          request,
          held: verified && held(verified, limits),
          lastFailure,
        }))
    },

    floorsFailure: () => floors.failure,

    refreshDue,
  }
}

function keyOf({ tee, fmspc, pceId, ca }: CollateralRequest): string {
  return `${tee}/${fmspc}/${pceId}/${ca}`
}

function noCollateral(reason: string, cause?: unknown): AttestationError {
  const sentence = `There is no attestation collateral for this platform (${reason}): look at the PCCS, or give the address of another one.`
  return unavailable('collateral-source', sentence, cause)
}

function held(verified: VerifiedCollateral, limits: CollateralLimits): HeldCollateral {
  const of = published(verified)
  const validUntil = verified.validity.until
  const usableUntil = Math.min(validUntil.getTime(), judgedUntil(of, limits))
  return { ...of, validUntil, usableUntil: new Date(Math.max(usableUntil, of.collateralIssuedAt.getTime())) }
}

/** How long to leave it alone, ms; a service that has nothing of use yet is asked as one that fails. */
function restOf({ usableUntil }: HeldCollateral, at: Date): number {
  const [least, most] = REFRESH_RETRY_MS
  const left = usableUntil.getTime() - at.getTime()
  return left <= 0 ? most : Math.max(least, Math.min(REFRESH_AFTER_MS, left * (1 - LIFE_LEFT)))
}

function requireRequested({ tcbInfo }: VerifiedCollateral, { tee, fmspc, pceId }: CollateralRequest): void {
  if (tcbInfo.id !== tee.toUpperCase() || tcbInfo.fmspc !== fmspc || tcbInfo.pceId !== pceId) {
    throw new Error('the service answers with the TCB info of another platform family')
  }
}

function sameText(one: QuoteCollateral, other: QuoteCollateral): boolean {
  return (Object.keys(one) as (keyof QuoteCollateral)[]).every((part) => one[part] === other[part])
}

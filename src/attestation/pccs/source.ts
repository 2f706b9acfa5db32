import { X509Certificate } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { abortable, type Logger, messageOf } from '../../domain/index.js'
import { isWithin } from '../certificates.js'
import {
  type CollateralRequest,
  type CollateralSource,
  type QuoteCollateral,
  type VerifiedCollateral,
  verifyCollateral,
} from '../collateral.js'
import { type AttestationError, unavailable } from '../errors.js'
import type { CollateralLimits } from '../policy.js'
import { INTEL_ROOT } from '../root.js'
import type { PccsAddress } from './client.js'
import { fetchNewest } from './fetching.js'
import { Floors, type FloorsRecord, OlderCollateral } from './floors.js'
import { type CollateralFailure, type CollateralHealth, heldAs } from './health.js'
import { NewestParts } from './newest.js'
import { dueAfterFailure, dueAfterSuccess, isDue } from './schedule.js'

/** Where fetched collateral outlives the process: by the kind of platform, or by what is the newest in it. */
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
  /** Why there is none in use though there was, until it is fetched. */
  readonly dropped?: CollateralFailure | undefined
}

/** What nobody has asked for in this time is no matter any more. */
const FORGET_FAILURE_AFTER_MS = 3_600_000

/** Kinds of platforms that are remembered; a mesh has a few. */
const MAXIMUM_ENTRIES = 64

const LOOK_EVERY_MS = 600_000

/**
 * Serves collateral from memory, then from the cache, then from the service; refreshed ahead of its end in the
 * background, and used until it really ends when the service is out of order. Nothing is taken but what verifies and is
 * not older than anything seen before; each part is the newest that came with any.
 */
export function pccsCollateral(options: PccsCollateralOptions): PccsCollateral {
  const { cache, logger, lifetime, limits = {}, now = () => new Date() } = options
  const root = new X509Certificate(options.rootCertificate ?? INTEL_ROOT)
  const floors = new Floors(options.floors, logger)
  const newest = new NewestParts(root, (name) => cache.get(name), logger)
  const judges = { address: options, root, floors, newest, now }
  const entries = new Map<string, Entry>()
  const fetching = new Map<string, Promise<VerifiedCollateral>>()

  function remember(key: string, entry: Entry): void {
    entries.delete(key)
    entries.set(key, entry)
    for (const oldest of entries.keys()) {
      if (entries.size <= MAXIMUM_ENTRIES) break
      entries.delete(oldest)
    }
  }

  /** Takes what the cache has, if it still stands; looked at anew at once, since nobody knows how old it is. */
  async function recall(key: string, request: CollateralRequest): Promise<void> {
    const kept = await cache.get(key).catch((thrown) => {
      logger.warn('the collateral that was kept could not be read', { key, reason: messageOf(thrown) })
      return undefined
    })
    const verified = standing(key, kept)
    if (verified === undefined) return
    await newest.recallFor(verified, now())
    try {
      const current = newest.appliedTo(verified, now())
      await floors.admit(current, 'what was kept has')
      newest.take(current)
      // A refresh may have been quicker: what it brought is newer.
      if (!entries.has(key)) {
        remember(key, { request, verified: current, due: 0, failures: 0, lastFailure: undefined })
      }
    } catch (thrown) {
      if (!entries.has(key)) drop(key, request, thrown)
    }
  }

  /** To be fetched at once; what was in use or kept is not used any more. */
  function drop(key: string, request: CollateralRequest, thrown: unknown): void {
    const reason = messageOf(thrown)
    logger.warn('attestation collateral is no longer used', { key, reason })
    const dropped = { at: now(), reason, isOlder: thrown instanceof OlderCollateral }
    remember(key, { request, verified: undefined, due: 0, failures: 0, lastFailure: dropped, dropped })
  }

  /** What is held, with what has become known since then; undefined when that is not valid at the time. */
  function current(key: string, at: Date): VerifiedCollateral | undefined {
    const entry = entries.get(key)
    if (entry?.verified === undefined) return undefined
    try {
      const verified = newest.appliedTo(entry.verified, at)
      // What came with another family may end sooner.
      const due = verified === entry.verified ? entry.due : dueAfterSuccess(heldAs(verified, limits), at.getTime())
      entries.set(key, { ...entry, verified, due: Math.min(entry.due, due) })
      return isWithin(verified.validity, at) ? verified : undefined
    } catch (thrown) {
      // Where the clock is wrong for a moment nothing is valid, and what is held is good afterwards.
      if (isWithin(entry.verified.validity, at)) drop(key, entry.request, thrown)
      return undefined
    }
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
    const { verified, behind } = await fetchNewest(judges, request, { signal: lifetime })
    const at = now()
    // The same object as long as nothing has changed: whoever has verified it need not do it again.
    const former = entries.get(key)?.verified
    const isSame = former !== undefined && sameText(former.collateral, verified.collateral)
    const held = isSame ? former : verified
    logger.info('attestation collateral fetched', { key, validUntil: verified.validity.until.toISOString() })
    if (behind !== undefined) logger.warn('the service is behind what was seen of collateral', { key, reason: behind })
    remember(key, {
      request,
      verified: held,
      due: dueAfterSuccess(heldAs(held, limits), at.getTime()),
      failures: 0,
      lastFailure: behind === undefined ? undefined : { at, reason: behind, isOlder: true },
    })
    await keep(key, held).catch((thrown) => {
      // When the node has stopped meanwhile its store is closed, and nobody is told.
      if (!lifetime.aborted) logger.warn('the collateral could not be kept', { key, reason: messageOf(thrown) })
    })
    return held
  }

  async function keep(key: string, held: VerifiedCollateral): Promise<void> {
    for (const name of newest.namesIn(held)) {
      // What another family's has brought meanwhile is kept already, or next.
      if (newest.namesIn(held).includes(name)) await cache.put(name, held.collateral)
    }
    await cache.put(key, held.collateral)
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
    const { verified, failures = 0, dropped } = entries.get(key) ?? {}
    const at = now().getTime()
    const end = verified?.validity.until.getTime() ?? 0
    remember(key, {
      request,
      verified,
      due: dueAfterFailure(failures, end, at),
      failures: failures + 1,
      lastFailure: {
        at: new Date(at),
        reason: dropped === undefined ? reason : `${reason}; ${dropped.reason}`,
        isOlder: thrown instanceof OlderCollateral || dropped?.isOlder === true,
      },
      dropped,
    })
  }

  /** Its failures are noted where they happen. */
  async function refresh(key: string, { request }: Entry): Promise<void> {
    await fetchOnce(key, request).catch(() => undefined)
  }

  async function refreshDue(): Promise<void> {
    const at = now().getTime()
    // What never came is fetched for whoever asks.
    const due = [...entries].filter(([, entry]) => entry.verified !== undefined && isDue(entry.due, at))
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
      if (!entries.has(key)) await recall(key, request)
      const usable = current(key, now())
      const found = entries.get(key)
      // Where it failed by a clock that was set back since, nobody knows how long ago that is.
      const isOfLater = found?.lastFailure !== undefined && found.lastFailure.at > now()
      const mayFetch = found === undefined || isOfLater || isDue(found.due, now().getTime())
      if (found !== undefined && usable !== undefined) {
        remember(key, found)
        if (mayFetch) void refresh(key, found)
        return usable.collateral
      }
      // After a success what came has ended since, by what came with another family: that is no reason to wait.
      if (!mayFetch && found.failures > 0) throw noCollateral(found.lastFailure?.reason ?? 'it failed')
      try {
        const fetched = await abortable(fetchOnce(key, request), signal)
        // Another family's may have brought something newer while it was being kept.
        return newest.appliedTo(fetched, now()).collateral
      } catch (thrown) {
        signal.throwIfAborted()
        throw noCollateral(entries.get(key)?.lastFailure?.reason ?? messageOf(thrown), thrown)
      }
    },

    health() {
      const forgotten = now().getTime() - FORGET_FAILURE_AFTER_MS
      return [...entries.values()]
        .filter(({ verified, lastFailure }) => verified !== undefined || (lastFailure?.at.getTime() ?? 0) > forgotten)
        .map(({ request, verified, lastFailure }) => ({
          request,
          held: verified && heldAs(verified, limits),
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

function sameText(one: QuoteCollateral, other: QuoteCollateral): boolean {
  return (Object.keys(one) as (keyof QuoteCollateral)[]).every((part) => one[part] === other[part])
}

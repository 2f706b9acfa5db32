import type { X509Certificate } from 'node:crypto'
import { messageOf } from '../../domain/index.js'
import { pckCaOf } from '../certificates.js'
import { type CollateralRequest, type VerifiedCollateral, verifyCollateral } from '../collateral.js'
import { fetchCollateral, fetchOfRound, type PccsAddress, type RoundPart, type RoundQuery } from './client.js'
import { type Floors, OlderCollateral, olderAs } from './floors.js'
import type { NewestParts } from './newest.js'

/** What collateral is fetched from, and judged by. */
export interface Judges {
  readonly address: PccsAddress
  readonly root: X509Certificate
  readonly floors: Floors
  readonly newest: NewestParts
  readonly now: () => Date
}

export interface Fetched {
  /** With the newest that was seen of each part; nothing in it is older than its floor. */
  readonly verified: VerifiedCollateral
  /** What of it the service has in an older state, and what it said when it was asked again; undefined for nothing. */
  readonly behind: string | undefined
}

/**
 * Fetches collateral, of which nothing older is believed than has been seen.
 *
 * Intel publishes each round twice, early and some months later as the standard, which is what a service is asked for. Who
 * answers for it once with something early, genuine as it is, must not have locked the node out for these months: of what
 * is older than its floor the very round is asked for, then the early one; and the newest that was seen and still stands
 * takes the place of what the service does not have.
 *
 * TCB info and QE identity may be of different rounds then. Neither refers to the other, each judges a part of the platform
 * by its own levels, and all have to pass: a mixture is no more lenient than the earlier round, and counts as no more than
 * that for a policy (`published`).
 *
 * @throws Error that says why there is nothing of use; `OlderCollateral` when the service is behind what was seen.
 */
export async function fetchNewest(
  judges: Judges,
  request: CollateralRequest,
  { signal }: { signal: AbortSignal },
): Promise<Fetched> {
  const { address, root, floors, newest, now } = judges
  const answered = verifyCollateral(await fetchCollateral(address, request, { signal }), root, now())
  requireRequested(answered, request)
  const { best, behind } = await askAgain(judges, request, answered, signal)
  await newest.recallFor(best, now())
  try {
    const verified = newest.appliedTo(best, now())
    await floors.admit(verified, 'the service answers with')
    newest.take(verified)
    return { verified, behind }
  } catch (thrown) {
    if (behind === undefined) throw thrown
    const why = thrown instanceof OlderCollateral ? '' : `; ${messageOf(thrown)}`
    throw new OlderCollateral(`${behind}${why}`, { cause: thrown })
  }
}

/**
 * What is taken is not asked for anew within a day: what is genuine and of no use would keep a platform out for so long.
 *
 * @throws Error when collateral is not what was asked for.
 */
function requireRequested({ tcbInfo, pckAuthority }: VerifiedCollateral, asked: CollateralRequest): void {
  if (tcbInfo.id !== asked.tee.toUpperCase() || tcbInfo.fmspc !== asked.fmspc || tcbInfo.pceId !== asked.pceId) {
    throw new Error('the service answers with the TCB info of another technology or platform family')
  }
  if (pckCaOf(pckAuthority) !== asked.ca) {
    throw new Error('the service answers with the revocation list of another authority')
  }
}

async function askAgain(
  judges: Judges,
  request: CollateralRequest,
  answered: VerifiedCollateral,
  signal: AbortSignal,
): Promise<{ readonly best: VerifiedCollateral; readonly behind: string | undefined }> {
  const { floors } = judges
  const tried: string[] = []
  let best = answered
  for (const { title, floor } of await floors.olderIn(answered)) {
    if (title === 'revocation list') continue
    // The very round first: an early one would be another step ahead of the standard.
    for (const query of [`tcbEvaluationDataNumber=${floor.round}`, 'update=early'] as const) {
      const other = await askFor({ part: title, query }, judges, request, best, signal)
      if (typeof other !== 'string') {
        best = other
        break
      }
      tried.push(`asked again with ${query}: ${other}`)
    }
  }
  const older = await floors.olderIn(best)
  const behind = older.length === 0 ? undefined : [olderAs('the service answers with', older), ...tried].join('; ')
  return { best, behind }
}

/** @returns collateral with that part of another round, or why it is of no use. */
async function askFor(
  asked: { readonly part: RoundPart; readonly query: RoundQuery },
  { address, root, floors, now }: Judges,
  request: CollateralRequest,
  collateral: VerifiedCollateral,
  signal: AbortSignal,
): Promise<VerifiedCollateral | string> {
  try {
    const part = await fetchOfRound(address, request, { ...asked, signal })
    const changed = verifyCollateral({ ...collateral.collateral, ...part }, root, now())
    requireRequested(changed, request)
    const older = (await floors.olderIn(changed)).find(({ title }) => title === asked.part)
    return older === undefined ? changed : `it answers with round ${older.mark.round}`
  } catch (thrown) {
    signal.throwIfAborted()
    return messageOf(thrown)
  }
}

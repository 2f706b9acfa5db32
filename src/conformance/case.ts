import type { CaseBench } from './bench.js'

/** The documents that cases are about, by folder of `protocols/`. */
export type SpecName = 'share' | 'enclave-record'

/** One thing that an implementation has to do, and how that is found out. */
export interface ConformanceCase {
  /** Stable: a case that is given up leaves its id unused. */
  readonly id: string
  readonly spec: SpecName
  /** Section of SPEC.md. */
  readonly clause: string
  /** Words of that section, as they stand there. */
  readonly quote: string
  /** What the implementation under test is in it. */
  readonly role: 'provider' | 'requester' | 'peer'
  /** What the suite does. */
  readonly sent: string
  /** What must come back. */
  readonly expected: string
  /** A deviation from what only SHOULD be is a warning. */
  readonly level: 'must' | 'should'
  /** Takes longer than ten seconds: it is run only when asked for. */
  readonly slow: boolean
  /** Needs the peer to have fetched what was synced before it came. */
  readonly needsShares: boolean
  /**
   * @internal
   * @throws Deviation when the peer does otherwise, NotJudged or PeerBusy when that cannot be told.
   */
  readonly run: (bench: CaseBench) => Promise<void>
}

type Optional = 'spec' | 'level' | 'slow' | 'needsShares'

/** A case with what most cases have in common filled in. */
export type CaseInit = Omit<ConformanceCase, Optional> & Partial<Pick<ConformanceCase, Optional>>

export function conformanceCase(init: CaseInit): ConformanceCase {
  return { spec: 'share', level: 'must', slow: false, needsShares: false, ...init }
}

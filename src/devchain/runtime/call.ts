import type { AccountId } from '../../domain/index.js'
import type { Execution, Origin } from './execution.js'
import { DispatchFailure } from './failure.js'
import type { Value } from './value.js'

/** One call as the pallet that carries it out sees it. */
export interface Call {
  readonly execution: Execution
  readonly origin: Origin
  /** An argument by its camelCase name. */
  argument(name: string): Value
  hasArgument(name: string): boolean
  /** Carries out another call within this one; it throws `DispatchFailure` but does not undo what was done before. */
  dispatch(call: Value, origin: Origin): void
}

/** A pallet's calls by their full name, for example `NFT.add_secret_shard`. */
export type Handlers = Readonly<Record<string, (call: Call) => void>>

/** The account that signed; fails with `BadOrigin` for anything else. */
export function signerOf({ origin }: Call): AccountId {
  if (origin.kind !== 'signed') throw new DispatchFailure({ BadOrigin: null })
  return origin.account
}

/** Lets root pass, and the technical committee when at least one member agreed. */
export function ensureGovernance({ origin }: Call): void {
  if (origin.kind === 'root' || (origin.kind === 'committee' && origin.agreed > 0)) return
  throw new DispatchFailure({ BadOrigin: null })
}

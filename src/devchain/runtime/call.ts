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

/** Lets root and the technical committee pass. */
export function ensureGovernance({ origin }: Call): void {
  if (origin.kind === 'root' || origin.kind === 'committee') return
  throw new DispatchFailure({ BadOrigin: null })
}

/** Carries out a call within another; when it fails, what it did is undone and the failure returned. */
export function attempt({ execution, dispatch }: Call, inner: Value, origin: Origin): DispatchFailure | undefined {
  try {
    execution.transaction(() => dispatch(inner, origin))
    return undefined
  } catch (thrown) {
    if (thrown instanceof DispatchFailure) return thrown
    throw thrown
  }
}

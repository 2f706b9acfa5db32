import type { LogNode } from './compact-range.js'
import type { LogHead, ProvenanceLeaf, RangeProof } from './log.js'

/** A share with what its origin says of it. */
export interface VouchedShare {
  readonly leaf: ProvenanceLeaf
  /** The share itself, in the clear: only ever inside the enclave's memory. */
  readonly payload: Uint8Array
}

/** Contiguous leaves of one log with their shares and the proof that they are in it: the unit of transfer. */
export interface ShareRun {
  readonly head: LogHead
  /** The index of the first share's leaf. */
  readonly first: number
  readonly shares: readonly VouchedShare[]
  readonly proof: RangeProof
}

/** A run whose head signature, range proof and payload hashes have all been checked. */
export interface VerifiedRun extends ShareRun {
  /** The tree nodes that the check established. */
  readonly nodes: readonly LogNode[]
}

import type { BlockHash, BlockNumber, Hex } from '../../domain/index.js'
import type { Changes } from './state.js'

/** The parts of a header as `chain_getHeader` prints them. */
export interface Header {
  readonly parentHash: BlockHash
  readonly number: Hex
  readonly stateRoot: Hex
  readonly extrinsicsRoot: Hex
  readonly digest: { readonly logs: readonly Hex[] }
}

export interface Block {
  readonly number: BlockNumber
  readonly hash: BlockHash
  readonly header: Header
  readonly extrinsics: readonly Hex[]
}

/** A block and what it changed, genesis included: all that a chain is made of. */
export interface StoredBlock extends Block {
  readonly changes: Changes
}

import type { AccountSigner } from '../crypto/index.js'
import type { AccountId, BlockHash, BlockNumber, BlockRef, Clock, Registry } from '../domain/index.js'
import type { Cryptography } from './cryptography.js'
import type { Suite } from './protocol.js'

/** What the protocol reads of the chain; all of it finalised. */
export interface ChainView {
  readonly genesisHash: BlockHash
  finalised(): BlockRef
  /** How long ago this side first saw {@link finalised}, in ms. */
  finalisedAgeMs(): number
  blockHash(number: BlockNumber, options: { signal: AbortSignal }): Promise<BlockHash>
  /** As of {@link finalised}. */
  registry(): Registry
  registryAt(block: BlockRef, options: { signal: AbortSignal }): Promise<Registry>
}

/** How this enclave proves itself, and how it judges others. */
export interface Attestation {
  /** Has the hardware sign a quote over these 64 bytes. */
  quote(reportData: Uint8Array, options: { signal: AbortSignal }): Promise<Uint8Array>
  /** @throws when the quote does not verify or the policy does not allow it; see `attestationRefusal`. */
  verify(quote: Uint8Array): Promise<{ readonly reportData: Uint8Array }>
}

/** This enclave as a side of an exchange. */
export interface Party {
  readonly signer: AccountSigner
  /** The multihash of this host's PeerId. */
  readonly peer: Uint8Array
  readonly chain: ChainView
  readonly attestation: Attestation
  /** SPEC 5.1: the suites that the operator allows, in any order; all of them by default. */
  readonly suites?: readonly Suite[]
  /** By which phases end; the system's by default. */
  readonly clock?: Clock
  /** The real one by default; see there who hands in another. */
  readonly cryptography?: Cryptography
}

/** The other side, as the connection and the caller know it before the exchange. */
export interface Counterpart {
  /** The multihash of the PeerId that Noise has proved. */
  readonly peer: Uint8Array
  readonly account: AccountId
}

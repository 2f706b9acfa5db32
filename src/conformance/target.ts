import type { QuoteCollateral } from '../attestation/index.js'
import { toHex } from '../crypto/index.js'
import type { AccountId, BlockHash, ClusterId, Hex, SlotId } from '../domain/index.js'
import type { ServiceUrls } from './service.js'
import { MEASUREMENT, type Stage } from './stage.js'

/** What an implementation under test needs to know, as it stands in the target file. docs/conformance.md says more. */
export interface Target extends ServiceUrls {
  readonly version: 1
  /** WebSocket JSON-RPC of the chain. */
  readonly rpcUrl: string
  readonly genesisHash: BlockHash
  /** DER. */
  readonly rootCertificate: Hex
  readonly collateral: QuoteCollateral
  /** MRENCLAVE of the builds to accept, and to be. */
  readonly allowedMeasurements: readonly Hex[]
  readonly mrSigner: Hex
  /** sr25519 mini secret of the account to take. */
  readonly accountSeed: Hex
  readonly account: AccountId
  readonly cluster: ClusterId
  readonly slot: SlotId
  /** Multiaddrs of the suite's hosts, by any of which to enter the mesh. */
  readonly bootstrap: readonly string[]
  /** Makes the development PKI with `slotmesh`'s own parts. */
  readonly developmentSeed: Hex
}

/** The peer's seat on a stage; @param bootstrap multiaddrs by which to enter the mesh. */
export function targetOf(stage: Stage, urls: ServiceUrls, bootstrap: readonly string[]): Target {
  const { peer, peerSeed } = stage.cast
  return {
    version: 1,
    rpcUrl: stage.chain.url,
    genesisHash: stage.view.genesisHash,
    ...urls,
    rootCertificate: toHex(stage.pki.rootCertificate),
    collateral: stage.pki.collateral,
    allowedMeasurements: [MEASUREMENT.mrEnclave],
    mrSigner: MEASUREMENT.mrSigner,
    accountSeed: toHex(peerSeed),
    account: peer.signer.account,
    cluster: peer.cluster,
    slot: peer.slot,
    bootstrap,
    developmentSeed: toHex(stage.pkiSeed),
  }
}

import type { ApiSettings, ShareViews } from '../api/index.js'
import type {
  AttestationErrorCode,
  AttestationPolicy,
  CollateralHealth,
  CollateralSource,
  PccsAddress,
  QuoteSource,
} from '../attestation/index.js'
import type { ChainHealth, Crawl, SeatChange } from '../chain/index.js'
import type {
  AccountId,
  BlockHash,
  BlockNumber,
  ClusterId,
  EnclaveSeat,
  Logger,
  NftId,
  Registry,
  ShareKey,
  ShareKind,
  SlotId,
  Trigger,
} from '../domain/index.js'
import type { DhtTraffic, MeshMetrics } from '../mesh/index.js'
import type { IntervalRequest, RemoveRequest, RetrieveRequest, StoreRequest } from '../owner/index.js'
import type { Suite } from '../share/index.js'
import type { StoreIntegrity } from '../store/index.js'
import type { Comparison, OwedConfirmations, Reconciled } from '../sync/index.js'
import type { OffenderStatus, ShutOut } from './offenders.js'

/** Everything a node needs to know before it starts. */
export interface EnclaveNodeConfig {
  /** Folder of the sealed store; made when absent. One node at a time may use it. */
  readonly folder: string
  readonly chain: {
    /** WebSocket URLs of nodes of the chain, for example `ws://127.0.0.1:9944`, in the order in which to use them. */
    readonly endpoints: readonly string[]
    /** Refuses every other chain; when absent the one that the folder's shares are of, or that of the first endpoint. */
    readonly genesisHash?: BlockHash
    /** An endpoint without a new finalised block for this long is doubted, ms; five blocks of 6 s when absent. */
    readonly quietAfterMs?: number
    /** How long to wait for a connection to each endpoint, ms; 10,000 when absent. */
    readonly connectTimeoutMs?: number
  }
  readonly mesh: {
    /** Multiaddrs to listen on, for example `/ip4/0.0.0.0/tcp/4001`. */
    readonly listen: readonly string[]
    /** Multiaddrs of peers to enter the mesh by; may be empty for the first node. */
    readonly bootstrap: readonly string[]
    /** Multiaddrs to tell others, when they differ from those listened on. */
    readonly announce?: readonly string[]
    /** Whether loopback and local-network addresses may be dialled and told to others; false when absent. */
    readonly allowPrivateAddresses?: boolean
    /**
     * Whether peers that offend too often are shut out for a while; true when absent. Without it they are counted only:
     * for a node that is judged by a suite which offends on purpose.
     */
    readonly shutOutOffenders?: boolean
    /** Takes what libp2p counts, as `createMetrics` has it; one for each node. */
    readonly metrics?: MeshMetrics
  }
  readonly attestation: {
    readonly quoteSource: QuoteSource
    /** DER of the root that quotes must chain to; Intel's SGX root CA when absent. */
    readonly rootCertificate?: Uint8Array
    /** The service to fetch collateral from, which is kept in the folder; or a source of one's own. */
    readonly collateral: PccsAddress | CollateralSource
    readonly policy: AttestationPolicy
  }
  readonly share?: {
    /**
     * The suites that shares may be sealed in, by their numbers in the specification (5.1); all when absent. With 2 alone,
     * no exchange is made that a later quantum computer could open, and none with peers that cannot do it.
     */
    readonly suites?: readonly Suite[]
  }
  /** How often what is held is compared; each time a quarter sooner or later. */
  readonly reconciliation?: {
    /** With one slot peer, another one each time, ms; an hour when absent. */
    readonly everyMs?: number
    /** With all that the chain lists, ms; a day when absent. */
    readonly chainEveryMs?: number
  }
  /** Where owners and metrics servers reach the enclave; nowhere when absent. */
  readonly api?: ApiSettings
  /** 32 bytes that only this enclave on this machine can obtain; everything at rest is sealed under it. Copied. */
  readonly sealingKey: Uint8Array
  /** 32 bytes: take this enclave account instead of making one. Copied, and only read when the folder has none yet. */
  readonly accountSeed?: Uint8Array
  readonly logger?: Logger
}

/**
 * unregistered: the chain has no seat for the account. setup: fetching every share there is.
 * running: holds all that the chain lists, or is fetching the newest. stopped: after stop().
 */
export type NodeState = 'unregistered' | 'setup' | 'running' | 'stopped'

/** Something that keeps a node from doing all of its work, and what to do about it. */
export interface NodeProblem {
  /** Stable, for example `chain/stale-view`. */
  readonly code: string
  readonly sentence: string
}

/** A node at a glance; small, and free of secrets. */
export interface NodeStatus {
  readonly account: AccountId
  readonly peerId: string
  readonly multiaddrs: readonly string[]
  /** Where clients are answered, for example `https://0.0.0.0:8443`; undefined where they are not. */
  readonly api: string | undefined
  readonly state: NodeState
  readonly seat: { readonly cluster: ClusterId; readonly slot: SlotId } | undefined
  readonly finalisedBlock: BlockNumber
  /** The connection to the chain; undefined before the start. */
  readonly chain: ChainHealth | undefined
  /** How the node catches up with the chain after downtime; undefined when it is not far behind. */
  readonly crawl: Crawl | undefined
  /** Shares taken from owners that the chain does not yet know this enclave to hold; they are sent until it does. */
  readonly confirmationsOwed: OwedConfirmations
  /** Of the collateral that quotes are judged by, for each kind of platform met; empty with a source of one's own. */
  readonly collateral: readonly CollateralHealth[]
  /** Whether the folder was found as this node had left it. */
  readonly integrity: StoreIntegrity
  /** What the last comparison with the chain came to, as after a start from a folder; undefined before the first. */
  readonly comparison: Comparison | undefined
  /** Comparisons with slot peers since the start. */
  readonly reconciliation: ReconciliationHealth
  /** The gravest first; none when the node is well. */
  readonly problems: readonly NodeProblem[]
  /** The last block whose events are durably taken in. */
  readonly cursor: BlockNumber | undefined
  /** The highest block below which no share is missing. */
  readonly syncedBlock: BlockNumber
  readonly shares: Readonly<Record<ShareKind, number>>
  readonly wantsOpen: number
  /** The same, by how long they have been open. */
  readonly wantsByAge: Readonly<Record<WantAge, number>>
  /** Exchanges of `/ternoa/share/1` in either role since the start. */
  readonly exchanges: { readonly requested: number; readonly served: number; readonly failed: number }
  /** Quotes made since the start, in either role: a whole exchange costs each side one. */
  readonly quotes: number
  /** What was asked of the DHT since the start. */
  readonly dht: DhtTraffic
  /** Refusals since the start, by code. */
  readonly refusals: {
    readonly sent: Readonly<Record<string, number>>
    readonly received: Readonly<Record<string, number>>
  }
  /** What peers did that no honest one does, since the start, and who they are. */
  readonly offences: OffenderStatus
}

/** How old an open want is: younger than a minute, ten minutes, an hour, a day; or older. */
export type WantAge = 'minute' | 'ten-minutes' | 'hour' | 'day' | 'older'

/** An enclave with which this one exchanges shares, as it is known here. */
export interface SlotPeer extends EnclaveSeat {
  /** By its own signed record; undefined when none is known. */
  readonly peerId: string | undefined
  readonly isConnected: boolean
  /** Whether nothing is done for it for a while, since it has offended. */
  readonly isShut: boolean
  /** When its last quote was found genuine and admitted by the policy, since the start; Unix ms. */
  readonly attestedAt: number | undefined
  /** The last exchange with it since the start, in either role. */
  readonly lastExchange: PeerExchange | undefined
}

/** The last exchange with a slot peer. */
export interface PeerExchange {
  /** Which role this enclave had. */
  readonly role: 'requester' | 'provider'
  /** Undefined when it went well; else the refusal, or the error's code. */
  readonly code: string | undefined
  readonly shares: number
  readonly bytes: number
  /** Unix ms. */
  readonly at: number
}

/** What a slot peer has shown of itself. */
export interface PeerProof {
  readonly account: AccountId
  readonly peerId: string
  readonly quote: Uint8Array
  /** Why this node would exchange nothing with it, where that is so: the refusal or the error's code, and a sentence. */
  readonly failure: { readonly code: string; readonly reason: string } | undefined
}

/** What the comparisons with slot peers have come to. */
export interface ReconciliationHealth {
  /** Sessions of `/ternoa/reconcile/1`, in either role. */
  readonly sessions: { readonly requested: number; readonly served: number; readonly failed: number }
  /** Shares that were missing here or held in an older version, and had not been wanted before. */
  readonly gaps: number
  /** The last one, and when it ended; Unix ms. */
  readonly last: (Reconciled & { readonly at: number }) | undefined
}

/** What {@link EnclaveNode.reconcile} has found. */
export interface ReconciliationReport {
  /** Beside the chain's list. */
  readonly chain: Comparison
  /** Beside slot peers, one after the other. */
  readonly peers: readonly Reconciled[]
}

/** What a node reports as it happens. Times are Unix ms. */
export type NodeEvent =
  | { readonly type: 'state'; readonly state: NodeState; readonly at: number }
  /** What the chain says of this enclave's seat, as of a final block: first how it stands, then each change. */
  | { readonly type: 'seat'; readonly change: SeatChange; readonly at: number }
  /** A share fetched from a peer is verified, sealed and durable. `triggeredAt`: when the node first saw the want. */
  | {
      readonly type: 'share-stored'
      readonly key: ShareKey
      readonly version: BlockNumber
      readonly from: AccountId
      readonly origin: ClusterId
      readonly triggeredAt: number
      readonly at: number
    }
  /** What is held was compared with that of a slot peer. `missing` and `outdated` are gaps here, and are fetched. */
  | ({ readonly type: 'reconciled'; readonly at: number } & Reconciled)
  /** What is held was compared with all that the chain lists. */
  | ({ readonly type: 'compared'; readonly at: number } & Comparison)
  /** What is wrong has changed; see `NodeStatus.problems`. */
  | { readonly type: 'problems'; readonly problems: readonly NodeProblem[]; readonly at: number }
  | {
      readonly type: 'refusal-sent'
      readonly code: string
      /** Which role this enclave had in the exchange. */
      readonly role: 'requester' | 'provider'
      readonly at: number
    }
  | {
      readonly type: 'refusal-received'
      readonly code: string
      readonly from: AccountId
      /** From the look for the peer to the refusal. */
      readonly ms: number
      readonly at: number
    }
  /** An exchange that this enclave asked for went well: `ms` from the look for the peer to the end, bytes both ways. */
  | {
      readonly type: 'exchange-done'
      readonly peer: AccountId
      readonly shares: number
      readonly bytes: number
      readonly messages: number
      readonly ms: number
      readonly at: number
    }
  /** An exchange that another enclave asked for went well: `ms` from its stream to the end, bytes both ways. */
  | {
      readonly type: 'exchange-served'
      readonly peer: AccountId
      readonly shares: number
      readonly bytes: number
      readonly messages: number
      readonly ms: number
      readonly at: number
    }
  /** An exchange that was served ended early, and not by a refusal of this enclave's. */
  | { readonly type: 'serving-failed'; readonly code: string; readonly at: number }
  /** A slot peer has proved in an exchange, in either role, that it is genuine. */
  | { readonly type: 'peer-attested'; readonly peer: AccountId; readonly at: number }
  /** From the Hello to the Grant of an exchange. */
  | {
      readonly type: 'handshake'
      readonly role: 'requester' | 'provider'
      readonly ms: number
      readonly at: number
    }
  /** A peer's quote was looked at, which took so long. */
  | {
      readonly type: 'quote-verified'
      readonly outcome: 'admitted' | AttestationErrorCode | 'failed'
      readonly ms: number
      readonly at: number
    }
  /** What a final block meant is durably taken in; of blocks that meant something. */
  | {
      readonly type: 'triggers'
      readonly block: BlockNumber
      readonly triggers: readonly Trigger[]
      readonly at: number
    }
  /** A peer has offended too often: nothing is done for it for a while. */
  | ({ readonly type: 'peer-shut-out'; readonly at: number } & ShutOut)
  /** An exchange failed for another reason than a refusal; the want stays open and another peer is tried. */
  | {
      readonly type: 'exchange-failed'
      readonly peer: AccountId
      readonly code: string
      readonly ms: number
      readonly at: number
    }

/** The event of one type, with the fields that it has: `NodeEventOf<'share-stored'>`. */
export type NodeEventOf<Type extends NodeEvent['type']> = Extract<NodeEvent, { readonly type: Type }>

/**
 * One enclave of the mesh. Several can live in one process, each in a folder of its own: they share nothing but what the
 * process has one of, the locks of its folders and the turns at its TEE device.
 */
export interface EnclaveNode {
  readonly account: AccountId
  readonly peerId: string
  /**
   * Aborts when the node cannot go on and stops by itself, as when its disk has refused a write; the reason is the error.
   * It is to be created anew then, which reads what is on the disk.
   */
  readonly failed: AbortSignal

  /**
   * Joins the mesh and begins to synchronise; resolves when the node listens and follows the chain.
   * @throws SlotmeshError when a part cannot start; the node is stopped again then.
   */
  start(): Promise<void>
  /**
   * Closes everything; safe to call twice. Exchanges under way have `graceMs` to come to their ends, meanwhile none is
   * begun; 0 when absent. What is cut short is fetched at the next start.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>

  /** How it is now; also before the start and after the end. */
  status(): Promise<NodeStatus>
  /** Hears every event. @returns a function that ends the subscription. */
  subscribe(listener: (event: NodeEvent) => void): () => void
  /** Hears the events of one type. @returns a function that ends the subscription. */
  on<Type extends NodeEvent['type']>(type: Type, listener: (event: NodeEventOf<Type>) => void): () => void

  /**
   * An owner hands over a share: checked against the chain, sealed, stored, and confirmed on chain to finality.
   * @throws OwnerRequestError when the request is refused; IngestError when the share cannot be taken; SlotmeshError
   * `node/stale-view`, `sync/busy`; what the chain or the store throws; or the signal's reason.
   */
  storeShare(kind: ShareKind, request: StoreRequest, options: { signal: AbortSignal }): Promise<ShareKey>
  /**
   * An owner asks for a share back.
   * @throws OwnerRequestError when the request is refused or the share is not held; SlotmeshError `node/stale-view`; or the
   * signal's reason.
   */
  retrieveShare(kind: ShareKind, request: RetrieveRequest, options: { signal: AbortSignal }): Promise<Uint8Array>

  /**
   * A metrics server asks that a share be gone, which it is as soon as the block is taken in that has burned the NFT.
   * @throws OwnerRequestError when the request is refused; SlotmeshError `node/not-erased`.
   */
  removeShare(kind: ShareKind, request: RemoveRequest, options: { signal: AbortSignal }): Promise<ShareKey>
  /** Whether a share is held, or waits to be confirmed. */
  holdsShare(key: ShareKey): Promise<boolean>
  /** Who has handed over a share here, and who was given it; see `View`. */
  shareViews(key: ShareKey, options: { signal: AbortSignal }): Promise<ShareViews>
  /**
   * A metrics server asks which NFTs had a share synced between two blocks that is held here; one list at a time.
   * @throws OwnerRequestError when the request is refused; SlotmeshError `node/busy`.
   */
  syncedBetween(request: IntervalRequest, options: { signal: AbortSignal }): Promise<readonly NftId[]>
  /**
   * A quote whose report data is the enclave account's signature over `{SS58 address}_{block}`, of the latest final block.
   * @throws what the quote source throws.
   */
  clientQuote(options: { signal: AbortSignal }): Promise<{ readonly block: BlockNumber; readonly quote: Uint8Array }>

  /**
   * Compares now what is held: with some slot peers, those first that were compared with the longest ago, and with the
   * chain's list as of the next final block. What is missing is fetched; that may still go on when this resolves.
   *
   * @throws SlotmeshError `node/not-set-up` while the setup goes on or no seat is held, `node/not-running`, `sync/busy`,
   * `sync/seat-lost` when the seat is lost or changed meanwhile; the signal's reason.
   */
  reconcile(options: { signal: AbortSignal }): Promise<ReconciliationReport>

  /** Who sits where, as of the latest final block; undefined before the start. */
  registry(): Registry | undefined
  /** Every enclave with which this one exchanges shares at that block; none without a seat. */
  peers(): readonly SlotPeer[]

  /**
   * Has a slot peer prove itself now, in an exchange in which no share is moved.
   *
   * @param who an enclave account, or a multiaddr.
   * @throws SlotmeshError `node/not-running`, `node/unknown-peer`, `node/no-quote`; when it cannot be reached.
   */
  proofOf(who: string, options: { readonly signal: AbortSignal }): Promise<PeerProof>

  /**
   * Copies the folder as it is sealed, under the same key. Writes wait meanwhile. A node that begins from an older copy
   * shows as set back, and two that run on copies of one folder fork its provenance log.
   *
   * @param to a folder that is not there yet.
   * @throws SlotmeshError `store/taken`, `store/changing`; the signal's reason.
   */
  backUp(to: string, options: { readonly signal: AbortSignal }): Promise<void>

  /** Proofs that enclaves have forked their provenance logs, each an encoded `ForkEvidence` (share SPEC 6.3). */
  forks(): readonly Uint8Array[]

  /** The shares held, without their payloads: for audits. */
  heldShares(): AsyncIterable<ShareKey & { readonly version: BlockNumber; readonly origin: ClusterId }>
}

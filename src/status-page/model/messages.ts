/** What the server tells the page. Nothing here knows Node, or the page. */

/** How a node is, in one word; the page has a headline for each. */
export type Condition = 'joining' | 'setup' | 'running' | 'behind' | 'stopped' | 'chain-lost'

/** What changes every few seconds; times are Unix ms. */
export interface Overview {
  readonly at: number
  readonly condition: Condition
  readonly who: {
    readonly account: string
    readonly accountSs58: string
    readonly peerId: string
    readonly multiaddrs: readonly string[]
    readonly seat: { readonly cluster: number; readonly slot: number } | undefined
  }
  readonly progress: {
    readonly finalised: number
    readonly synced: number
    readonly behind: number
    readonly held: { readonly secret: number; readonly capsule: number }
    readonly wanted: number
    /** Until it has caught up with the chain, if it goes on like that; undefined when it is not far behind. */
    readonly msLeft: number | undefined
  }
  readonly chain: { readonly isConnected: boolean; readonly endpoint: string; readonly finalisedAt: number } | undefined
  readonly exchanges: { readonly requested: number; readonly served: number; readonly failed: number }
  readonly problems: readonly { readonly code: string; readonly sentence: string }[]
}

export interface SeatView {
  readonly account: string
  /** What this enclave has to do with it. */
  readonly relation: 'self' | 'peer' | 'other'
  /** Of peers alone. */
  readonly isConnected?: boolean
  readonly isShut?: boolean
  readonly attestedAt?: number | undefined
}

export interface ClusterView {
  readonly id: number
  readonly isPublic: boolean
  /** By slot; null where nobody sits. */
  readonly seats: readonly (SeatView | null)[]
}

export interface MeshMap {
  readonly clusters: readonly ClusterView[]
  /** How many more there are than are shown. */
  readonly left: number
}

export interface TriggerView {
  readonly at: number
  readonly block: number
  readonly type: 'synced' | 'removed' | 'key-update'
  readonly kind: 'secret' | 'capsule'
  readonly nftId: number
  /** Whose owner has handed it over; of synced ones. */
  readonly cluster: number | undefined
}

export interface FetchView {
  readonly at: number
  readonly kind: 'secret' | 'capsule'
  readonly nftId: number
  readonly from: string
  readonly ms: number
}

/** The newest first. */
export interface News {
  readonly triggers: readonly TriggerView[]
  readonly fetches: readonly FetchView[]
}

export interface Messages {
  readonly overview: Overview
  readonly map: MeshMap
  readonly news: News
}

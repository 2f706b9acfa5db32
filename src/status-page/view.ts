import { toSs58 } from '../crypto/index.js'
import { CLUSTER_SIZE, type Cluster, type EnclaveSeat, type Registry } from '../domain/index.js'
import type { EnclaveNode, NodeStatus, SlotPeer } from '../node/index.js'
import type { ClusterView, Condition, MeshMap, Overview, SeatView } from './model/messages.js'

/** Blocks of which a running node may be short before it is called behind: a minute's. */
const BEHIND = 10
/** Clusters that the map shows. */
const MOST_CLUSTERS = 250

/** Problems that mean that nothing new is heard of the chain. */
const CHAIN_LOST = ['chain/unreachable', 'chain/stale-view']

export function overviewOf(status: NodeStatus, at: number): Overview {
  const { account, peerId, multiaddrs, seat, chain, crawl, problems, exchanges } = status
  const behind = Math.max(0, status.finalisedBlock - status.syncedBlock)
  return {
    at,
    condition: conditionOf(status, behind),
    who: { account, accountSs58: toSs58(account), peerId, multiaddrs, seat },
    progress: {
      finalised: status.finalisedBlock,
      synced: status.syncedBlock,
      behind,
      held: status.shares,
      wanted: status.wantsOpen,
      msLeft: crawl?.msLeft,
    },
    chain: chain && {
      isConnected: chain.state === 'connected',
      endpoint: withoutSecrets(chain.endpoint),
      finalisedAt: at - chain.finalised.ageMs,
    },
    exchanges,
    problems,
  }
}

function conditionOf({ state, problems, crawl }: NodeStatus, behind: number): Condition {
  if (state === 'stopped') return 'stopped'
  if (problems.some(({ code }) => CHAIN_LOST.includes(code))) return 'chain-lost'
  if (state === 'unregistered') return 'joining'
  if (state === 'setup') return 'setup'
  return behind > BEHIND || crawl !== undefined ? 'behind' : 'running'
}

/** Some services have their key in the query. */
function withoutSecrets(endpoint: string): string {
  if (!URL.canParse(endpoint)) return ''
  const { protocol, host, pathname } = new URL(endpoint)
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}

/** Who sits where, the own cluster first. */
export function mapOf(node: Pick<EnclaveNode, 'account' | 'peers' | 'registry'>): MeshMap {
  const registry: Registry | undefined = node.registry()
  if (registry === undefined) return { clusters: [], left: 0 }
  const own = registry.seatOf(node.account)?.cluster
  const all = registry.clusters().sort((one, other) => {
    const isOwn = Number(other.id === own) - Number(one.id === own)
    return isOwn === 0 ? one.id - other.id : isOwn
  })
  const peers = new Map(node.peers().map((peer) => [peer.account, peer]))
  const clusters = all.slice(0, MOST_CLUSTERS).map((cluster) => clusterView(cluster, node.account, peers))
  return { clusters, left: all.length - clusters.length }
}

function clusterView({ id, type, seats }: Cluster, own: string, peers: ReadonlyMap<string, SlotPeer>): ClusterView {
  const view = (seat: EnclaveSeat | undefined): SeatView | null => {
    if (seat === undefined) return null
    const { account } = seat
    if (account === own) return { account, relation: 'self' }
    const peer = peers.get(account)
    if (peer === undefined) return { account, relation: 'other' }
    const { isConnected, isShut, attestedAt } = peer
    return { account, relation: 'peer', isConnected, isShut, attestedAt }
  }
  const bySlot = Array.from({ length: CLUSTER_SIZE }, (_, slot) => view(seats.find((seat) => seat.slot === slot)))
  return { id, isPublic: type === 'public', seats: bySlot }
}

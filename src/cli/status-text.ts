import type { ControlPeer, ControlRegistry, ControlStatus } from '../control/index.js'
import { toSs58 } from '../crypto/index.js'
import { type AccountId, alignedLines } from '../domain/index.js'

/** How long ago, in one unit: `42 s`, `3 min`, `5 h`, `2 d`. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 100) return `${seconds} s`
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** A node's answer for a person. @param now Unix ms. */
export function statusText(status: ControlStatus, now: number): string {
  const { account, peerId, multiaddrs, state, seat, finalisedBlock, syncedBlock, chain, shares, crawl } = status
  const behind = finalisedBlock - syncedBlock
  const lines = [
    line('account', `${ss58(account)}  ${account}`),
    line('peer', peerId),
    ...multiaddrs.map((address) => line('listens', address)),
    line('state', `${state}, up for ${ago(now - status.startedAt)}, version ${status.version}`),
    line('seat', seat === undefined ? 'none: register and assign the account above' : seatText(seat)),
    line('chain', chain === undefined ? 'not connected yet' : `${chain.state} to ${chain.endpoint}`),
    line('synced', `block ${syncedBlock} of ${finalisedBlock}${behind > 0 ? `, ${behind} behind` : ''}`),
    ...(crawl === undefined ? [] : [line('catch-up', crawlText(crawl))]),
    line('shares', `${shares.secret} of secret NFTs, ${shares.capsule} of capsules`),
    line('wants', `${status.wantsOpen} open`),
    ...status.problems.map(({ code, sentence }) => line('problem', `${code}: ${sentence}`)),
    '',
    ...peerLines(status.peers, now),
  ]
  if (status.errors.length > 0) {
    lines.push('', 'last errors')
    for (const { at, code, peer } of status.errors.slice(0, 5)) {
      lines.push(`  ${ago(now - at)} ago  ${code}${peer === undefined ? '' : `  ${short(peer)}`}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** One line for each slot peer, by cluster. */
export function peerLines(peers: readonly ControlPeer[], now: number): string[] {
  if (peers.length === 0) return ['no slot peers']
  const cells = [...peers]
    .sort((one, other) => one.cluster - other.cluster)
    .map((peer) => [String(peer.cluster), ss58(peer.account), linkOf(peer), proofOf(peer, now), exchangeOf(peer, now)])
  return alignedLines([['cluster', 'enclave', 'link', 'attested', 'last exchange'], ...cells])
}

/** Clusters by slots. */
export function registryLines(registry: ControlRegistry): string[] {
  if (registry.length === 0) return ['no clusters']
  const slots = Math.max(5, ...registry.flatMap(({ seats }) => seats.map(({ slot }) => slot + 1)))
  const head = ['cluster', 'type', ...Array.from({ length: slots }, (_, slot) => `slot ${slot}`)]
  const rows = registry.map(({ id, type, seats }) => [
    String(id),
    type,
    ...Array.from({ length: slots }, (_, slot) => {
      const seat = seats.find((each) => each.slot === slot)
      return seat === undefined ? 'empty' : short(seat.account)
    }),
  ])
  return alignedLines([head, ...rows])
}

function line(name: string, text: string): string {
  return `${name.padEnd(9)}${text}`
}

function crawlText({ at, to, msLeft }: NonNullable<ControlStatus['crawl']>): string {
  return `block ${at} of ${to}${msLeft === null ? '' : `, ${ago(msLeft)} left`}`
}

function seatText({ cluster, slot }: { readonly cluster: number; readonly slot: number }): string {
  return `cluster ${cluster}, slot ${slot}`
}

function linkOf({ isShut, isConnected, peerId }: ControlPeer): string {
  if (isShut) return 'shut out'
  if (isConnected) return 'connected'
  return peerId === undefined ? 'not found' : 'known'
}

function proofOf({ attestedAt }: ControlPeer, now: number): string {
  return attestedAt === undefined ? 'not yet' : `${ago(now - attestedAt)} ago`
}

function exchangeOf({ lastExchange }: ControlPeer, now: number): string {
  if (lastExchange === undefined) return 'none'
  const { role, code, shares, at } = lastExchange
  const what = code ?? `${shares} ${shares === 1 ? 'share' : 'shares'} ${role === 'requester' ? 'fetched' : 'served'}`
  return `${what}, ${ago(now - at)} ago`
}

function short(account: string): string {
  const text = ss58(account)
  return `${text.slice(0, 6)}…${text.slice(-4)}`
}

function ss58(account: string): string {
  return isAccount(account) ? toSs58(account) : account
}

function isAccount(text: string): text is AccountId {
  return /^0x[0-9a-f]{64}$/.test(text)
}

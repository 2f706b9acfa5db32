import { type LogFields, type Logger, shareKeyText } from '../domain/index.js'
import type { EnclaveNode, NodeEvent } from '../node/index.js'

/** Logs what happens in a node. @returns a function that ends it. */
export function logEvents(node: Pick<EnclaveNode, 'subscribe'>, logger: Logger): () => void {
  return node.subscribe((event) => {
    for (const [level, message, fields] of entriesOf(event)) logger[level](message, fields)
  })
}

type Entry = readonly [level: keyof Logger, message: string, fields?: LogFields]

function entriesOf(event: NodeEvent): Entry[] {
  switch (event.type) {
    case 'state':
      return [['info', 'state', { state: event.state }]]
    case 'seat':
      return [['info', 'seat', seatFields(event.change)]]
    case 'problems':
      if (event.problems.length === 0) return [['info', 'no problems any more']]
      return event.problems.map(({ code, sentence }) => ['warn', 'problem', { code, sentence }])
    case 'share-stored': {
      const { key, origin, from, at, triggeredAt } = event
      return [['debug', 'share stored', { share: shareKeyText(key), origin, from, ms: at - triggeredAt }]]
    }
    case 'exchange-done':
      return [['info', 'fetched shares', { peer: event.peer, shares: event.shares, ms: event.ms }]]
    case 'exchange-served':
      return [['info', 'served shares', { peer: event.peer, shares: event.shares, ms: event.ms }]]
    case 'exchange-failed':
      return [['info', 'an exchange failed', { peer: event.peer, code: event.code }]]
    case 'refusal-sent':
      return [['info', 'refused a peer', { code: event.code }]]
    case 'refusal-received':
      return [['info', 'refused by a peer', { peer: event.from, code: event.code }]]
    case 'peer-shut-out':
      return [['warn', 'a peer is shut out for a while', { who: event.who, kind: event.kind, ms: event.forMs }]]
    case 'compared': {
      const { listed, missing, erased } = event
      return [['info', 'compared with the chain', { listed, missing, erased }]]
    }
    case 'reconciled': {
      const { peer, missing, outdated, erased } = event
      return [['info', 'compared with a peer', { peer, missing, outdated, erased }]]
    }
    // For whoever makes sums of them.
    case 'serving-failed':
    case 'peer-attested':
    case 'handshake':
    case 'quote-verified':
    case 'triggers':
      return []
  }
}

function seatFields(change: Extract<NodeEvent, { type: 'seat' }>['change']): LogFields {
  const { type, block } = change
  if (!('seat' in change)) return { change: type, block: block.number }
  return { change: type, cluster: change.seat.cluster, slot: change.seat.slot, block: block.number }
}

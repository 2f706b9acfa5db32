import assert from 'node:assert/strict'
import type { NodeStatus } from '../../../src/node/index.js'
import { Recent } from '../../../src/status-page/recent.js'
import { mapOf, overviewOf } from '../../../src/status-page/view.js'
import { account, MadeUpNode, madeUpChain, madeUpStatus } from '../../support/made-up-node.js'

describe('what the status page is told', () => {
  const condition = (changes: Partial<NodeStatus>) => overviewOf(madeUpStatus(changes), 0).condition

  it('is in which condition the node is, the gravest first', () => {
    const lost = [{ code: 'chain/unreachable', sentence: '' }]
    assert.equal(condition({}), 'running')
    assert.equal(condition({ state: 'unregistered' }), 'joining')
    assert.equal(condition({ state: 'setup' }), 'setup')
    assert.equal(condition({ finalisedBlock: 130, syncedBlock: 120 }), 'running')
    assert.equal(condition({ finalisedBlock: 131, syncedBlock: 120 }), 'behind')
    const crawl = { from: 1, at: 2, to: 9, blocksPerSecond: 1, msLeft: 7_000 }
    assert.equal(condition({ crawl }), 'behind')
    assert.equal(condition({ problems: lost, state: 'setup' }), 'chain-lost')
    assert.equal(condition({ problems: lost, state: 'stopped' }), 'stopped')
    assert.equal(condition({ problems: [{ code: 'mesh/offenders', sentence: '' }] }), 'running')
  })

  it('is the endpoint of the chain without what a service may have as a key', () => {
    const endpoint = 'wss://user:word@node.example/chain?key=secret'
    const { chain } = overviewOf(madeUpStatus({ chain: madeUpChain({ endpoint }) }), 10_000)
    assert.deepEqual(chain, { isConnected: true, endpoint: 'wss://node.example/chain', finalisedAt: 8_500 })
  })

  it('is who sits where, the own cluster first, and of peers how they stand', () => {
    const node = new MadeUpNode()
    const seat = (number: number, cluster: number, slot: number) =>
      ({ account: account(number), operator: account(9), cluster, slot, apiUri: '' }) as const
    const peer = {
      ...seat(2, 0, 1),
      peerId: 'other',
      isConnected: true,
      isShut: false,
      attestedAt: 5,
      lastExchange: undefined,
    }
    node.seats = [seat(2, 0, 1), seat(3, 0, 2), seat(1, 4, 1)]
    node.slotPeers = [peer]
    const { clusters, left } = mapOf(node)
    assert.deepEqual(clusters, [
      { id: 4, isPublic: true, seats: [null, { account: account(1), relation: 'self' }, null, null, null] },
      {
        id: 0,
        isPublic: true,
        seats: [
          null,
          { account: account(2), relation: 'peer', isConnected: true, isShut: false, attestedAt: 5 },
          { account: account(3), relation: 'other' },
          null,
          null,
        ],
      },
    ])
    assert.equal(left, 0)
  })

  it('is no more than a map of 250 clusters, with the own one among them', () => {
    const node = new MadeUpNode()
    const seat = { operator: account(9), slot: 0, apiUri: '' }
    node.seats = Array.from({ length: 300 }, (_, cluster) => ({ ...seat, account: account(cluster + 1_000), cluster }))
    node.seats.push({ ...seat, account: node.account, cluster: 999 })
    const { clusters, left } = mapOf(node)
    assert.deepEqual([clusters.length, clusters[0]?.id, left], [250, 999, 51])
  })

  it('is the latest twenty of what blocks have brought and what was fetched', () => {
    const recent = new Recent()
    for (let block = 1; block <= 30; block += 1) {
      const trigger = { type: 'synced', kind: 'secret', nftId: block, cluster: 1 } as const
      recent.heard({ type: 'triggers', block, triggers: [trigger], at: block })
      const key = { kind: 'secret', nftId: block } as const
      recent.heard({ type: 'share-stored', key, version: 1, from: account(2), origin: 1, triggeredAt: 0, at: block })
    }
    const before = recent.version
    recent.heard({ type: 'state', state: 'running', at: 1 })
    const { triggers, fetches } = recent.news()
    assert.deepEqual([triggers.length, triggers[0]?.block, fetches.length, fetches[0]?.ms], [20, 30, 20, 30])
    assert.equal(recent.version, before)
  })
})

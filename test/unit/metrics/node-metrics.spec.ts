import assert from 'node:assert/strict'
import { createMetrics } from '../../../src/metrics/index.js'
import { account, MadeUpNode, madeUpChain, madeUpStatus } from '../../support/made-up-node.js'

describe('the metrics of a node', () => {
  let node: MadeUpNode

  beforeEach(() => {
    node = new MadeUpNode()
  })

  /** The lines of one metric, without its prefix. */
  async function lines(metrics: ReturnType<typeof createMetrics>, name: string): Promise<string[]> {
    const text = await metrics.text()
    return text.split('\n').filter((line) => line.startsWith(`slotmesh_${name}`) && !line.startsWith('#'))
  }

  it('say how far it is behind, what it holds and what it waits for', async () => {
    const metrics = createMetrics()
    metrics.watch(node)
    const wantsByAge = { minute: 3, 'ten-minutes': 0, hour: 0, day: 0, older: 1 }
    node.shown = madeUpStatus({ finalisedBlock: 130, syncedBlock: 120, wantsOpen: 4, wantsByAge })
    assert.deepEqual(await lines(metrics, 'sync_lag_blocks'), ['slotmesh_sync_lag_blocks 10'])
    assert.ok((await lines(metrics, 'wants_open')).includes('slotmesh_wants_open{age="older"} 1'))
    assert.deepEqual(await lines(metrics, 'shares_held'), [
      'slotmesh_shares_held{kind="secret"} 16',
      'slotmesh_shares_held{kind="capsule"} 11',
    ])
    node.shown = madeUpStatus({ finalisedBlock: 120, syncedBlock: 120 })
    assert.deepEqual(await lines(metrics, 'sync_lag_blocks'), ['slotmesh_sync_lag_blocks 0'])
  })

  it('say which state and problems it has now, and forget those that it had', async () => {
    const metrics = createMetrics()
    metrics.watch(node)
    node.shown = madeUpStatus({ state: 'setup', problems: [{ code: 'chain/stale-view', sentence: 'No block.' }] })
    assert.ok((await lines(metrics, 'state')).includes('slotmesh_state{state="setup"} 1'))
    assert.deepEqual(await lines(metrics, 'problem'), ['slotmesh_problem{code="chain/stale-view"} 1'])
    node.shown = madeUpStatus()
    assert.ok((await lines(metrics, 'state')).includes('slotmesh_state{state="setup"} 0'))
    assert.deepEqual(await lines(metrics, 'problem'), [])
  })

  it('say how the chain and the collateral are', async () => {
    const metrics = createMetrics()
    metrics.watch(node)
    const lastFailure = { at: 0, code: 'chain/unreachable', message: 'No answer.' }
    const held = {
      usableUntil: new Date(5_000),
      validUntil: new Date(6_000),
      collateralIssuedAt: new Date(1_000),
      tcbEvaluationDataNumber: 17,
    }
    const platform = { tee: 'sgx', fmspc: '00906ed50000', pceId: '0000', ca: 'processor' } as const
    node.shown = madeUpStatus({
      chain: madeUpChain({ state: 'connecting', endpoints: [{ url: 'ws://one', lastFailure }] }),
      collateral: [
        { request: platform, held, lastFailure: undefined },
        { request: { ...platform, fmspc: '00a067110000' }, held: undefined, lastFailure: undefined },
      ],
    })
    assert.deepEqual(await lines(metrics, 'chain'), [
      'slotmesh_chain_connected 0',
      'slotmesh_chain_finalised_age_seconds 1.5',
      'slotmesh_chain_endpoints_failing 1',
    ])
    assert.deepEqual(await lines(metrics, 'collateral'), [
      'slotmesh_collateral_issued_timestamp_seconds{platform="sgx 00906ed50000"} 1',
      'slotmesh_collateral_usable_until_timestamp_seconds{platform="sgx 00906ed50000"} 5',
      'slotmesh_collateral_usable_until_timestamp_seconds{platform="sgx 00a067110000"} 0',
    ])
  })

  it('count exchanges by what came of them, and time handshakes and quotes', async () => {
    const metrics = createMetrics()
    metrics.watch(node)
    const [peer, at] = [account(2), 5]
    node.tell({ type: 'exchange-done', peer, shares: 3, bytes: 900, messages: 7, ms: 50, at })
    node.tell({ type: 'exchange-served', peer, shares: 2, bytes: 400, messages: 5, ms: 30, at })
    node.tell({ type: 'refusal-received', code: 'BUSY', from: peer, ms: 5, at })
    node.tell({ type: 'refusal-sent', code: 'QUOTE_INVALID', role: 'provider', at })
    node.tell({ type: 'exchange-failed', peer, code: 'share/cut', ms: 5, at })
    node.tell({ type: 'handshake', role: 'requester', ms: 40, at })
    node.tell({ type: 'quote-verified', outcome: 'admitted', ms: 4, at })
    assert.deepEqual(await lines(metrics, 'exchanges_total'), [
      'slotmesh_exchanges_total{role="requester",outcome="done",code="none"} 1',
      'slotmesh_exchanges_total{role="provider",outcome="done",code="none"} 1',
      'slotmesh_exchanges_total{role="requester",outcome="refused",code="BUSY"} 1',
      'slotmesh_exchanges_total{role="provider",outcome="refusing",code="QUOTE_INVALID"} 1',
      'slotmesh_exchanges_total{role="requester",outcome="failed",code="share/cut"} 1',
    ])
    assert.ok((await lines(metrics, 'exchange_shares')).includes('slotmesh_exchange_shares_total{role="requester"} 3'))
    assert.ok((await lines(metrics, 'handshake')).includes('slotmesh_handshake_seconds_sum{role="requester"} 0.04'))
    const quotes = await lines(metrics, 'quote_verification')
    assert.ok(quotes.includes('slotmesh_quote_verification_seconds_bucket{le="0.005",outcome="admitted"} 1'))
    assert.ok(quotes.includes('slotmesh_quote_verification_seconds_bucket{le="0.0025",outcome="admitted"} 0'))
  })

  it('have few series, whatever words peers bring about', async () => {
    const metrics = createMetrics()
    metrics.watch(node)
    const failed = (code: string) => node.tell({ type: 'exchange-failed', peer: account(2), code, ms: 5, at: 5 })
    failed('a sentence of libp2p’s, with "quotes"\nand lines')
    failed('x'.repeat(65))
    for (let number = 0; number < 1_000; number += 1) failed(`made-up/${number}`)
    const all = await lines(metrics, 'exchanges_total')
    assert.equal(all.length, 65)
    assert.ok(all.includes('slotmesh_exchanges_total{role="requester",outcome="failed",code="other"} 938'))
  })

  it('say of each slot peer whether there is a connection, and when it has proved itself; of no more than a thousand', async () => {
    const metrics = createMetrics()
    metrics.watch(node)
    const peer = { account: account(2), operator: account(3), slot: 1, apiUri: '', peerId: 'other', isShut: false }
    const known = { ...peer, isConnected: true, attestedAt: 7_000, lastExchange: undefined }
    node.slotPeers = Array.from({ length: 1_030 }, (_, at) => ({ ...known, cluster: 1_030 - at }))
    node.slotPeers.push({ ...known, cluster: 0, isConnected: false, attestedAt: undefined })
    assert.deepEqual(await lines(metrics, 'slot_peers'), ['slotmesh_slot_peers 1031'])
    const connected = await lines(metrics, 'slot_peer_connected')
    assert.deepEqual(connected.slice(0, 2), [
      'slotmesh_slot_peer_connected{cluster="0"} 0',
      'slotmesh_slot_peer_connected{cluster="1"} 1',
    ])
    assert.equal(connected.length, 1_024)
    const [first] = await lines(metrics, 'slot_peer_attested')
    assert.equal(first, 'slotmesh_slot_peer_attested_timestamp_seconds{cluster="1"} 7')
    node.slotPeers = []
    assert.deepEqual(await lines(metrics, 'slot_peer_connected'), [])
  })

  it('are of one node each, where there are several', async () => {
    const [one, other] = [createMetrics(), createMetrics()]
    const second = new MadeUpNode()
    one.watch(node)
    other.watch(second)
    const event = {
      type: 'triggers',
      block: 1,
      triggers: [{ type: 'removed', kind: 'secret', nftId: 1 }],
      at: 1,
    } as const
    node.tell(event)
    second.tell(event)
    second.tell(event)
    assert.deepEqual(await lines(one, 'triggers'), ['slotmesh_triggers_total{type="removed"} 1'])
    assert.deepEqual(await lines(other, 'triggers'), ['slotmesh_triggers_total{type="removed"} 2'])
  })

  it('ask the node once for all who ask at the same time, and leave it alone when that was called off', async () => {
    const metrics = createMetrics()
    const leave = metrics.watch(node)
    let asked = 0
    node.status = async () => {
      asked += 1
      return madeUpStatus()
    }
    const texts = await Promise.all([metrics.text(), metrics.text()])
    assert.equal(texts[0], texts[1])
    assert.equal(asked, 1)
    leave()
    await metrics.text()
    assert.deepEqual([asked, node.listeners], [1, 0])
  })
})

import assert from 'node:assert/strict'
import { ago, peerLines, registryLines, statusText } from '../../../src/cli/status-text.js'
import { type ControlPeer, type ControlStatus, StatusSchema } from '../../../src/control/index.js'

const NOW = 1_800_000_000_000
const ACCOUNT = `0x${'a1'.repeat(32)}`

const PEER: ControlPeer = {
  account: `0x${'b2'.repeat(32)}`,
  operator: ACCOUNT,
  cluster: 12,
  slot: 3,
  apiUri: 'https://b.example',
  peerId: 'QmPeer',
  isConnected: true,
  isShut: false,
  attestedAt: NOW - 5_000,
  lastExchange: { role: 'requester', shares: 7, bytes: 900, at: NOW - 120_000 },
}

const STATUS: ControlStatus = {
  version: '0.1.0',
  startedAt: NOW - 7_200_000,
  account: ACCOUNT,
  peerId: 'QmOwn',
  multiaddrs: ['/ip4/127.0.0.1/tcp/4001/p2p/QmOwn'],
  state: 'running',
  seat: { cluster: 1, slot: 3 },
  finalisedBlock: 120,
  syncedBlock: 117,
  chain: { state: 'connected', endpoint: 'ws://127.0.0.1:9944' },
  shares: { secret: 5, capsule: 2 },
  wantsOpen: 1,
  problems: [{ code: 'chain/stale-view', sentence: 'No new final block.' }],
  peers: [PEER],
  errors: [{ at: NOW - 60_000, code: 'BUSY', peer: PEER.account }],
}

describe('what a running node says, in words', () => {
  it('is who and how far it is, whom it knows and what went wrong', () => {
    const text = statusText(STATUS, NOW)
    for (const line of [
      /^state {4}running, up for 2 h, version 0\.1\.0$/m,
      /^seat {5}cluster 1, slot 3$/m,
      /^synced {3}block 117 of 120, 3 behind$/m,
      /^shares {3}5 of secret NFTs, 2 of capsules$/m,
      /^wants {4}1 open$/m,
      /^problem {2}chain\/stale-view: No new final block\.$/m,
      /^12 +5\w+ +connected +5 s ago +7 shares fetched, 2 min ago$/m,
      /^ {2}60 s ago {2}BUSY {2}5\w+…\w{4}$/m,
    ]) {
      assert.match(text, line)
    }
    const { seat: _, chain: __, ...bare } = STATUS
    const unseated = statusText({ ...bare, syncedBlock: 120, errors: [], peers: [] }, NOW)
    assert.match(unseated, /^seat {5}none: register /m)
    assert.match(unseated, /^synced {3}block 120 of 120$/m)
    assert.match(unseated, /^no slot peers$/m)
    assert.ok(!unseated.includes('last errors'))
  })

  it('tells a peer that is shut out from one that is not found, and a failure from shares', () => {
    const { peerId: _, attestedAt: __, lastExchange: ___, ...unknown } = { ...PEER, isConnected: false }
    const failed = { role: 'requester', code: 'share/timeout', shares: 0, bytes: 0, at: NOW - 1_000 } as const
    const [, first, second] = peerLines(
      [
        { ...PEER, cluster: 30, isShut: true, lastExchange: failed },
        { ...unknown, cluster: 2 },
      ],
      NOW,
    )
    assert.match(first ?? '', /^2 +5\w+ +not found +not yet +none$/)
    assert.match(second ?? '', /^30 +5\w+ +shut out +5 s ago +share\/timeout, 1 s ago$/)
  })

  it('has no place for a field that is not what it should be', () => {
    assert.ok(StatusSchema.safeParse({ ...STATUS, more: 'from a newer version' }).success)
    assert.ok(!StatusSchema.safeParse({ ...STATUS, wantsOpen: 'many' }).success)
  })

  it('shows the registry as clusters by slots', () => {
    const { account, operator, apiUri } = PEER
    const lines = registryLines([
      { id: 4, type: 'public', seats: [{ account, operator, apiUri, cluster: 4, slot: 1 }] },
    ])
    assert.match(lines[0] ?? '', /^cluster +type +slot 0 +slot 1 +slot 2 +slot 3 +slot 4$/)
    assert.match(lines[1] ?? '', /^4 +public +empty +5\w+…\w{4} +empty +empty +empty$/)
    assert.deepEqual(registryLines([]), ['no clusters'])
  })

  it('says how long ago something was in one unit', () => {
    assert.deepEqual([400, 59_600, 3_000_000, 90_000_000, 900_000_000].map(ago), [
      '0 s',
      '60 s',
      '50 min',
      '25 h',
      '10 d',
    ])
  })
})

import assert from 'node:assert/strict'
import type { NodeStatus } from '../../../src/node/index.js'
import { formatReport, percentile, type SimulationReport } from '../../../src/simulation/index.js'

const STATUS: NodeStatus = {
  account: `0x${'01'.repeat(32)}`,
  peerId: 'peer',
  multiaddrs: [],
  api: undefined,
  state: 'running',
  seat: { cluster: 0, slot: 1 },
  finalisedBlock: 122,
  chain: undefined,
  crawl: undefined,
  confirmationsOwed: { count: 0, oldestSince: undefined, lastOutcome: undefined },
  collateral: [],
  integrity: { state: 'whole', sequence: 1, dropped: 0, doubtful: 0 },
  comparison: undefined,
  reconciliation: { sessions: { requested: 0, served: 0, failed: 0 }, gaps: 0, last: undefined },
  problems: [],
  cursor: 121,
  syncedBlock: 120,
  shares: { secret: 16, capsule: 11 },
  wantsOpen: 0,
  wantsByAge: { minute: 0, 'ten-minutes': 0, hour: 0, day: 0, older: 0 },
  quotes: 59,
  dht: { lookups: 4, messages: 30 },
  exchanges: { requested: 19, served: 40, failed: 1 },
  refusals: { sent: { BUSY: 2, NOT_REGISTERED: 3 }, received: {} },
  offences: { byKind: {}, shut: 0, worst: [] },
}

const REPORT: SimulationReport = {
  passed: true,
  scenario: 'life-of-a-share',
  title: 'The life of a share',
  mode: 'live',
  seed: `0x${'ab'.repeat(32)}`,
  generation: 2,
  nfts: { secrets: 16, capsules: 10 },
  deeds: { kill: 12, 'chain-outage': 3 },
  enclaves: [
    { cluster: 0, slot: 1, status: STATUS, note: 'killed, resumed' },
    { cluster: 12, slot: 4, status: undefined, note: 'down' },
  ],
  timings: [
    { name: 'trigger to stored', samples: [12, 800, 30] },
    { name: 'resume', samples: [] },
  ],
  checks: [
    { name: 'All is well', passed: true, detail: 'two of two' },
    { name: 'Nothing is lost', passed: false, detail: 'many words '.repeat(30).trim() },
  ],
  wallTimeMs: 41_234,
  folder: undefined,
  run: undefined,
}

describe('the report', () => {
  it('ends with PASS or FAIL on a line of its own', () => {
    assert.match(formatReport(REPORT), /\n\nPASS$/)
    assert.match(formatReport({ ...REPORT, passed: false }), /\n\nFAIL$/)
  })

  it('tells how often what was done to the mesh', () => {
    assert.match(formatReport(REPORT), /\nwith 12 × kill, 3 × chain-outage\n/)
    assert.doesNotMatch(formatReport({ ...REPORT, deeds: {} }), /\nwith/)
  })

  it('fits into 100 columns and has no blanks at line ends', () => {
    for (const line of formatReport(REPORT).split('\n')) {
      assert.ok(line.length <= 100, line)
      assert.equal(line, line.trimEnd())
    }
  })

  it('leaves tables out in which nothing would stand', () => {
    const text = formatReport({ ...REPORT, enclaves: [], timings: [] })
    assert.ok(text.startsWith('ok   All is well'), text)
  })

  it('lines its columns up', () => {
    const lines = formatReport(REPORT).split('\n')
    const row = lines.find((line) => line.includes('killed, resumed')) ?? ''
    const heading = lines.find((line) => line.includes('slot')) ?? ''
    assert.equal(row.indexOf('killed'), heading.indexOf('note'))
    assert.equal(row.indexOf('120') + 3, heading.indexOf('synced') + 6)
  })

  it('adds refusals up, and shows dashes for an enclave that is down', () => {
    const text = formatReport(REPORT)
    assert.match(text, /^ +0 +1 +16 +11 +120 +19 +40 +1 +5 +0 {2}killed, resumed$/m)
    assert.match(text, /^ +12 +4( +-){8} {2}down$/m)
  })

  it('shows percentiles, and dashes where nothing was measured', () => {
    const text = formatReport(REPORT)
    assert.match(text, /trigger to stored +30 ms +800 ms +3\n/)
    assert.match(text, /resume +- +- +0\n/)
  })

  it('tells failed checks from good ones, and shows the seed', () => {
    const text = formatReport(REPORT)
    assert.match(text, /^ok {3}All is well$/m)
    assert.match(text, /^FAIL Nothing is lost$/m)
    assert.ok(text.includes(REPORT.seed))
  })

  it('takes percentiles by nearest rank', () => {
    const samples = Array.from({ length: 100 }, (_, index) => 100 - index)
    assert.equal(percentile(samples, 50), 50)
    assert.equal(percentile(samples, 99), 99)
    assert.equal(percentile([5], 99), 5)
    assert.equal(percentile([], 50), undefined)
  })
})

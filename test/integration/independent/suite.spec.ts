import assert from 'node:assert/strict'
import { runConformance } from '../../../src/conformance/index.js'
import { Peer } from '../../independent/peer.js'

/** A case or two of each family; `npm run independent` runs all. */
const PART = [
  'HELLO-01',
  'HELLO-22',
  'TOKEN-08',
  'CHAL-01',
  'BIND-01',
  'WANT-01',
  'SERVE-03',
  'SERVE-11',
  'CHECK-01',
  'CHECK-10',
  'RECORD-01',
]

describe('the conformance suite', function () {
  this.timeout(120_000)

  it('passes the independent peer', async () => {
    const report = await runConformance({ start: (target) => Peer.start(target), only: PART })
    const otherwise = report.results
      .filter(({ verdict }) => verdict !== 'passed')
      .map(({ case: { id }, verdict, reason }) => `${id} ${verdict}: ${reason}`)
    assert.deepEqual(otherwise, [])
    assert.ok(report.passed)
  })
})

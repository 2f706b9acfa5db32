import assert from 'node:assert/strict'
import { type CaseResult, runConformance } from '../../../src/conformance/index.js'
import { startNode } from './node.js'

describe("the project's own node", function () {
  this.timeout(300_000)

  it('passes every case', async () => {
    const told: CaseResult[] = []
    const report = await runConformance({
      start: (target) => startNode(target),
      onResult: (result) => told.push(result),
    })
    const otherwise = report.results
      .filter(({ verdict }) => verdict !== 'passed')
      .map(({ case: { id }, verdict, reason }) => `${id} ${verdict}: ${reason}`)
    assert.deepEqual(otherwise, [])
    assert.equal(told.length, report.results.length)
    assert.ok(report.passed)
  })
})

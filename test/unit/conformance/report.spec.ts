import assert from 'node:assert/strict'
import {
  type ConformanceReport,
  chosenCases,
  formatResult,
  formatSummary,
  toJson,
  toJunit,
} from '../../../src/conformance/index.js'
import { coverageOf, requirementsOf } from '../../../src/conformance/specification.js'

const [one, other] = chosenCases({ only: ['HELLO-24', 'TOKEN-01'] })
if (one === undefined || other === undefined) throw new Error('the cases are gone')

const REPORT: ConformanceReport = {
  results: [
    { case: one, verdict: 'failed', reason: 'it said <&"\u0007>', durationMs: 1_250 },
    { case: other, verdict: 'warned', reason: 'late', durationMs: 3 },
  ],
  coverage: { covered: [], unseen: [], uncovered: [] },
  passed: false,
}

describe('what the conformance suite reports', () => {
  it('is a line for each case, with what it expected and got when it did not pass', () => {
    const [first] = REPORT.results
    assert.ok(first)
    assert.match(formatResult(first), /^FAIL {2}HELLO-24 .*\n {6}expected Refusal BAD_SIGNATURE; it said /)
    assert.match(formatSummary(REPORT), /^2 cases: 0 passed, 1 with warnings, 1 failed\nFAIL$/m)
  })

  it('is XML as JUnit writes it, whatever the peer said', () => {
    const xml = toJunit(REPORT)
    assert.match(xml, /<testsuite name="HELLO" tests="1" failures="1" errors="0" time="1\.250">/)
    assert.match(xml, /<failure message="expected Refusal BAD_SIGNATURE; it said &lt;&amp;&quot; &gt;"\/>/)
    assert.match(xml, /<testsuite name="TOKEN" tests="1" failures="0" errors="0"/)
  })

  it('is JSON without functions', () => {
    const { cases, passed } = JSON.parse(toJson(REPORT))
    assert.equal(passed, false)
    assert.equal(cases[0].id, 'HELLO-24')
    assert.equal(cases[0].clause, '4.3')
    assert.equal(cases[0].verdict, 'failed')
    assert.ok(!('run' in cases[0]))
  })

  it('names the requirements that have neither a case nor a reason', () => {
    const all = [...requirementsOf('share'), ...requirementsOf('enclave-record')]
    assert.ok(all.length >= 40, `${all.length} requirements`)
    assert.ok(all.every(({ sentence }) => /\bMUST\b/.test(sentence)))
    const nothing = coverageOf([], [])
    assert.deepEqual([nothing.covered, nothing.unseen], [[], []])
    assert.deepEqual(nothing.uncovered, all)

    const [requirement] = all
    assert.ok(requirement)
    const { spec, clause, sentence } = requirement
    const half = sentence.slice(0, 40)
    const { covered, uncovered } = coverageOf([{ ...one, spec, clause, quote: half }], [])
    assert.deepEqual(
      covered.map((each) => each.requirement),
      [requirement],
    )
    assert.equal(uncovered.length, all.length - 1)
    const excused = coverageOf([], [{ spec, clause, quote: half, reason: 'It is dark.' }])
    assert.deepEqual(excused.unseen, [{ requirement, reason: 'It is dark.' }])
    assert.match(formatSummary({ ...REPORT, coverage: excused }), /uncovered: 4\.2: A side that has not seen/)
  })
})

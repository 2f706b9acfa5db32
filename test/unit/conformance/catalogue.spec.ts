import assert from 'node:assert/strict'
import { chosenCases } from '../../../src/conformance/index.js'
import { requirementsOf, stands } from '../../../src/conformance/specification.js'
import { UNSEEN } from '../../../src/conformance/unseen.js'

const CASES = chosenCases({ slow: true })

describe('the catalogue of cases', () => {
  it('has stable ids, each once, in the order of their families', () => {
    const ids = CASES.map(({ id }) => id)
    assert.deepEqual(
      ids.filter((id) => !/^[A-Z]+-\d\d$/.test(id)),
      [],
    )
    assert.equal(new Set(ids).size, ids.length)
    const families = ids.map((id) => id.replace(/-\d+$/, ''))
    const begun = families.filter((family, at) => family !== families[at - 1])
    assert.equal(new Set(begun).size, begun.length, 'a family is in one piece')
  })

  it('quotes the specification as it stands', () => {
    const gone = [
      ...CASES.map((each) => ({ what: each.id, ...each })),
      ...UNSEEN.map((each) => ({ what: 'unseen', ...each })),
    ]
      .filter(({ spec, clause, quote }) => !stands(spec, clause, quote))
      .map(({ what, spec, clause, quote }) => `${what}: ${spec} ${clause} has no "${quote}"`)
    assert.deepEqual(gone, [])
  })

  it('says that of a requirement that nothing shows which one it is, and does not say it of one that a case shows', () => {
    for (const { spec, clause, quote, reason } of UNSEEN) {
      const meant = requirementsOf(spec).filter(
        (each) => each.clause === clause && each.sentence.includes(quote.replace(/\s+/g, ' ')),
      )
      assert.ok(meant.length > 0, `"${quote}" is in no requirement of ${spec} ${clause}`)
      assert.ok(reason.length > 0)
    }
  })

  it('is chosen from by ids and beginnings of ids; slow cases run when they are named', () => {
    const ids = (options: Parameters<typeof chosenCases>[0]) => chosenCases(options).map(({ id }) => id)
    assert.deepEqual(ids({ only: ['HELLO-01', 'TOKEN-02'] }), ['HELLO-01', 'TOKEN-02'])
    assert.ok(ids({ only: ['HELLO'] }).every((id) => id.startsWith('HELLO-')))
    assert.ok(!ids({ skip: ['HELLO', 'TOKEN-02'] }).some((id) => id.startsWith('HELLO') || id === 'TOKEN-02'))
    assert.deepEqual(ids({ only: ['HELLO'], skip: ['HELLO'] }), [])
  })
})

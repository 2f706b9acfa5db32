import assert from 'node:assert/strict'
import type { RecordedRun, RunOutcome } from '../../../../src/simulation/record/index.js'
import { compareRuns, formatComparison, formatHtmlComparison } from '../../../../src/simulation/view/index.js'
import { madeUpHeader, madeUpRecording } from '../../../support/made-up-run.js'

const OPTIONS = { clusters: 3, blocks: 60 }

describe('comparing two runs', () => {
  const one = madeUpRecording({ ...OPTIONS, mode: 'live' })
  const differing = (names: readonly { readonly name: string; readonly agrees: boolean }[]) =>
    names.filter(({ agrees }) => !agrees).map(({ name }) => name)

  /** The same run with another outcome. */
  function altered(change: (outcome: RunOutcome) => Partial<RunOutcome>): RecordedRun {
    const outcome = one.outcome ?? assert.fail()
    return { header: one.header, events: one.events, outcome: { ...outcome, ...change(outcome) } }
  }

  it('finds that a run agrees with another of its kind', () => {
    const other = madeUpRecording({ ...OPTIONS, seed: 2 })
    const comparison = compareRuns(one, other)
    assert.deepEqual(differing(comparison.rows), [])
    assert.equal(comparison.agrees, true)
    assert.equal(comparison.remarks.length, 1)
    assert.match(comparison.remarks[0] ?? '', /^They are of different seeds: /)
  })

  it('finds what takes longer, and what does not hold any more', () => {
    const { rows, agrees } = compareRuns(one, madeUpRecording({ ...OPTIONS, slowness: 8 }))
    assert.equal(agrees, false)
    const names = differing(rows)
    assert.ok(names.includes('99 % of all shares were durable within 30 s'))
    assert.ok(names.includes('Replication, median'))
    const median = rows.find(({ name }) => name === 'Replication, median')
    assert.ok((median?.ratio ?? 0) > 3)
  })

  it('judges totals by the part that they are apart, and exchanges by a few', () => {
    const more = (exchanges: number) =>
      altered(({ totals }) => ({ totals: { ...totals, exchanges: totals.exchanges + exchanges } }))
    const { exchanges = 0 } = one.outcome?.totals ?? {}
    const quarter = Math.floor(exchanges / 3)
    assert.deepEqual(differing(compareRuns(one, more(quarter)).rows), [])
    assert.deepEqual(differing(compareRuns(one, more(quarter + 2)).rows), ['Exchanges'])
    assert.deepEqual(differing(compareRuns(one, more(12), { totalsWithin: 0 }).rows), [])
    assert.deepEqual(differing(compareRuns(one, more(13), { totalsWithin: 0 }).rows), ['Exchanges'])
  })

  it('takes no other number of shares for the same', () => {
    const other = altered(({ totals }) => ({ totals: { ...totals, triggers: totals.triggers + 1 } }))
    assert.deepEqual(differing(compareRuns(one, other).rows), ['Shares synced'])
  })

  it('does not judge a check that only one of them was asked, unless it fails', () => {
    const name = 'Every enclave holds what the chain lists'
    const fewer = compareRuns(
      one,
      altered(({ checks }) => ({ checks: checks.slice(1) })),
    )
    const row = fewer.rows.find((each) => each.name === name)
    assert.deepEqual([row?.other, row?.allowed, row?.agrees], ['not asked', undefined, true])
    const asked = { name: 'Asked of one', passed: false, detail: '' }
    const more = compareRuns(
      one,
      altered(({ checks }) => ({ checks: [...checks, asked] })),
    )
    assert.deepEqual(differing(more.rows), ['Asked of one'])
  })

  it('takes no other coverage for the same', () => {
    const other = altered(({ coverage }) => ({ coverage: [...coverage, { at: 1e9, due: 10, held: 9 }] }))
    assert.deepEqual(differing(compareRuns(one, other).rows), ['Coverage at the end'])
  })

  it('takes no percentile of a few for a finding, but their number', () => {
    const few = (count: number, p50: number) =>
      altered(({ distributions }) => ({
        distributions: { ...distributions, catchUp: { ...distributions.exchange, count, p50 } },
      }))
    assert.deepEqual(differing(compareRuns(few(11, 10), few(11, 10_000)).rows), [])
    assert.deepEqual(differing(compareRuns(few(12, 10), few(12, 10_000)).rows), ['Catching up, median'])
    assert.deepEqual(differing(compareRuns(few(11, 10), few(40, 10)).rows), ['Catching up, how many'])
  })

  it('tells it as text and as a page', () => {
    const comparison = compareRuns(one, madeUpRecording({ ...OPTIONS, slowness: 8 }))
    const text = formatComparison(comparison)
    assert.match(text, /\n\nDIFFER$/)
    assert.match(text, /^Replication, median +\d+ ms +[\d.]+ m?s +×\d.* within 50 % or 100 ms +DIFFERS$/m)
    assert.match(text, /^Messages .* not judged$/m)
    assert.match(formatComparison(compareRuns(one, one)), /agree in everything that is judged\.\n\nAGREE$/)
    const page = formatHtmlComparison(comparison)
    assert.match(page, /They differ/)
    assert.match(page, /<tr class="differs"><th scope="row">Replication, median/)
    assert.doesNotMatch(page, /<script|https?:/)
  })

  it('cannot be done with a run that was cut short', () => {
    const cut = { header: madeUpHeader(OPTIONS), events: [], outcome: undefined }
    assert.throws(() => compareRuns(one, cut), { code: 'simulation/run-unfinished' })
  })
})

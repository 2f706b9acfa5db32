import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRecorder } from '../../../../src/simulation/record/index.js'
import { reportFileOf, writeReport } from '../../../../src/simulation/view/index.js'
import { formatHtmlReport } from '../../../../src/simulation/view/report/report.js'
import { MadeUpRun, madeUpHeader, madeUpRecording } from '../../../support/made-up-run.js'

describe('the report of a run', () => {
  it('needs no network and no scripts', () => {
    const report = formatHtmlReport([madeUpRecording({ clusters: 3 })])
    assert.doesNotMatch(report, /<script|<link|<img|<iframe|url\(|@import|https?:/)
    assert.match(report, /content="default-src 'none'; style-src 'unsafe-inline'"/)
  })

  it('tells in words what its plots show, with the numbers behind them', () => {
    const report = formatHtmlReport([madeUpRecording({ clusters: 3 })])
    const plots = report.match(/<svg [^>]*>/g) ?? []
    // Coverage, lag, three times, and four kinds of work.
    assert.equal(plots.length, 9)
    for (const plot of plots) assert.match(plot, /role="img" aria-label="[^"]{20,}"/)
    assert.equal(report.match(/<summary>Numbers<\/summary>/g)?.length, 9)
    assert.equal(report.match(/<caption>/g)?.length, 9)
    assert.doesNotMatch(report, /NaN|undefined|Infinity/)
  })

  it('shows what had to hold, and what was done', () => {
    const report = formatHtmlReport([madeUpRecording({ clusters: 3, slowness: 3 })])
    assert.match(report, /Something did not hold/)
    assert.match(report, /✗ fails<\/b> 99 % of all shares/)
    assert.match(report, /<time>5:54<\/time> kill region, region south/)
  })

  it('can be made of a run in which nothing happened', () => {
    const recorder = createRecorder(madeUpHeader({ clusters: 1 }))
    recorder.finish({ ...new MadeUpRun({ clusters: 1 }).result, durationMs: 0 })
    const report = formatHtmlReport([recorder])
    assert.doesNotMatch(report, /NaN|undefined|Infinity/)
    assert.match(report, /There was none\./)
  })

  it('says what was left out of the file', () => {
    const recorder = madeUpRecording({ clusters: 1 })
    const outcome = recorder.outcome ?? assert.fail()
    const report = formatHtmlReport([
      { ...recorder, header: recorder.header, outcome: { ...outcome, leftOut: { stored: 12_000 } } },
    ])
    assert.match(report, /leaves out events that were too many to keep: 12\u202f000 of stored/)
  })

  it('takes what a run says for text', () => {
    const recorder = createRecorder({ ...madeUpHeader({ clusters: 1 }), title: '<script>alert(1)</script>' })
    recorder.finish(new MadeUpRun({ clusters: 1 }).result)
    assert.doesNotMatch(formatHtmlReport([recorder]), /<script/)
  })

  it('shows how costs grow when there are runs of several sizes, and names what grows too fast', () => {
    const report = formatHtmlReport([5, 20, 40].map((clusters) => madeUpRecording({ clusters, blocks: 12 })))
    assert.match(report, /Nothing grows faster than it should\./)
    // Made up as a power of the number of enclaves.
    assert.match(report, /<th scope="row">DHT look-ups per enclave<\/th><td>0\.20<\/td>/)
    const [small, large] = [5, 40].map((clusters) => madeUpRecording({ clusters, blocks: 12 }))
    const outcome = large?.outcome ?? assert.fail()
    const busy = { ...outcome, totals: { ...outcome.totals, busiestServed: outcome.totals.busiestServed * 40 } }
    const bad = formatHtmlReport([
      small ?? assert.fail(),
      { header: madeUpHeader({ clusters: 40 }), events: [], outcome: busy },
    ])
    assert.match(bad, /Grows faster than it should: Served by the busiest, per trigger\./)
  })

  it('cannot be made of a run that was cut short', () => {
    const recorder = createRecorder(madeUpHeader({ clusters: 1 }))
    assert.throws(() => formatHtmlReport([recorder]), { code: 'simulation/run-unfinished' })
  })

  it('is written next to the run, or says why it is not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slotmesh-test-'))
    try {
      const file = reportFileOf(join(folder, 'a.run.jsonl'))
      assert.equal(file, join(folder, 'a.report.html'))
      await writeReport(file, [madeUpRecording({ clusters: 1 })])
      assert.match(await readFile(file, 'utf8'), /^<!doctype html>/)
      await assert.rejects(writeReport(folder, [madeUpRecording({ clusters: 1 })]), {
        code: 'simulation/report-not-written',
        message: /Choose a file that is writable\.$/,
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

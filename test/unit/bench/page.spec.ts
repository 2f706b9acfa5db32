import assert from 'node:assert/strict'
import { benchPage } from '../../../bench/page/page.js'
import { alone, madeUpContest, madeUpResults } from './made-up.js'

describe('the page of the bench', () => {
  const contest = madeUpContest([400, 420], [1_000, 1_010])
  const page = benchPage(madeUpResults([contest, alone([100])]))

  it('asks for nothing from anywhere', () => {
    assert.match(page, /content="default-src 'none'; style-src 'unsafe-inline'"/)
    assert.doesNotMatch(page, /\b(?:src|href|url|import)\s*[=(]/)
    assert.doesNotMatch(page, /<script/)
  })

  it('says on what it was measured, and how long each bench took', () => {
    assert.match(page, /AMD EPYC, 2 cores, 24 GiB, Node v20\.20\.2, commit 1b65481, 2026-11-30T12:00/)
    assert.match(page, /Took: bootstrap 12 s/)
  })

  it('has a plot of each contest with a mark for each run, and a table of them beside it', () => {
    assert.equal(page.match(/class="run ours"/g)?.length, 3)
    assert.equal(page.match(/class="run theirs"/g)?.length, 2)
    assert.match(page, /<th scope="row">slotmesh<\/th><td>410<\/td><td>400<\/td><td>420<\/td>/)
    assert.match(page, /<td>0\.41 \(0\.40 to 0\.42\)<\/td><td>1,000<\/td><td>1,010<\/td>/)
  })

  it('tells each plot in words for those who do not see it', () => {
    assert.match(page, /aria-label="bootstrap: slotmesh 410 \(400 to 420\); raw 1,005 \(1,000 to 1,010\)\."/)
    assert.match(page, /aria-label="Targets: 1 of 2 are met\."/)
  })

  it('shows a target that is met and one that is not in more than a colour', () => {
    assert.match(page, /<g class="met"><title>idle: 1\.50 times what is asked for<\/title>.*<circle /)
    assert.match(page, /<g class="missed"><title>bootstrap \/ raw: 0\.8\d \(.*<path class="cross"/)
    assert.match(page, /<td>at least 0\.5 x<\/td><td>0\.41 \(0\.40 to 0\.42\) x<\/td><td>NOT met<\/td>/)
  })

  it('shows what reaches nothing of its target, and what takes nothing, at the edge', () => {
    const nothing = alone([0], { id: 'discovery-found', target: 'discovery-found', better: 'more', unit: '%' })
    const edges = benchPage(madeUpResults([nothing, alone([0], { name: 'none' })]))
    assert.match(edges, /<g class="missed"><title>idle: 0\.001\d* times what is asked for/)
    assert.match(edges, /<g class="met"><title>none: 1,000 times what is asked for/)
  })

  it('says of each side how it was set up, as text', () => {
    const side = { name: '<b>', setUp: 'a < b & c', figures: [1] }
    const escaped = benchPage(madeUpResults([alone([100], { contestant: side })]))
    assert.match(escaped, /<dt>&lt;b&gt;<\/dt><dd>a &lt; b &amp; c<\/dd>/)
    assert.match(page, /<dt>raw, a ceiling<\/dt><dd>The bytes alone\.<\/dd>/)
  })

  it('draws what is far apart on a logarithmic scale', () => {
    const far = benchPage(madeUpResults([madeUpContest([1], [100])]))
    assert.match(far, /shares\/s \(logarithmic\)/)
    assert.doesNotMatch(page, /shares\/s \(logarithmic\)/)
  })
})

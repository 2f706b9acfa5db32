import assert from 'node:assert/strict'
import type { Part } from '../../../bench/growth/growing.js'
import { growthPage, growthPlot } from '../../../bench/growth/page.js'

const PART: Part = {
  title: 'Shares',
  of: 'shares',
  about: 'So many shares.',
  growths: [
    {
      id: 'shares-time',
      title: 'Time',
      unit: 's',
      why: 'It bends.',
      points: [
        { x: 10, y: 0 },
        { x: 100, y: 1 },
        { x: 10_000, y: 10 },
        { x: 100_000, y: 100 },
      ],
    },
  ],
}
const MACHINE = { processor: 'a processor', cores: 2, memoryGiB: 4, node: 'v20.0.0', commit: 'c0ffee' }

describe('the page of how costs grow', () => {
  it('has each cost, the exponent that fits all of it and that of its end, and why it bends', () => {
    const page = growthPage([PART], 'npm run growth', MACHINE)
    assert.match(page, /^\| Time, s \| 0 \| 1 \| 10 \| 100 \| 0\.64 \| 1\.00 \|$/m)
    assert.match(page, /^\*\*Time\.\*\* It bends\.$/m)
    assert.match(page, /^!\[Time, by shares\]\(growth\/shares-time\.svg\)$/m)
    assert.match(page, /commit c0ffee/)
  })

  it('has a plot that needs nothing else, and leaves out what was nothing', () => {
    const [growth] = PART.growths
    assert.ok(growth)
    const plot = growthPlot(growth, PART.of)
    assert.match(plot, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /)
    assert.equal(plot.match(/<circle /g)?.length, 3)
    assert.match(plot, /shares \(logarithmic\)/)
    assert.doesNotMatch(plot, /NaN|Infinity|https?:(?!\/\/www\.w3\.org)/)
  })
})

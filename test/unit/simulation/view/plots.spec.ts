import assert from 'node:assert/strict'
import { fitPowerLaw } from '../../../../src/simulation/view/plot/fit.js'
import { html } from '../../../../src/simulation/view/plot/markup.js'
import { overTime } from '../../../../src/simulation/view/plot/over-time.js'
import { linearScale, logScale, timeScale } from '../../../../src/simulation/view/plot/scale.js'

const RANGE = { from: 0, to: 100 }

describe('plots', () => {
  it('have round ticks on linear scales', () => {
    assert.deepEqual(linearScale({ from: 0, to: 98 }, RANGE).ticks, [0, 20, 40, 60, 80])
    assert.deepEqual(linearScale({ from: 0, to: 0.3 }, RANGE, { ticks: 3 }).ticks, [0, 0.1, 0.2, 0.3])
    assert.equal(linearScale({ from: 10, to: 20 }, { from: 100, to: 0 }).place(15), 50)
    assert.equal(linearScale({ from: 0, to: 0 }, RANGE).place(0), 0)
  })

  it('have round times on those of time', () => {
    assert.deepEqual(
      timeScale({ from: 0, to: 7_200_000 }, RANGE).ticks,
      [0, 1_800_000, 3_600_000, 5_400_000, 7_200_000],
    )
    assert.deepEqual(timeScale({ from: 0, to: 9_000 }, RANGE).ticks, [0, 2_000, 4_000, 6_000, 8_000])
  })

  it('place powers evenly on logarithmic scales', () => {
    const { place, ticks } = logScale({ from: 1, to: 10_000 }, RANGE)
    assert.deepEqual([1, 10, 100, 10_000].map(place), [0, 25, 50, 100])
    assert.deepEqual(ticks, [1, 10, 100, 1_000, 10_000])
    assert.deepEqual(logScale({ from: 4, to: 30 }, RANGE).ticks, [5, 10, 20])
  })

  it('have no logarithmic scale for what is not above zero, or has no end', () => {
    for (const domain of [
      { from: 0, to: 1 },
      { from: -1, to: 1 },
      { from: 1, to: Number.POSITIVE_INFINITY },
    ]) {
      assert.throws(() => logScale(domain, RANGE), RangeError)
    }
  })

  it('find the power that something grows with', () => {
    const points = [5, 50, 500].map((x) => ({ x, y: 3 * x ** 1.5 }))
    const { factor, exponent } = fitPowerLaw(points) ?? assert.fail()
    assert.ok(Math.abs(exponent - 1.5) < 1e-9 && Math.abs(factor - 3) < 1e-9)
    assert.equal(
      fitPowerLaw([
        { x: 5, y: 1 },
        { x: 5, y: 2 },
      ]),
      undefined,
    )
    assert.equal(
      fitPowerLaw([
        { x: 5, y: 1 },
        { x: 50, y: 0 },
      ]),
      undefined,
    )
  })

  it('take what is put in for text, whatever it is', () => {
    const evil = "\"><script>alert('&')</script>"
    const { text } = html`<p title="${evil}">${evil}${html`<b>${1}</b>`}</p>`
    const safe = '&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;'
    assert.equal(text, `<p title="${safe}">${safe}<b>1</b></p>`)
  })

  it('give marks that are close together one number', () => {
    const { text } = overTime({
      title: 'x',
      sentence: 'y',
      lines: [{ name: 'a', points: [{ at: 0, value: 1 }], isArea: true }],
      marks: [
        { at: 0, text: 'one' },
        { at: 1, text: 'two' },
        { at: 900, text: 'three' },
      ],
      until: 1_000,
      y: { label: 'z', text: String, top: 1 },
    })
    assert.match(text, /<title>one; two<\/title>.*>1\+</)
    assert.match(text, /<title>three<\/title>.*>3</)
    assert.match(text, /role="img" aria-label="x: y"/)
  })
})

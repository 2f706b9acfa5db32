import assert from 'node:assert/strict'
import { BoundedLabel } from '../../../src/metrics/labels.js'

describe('a label', () => {
  it('has names for values, and other for what is none', () => {
    const label = new BoundedLabel()
    const values = ['share/cut', 'BUSY', '127.0.0.1:4001', 'sgx 00906ed50000']
    assert.deepEqual(
      values.map((value) => label.of(value)),
      values,
    )
    for (const value of ['', 'two\nlines', '"', 'x'.repeat(65), 'ünexpected']) assert.equal(label.of(value), 'other')
  })

  it('tells no peers apart', () => {
    const label = new BoundedLabel()
    assert.equal(label.of('12D3KooWJSgS9mCNCkgcUhb6gFyWTPuAPhpKHcvLbCDJHRbhYhKf'), 'peer')
  })

  it('has no more than 64 values, and goes on to know those', () => {
    const label = new BoundedLabel()
    for (let number = 0; number < 64; number += 1) assert.equal(label.of(`code/${number}`), `code/${number}`)
    assert.deepEqual([label.of('code/64'), label.of('code/63')], ['other', 'code/63'])
  })
})

import assert from 'node:assert/strict'
import { progressText, StatusLine } from '../../../src/cli/status-line.js'

describe('the line at the foot of a terminal', () => {
  function terminal(columns: number) {
    const written: string[] = []
    const write = (text: string | Uint8Array) => {
      written.push(String(text))
      return true
    }
    return { write, columns, written }
  }

  it('is redrawn below what else is written, never wider than the terminal, and goes', () => {
    const output = terminal(10)
    const line = new StatusLine(output)
    line.write('before\n')
    line.show('0123456789abc')
    line.write('between\n')
    line.show('')
    line.show('')
    line.write('after\n')
    const erased = '\r\x1b[K'
    assert.deepEqual(output.written, ['before\n', '012345678', `${erased}between\n012345678`, erased, 'after\n'])
  })

  it('is whole on a terminal that does not know how wide it is', () => {
    const output = terminal(0)
    new StatusLine(output).show('0123456789abc')
    assert.deepEqual(output.written, ['0123456789abc'])
  })

  it('tells of a setup, and of catching up with the chain', () => {
    const shares = { secret: 3, capsule: 3 }
    assert.match(
      progressText({ state: 'setup', shares, wantsOpen: 18, crawl: undefined }),
      /^setup +█{6}░{18} {2}6 of 24 shares$/,
    )
    const crawl = { from: 100, at: 150, to: 200, blocksPerSecond: 10, msLeft: 4_200 }
    assert.match(
      progressText({ state: 'running', shares, wantsOpen: 0, crawl }),
      /^catch-up +█{12}░{12} {2}block 150 of 200, 5 s left$/,
    )
    assert.equal(progressText({ state: 'running', shares, wantsOpen: 2, crawl: undefined }), '')
    assert.match(
      progressText({ state: 'setup', shares: { secret: 0, capsule: 0 }, wantsOpen: 0, crawl: undefined }),
      /░{24}/,
    )
  })
})

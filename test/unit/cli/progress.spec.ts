import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { showProgress } from '../../../src/cli/progress.js'
import type { SimulationEvent } from '../../../src/simulation/index.js'

const STORY: SimulationEvent[] = [
  { type: 'phase-started', phase: 1, of: 2, title: 'Owners mint' },
  { type: 'counted', what: 'NFTs', done: 1, of: 2 },
  { type: 'counted', what: 'NFTs', done: 2, of: 2 },
  { type: 'noted', text: 'all is well' },
  { type: 'phase-ended', phase: 1, passed: true, durationMs: 1234 },
  { type: 'phase-started', phase: 2, of: 2, title: 'Audit' },
  { type: 'phase-ended', phase: 2, passed: false, durationMs: 50 },
]

function shown(terminal: { isTTY?: boolean; columns?: number; hasColors?: () => boolean }, env: NodeJS.ProcessEnv) {
  const output = Object.assign(new PassThrough({ encoding: 'utf8' }), terminal)
  const progress = showProgress(output, env)
  for (const event of STORY) progress.show(event)
  progress.end()
  const text: unknown = output.read()
  return String(text)
}

describe('the progress of a simulation', () => {
  const plain = [
    '[1/2] Owners mint',
    '      all is well',
    '      2/2 NFTs, 1.2 s',
    '[2/2] Audit',
    '      0.1 s, failed',
    '',
  ].join('\n')

  it('is plain lines without a terminal, and in CI', () => {
    assert.equal(shown({}, {}), plain)
    assert.equal(shown({ isTTY: true, hasColors: () => true }, { CI: 'true' }), plain)
  })

  it('redraws one line on a terminal, with the counts so far', () => {
    const text = shown({ isTTY: true, columns: 80 }, {})
    assert.ok(text.includes('\r\x1b[K… 1/2 Owners mint  1/2 NFTs\r\x1b[K… 1/2 Owners mint  2/2 NFTs'))
    assert.ok(text.includes('\r\x1b[K✔ 1/2 Owners mint  2/2 NFTs, 1.2 s\n'))
    assert.ok(text.includes('\r\x1b[K✘ 2/2 Audit  0.1 s, failed\n'))
    assert.ok(text.endsWith('\r\x1b[K'))
  })

  it('never lets the redrawn line wrap', () => {
    for (const line of shown({ isTTY: true, columns: 20 }, {}).split(/[\r\n]/)) {
      if (line.includes('…')) assert.ok(line.replace('\x1b[K', '').length < 20, line)
    }
  })

  it('is coloured only where the terminal says so', () => {
    const colour = '\x1b[32m'
    assert.ok(!shown({ isTTY: true, hasColors: () => false }, {}).includes(colour))
    assert.ok(shown({ isTTY: true, hasColors: () => true }, {}).includes(colour))
  })
})

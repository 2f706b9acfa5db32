import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { lineLogger } from '../../../src/cli/line-logger.js'

describe('the log of a node on the command line', () => {
  function logged(lowest: 'debug' | 'info'): string {
    const stream = new PassThrough()
    const logger = lineLogger(stream, lowest)
    logger.debug('tried', { attempt: 2 })
    logger.warn('lost', { endpoint: 'a\nb', isFinal: false })
    return String(stream.read()).replace(/^\S+Z /gm, '')
  }

  it('is one plain line for a message, whatever is in its fields', () => {
    assert.equal(logged('info'), 'warn lost endpoint="a\\nb" isFinal=false\n')
  })

  it('has the debug lines when they are asked for', () => {
    assert.match(logged('debug'), /^debug tried attempt=2\nwarn lost /)
  })

  it('is an object in each line for programs, and no field takes the place of the message', () => {
    const stream = new PassThrough()
    lineLogger(stream, 'info', 'json').info('state', { state: 'running', message: 'mine', level: 'none' })
    const { time, ...rest } = JSON.parse(String(stream.read()))
    assert.deepEqual(rest, { state: 'running', message: 'state', level: 'info' })
    assert.ok(!Number.isNaN(Date.parse(time)))
  })
})

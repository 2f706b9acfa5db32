import assert from 'node:assert/strict'
import { Progress } from '../../../src/chain/blocks/progress.js'
import { type LogFields, silentLogger } from '../../../src/domain/index.js'

describe('how catching up goes', () => {
  let now = 0
  let lines: string[] = []
  const info = (message: string, fields?: LogFields) => void lines.push(`${message} ${JSON.stringify(fields)}`)
  let progress: Progress

  beforeEach(() => {
    now = 0
    lines = []
    progress = new Progress({ ...silentLogger, info }, () => now)
  })

  it('is not told of somebody who is a few blocks behind', () => {
    progress.at(10, 60)
    assert.equal(progress.crawl, undefined)
    assert.deepEqual(lines, [])
  })

  it('is told in blocks per second and time left, and logged every ten seconds at most', () => {
    for (let block = 100; block <= 1_100; block += 1, now += 25) progress.at(block, 1_100)
    assert.equal(progress.crawl, undefined)
    assert.deepEqual(lines, [
      'catching up with the chain {"from":100,"to":1100}',
      'catching up with the chain {"at":500,"to":1100,"blocksPerSecond":40,"secondsLeft":15}',
      'catching up with the chain {"at":900,"to":1100,"blocksPerSecond":40,"secondsLeft":5}',
      'caught up with the chain {"blocks":1000,"blocksPerSecond":40}',
    ])
    progress.at(1_100, 1_300)
    now += 1_000
    progress.at(1_200, 1_300)
    assert.deepEqual(progress.crawl, { from: 1_100, at: 1_200, to: 1_300, blocksPerSecond: 100, msLeft: 1_000 })
  })
})

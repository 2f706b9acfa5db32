import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judged, readResults, writeResults } from '../../../bench/harness/results.js'
import { alone, madeUpContest, madeUpResults } from './made-up.js'

describe('results of the bench', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-bench-results-'))
  })
  after(() => rm(folder, { recursive: true }))

  const results = madeUpResults([madeUpContest([60, 61], [100, 102]), alone([149])])

  it('are read as they were written, into a folder that is made', async () => {
    const file = join(folder, 'new', 'results.json')
    await writeResults(file, results)
    assert.deepEqual(await readResults(file), results)
  })

  it('are read without a target that is no longer one', async () => {
    const file = join(folder, 'former.json')
    const text = JSON.stringify({ format: 1, ...results }).replace('bootstrap-3k-stream', 'of-the-past')
    await writeFile(file, text)
    const [contest] = (await readResults(file)).contests
    assert.equal(contest?.others[0]?.ratio.median, results.contests[0]?.others[0]?.ratio.median)
    assert.equal(contest?.others[0]?.verdict, undefined)
  })

  it('are refused when they are something else', async () => {
    const file = join(folder, 'other.json')
    await writeFile(file, JSON.stringify({ format: 2, ...results }))
    await assert.rejects(readResults(file), /other\.json does not hold results of this bench/)
    await writeFile(file, 'no JSON')
    await assert.rejects(readResults(file), /other\.json does not hold results of this bench/)
    await assert.rejects(readResults(join(folder, 'absent.json')), /absent\.json cannot be read/)
  })

  it('have each target that was judged, with what it was judged by', () => {
    const all = judged(results).map(({ verdict, measured }) => [verdict.id, verdict.isMet, measured.median])
    assert.deepEqual(all, [
      ['bootstrap-3k-stream', true, (0.6 + 61 / 102) / 2],
      ['idle-memory', true, 149],
    ])
  })
})

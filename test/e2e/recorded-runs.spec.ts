import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { madeUpRecording } from '../support/made-up-run.js'
import { outcomeOf, runCli, runHere, spawnCli } from './cli.js'

describe('recorded runs on the command line', function () {
  this.timeout(60_000)
  let folder: string
  let small: string
  let large: string
  let slow: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotmesh-test-'))
    ;[small = '', large = '', slow = ''] = ['small', 'large', 'slow'].map((name) => join(folder, `${name}.run.jsonl`))
    madeUpRecording({ clusters: 3, blocks: 40, mode: 'live' }, { file: small })
    madeUpRecording({ clusters: 12, blocks: 40 }, { file: large })
    madeUpRecording({ clusters: 3, blocks: 40, slowness: 9 }, { file: slow })
  })

  after(() => rm(folder, { recursive: true }))

  it('are compared: 0 when they agree, 1 when not', async () => {
    const same = await runHere('simulate', 'compare', small, small)
    assert.equal(same.exitCode, 0, same.stderr)
    assert.match(same.stdout, /\n\nAGREE\n$/)

    const html = join(folder, 'comparison.html')
    const other = await runHere('simulate', 'compare', small, slow, '--html', html)
    assert.equal(other.exitCode, 1)
    assert.match(other.stdout, /Replication, median .*DIFFERS/)
    assert.match(await readFile(html, 'utf8'), /They differ/)

    const lenient = ['--latencies-within', '100', '--totals-within', '90']
    const again = await runHere('simulate', 'compare', small, slow, ...lenient)
    assert.doesNotMatch(again.stdout, /Replication, median .*DIFFERS/)
  })

  it('are reported on, one or several', async () => {
    const one = await runHere('simulate', 'report', small)
    assert.deepEqual([one.exitCode, one.stdout], [0, `The report is in ${join(folder, 'small.report.html')}\n`])
    const out = join(folder, 'several.html')
    const several = await runHere('simulate', 'report', small, large, '--out', out)
    assert.equal(several.exitCode, 0, several.stderr)
    assert.match(await readFile(out, 'utf8'), /Cost by number of clusters/)
  })

  it('are made in several sizes, and told of in one page that is the same each time', async () => {
    const [page, again] = [join(folder, 'scale.md'), join(folder, 'again.md')]
    const asked = ['simulate', 'scale', '--clusters', '2,3', '--runs', folder]
    const { exitCode, stdout, stderr } = await runCli(...asked, '--out', page)
    assert.equal(exitCode, 0, stderr)
    const text = await readFile(page, 'utf8')
    assert.match(text, /npx slotmesh simulate scale --clusters 2,3 --seed 0x05/)
    assert.match(text, /\| Handshakes per trigger +\| 5 +\| 10 +\| 1\.71 +\| 1, exceeded +\|/)
    assert.match(text, /## A cluster joins/)
    const [, report = ''] = /The page of plots is (.*)/.exec(stdout) ?? []
    assert.match(await readFile(report, 'utf8'), /Cost by number of clusters/)

    await runHere(...asked, '--out', again)
    assert.equal(await readFile(again, 'utf8'), text)
    const refused = await runHere('simulate', 'scale', '--clusters', '1,many')
    assert.equal(refused.exitCode, 2)
    assert.match(refused.stderr, /numbers of clusters from 2 to 5000/)
  })

  it('are shown until somebody has seen enough', async () => {
    const child = spawnCli('simulate', 'show', small)
    const outcome = outcomeOf(child)
    const [text]: string[] = await once(child.stdout ?? child, 'data')
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(text ?? '')?.[0]
    assert.ok(url, text)
    assert.match(await (await fetch(url)).text(), /<title>slotmesh simulation<\/title>/)
    child.kill('SIGINT')
    const { exitCode, stderr } = await outcome
    assert.deepEqual([exitCode, stderr], [0, ''])
  })

  it('are refused in a sentence when they are none', async () => {
    const foreign = join(folder, 'foreign.txt')
    await writeFile(foreign, 'hello\n')
    for (const command of [
      ['show', foreign],
      ['report', foreign],
      ['compare', small, foreign],
    ]) {
      const { exitCode, stderr } = await runHere('simulate', ...command)
      assert.equal(exitCode, 1)
      assert.match(stderr, /^slotmesh: The file .*foreign\.txt is no recorded run: .*\n$/)
    }
  })
})

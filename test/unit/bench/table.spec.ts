import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { withTable } from '../../../bench/harness/table.js'
import { TARGETS } from '../../../bench/harness/targets.js'
import { alone, madeUpContest, madeUpResults } from './made-up.js'

const PAGE = `# A page

<!-- begin of the table of targets: npm run bench -- table README.md -->
what was there
<!-- end of the table -->
and after it
`

describe('the table of targets', () => {
  const results = madeUpResults([madeUpContest([400], [1_000]), alone([149])])
  const page = withTable(PAGE, [results])
  const line = (of: string, what: RegExp) => of.split('\n').find((each) => what.test(each)) ?? ''

  it('stands between its marks, in place of what was there, and nothing else changes', () => {
    assert.ok(page.startsWith(PAGE.slice(0, PAGE.indexOf('what was'))))
    assert.ok(page.endsWith(PAGE.slice(PAGE.indexOf('<!-- end'))))
    assert.doesNotMatch(page, /what was there/)
    assert.equal(withTable(page, [results]), page)
  })

  it('says of each target what was measured, and whether it is met', () => {
    assert.match(line(page, /raw libp2p stream/), /\| at least 0\.5 x +\| 0\.40 x +\| \*\*no\*\* +\|$/)
    assert.match(line(page, /idle node, memory/), /\| – +\| at most 150 MB +\| 149 MB +\| yes +\|$/)
  })

  it('has every target, and says which were not measured', () => {
    const rows = page.split('\n').filter((each) => each.startsWith('| '))
    assert.equal(rows.length, Object.keys(TARGETS).length + 2)
    assert.match(line(page, /slot peers found/), /\| not measured +\| – +\|$/)
  })

  it('takes the last of several results, and names the machine of each that is used', () => {
    const later = madeUpResults([alone([151])], { commit: 'later' })
    const unused = madeUpResults([alone([1])], { commit: 'unused' })
    const both = withTable(PAGE, [unused, results, later])
    assert.match(line(both, /idle node, memory/), /\| 151 MB +\| \*\*no\*\* +\|$/)
    assert.match(
      both,
      /2026-11-30, 1 run on AMD EPYC.*commit 1b65481\. 2026-11-30, 1 run on AMD EPYC.*commit later\.\n/,
    )
    assert.doesNotMatch(both, /unused/)
  })

  it('says how often was run', () => {
    const often = madeUpResults([madeUpContest([400, 401], [1_000, 1_000]), alone([149])])
    assert.match(withTable(PAGE, [often]), /2026-11-30, 1 to 2 runs on AMD EPYC/)
    const same = madeUpResults([madeUpContest([400, 401], [1_000, 1_000])])
    assert.match(withTable(PAGE, [same]), /2026-11-30, 2 runs on AMD EPYC/)
  })

  it('is refused by a page that has no place for it', () => {
    assert.throws(() => withTable('# A page\n', [results]), /no place for the table/)
  })

  it('has a place in the README', async () => {
    const readme = await readFile('README.md', 'utf8')
    assert.match(withTable(readme, [results]), /commit 1b65481/)
  })
})

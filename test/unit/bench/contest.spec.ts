import assert from 'node:assert/strict'
import { hold, SharedRuns } from '../../../bench/harness/contest.js'

describe('a contest', () => {
  const contest = (order: string[]) => {
    const side = (name: string, figure: number) => ({
      name,
      setUp: `${name} as it is.`,
      run: async () => {
        order.push(name)
        return figure
      },
    })
    return {
      ...{ id: 'bootstrap-3k', name: 'bootstrap', unit: 'shares/s', better: 'more' as const },
      contestant: side('ours', 60),
      others: [
        { ...side('raw', 200), role: 'ceiling' as const, target: 'bootstrap-3k-stream' as const },
        { ...side('theirs', 10), role: 'rival' as const, target: 'bootstrap-3k-hypercore' as const },
      ],
    }
  }

  it('runs all of its sides in turn, another one first each time', async () => {
    const order: string[] = []
    await hold(contest(order), 4)
    const turns = ['ours raw theirs', 'raw theirs ours', 'theirs ours raw', 'ours raw theirs']
    assert.equal(order.join(' '), turns.join(' '))
  })

  it('keeps every figure, and judges the ratio to each other side by its own target', async () => {
    const { contestant, others } = await hold(contest([]), 2)
    assert.deepEqual(contestant.figures, [60, 60])
    const [raw, theirs] = others
    assert.deepEqual(raw?.figures, [200, 200])
    assert.equal(raw?.ratio.median, 0.3)
    assert.equal(raw?.verdict?.isMet, false)
    assert.equal(theirs?.ratio.median, 6)
    assert.equal(theirs?.verdict?.isMet, true)
  })

  it('needs no other side for a target that is an amount', async () => {
    const contestant = { name: 'node', setUp: 'Idle.', run: async () => 151 }
    const held = { id: 'idle', name: 'idle', unit: 'MB', better: 'less' as const, contestant }
    const { contestant: judged } = await hold({ ...held, target: 'idle-memory' }, 1)
    assert.deepEqual(judged.verdict, { id: 'idle-memory', isMet: false })
    const untold = await hold(held, 1)
    assert.equal(untold.contestant.verdict, undefined)
  })

  it('shares its runs with others of which the same run gives another figure', async () => {
    let runs = 0
    const shared = new SharedRuns(async () => {
      runs += 1
      return { ms: runs, bytes: runs * 10 }
    })
    const [ms, bytes] = [shared.figure((output) => output.ms), shared.figure((output) => output.bytes)]
    assert.deepEqual([await ms(), await ms(), await bytes(), await bytes(), await bytes()], [1, 2, 10, 20, 30])
    assert.equal(runs, 3)
  })
})

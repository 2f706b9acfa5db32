import assert from 'node:assert/strict'
import { cellAt, cornerOf, layoutOf, neighbour } from '../../../../src/simulation/view/model/grid-layout.js'

const SPACE = { width: 1_000, height: 620 }

describe('the layout of the grid', () => {
  it('has room for words in a few clusters, and for a thousand at all', () => {
    assert.equal(layoutOf(6, SPACE).hasText, true)
    for (const clusters of [1, 6, 50, 200, 1_000, 2_000]) {
      const layout = layoutOf(clusters, SPACE)
      assert.ok(layout.height <= SPACE.height, `${clusters}: ${layout.height}`)
      const { x } = cornerOf(layout, { column: layout.perLine - 1, slot: 4 })
      assert.ok(x + layout.cell.width <= SPACE.width)
    }
    assert.ok(layoutOf(5_000, SPACE).height > 0)
  })

  it('finds the cell at a point, and none between cells', () => {
    for (const clusters of [6, 1_000]) {
      const layout = layoutOf(clusters, SPACE)
      for (const column of [0, 3, clusters - 1]) {
        for (const slot of [0, 4]) {
          const { x, y } = cornerOf(layout, { column, slot })
          assert.deepEqual(cellAt(layout, x + 1, y + 1), { column, slot })
        }
      }
    }
    const layout = layoutOf(6, SPACE)
    assert.equal(cellAt(layout, 5, 40), undefined)
    assert.equal(cellAt(layout, 990, 40), undefined)
    assert.equal(cellAt(layout, 100, 900), undefined)
  })

  it('is gone through with arrow keys, and not left', () => {
    const layout = layoutOf(40, { width: 400, height: 620 })
    const { perLine } = layout
    assert.ok(perLine < 40)
    assert.deepEqual(neighbour(layout, { column: 0, slot: 0 }, 'ArrowRight'), { column: 1, slot: 0 })
    assert.deepEqual(neighbour(layout, { column: 0, slot: 0 }, 'ArrowLeft'), { column: 0, slot: 0 })
    assert.deepEqual(neighbour(layout, { column: 1, slot: 4 }, 'ArrowDown'), { column: 1 + perLine, slot: 0 })
    assert.deepEqual(neighbour(layout, { column: 1 + perLine, slot: 0 }, 'ArrowUp'), { column: 1, slot: 4 })
    assert.deepEqual(neighbour(layout, { column: 39, slot: 4 }, 'ArrowDown'), { column: 39, slot: 4 })
    assert.deepEqual(neighbour(layout, { column: 3, slot: 2 }, 'End'), { column: 39, slot: 2 })
    assert.equal(neighbour(layout, { column: 3, slot: 2 }, 'a'), undefined)
  })
})

const SLOTS = 5

/** Cells from comfortable to tiny, px; the first that lets all clusters in is taken. */
const CELLS = [
  { width: 68, height: 34, gap: 6 },
  { width: 54, height: 28, gap: 5 },
  { width: 42, height: 22, gap: 4 },
  { width: 30, height: 18, gap: 3 },
  { width: 22, height: 16, gap: 3 },
  { width: 16, height: 13, gap: 2 },
  { width: 12, height: 10, gap: 2 },
  { width: 9, height: 8, gap: 1 },
  { width: 6, height: 6, gap: 1 },
  { width: 4, height: 4, gap: 1 },
] as const

/** Room for names above clusters and before slots, px. */
const NAMES = { above: 18, before: 44 } as const
const BETWEEN_LINES = 12

/** Where on a canvas each enclave has its cell: clusters side by side in lines, each a column of five slots. */
export interface GridLayout {
  readonly clusters: number
  readonly cell: { readonly width: number; readonly height: number; readonly gap: number }
  readonly perLine: number
  readonly left: number
  /** Above each line, for names. */
  readonly above: number
  /** From one line to the next. */
  readonly lineHeight: number
  /** Of all. */
  readonly height: number
  /** Whether `12/40` can be read in a cell. */
  readonly hasText: boolean
}

export interface Cell {
  /** Which one of those shown, not its number on chain. */
  readonly column: number
  readonly slot: number
}

/** @param space px; the width is kept to, the height only if it can be. */
export function layoutOf(clusters: number, space: { readonly width: number; readonly height: number }): GridLayout {
  const layouts = CELLS.map((cell): GridLayout => {
    const isNamed = cell.width >= 22
    const left = isNamed ? NAMES.before : 0
    const above = isNamed ? NAMES.above : 0
    const perLine = Math.max(1, Math.floor((space.width - left + cell.gap) / (cell.width + cell.gap)))
    const lineHeight = above + SLOTS * (cell.height + cell.gap) + BETWEEN_LINES
    const lines = Math.max(1, Math.ceil(clusters / perLine))
    const height = lines * lineHeight - BETWEEN_LINES
    return { clusters, cell, perLine, left, above, lineHeight, height, hasText: cell.width >= 54 }
  })
  const [smallest] = layouts.slice(-1)
  const layout = layouts.find(({ height }) => height <= space.height) ?? smallest
  if (layout === undefined) throw new Error('There is always a smallest layout.')
  return layout
}

/** The upper left corner of a cell. */
export function cornerOf({ cell, perLine, left, above, lineHeight }: GridLayout, { column, slot }: Cell) {
  return {
    x: left + (column % perLine) * (cell.width + cell.gap),
    y: Math.floor(column / perLine) * lineHeight + above + slot * (cell.height + cell.gap),
  }
}

/** Which cell is at a point; undefined between them and beyond. */
export function cellAt(layout: GridLayout, x: number, y: number): Cell | undefined {
  const { cell, perLine, left, above, lineHeight, clusters } = layout
  const across = Math.floor((x - left) / (cell.width + cell.gap))
  const line = Math.floor(y / lineHeight)
  const slot = Math.floor((y - line * lineHeight - above) / (cell.height + cell.gap))
  const column = line * perLine + across
  if (across < 0 || across >= perLine || line < 0 || slot < 0 || slot >= SLOTS || column >= clusters) return undefined
  return { column, slot }
}

/** Where an arrow key leads; the cell itself at the edge. */
export function neighbour({ clusters, perLine }: GridLayout, { column, slot }: Cell, key: string): Cell | undefined {
  const moved = (() => {
    switch (key) {
      case 'ArrowLeft':
        return { column: column - 1, slot }
      case 'ArrowRight':
        return { column: column + 1, slot }
      case 'ArrowUp':
        return slot > 0 ? { column, slot: slot - 1 } : { column: column - perLine, slot: SLOTS - 1 }
      case 'ArrowDown':
        return slot < SLOTS - 1 ? { column, slot: slot + 1 } : { column: column + perLine, slot: 0 }
      case 'Home':
        return { column: 0, slot }
      case 'End':
        return { column: clusters - 1, slot }
      default:
        return undefined
    }
  })()
  if (moved === undefined) return undefined
  return moved.column >= 0 && moved.column < clusters ? moved : { column, slot }
}

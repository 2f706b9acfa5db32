/** Lines of a table for a terminal, its columns two blanks apart. @param right which columns stand to the right: numbers. */
export function alignedLines(
  rows: readonly (readonly string[])[],
  { right = [] }: { readonly right?: readonly number[] } = {},
): string[] {
  const widths = columnWidths(rows)
  const aligned = (cell: string, column: number): string =>
    right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
  return rows.map((row) => row.map(aligned).join('  ').trimEnd())
}

/** A table for a Markdown page, its columns lined up, each line with its end. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columnWidths([head, ...rows])
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  const rule = widths.map((width) => '-'.repeat(width))
  return [head, rule, ...rows].map((cells) => `${line(cells)}\n`).join('')
}

export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
}

import { rounded } from '../../src/simulation/view/plot/frame.js'
import { html, type Markup } from '../../src/simulation/view/plot/markup.js'
import { count, percent } from '../../src/web/page/words.js'
import { byOwner, type Frame, type Owner } from './tree.js'

/** Of the whole: what took less is left out. */
const LEAST = 0.003
/** A file that is larger is of no use on a page: then more is left out. */
const MOST_BYTES = 150_000

const WIDTH = 1_200
const ROW = 17
const LETTER = 6.7
const PADDING = 4
const HEAD = 28
const LEGEND = { column: 200, row: 18 }

/** Where a frame is, as parts of the whole; the whole is at depth 0. */
export interface Rectangle {
  readonly frame: Frame
  readonly depth: number
  readonly from: number
  readonly to: number
}

/** Hues, so that a room looks alike in every graph; all other rooms have one between them. */
const HUES: Readonly<Record<string, number>> = {
  store: 212,
  share: 150,
  sync: 36,
  provenance: 275,
  crypto: 2,
  framing: 184,
  inventory: 62,
  domain: 322,
  attestation: 100,
  mesh: 240,
}
const ROOMS = Object.entries(HUES)
  .map(([room, hue]) => `.in-${room} { --hue: ${hue}; }`)
  .join(' ')

const STYLE = `
svg { color-scheme: light dark; font: 11px ui-monospace, Menlo, Consolas, monospace; --hue: 340; --ink: #1f2733; --paper: #ffffff; --tone: 62% 80%; --grey: #d3d5d8; --pale: #eaebec; --garbage: #c08e70; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e7e9ec; --paper: #1b2029; --tone: 42% 34%; --grey: #4a515c; --pale: #333a45; --garbage: #8a5a3c; }
}
text { fill: var(--ink); white-space: pre; }
rect { stroke: var(--paper); stroke-width: 0.6; }
.paper { fill: var(--paper); }
.head { font: 600 15px system-ui, sans-serif; }
.legend text { font: 12px system-ui, sans-serif; }
.room rect { fill: hsl(var(--hue) var(--tone)); }
.library rect { fill: var(--grey); }
.node rect { fill: var(--pale); }
.garbage rect { fill: var(--garbage); }
.idle rect { fill: none; stroke: var(--ink); stroke-dasharray: 3 3; }
`

/** All frames that take `least` of the whole, each above its caller; garbage and idleness at the right. */
export function rectanglesOf(tree: Frame, least: number): Rectangle[] {
  const rectangles: Rectangle[] = []
  const place = (frame: Frame, depth: number, from: number) => {
    const part = tree.total === 0 ? 0 : frame.total / tree.total
    if (part < least) return
    rectangles.push({ frame, depth, from, to: from + part })
    let at = from
    for (const child of ordered(frame.children)) {
      place(child, depth + 1, at)
      at += child.total / tree.total
    }
  }
  place(tree, 0, 0)
  return rectangles
}

function ordered(frames: readonly Frame[]): Frame[] {
  const isApart = ({ owner: { kind } }: Frame) => kind === 'garbage' || kind === 'idle'
  return [...frames.filter((frame) => !isApart(frame)), ...frames.filter(isApart)]
}

/** A flame graph that needs nothing else: width is time, who is called stands on who calls. */
export function flameGraph(tree: Frame, title: string): string {
  for (let least = LEAST; ; least *= 1.5) {
    const text = `${drawn(tree, title, least).text}\n`
    if (Buffer.byteLength(text) < MOST_BYTES) return text
  }
}

function drawn(tree: Frame, title: string, least: number): Markup {
  const rectangles = rectanglesOf(tree, least)
  const legend = legendOf(tree)
  const perRow = Math.floor(WIDTH / LEGEND.column)
  const top = HEAD + Math.ceil(legend.length / perRow) * LEGEND.row + 8
  const rows = 1 + rectangles.reduce((most, { depth }) => Math.max(most, depth), 0)
  const height = top + rows * ROW + PADDING
  const sentence = `${milliseconds(tree.total)}; frames under ${Number((least * 100).toFixed(1))} % are left out`
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}: ${sentence}"><style>${STYLE}${ROOMS}</style><rect class="paper" width="${WIDTH}" height="${height}"/><text class="head" x="${PADDING}" y="18">${title}: ${sentence}</text>
<g class="legend">${legend.map(({ owner, self }, index) => {
    const [x, y] = [(index % perRow) * LEGEND.column + PADDING, HEAD + Math.floor(index / perRow) * LEGEND.row]
    return html`<g class="${classOf(owner)}"><rect x="${x}" y="${y}" width="12" height="12"/><text x="${x + 18}" y="${y + 10}">${owner.name} ${percent(self, tree.total)}</text></g>`
  })}</g>
${rectangles.map(({ frame, depth, from, to }) => {
  const [x, y, width] = [rounded(from * WIDTH), height - PADDING - (depth + 1) * ROW, rounded((to - from) * WIDTH)]
  const { name, file, self, total } = depth === 0 ? { ...frame, name: 'all' } : frame
  const told = `${name}${file === '' ? '' : `, ${file}`}: ${milliseconds(total)}, ${percent(total, tree.total)}; itself ${milliseconds(self)}`
  const letters = Math.floor((width - 2 * PADDING) / LETTER)
  const label = letters < 3 ? '' : name.length <= letters ? name : `${name.slice(0, letters - 1)}…`
  return html`<g class="${classOf(frame.owner)}"><title>${told}</title><rect x="${x}" y="${y}" width="${width}" height="${ROW}"/>${
    label === '' ? '' : html`<text x="${rounded(x + PADDING)}" y="${y + 12}">${label}</text>`
  }</g>
`
})}</svg>`
}

/** Rooms by name; all packages are one, and so are all modules of Node. */
function legendOf(tree: Frame): { readonly owner: Owner; readonly self: number }[] {
  const entries = new Map<string, { owner: Owner; self: number }>()
  for (const { owner, self } of byOwner(tree)) {
    const name = owner.kind === 'library' ? 'node_modules' : owner.kind === 'node' ? 'Node' : owner.name
    const before = entries.get(name)?.self ?? 0
    entries.set(name, { owner: { kind: owner.kind, name }, self: before + self })
  }
  return [...entries.values()].sort((one, other) => other.self - one.self)
}

function classOf({ kind, name }: Owner): string {
  return kind === 'room' ? `room in-${name}` : kind
}

function milliseconds(us: number): string {
  return `${count(us >= 100_000 ? Math.round(us / 1_000) : Number((us / 1_000).toPrecision(2)))} ms`
}

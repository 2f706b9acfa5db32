import { html, Markup } from './markup.js'
import type { Scale } from './scale.js'

/** Of every plot, in units of the SVG; it is shown as wide as there is room. */
export const SIZE = { width: 640, height: 240 } as const
const MARGIN = { left: 62, right: 14, top: 14, bottom: 36 } as const
export const ACROSS = { from: MARGIN.left, to: SIZE.width - MARGIN.right } as const
/** From the bottom to the top. */
export const UP = { from: SIZE.height - MARGIN.bottom, to: MARGIN.top } as const

export interface Axis {
  readonly scale: Scale
  readonly label: string
  readonly text: (value: number) => string
}

/** A plot's axes and its content, with a title and a sentence for those who do not see it. */
export function frame({
  title,
  sentence,
  x,
  y,
  content,
}: {
  readonly title: string
  readonly sentence: string
  readonly x: Axis
  readonly y: Axis
  readonly content: readonly Markup[]
}): Markup {
  return html`<svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${title}: ${sentence}">
<g class="axis" aria-hidden="true">${y.scale.ticks.map((tick) => {
    const place = rounded(y.scale.place(tick))
    return html`<line class="rule" x1="${ACROSS.from}" x2="${ACROSS.to}" y1="${place}" y2="${place}"/><text x="${ACROSS.from - 8}" y="${place}" dy="0.32em" text-anchor="end">${y.text(tick)}</text>`
  })}${x.scale.ticks.map((tick) => {
    const place = rounded(x.scale.place(tick))
    return html`<line class="tick" x1="${place}" x2="${place}" y1="${UP.from}" y2="${UP.from + 4}"/><text x="${place}" y="${UP.from + 16}" text-anchor="middle">${x.text(tick)}</text>`
  })}<line class="base" x1="${ACROSS.from}" x2="${ACROSS.to}" y1="${UP.from}" y2="${UP.from}"/><text class="label" x="${(ACROSS.from + ACROSS.to) / 2}" y="${SIZE.height - 4}" text-anchor="middle">${x.label}</text><text class="label" transform="translate(11 ${(UP.from + UP.to) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text></g>
${content}</svg>`
}

/** A number for SVG, no longer than it can be seen. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10
}

/** `M0,1L2,3` */
export function pathOf(points: readonly { readonly x: number; readonly y: number }[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${rounded(x)},${rounded(y)}`).join('')
}

/** A plot with its heading, and the numbers behind it for those who want them, or cannot see it. */
export function figure({
  title,
  note,
  plot,
  table,
}: {
  readonly title: string
  readonly note: string
  readonly plot: Markup
  readonly table: Table
}): Markup {
  return html`<figure><figcaption><h3>${title}</h3><p>${note}</p></figcaption>${plot}${tableOf(table)}</figure>`
}

export interface Table {
  readonly caption: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

function tableOf({ caption, head, rows }: Table): Markup {
  if (rows.length === 0) return new Markup('')
  return html`<details><summary>Numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="${caption}">${plainTable({ caption, head, rows })}</div></details>`
}

export function plainTable({ caption, head, rows }: Table): Markup {
  const line = ([first = '', ...rest]: readonly string[]) =>
    html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`
  return html`<table><caption>${caption}</caption><thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead><tbody>${rows.map(line)}</tbody></table>`
}

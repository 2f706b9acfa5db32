import { html, Markup } from './markup.js'
import type { Scale } from './scale.js'

const MARGIN = { right: 14, top: 14, bottom: 36 } as const

/** Where a plot's content is drawn, in units of the SVG; it is shown as wide as there is room. */
export interface Area {
  readonly width: number
  readonly height: number
  readonly across: { readonly from: number; readonly to: number }
  /** From the bottom to the top. */
  readonly up: { readonly from: number; readonly to: number }
}

/** @param left room for what is written along the vertical axis. */
export function areaOf({ width, height, left }: Pick<Area, 'width' | 'height'> & { readonly left: number }): Area {
  const across = { from: left, to: width - MARGIN.right }
  return { width, height, across, up: { from: height - MARGIN.bottom, to: MARGIN.top } }
}

const AREA = areaOf({ width: 640, height: 240, left: 62 })
export const { across: ACROSS, up: UP } = AREA

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
  area: { width, height, across, up } = AREA,
}: {
  readonly title: string
  readonly sentence: string
  readonly x: Axis
  readonly y: Axis
  readonly content: readonly Markup[]
  /** That the scales are made for, where it is not the usual one. */
  readonly area?: Area
}): Markup {
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}: ${sentence}">
<g class="axis" aria-hidden="true">${y.scale.ticks.map((tick) => {
    const place = rounded(y.scale.place(tick))
    return html`<line class="rule" x1="${across.from}" x2="${across.to}" y1="${place}" y2="${place}"/><text x="${across.from - 8}" y="${place}" dy="0.32em" text-anchor="end">${y.text(tick)}</text>`
  })}${x.scale.ticks.map((tick) => {
    const place = rounded(x.scale.place(tick))
    return html`<line class="tick" x1="${place}" x2="${place}" y1="${up.from}" y2="${up.from + 4}"/><text x="${place}" y="${up.from + 16}" text-anchor="middle">${x.text(tick)}</text>`
  })}<line class="base" x1="${across.from}" x2="${across.to}" y1="${up.from}" y2="${up.from}"/><text class="label" x="${(across.from + across.to) / 2}" y="${height - 4}" text-anchor="middle">${x.label}</text><text class="label" transform="translate(11 ${(up.from + up.to) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text></g>
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

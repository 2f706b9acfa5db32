import { moment } from '../../../web/page/words.js'
import { ACROSS, type Axis, frame, pathOf, rounded, UP } from './frame.js'
import { html, type Markup } from './markup.js'
import { linearScale, timeScale } from './scale.js'

export interface TimeLine {
  readonly name: string
  readonly points: readonly { readonly at: number; readonly value: number }[]
  /** Fills what is below it. */
  readonly isArea?: boolean
}

export interface Mark {
  readonly at: number
  readonly text: string
}

/** Marks closer than this, in units of the plot, share one number. */
const NEAR = 11

/** One or several lines over the run's time, with numbered marks for what was done. */
export function overTime({
  title,
  sentence,
  lines,
  marks,
  until,
  y: { label, text, top },
}: {
  readonly title: string
  readonly sentence: string
  readonly lines: readonly TimeLine[]
  readonly marks: readonly Mark[]
  readonly until: number
  readonly y: Pick<Axis, 'label' | 'text'> & { readonly top: number }
}): Markup {
  const x = timeScale({ from: 0, to: until }, ACROSS)
  const y = linearScale({ from: 0, to: top }, UP, { ticks: 4 })
  const drawn = lines.map(({ name, points, isArea }, index) => {
    const placed = points.map(({ at, value }) => ({ x: x.place(at), y: y.place(value) }))
    const [first, last] = [placed[0], placed.at(-1)]
    const area =
      isArea && first !== undefined && last !== undefined
        ? html`<path class="area series-${index}" d="${pathOf([...placed, { x: last.x, y: UP.from }, { x: first.x, y: UP.from }])}Z"/>`
        : html``
    return html`${area}<path class="line series-${index}" d="${pathOf(placed)}"><title>${name}</title></path>`
  })
  return frame({
    title,
    sentence,
    x: { scale: x, label: 'time of the run', text: moment },
    y: { scale: y, label, text },
    content: [...drawn, ...markGroups(marks, x.place).map(drawMarks)],
  })
}

interface MarkGroup {
  readonly place: number
  readonly numbers: number[]
  readonly texts: string[]
}

function markGroups(marks: readonly Mark[], place: (at: number) => number): MarkGroup[] {
  const groups: MarkGroup[] = []
  for (const [index, { at, text }] of marks.entries()) {
    const last = groups.at(-1)
    if (last !== undefined && place(at) - last.place < NEAR) {
      last.numbers.push(index + 1)
      last.texts.push(text)
    } else groups.push({ place: place(at), numbers: [index + 1], texts: [text] })
  }
  return groups
}

function drawMarks({ place, numbers: [first = 0, ...others], texts }: MarkGroup): Markup {
  const x = rounded(place)
  return html`<g class="mark"><title>${texts.join('; ')}</title><line x1="${x}" x2="${x}" y1="${UP.to}" y2="${UP.from}"/><text x="${x}" y="${UP.to - 4}" text-anchor="middle">${others.length > 0 ? `${first}+` : String(first)}</text></g>`
}

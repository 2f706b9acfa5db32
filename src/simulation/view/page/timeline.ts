import { sharpContext } from '../../../web/page/dom.js'
import { count, moment, percent } from '../../../web/page/words.js'
import type { Track } from '../model/track.js'
import { FONT, readColours } from './colours.js'

const HEIGHT = 104
/** px: marks above, triggers below, and the slider's thumb at both ends. */
const TOP = 16
const BAND = 14
const SIDE = 8

/** The whole run along its time: coverage, lag, shares synced, what was done, and which moment is shown. */
export function drawTimeline(
  canvas: HTMLCanvasElement,
  { track, end, at }: { readonly track: Track; readonly end: number; readonly at: number },
): void {
  const width = canvas.clientWidth
  if (width === 0) return
  const colours = readColours()
  const context = sharpContext(canvas, { width, height: HEIGHT })
  const bottom = HEIGHT - BAND - 4
  const x = (time: number) => SIDE + (end === 0 ? 0 : time / end) * (width - 2 * SIDE)
  const { points, triggers, marks } = track

  context.strokeStyle = colours.rule
  context.beginPath()
  for (const part of [0, 0.5, 1]) {
    const y = bottom - part * (bottom - TOP)
    context.moveTo(SIDE, y)
    context.lineTo(width - SIDE, y)
  }
  context.stroke()

  const line = (value: (point: (typeof points)[number]) => number) => {
    context.beginPath()
    for (const [index, point] of points.entries()) {
      const y = bottom - value(point) * (bottom - TOP)
      if (index === 0) context.moveTo(x(point.at), y)
      else context.lineTo(x(point.at), y)
    }
  }
  const [first, last] = [points[0], points.at(-1)]
  if (first !== undefined && last !== undefined) {
    line(({ coverage }) => coverage)
    context.strokeStyle = colours.held
    context.lineWidth = 1.75
    context.stroke()
    context.lineTo(x(last.at), bottom)
    context.lineTo(x(first.at), bottom)
    context.globalAlpha = 0.14
    context.fillStyle = colours.held
    context.fill()
    context.globalAlpha = 1
    const worst = Math.max(10, ...points.map(({ worstLag }) => worstLag))
    line(({ worstLag }) => worstLag / worst)
    context.strokeStyle = colours.lag
    context.lineWidth = 1.5
    context.stroke()
  }

  context.strokeStyle = colours.soft
  context.globalAlpha = 0.55
  context.lineWidth = 1
  context.beginPath()
  for (const time of triggers) {
    context.moveTo(x(time), HEIGHT - BAND)
    context.lineTo(x(time), HEIGHT - 3)
  }
  context.stroke()
  context.globalAlpha = 1

  context.font = `600 11px ${FONT}`
  context.textAlign = 'center'
  context.fillStyle = colours.act
  context.strokeStyle = colours.act
  let numberedUpTo = -1
  for (const [index, { at: time }] of marks.entries()) {
    context.beginPath()
    context.setLineDash([3, 2])
    context.moveTo(x(time), TOP)
    context.lineTo(x(time), HEIGHT - 3)
    context.stroke()
    context.setLineDash([])
    if (x(time) < numberedUpTo) continue
    context.fillText(String(index + 1), x(time), TOP - 4)
    numberedUpTo = x(time) + 16
  }

  context.strokeStyle = colours.ink
  context.lineWidth = 1.5
  context.beginPath()
  context.moveTo(x(at), 2)
  context.lineTo(x(at), HEIGHT)
  context.stroke()

  canvas.setAttribute(
    'aria-label',
    `The run over ${moment(end)}: ${count(track.triggerCount)} shares synced, ${marks.length} actions, coverage now ${percent(last?.coverage ?? 1, 1)}, worst lag now ${count(last?.worstLag ?? 0)} blocks.`,
  )
}

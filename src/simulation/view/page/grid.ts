import { sharpContext } from '../../../web/page/dom.js'
import type { EnclaveView } from '../model/enclaves.js'
import { type Cell, cellAt, cornerOf, type GridLayout, layoutOf, neighbour } from '../model/grid-layout.js'
import type { Moment } from '../model/moment.js'
import { type Colours, FONT, readColours } from './colours.js'

export type Colouring = 'held' | 'lag'

/** An exchange that is drawn for a moment. */
interface Flight {
  readonly from: string
  readonly to: string
  readonly isRefused: boolean
  readonly startedAt: number
}

const FLIGHT_MS = 900
const MOST_FLIGHTS = 80
const TALLEST = 620
/** Blocks behind that are as bad as can be shown. */
const WORST_LAG = 50

export interface GridHandlers {
  /** The pointer or the keyboard is at it. */
  readonly pointed: (name: string) => void
  readonly chosen: (name: string) => void
}

/** The grid of clusters × slots. It draws itself anew when something changed, and while exchanges are on their way. */
export class Grid {
  colouring: Colouring = 'held'
  readonly #canvas: HTMLCanvasElement
  readonly #handlers: GridHandlers
  #colours: Colours = readColours()
  #moment: Moment | undefined
  #layout: GridLayout = layoutOf(1, { width: 600, height: TALLEST })
  /** On chain, in order: a cluster of impostors may have any number. */
  #clusters: number[] = []
  #columns = new Map<number, number>()
  #known = 0
  #at: Cell = { column: 0, slot: 0 }
  #chosen: string | undefined
  #flights: Flight[] = []
  #isScheduled = false
  /** The cells alone, so that exchanges can be drawn over them at every frame. */
  readonly #cells = document.createElement('canvas')
  #areCellsOld = true
  readonly #isCalm = matchMedia('(prefers-reduced-motion: reduce)')

  constructor(canvas: HTMLCanvasElement, handlers: GridHandlers) {
    this.#canvas = canvas
    this.#handlers = handlers
    canvas.tabIndex = 0
    canvas.role = 'application'
    canvas.ariaLabel = 'Grid of enclaves, clusters across and slots down; arrow keys move, Enter inspects'
    new ResizeObserver(() => this.#arrange()).observe(canvas)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#colours = readColours()
      this.draw()
    })
    canvas.addEventListener('pointermove', ({ offsetX, offsetY }) =>
      this.#point(cellAt(this.#layout, offsetX, offsetY)),
    )
    canvas.addEventListener('click', ({ offsetX, offsetY }) => {
      const cell = cellAt(this.#layout, offsetX, offsetY)
      if (cell === undefined) return
      this.#point(cell)
      this.#choose()
    })
    canvas.addEventListener('keydown', (event) => this.#key(event))
    canvas.addEventListener('focus', () => this.#point(this.#at))
    canvas.addEventListener('blur', () => this.#schedule())
  }

  show(moment: Moment): void {
    this.#moment = moment
    if (moment.enclaves.size !== this.#known) {
      this.#known = moment.enclaves.size
      this.#clusters = [...new Set([...moment.enclaves.views()].map(({ cluster }) => cluster))].sort((a, b) => a - b)
      this.#columns = new Map(this.#clusters.map((cluster, column) => [cluster, column]))
      this.#arrange()
    }
    this.draw()
  }

  /** Draws an exchange on its way, unless motion is not wanted. */
  fly(from: string, to: string, isRefused: boolean): void {
    if (this.#isCalm.matches) return
    if (this.#flights.length >= MOST_FLIGHTS) this.#flights.shift()
    this.#flights.push({ from, to, isRefused, startedAt: performance.now() })
    this.#schedule()
  }

  /** Also from elsewhere: the table, for one. */
  choose(name: string): void {
    this.#chosen = name
    const view = this.#moment?.enclaves.view(name)
    const column = view === undefined ? undefined : this.#columns.get(view.cluster)
    if (view !== undefined && column !== undefined) this.#at = { column, slot: view.slot }
    this.draw()
  }

  /** Anew, with all cells. */
  draw(): void {
    this.#areCellsOld = true
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    requestAnimationFrame((now) => {
      this.#isScheduled = false
      this.#paint(now)
      if (this.#flights.length > 0) this.#schedule()
    })
  }

  #arrange(): void {
    const width = this.#canvas.clientWidth
    if (width === 0) return
    this.#layout = layoutOf(Math.max(1, this.#clusters.length), { width, height: TALLEST })
    this.#canvas.style.height = `${this.#layout.height + 4}px`
    this.draw()
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      this.#choose()
      return
    }
    const next = neighbour(this.#layout, this.#at, event.key)
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    this.#point(next)
  }

  #point(cell: Cell | undefined): void {
    if (cell === undefined) return
    this.#at = cell
    const name = this.#nameAt(cell)
    if (name !== undefined) this.#handlers.pointed(name)
    this.draw()
  }

  #choose(): void {
    const name = this.#nameAt(this.#at)
    if (name === undefined) return
    this.#chosen = name
    this.#handlers.chosen(name)
    this.draw()
  }

  #nameAt({ column, slot }: Cell): string | undefined {
    const cluster = this.#clusters[column]
    if (cluster === undefined) return undefined
    const name = `c${cluster}-s${slot}`
    return this.#moment?.enclaves.view(name)?.name
  }

  #paint(now: number): void {
    const size = { width: this.#canvas.clientWidth, height: this.#layout.height + 4 }
    if (this.#areCellsOld) this.#paintCells(sharpContext(this.#cells, size))
    const context = sharpContext(this.#canvas, size)
    if (this.#cells.width > 0) context.drawImage(this.#cells, 0, 0, size.width, size.height)
    this.#flights = this.#flights.filter(({ startedAt }) => now - startedAt < FLIGHT_MS)
    for (const flight of this.#flights) this.#paintFlight(context, flight, now)
    if (document.activeElement === this.#canvas) this.#paintFrame(context, this.#at, this.#colours.ink)
    const chosen = this.#cellOf(this.#chosen)
    if (chosen !== undefined) this.#paintFrame(context, chosen, this.#colours.act)
  }

  #paintCells(context: CanvasRenderingContext2D): void {
    this.#areCellsOld = false
    if (this.#moment === undefined) return
    const { enclaves, listed } = this.#moment
    this.#paintNames(context)
    for (const view of enclaves.views()) this.#paintCell(context, view, listed)
  }

  #paintNames(context: CanvasRenderingContext2D): void {
    const { above, left, cell, perLine } = this.#layout
    if (above === 0) return
    context.fillStyle = this.#colours.soft
    context.font = `12px ${FONT}`
    for (const [column, cluster] of this.#clusters.entries()) {
      const { x, y } = cornerOf(this.#layout, { column, slot: 0 })
      context.textAlign = 'center'
      context.textBaseline = 'alphabetic'
      context.fillText(cell.width >= 42 ? `c${cluster}` : String(cluster), x + cell.width / 2, y - 6)
      if (column % perLine !== 0) continue
      context.textAlign = 'right'
      context.textBaseline = 'middle'
      for (let slot = 0; slot < 5; slot += 1) {
        context.fillText(`slot ${slot}`, left - 8, cornerOf(this.#layout, { column, slot }).y + cell.height / 2)
      }
    }
  }

  #paintCell(context: CanvasRenderingContext2D, view: EnclaveView, listed: number): void {
    const cell = this.#cellOf(view.name)
    if (cell === undefined) return
    const { x, y } = cornerOf(this.#layout, cell)
    const { width, height } = this.#layout.cell
    const colours = this.#colours
    const radius = Math.min(5, width / 5)
    context.beginPath()
    context.roundRect(x, y, width, height, radius)
    if (view.state !== 'running' && view.state !== 'setup') {
      this.#paintAbsent(context, view, { x, y, width, height })
      return
    }
    const part = this.#fillOf(view, listed)
    context.fillStyle = colours.empty
    context.fill()
    if (part > 0) {
      context.save()
      context.clip()
      const isWhole = part >= 1
      context.fillStyle = this.colouring === 'lag' ? colours.lag : isWhole ? colours.held : colours.part
      const filled = Math.max(1, height * part)
      context.fillRect(x, y + height - filled, width, filled)
      context.restore()
    }
    if (!this.#layout.hasText) return
    const text = this.colouring === 'held' ? `${view.held}/${listed}` : String(view.lag)
    context.font = `600 12px ${FONT}`
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillStyle = part >= 1 ? colours['on-held'] : colours.ink
    context.fillText(text, x + width / 2, y + height / 2 + 0.5, width - 4)
  }

  /** Of one: how full a cell is. */
  #fillOf({ held, lag }: EnclaveView, listed: number): number {
    if (this.colouring === 'lag') return Math.min(1, Math.log1p(lag) / Math.log1p(WORST_LAG))
    return listed === 0 ? 1 : Math.min(1, held / listed)
  }

  /** An outline, and a cross for one that was killed: colour alone would not do. */
  #paintAbsent(
    context: CanvasRenderingContext2D,
    { state }: EnclaveView,
    { x, y, width, height }: { x: number; y: number; width: number; height: number },
  ): void {
    context.strokeStyle = state === 'killed' ? this.#colours.bad : this.#colours.off
    context.lineWidth = width < 14 ? 1 : 1.5
    if (state === 'unregistered') context.setLineDash([3, 2])
    context.stroke()
    context.setLineDash([])
    if (state !== 'killed') return
    const [centreX, centreY, arm] = [x + width / 2, y + height / 2, Math.min(5, height / 4)]
    context.beginPath()
    context.moveTo(centreX - arm, centreY - arm)
    context.lineTo(centreX + arm, centreY + arm)
    context.moveTo(centreX + arm, centreY - arm)
    context.lineTo(centreX - arm, centreY + arm)
    context.stroke()
  }

  #paintFlight(context: CanvasRenderingContext2D, { from, to, isRefused, startedAt }: Flight, now: number): void {
    const [start, end] = [this.#centreOf(from), this.#centreOf(to)]
    if (start === undefined || end === undefined) return
    const age = Math.min(1, Math.max(0, (now - startedAt) / FLIGHT_MS))
    const bend = { x: (start.x + end.x) / 2, y: Math.min(start.y, end.y) - 14 - Math.abs(start.x - end.x) * 0.06 }
    context.globalAlpha = 0.6 * (1 - age)
    context.strokeStyle = isRefused ? this.#colours.bad : this.#colours.good
    context.lineWidth = 1.5
    if (isRefused) context.setLineDash([4, 3])
    context.beginPath()
    context.moveTo(start.x, start.y)
    context.quadraticCurveTo(bend.x, bend.y, end.x, end.y)
    context.stroke()
    context.setLineDash([])
    context.beginPath()
    context.arc(end.x, end.y, 3, 0, 2 * Math.PI)
    context.fillStyle = context.strokeStyle
    context.fill()
    context.globalAlpha = 1
  }

  #paintFrame(context: CanvasRenderingContext2D, cell: Cell, colour: string): void {
    const { x, y } = cornerOf(this.#layout, cell)
    const { width, height } = this.#layout.cell
    context.strokeStyle = colour
    context.lineWidth = 2
    context.beginPath()
    context.roundRect(x - 1.5, y - 1.5, width + 3, height + 3, Math.min(6, width / 4))
    context.stroke()
  }

  #cellOf(name: string | undefined): Cell | undefined {
    const view = name === undefined ? undefined : this.#moment?.enclaves.view(name)
    const column = view === undefined ? undefined : this.#columns.get(view.cluster)
    return view === undefined || column === undefined ? undefined : { column, slot: view.slot }
  }

  #centreOf(name: string): { x: number; y: number } | undefined {
    const cell = this.#cellOf(name)
    if (cell === undefined) return undefined
    const { x, y } = cornerOf(this.#layout, cell)
    return { x: x + this.#layout.cell.width / 2, y: y + this.#layout.cell.height / 2 }
  }
}

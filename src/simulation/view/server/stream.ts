import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { EventSender } from '../../../web/index.js'
import type { RecordedRun, RunEvent, RunRecorder } from '../../record/index.js'
import type { StreamMessages } from '../model/messages.js'

/** A run to be shown: one that goes on can be listened to. */
export type ShownRun = RecordedRun & Partial<Pick<RunRecorder, 'subscribe'>>

/** Events in one message, and ms for which they gather. */
const CHUNK = 1_000
const GATHERING_MS = 50
/** Bytes that a slow reader may leave waiting before single exchanges are not told to it. */
const SLOW = 1_000_000

/** One page that looks on. */
export class EventStream extends EventSender<StreamMessages> {
  readonly #response: ServerResponse
  #waiting: RunEvent[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(response: ServerResponse) {
    super(response)
    this.#response = response
  }

  /** Resolves when the page is gone. */
  async play(run: ShownRun, { isLive }: { readonly isLive: boolean }): Promise<void> {
    const signal = this.ended
    let leave: (() => void) | undefined
    try {
      this.send('run', { header: run.header, isLive })
      // What is recorded while the reader is waited for is told in this loop, too.
      for (let told = 0; told < run.events.length; ) {
        const chunk = run.events.slice(told, told + CHUNK)
        this.send('events', chunk)
        told += chunk.length
        if (this.#response.writableNeedDrain) await once(this.#response, 'drain', { signal })
      }
      this.send('caught-up', {})
      if (run.outcome !== undefined) this.send('outcome', run.outcome)
      leave = run.subscribe?.(
        { event: (event) => this.#tell(event), ended: (outcome) => this.#end(outcome) },
        { replay: false },
      )
      if (!signal.aborted) await once(signal, 'abort')
    } catch (thrown) {
      if (!signal.aborted) throw thrown
    } finally {
      leave?.()
      clearTimeout(this.#timer)
    }
  }

  #tell(event: RunEvent): void {
    const isBulk = event.type === 'exchange' || event.type === 'stored'
    if (isBulk && (this.waiting > SLOW || this.#waiting.length >= CHUNK * 10)) return
    this.#waiting.push(event)
    this.#timer ??= setTimeout(() => this.#flush(), GATHERING_MS).unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const events = this.#waiting
    this.#waiting = []
    if (events.length > 0) this.send('events', events)
  }

  #end(outcome: StreamMessages['outcome']): void {
    this.#flush()
    this.send('outcome', outcome)
  }
}

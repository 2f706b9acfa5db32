import type { StreamMessages } from '../model/messages.js'

export type StreamHandlers = {
  readonly [Name in keyof StreamMessages]: (message: StreamMessages[Name]) => void
} & {
  /** The connection is lost; the browser tries again, and all is told anew. */
  readonly lost: () => void
}

/** Listens to what the server tells, from the first event on. */
export function listen(handlers: StreamHandlers): void {
  const source = new EventSource('/events')
  const on = <Name extends keyof StreamMessages>(name: Name) =>
    source.addEventListener(name, ({ data }) => handlers[name](JSON.parse(data)))
  on('run')
  on('events')
  on('caught-up')
  on('controls')
  on('outcome')
  on('trouble')
  source.addEventListener('error', handlers.lost)
}

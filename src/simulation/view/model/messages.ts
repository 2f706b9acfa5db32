import type { RunEvent, RunHeader, RunOutcome } from '../../record/events.js'

/** What the page is told first. */
export interface RunNews {
  readonly header: RunHeader
  /** Whether the run goes on, and can be paused, stepped and interfered with. */
  readonly isLive: boolean
}

/** The page's stream: server-sent events by these names, with JSON as their data. */
export interface StreamMessages {
  readonly run: RunNews
  readonly events: readonly RunEvent[]
  /** What was kept has been told; what comes now is news. */
  readonly 'caught-up': Record<string, never>
  readonly controls: ControlState
  readonly outcome: RunOutcome
  /** Something that was asked for, and that seemed to go well, failed after all. */
  readonly trouble: { readonly message: string }
}

export interface ControlState {
  readonly isPaused: boolean
}

/** In a header of what changes the run: it comes from this page, since no other knows the key. */
export const KEY_HEADER = 'x-slotmesh-key'

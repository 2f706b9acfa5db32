import type { Action } from '../scenario/index.js'

/** What the page may do to a run that goes on; a stage and its director can. */
export interface RunControls {
  /** Has the chain make no blocks. */
  pause(): void
  /** Has it go on. */
  resume(): void
  /** While paused: lets one block pass. */
  step(): Promise<void>
  /** Does now what a scenario could have had done. */
  perform(action: Action): Promise<void>
  /** Free of secrets, as plain JSON; undefined when there is none of that name, or it is down. */
  inspect(enclave: string): Promise<Readonly<Record<string, unknown>> | undefined>
}

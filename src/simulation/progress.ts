/** What a run tells while it goes on; the caller decides how to show it. */
export type SimulationEvent =
  | { readonly type: 'phase-started'; readonly phase: number; readonly of: number; readonly title: string }
  /** Work inside the running phase that can be counted. */
  | { readonly type: 'counted'; readonly what: string; readonly done: number; readonly of: number }
  /** Something worth a line of its own, for example which enclave was killed. */
  | { readonly type: 'noted'; readonly text: string }
  | { readonly type: 'phase-ended'; readonly phase: number; readonly passed: boolean; readonly durationMs: number }

/** Hears how far a simulation is. */
export type SimulationProgress = (event: SimulationEvent) => void

/** What one look came to. */
export interface Finding {
  /** What was looked at: `clock`. */
  readonly about: string
  /** `fails`: the node will not work like this. `warns`: it will, and somebody should know. */
  readonly state: 'well' | 'warns' | 'fails'
  /** What was seen. */
  readonly seen: string
  /** One sentence that says how to mend it; none where all is well. */
  readonly mend?: string
}

export function well(about: string, seen: string): Finding {
  return { about, state: 'well', seen }
}

export function warns(about: string, seen: string, mend: string): Finding {
  return { about, state: 'warns', seen, mend }
}

export function fails(about: string, seen: string, mend: string): Finding {
  return { about, state: 'fails', seen, mend }
}

export function isErrno(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code
}

/** The outcome of one thing that a run verifies. */
export interface Check {
  /** What must hold, as a statement. */
  readonly name: string
  readonly passed: boolean
  /** What was counted when it holds; what is wrong, with the first few cases, when it does not. */
  readonly detail: string
}

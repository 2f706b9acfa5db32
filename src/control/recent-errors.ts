import type { EnclaveNode, NodeEvent } from '../node/index.js'

/** Something that went wrong, and when; Unix ms. */
export interface RecentError {
  readonly at: number
  readonly code: string
  /** Whom it was with, if with anybody. */
  readonly peer?: string
}

/** How many are remembered. */
const REMEMBERED = 20

/** The last things that went wrong in a node, the newest first; in memory only. */
export class RecentErrors {
  readonly #errors: RecentError[] = []
  readonly #unsubscribe: () => void

  constructor(node: Pick<EnclaveNode, 'subscribe'>) {
    this.#unsubscribe = node.subscribe((event) => {
      for (const error of errorsOf(event)) {
        this.#errors.unshift(error)
        if (this.#errors.length > REMEMBERED) this.#errors.pop()
      }
    })
  }

  list(): readonly RecentError[] {
    return [...this.#errors]
  }

  end(): void {
    this.#unsubscribe()
  }
}

function errorsOf(event: NodeEvent): RecentError[] {
  switch (event.type) {
    case 'exchange-failed':
      return [{ at: event.at, code: event.code, peer: event.peer }]
    case 'refusal-received':
      return [{ at: event.at, code: event.code, peer: event.from }]
    case 'serving-failed':
    case 'refusal-sent':
      return [{ at: event.at, code: event.code }]
    case 'problems':
      return event.problems.map(({ code }) => ({ at: event.at, code }))
    default:
      return []
  }
}

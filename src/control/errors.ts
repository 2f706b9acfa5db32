import { SlotmeshError } from '../domain/index.js'

export type ControlErrorCode =
  /** No node answers at the socket. */
  | 'control/not-running'
  /** The socket belongs to another account. */
  | 'control/not-allowed'
  /** The socket's path cannot be one. */
  | 'control/bad-path'
  /** What is asked is not known, or is no request. */
  | 'control/unknown'
  /** What came back is no answer. */
  | 'control/bad-answer'

/** What keeps a node from being asked. */
export class ControlError extends SlotmeshError {
  override readonly name: string = 'ControlError'

  constructor(code: ControlErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

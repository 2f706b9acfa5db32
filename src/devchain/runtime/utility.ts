import { attempt, type Call, type Handlers } from './call.js'

/** Substrate's own, for metadata that does not say. */
const BATCHED_CALLS_LIMIT = 10_922

export const utilityCalls: Handlers = {
  /** Stops at the first failure and keeps what was done before it. */
  'Utility.batch': (call) => {
    const { execution } = call
    for (const [index, member] of membersOf(call).entries()) {
      const failure = attempt(call, member, call.origin)
      if (failure !== undefined) return execution.emit('Utility', 'BatchInterrupted', { index, error: failure })
      execution.emit('Utility', 'ItemCompleted')
    }
    execution.emit('Utility', 'BatchCompleted')
  },
  /** All or nothing. */
  'Utility.batch_all': (call) => {
    for (const member of membersOf(call)) {
      call.dispatch(member, call.origin)
      call.execution.emit('Utility', 'ItemCompleted')
    }
    call.execution.emit('Utility', 'BatchCompleted')
  },
  /** Goes on after a failure. */
  'Utility.force_batch': (call) => {
    const { execution } = call
    let failed = false
    for (const member of membersOf(call)) {
      const failure = attempt(call, member, call.origin)
      if (failure === undefined) execution.emit('Utility', 'ItemCompleted')
      else execution.emit('Utility', 'ItemFailed', { error: failure })
      failed ||= failure !== undefined
    }
    execution.emit('Utility', failed ? 'BatchCompletedWithErrors' : 'BatchCompleted')
  },
}

function membersOf({ execution, argument }: Call) {
  const calls = argument('calls').items()
  const limit = execution.codec.findConstant('Utility', 'batched_calls_limit')?.number() ?? BATCHED_CALLS_LIMIT
  if (calls.length > limit) {
    execution.fail('Utility', 'TooManyCalls')
  }
  return calls
}

import { EXIT_CODES, Interruption } from './failure.js'

/**
 * Runs `work` with a signal that aborts on SIGINT or SIGTERM, so that it can clean up; whoever asks a second time has
 * waited long enough and ends the process at once.
 */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.interrupted)
    controller.abort(new Interruption(name))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

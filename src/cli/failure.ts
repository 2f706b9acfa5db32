import { SlotmeshError } from '../domain/index.js'

export const EXIT_CODES = {
  success: 0,
  failure: 1,
  badUsage: 2,
  /** By convention 128 and the number of the signal, here SIGINT. */
  interrupted: 130,
} as const

export interface Failure {
  readonly text: string
  readonly exitCode: number
}

/** What to tell a person about anything that was thrown: one sentence, and never a stack trace unless asked for. */
export function describeFailure(thrown: unknown, environment: NodeJS.ProcessEnv): Failure {
  if (isInterruption(thrown)) return { text: 'Interrupted.', exitCode: EXIT_CODES.interrupted }
  if (thrown instanceof SlotmeshError) {
    const exitCode = thrown.code.endsWith('/bad-option') ? EXIT_CODES.badUsage : EXIT_CODES.failure
    return { text: thrown.message, exitCode }
  }
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown))
  const sentence = `This is a defect in slotmesh, please report it: ${name}: ${message.split('\n')[0]}`
  const hint = environment.SLOTMESH_DEBUG ? `\n${stack}` : '\nSet SLOTMESH_DEBUG=1 to see where it happened.'
  return { text: sentence + hint, exitCode: EXIT_CODES.failure }
}

/** The reason with which the commands abort what they run when a person or a supervisor asks them to end. */
export class Interruption extends Error {
  override readonly name = 'Interruption'

  constructor(signalName: string) {
    super(`${signalName} received`)
  }
}

function isInterruption(thrown: unknown): boolean {
  return thrown instanceof Interruption || (thrown instanceof Error && thrown.cause instanceof Interruption)
}

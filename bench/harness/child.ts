import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A part that has had no result for so long never will. */
const LONGEST_MS = 1_800_000

/** A part of a bench that runs in a process of its own and hands over one message. */
export interface Part<Message> {
  readonly message: Message
  /** The most memory that its process has had so far, MB. */
  peakMemory(): Promise<number>
  stop(): Promise<void>
}

/**
 * Starts `script` with `input` as its only argument and waits for its message.
 * @throws Error when it ends without one, or has none for longer than any part takes.
 */
export async function startPart<Message>(script: URL, input: unknown): Promise<Part<Message>> {
  const child = fork(fileURLToPath(script), [JSON.stringify(input)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = once(child, 'exit')
  const next = async () => {
    const [received] = await Promise.race([
      once(child, 'message', { signal: AbortSignal.timeout(LONGEST_MS) }),
      ended.then(([code, signal]) => {
        throw new Error(`${script.pathname} ended with ${code ?? signal} before it had a result.`)
      }),
    ])
    return received
  }
  const message = await next().catch(async (thrown: unknown) => {
    await stop(child, ended)
    throw thrown
  })
  const peakMemory = async (): Promise<number> => {
    child.send(ASK_MEMORY)
    return (await next()).peakMemory
  }
  return { message, peakMemory, stop: () => stop(child, ended) }
}

const ASK_MEMORY = 'how much memory?'

/** Runs a part to its result. */
export async function runPart<Message>(script: URL, input: unknown): Promise<Message> {
  const { message, stop } = await startPart<Message>(script, input)
  await stop()
  return message
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await ended
}

/** In a part: what it was started with. */
export function input<Input>(): Input {
  return JSON.parse(process.argv[2] ?? 'null')
}

/** In a part: the most memory that it has had so far, MB; of the operating system, kB on Linux and macOS alike (libuv). */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS / 1000
}

/** In a part that goes on: tells how much memory it has had when it is asked, and ends with whoever has started it. */
export function goOn(): void {
  process.on('disconnect', () => process.exit())
  process.on('message', (asked) => {
    if (asked === ASK_MEMORY) report({ peakMemory: peakMemory() })
  })
}

/** In a part: hands over its message; the process goes on until it is stopped or has nothing left to do. */
export function report(message: unknown): void {
  if (process.send === undefined) process.stdout.write(`${JSON.stringify(message)}\n`)
  else process.send(message)
}

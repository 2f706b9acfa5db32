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
  const started = new Started(script, input)
  const message = await started.next<Message>().catch(async (thrown: unknown) => {
    await started.stop()
    throw thrown
  })
  return { message, peakMemory: () => started.peakMemory(), stop: () => started.stop() }
}

/** Runs a part to its result. */
export async function runPart<Message>(script: URL, input: unknown): Promise<Message> {
  const { message, stop } = await startPart<Message>(script, input)
  await stop()
  return message
}

/** Two parts that talk with each other: one that is asked, and goes on until it is stopped, and one that asks it. */
export interface Pair {
  readonly provider: { readonly script: URL; readonly input: unknown }
  readonly requester: { readonly script: URL; readonly input: unknown }
}

export interface PairOutput<Ready, Output> {
  readonly ready: Ready
  readonly output: Output
  /** The most memory that the provider's process has had, MB. */
  readonly providerMemory: number
}

/**
 * Starts both at once, so that one gets ready while the other one does, and runs the requester to its result.
 * The provider's message is given to the requester, see {@link otherSide}.
 * @throws Error as {@link startPart}, of either.
 */
export async function runPair<Ready extends object, Output>(pair: Pair): Promise<PairOutput<Ready, Output>> {
  const provider = new Started(pair.provider.script, pair.provider.input)
  const requester = new Started(pair.requester.script, pair.requester.input)
  try {
    const ready = await provider.next<Ready>()
    requester.tell(ready)
    const output = await requester.next<Output>()
    return { ready, output, providerMemory: await provider.peakMemory() }
  } finally {
    await Promise.all([requester.stop(), provider.stop()])
  }
}

const ASK_MEMORY = 'how much memory?'

/** The process of a part. */
class Started {
  readonly #script: URL
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown[]>

  constructor(script: URL, input: unknown) {
    this.#script = script
    this.#child = fork(fileURLToPath(script), [JSON.stringify(input)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#ended = once(this.#child, 'exit')
  }

  /** @throws Error when it ends first, or says nothing for longer than any part takes. */
  async next<Message>(): Promise<Message> {
    const [received] = await Promise.race([
      once(this.#child, 'message', { signal: AbortSignal.timeout(LONGEST_MS) }),
      this.#ended.then(([code, signal]) => {
        throw new Error(`${this.#script.pathname} ended with ${code ?? signal} before it had a result.`)
      }),
    ])
    return received
  }

  /** One that has ended is told nothing: whoever waits for its next message learns that. */
  tell(message: object | string): void {
    if (this.#child.connected) this.#child.send(message)
  }

  async peakMemory(): Promise<number> {
    this.tell(ASK_MEMORY)
    return (await this.next<{ readonly peakMemory: number }>()).peakMemory
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill()
    await this.#ended
  }
}

/** In a part: what it was started with. */
export function input<Input>(): Input {
  return JSON.parse(process.argv[2] ?? 'null')
}

/** In the requester of a pair: the provider's message, once it is ready. */
export async function otherSide<Ready>(): Promise<Ready> {
  const [ready] = await once(process, 'message', { signal: AbortSignal.timeout(LONGEST_MS) })
  return ready
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

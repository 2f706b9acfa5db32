import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Answer, Call, Method, Parameters, Result } from './calls.js'

const ENTRY = fileURLToPath(new URL('./enclave-process.js', import.meta.url))

/** What a call to a process is rejected with that was killed meanwhile. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** The other end of an enclave's process. */
export class EnclaveChild {
  /** When all is loaded, so that it can live at once. */
  readonly ready: Promise<void>
  /** When it is dead. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(reason: Error): void }>()
  #calls = 0

  /** @param by the command by which the process is started, if any: `ip netns exec …`. */
  constructor(...by: readonly string[]) {
    const [execPath = process.execPath, ...execArgv] = by.length === 0 ? [] : [...by, process.execPath]
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
    this.#child = fork(ENTRY, [], { execPath, execArgv, serialization: 'advanced', stdio: [...stdio] })
    let loaded = (): void => undefined
    this.ready = new Promise((resolve) => {
      loaded = resolve
    })
    this.#child.on('message', ({ id, result, error }: Answer) => {
      if (id === 0) return loaded()
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(result)
      else waiting?.reject(new Error(error))
    })
    this.ended = once(this.#child, 'exit').then(([code, signal]) => {
      const reason = signal === 'SIGKILL' ? new Killed('It was killed.') : new Error(`It ended by itself: ${code}.`)
      for (const { reject } of this.#waiting.values()) reject(reason)
      this.#waiting.clear()
    })
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** @throws Killed; Error with the sentence of what the call has thrown there. */
  async call<Name extends Method>(method: Name, ...parameters: Parameters<Name>): Promise<Result<Name>> {
    if (!this.isAlive) throw new Killed('It was killed.')
    this.#calls += 1
    const call: Call<Name> = { id: this.#calls, method, parameters }
    const answered = new Promise<Result<Name>>((resolve, reject) =>
      this.#waiting.set(call.id, { resolve: (result) => resolve(result as Result<Name>), reject }),
    )
    // One that dies meanwhile is told of by its end.
    this.#child.send(call, () => undefined)
    return answered
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }
}

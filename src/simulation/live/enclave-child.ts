import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { SlotmeshError } from '../../domain/index.js'
import type { NodeEvent } from '../../node/index.js'
import type { EnclaveHandle, EnclaveSpec } from './enclave.js'
import type { EnclaveCall, EnclaveCalls, EnclaveMethod, EnclaveReply } from './enclave-messages.js'

/** An enclave in a process of its own. */
export interface EnclaveProcess extends EnclaveHandle {
  /** SIGKILL: nothing is flushed, closed, or said goodbye to. */
  kill(): Promise<void>
  readonly processId: number | undefined
}

const ENTRY = fileURLToPath(new URL('./enclave-process.js', import.meta.url))

/**
 * @throws SlotmeshError with the code of the enclave when it cannot be created there.
 */
export async function createEnclaveProcess(spec: EnclaveSpec): Promise<EnclaveProcess> {
  // Structured clones carry byte arrays; the IPC channel also keeps seeds off the command line.
  const child = fork(ENTRY, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  const line = new EnclaveLine(child, spec.name)
  const { account, peerId } = await line.call('create', spec).catch((error) => {
    child.kill('SIGKILL')
    throw error
  })
  return {
    account,
    peerId,
    processId: child.pid,
    start: async () => {
      await line.call('start')
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      await line.call('stop')
      child.disconnect()
      await exited
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    status: () => line.call('status'),
    heldShares: () => line.call('heldShares'),
    shape: async (links) => {
      await line.call('shape', links)
    },
    disconnect: async () => {
      await line.call('disconnect')
    },
    storeShare: (kind, request) => line.call('storeShare', kind, request),
    retrieveShare: (kind, request) => line.call('retrieveShare', kind, request),
    subscribe: (listener) => line.subscribe(listener),
  }
}

/** Calls to the other process, paired with their answers. */
class EnclaveLine {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  readonly #listeners = new Set<(event: NodeEvent) => void>()
  #calls = 0

  constructor(child: ChildProcess, name: string) {
    this.#child = child
    this.#name = name
    child.on('message', (reply: EnclaveReply) => this.#receive(reply))
    child.on('exit', () => this.#hangUp())
    child.on('error', () => this.#hangUp())
  }

  async call<Method extends EnclaveMethod>(
    method: Method,
    ...parameters: EnclaveCalls[Method]['parameters']
  ): Promise<EnclaveCalls[Method]['result']> {
    if (!this.#child.connected) throw this.#gone()
    const call: EnclaveCall<Method> = { id: ++this.#calls, method, parameters }
    return new Promise((resolve, reject) => {
      this.#waiting.set(call.id, { resolve: (result) => resolve(result as EnclaveCalls[Method]['result']), reject })
      this.#child.send(call, (error) => {
        if (error !== null) this.#hangUp()
      })
    })
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #receive(reply: EnclaveReply): void {
    if ('event' in reply) {
      for (const listener of this.#listeners) listener(reply.event)
      return
    }
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if ('error' in reply) waiting?.reject(new SlotmeshError(reply.error.code, reply.error.message))
    else waiting?.resolve(reply.result)
  }

  #hangUp(): void {
    for (const { reject } of this.#waiting.values()) reject(this.#gone())
    this.#waiting.clear()
  }

  #gone(): SlotmeshError {
    const { exitCode, signalCode } = this.#child
    const how = signalCode ?? (exitCode === null ? 'not answering' : `exit code ${exitCode}`)
    return new SlotmeshError('simulation/enclave-gone', `The process of enclave ${this.#name} has ended (${how}).`)
  }
}

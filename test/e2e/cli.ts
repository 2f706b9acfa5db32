import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { runCli as runProgram } from '../../src/cli/program.js'

export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface Outcome {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts `slotmesh` as a process of its own. */
export function spawnCli(...parameters: string[]): ChildProcess {
  return spawnCliIn(process.env, ...parameters)
}

/** The same in another environment. */
export function spawnCliIn(env: NodeJS.ProcessEnv, ...parameters: string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'], env })
}

/** What a `slotmesh` process says until it ends. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  await once(child, 'close')
  return { exitCode: child.exitCode, ...output }
}

export function runCli(...parameters: string[]): Promise<Outcome> {
  return outcomeOf(spawnCli(...parameters))
}

/**
 * Runs the command line in this process, where all that it loads is there already. For commands that end by themselves;
 * how a process of its own ends is for `runCli`.
 */
export async function runHere(...parameters: string[]): Promise<Outcome> {
  const output = { stdout: '', stderr: '' }
  const streams = ['stdout', 'stderr'] as const
  const originals = streams.map((name) => process[name].write)
  for (const name of streams) {
    process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      output[name] += Buffer.from(chunk).toString()
      const done = rest.at(-1)
      if (typeof done === 'function') queueMicrotask(() => done())
      return true
    }
  }
  try {
    const exitCode = await runProgram([process.execPath, MAIN, ...parameters])
    return { exitCode, ...output }
  } finally {
    for (const [index, name] of streams.entries()) {
      const write = originals[index]
      if (write !== undefined) process[name].write = write
    }
  }
}

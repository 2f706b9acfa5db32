import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface Outcome {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts `slotmesh` as a process of its own. */
export function spawnCli(...parameters: string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] })
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

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { SlotmeshError } from '../domain/index.js'

/** How long a peer may take to end when it is asked to, ms. */
const GRACE_MS = 10_000

/** The implementation under test, as long as it runs. */
export interface StartedPeer {
  /** Ends it, and whatever it has started. */
  stop(): Promise<void>
}

/**
 * Starts the implementation under test by a shell command, in which `{file}` stands for the target file. What it prints
 * goes to this process's standard error. Nothing comes from its standard input, which ends with this process, however that
 * ends: a peer that reads it need not stay behind.
 * @throws SlotmeshError `conformance/command-failed` when it cannot be started.
 */
export async function startCommand(command: string, file: string): Promise<StartedPeer> {
  const line = command.replaceAll('{file}', `'${file.replaceAll("'", "'\\''")}'`)
  // A group of its own, so that what the shell starts can be stopped with it.
  const child = spawn(line, { shell: true, detached: true, stdio: ['pipe', 'inherit', 'inherit'] })
  const ended = once(child, 'close')
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new SlotmeshError('conformance/command-failed', `The command could not be started: ${line}`, { cause })
  }
  const send = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
      process.kill(-child.pid, signal)
  }
  return {
    stop: async () => {
      send('SIGTERM')
      const timer = setTimeout(() => send('SIGKILL'), GRACE_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

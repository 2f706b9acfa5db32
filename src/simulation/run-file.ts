import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, SlotmeshError } from '../domain/index.js'
import type { RunHeader } from './record/index.js'

/**
 * Where a run is written down: a name of its own in `folder`, which is made when absent.
 * @throws SlotmeshError `simulation/run-file` when there can be no such folder.
 */
export async function runFileIn(folder: string, { scenario, mode, startedAt, seed }: RunHeader): Promise<string> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    const message = `Runs cannot be written to ${folder}: ${messageOf(cause)}. Choose a folder that can be made or written to.`
    throw new SlotmeshError('simulation/run-file', message, { cause })
  }
  const time = startedAt.slice(0, 19).replaceAll(':', '')
  return join(folder, `${scenario}-${mode}-${time}-${seed.slice(2, 6)}.run.jsonl`)
}

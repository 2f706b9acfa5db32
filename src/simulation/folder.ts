import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, SlotmeshError } from '../domain/index.js'

export interface SimulationFolder {
  readonly path: string
  remove(): Promise<void>
}

/**
 * @param path must be empty or absent; a temporary folder is made when it is undefined.
 * @throws SlotmeshError `simulation/folder` when it cannot be used.
 */
export async function openFolder(path: string | undefined): Promise<SimulationFolder> {
  const opened = path === undefined ? await mkdtemp(join(tmpdir(), 'slotmesh-simulation-')) : await claim(path)
  return { path: opened, remove: () => rm(opened, { recursive: true, force: true, maxRetries: 3 }) }
}

async function claim(path: string): Promise<string> {
  const unusable = (why: string, cause?: unknown) =>
    new SlotmeshError('simulation/folder', `The folder ${path} cannot be used: ${why}. Choose an empty or a new one.`, {
      cause,
    })
  const entries = await mkdir(path, { recursive: true })
    .then(() => readdir(path))
    .catch((cause: unknown) => {
      throw unusable(messageOf(cause), cause)
    })
  if (entries.length > 0) throw unusable('it is not empty')
  return path
}

import { access, chmod, constants, mkdtemp, readdir, rm, statfs } from 'node:fs/promises'
import { freemem } from 'node:os'
import { join } from 'node:path'

/** A file system in memory, where Linux has one: half of the time of tests on a disk is the wait for its writes. */
const IN_MEMORY = '/dev/shm'
const PREFIX = 'slotmesh-tests-'

/** What all tests together have at one time is a small part of it. */
const ROOM_BYTES = 4 * 1024 ** 3

let folder: string | undefined

/**
 * Several threads that collect one heap wait for each other in loops, up to a tenth of what a short process takes where
 * each core has a test to run. Every process of the tests has it from its environment.
 */
const ONE_THREAD_OF_V8 = '--v8-pool-size=1'

/** Has temporary folders of all tests in memory, where there is room, unless `SLOTMESH_TESTS_ON_DISK` is set. */
export async function mochaGlobalSetup(): Promise<void> {
  process.env.NODE_OPTIONS = [process.env.NODE_OPTIONS, ONE_THREAD_OF_V8].filter(Boolean).join(' ')
  if (process.env.SLOTMESH_TESTS_ON_DISK || !(await hasRoom())) return
  await removeOrphans()
  folder = await mkdtemp(join(IN_MEMORY, `${PREFIX}${process.pid}-`))
  // As the usual place for them: some tests do without their privileges.
  await chmod(folder, 0o1777)
  process.env.TMPDIR = folder
}

export async function mochaGlobalTeardown(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
}

async function hasRoom(): Promise<boolean> {
  try {
    await access(IN_MEMORY, constants.W_OK)
    const { bavail, bsize } = await statfs(IN_MEMORY)
    return Math.min(bavail * bsize, freemem()) >= ROOM_BYTES
  } catch {
    // Another system, or a container without one.
    return false
  }
}

/** What runs that were killed have left. */
async function removeOrphans(): Promise<void> {
  for (const name of await readdir(IN_MEMORY)) {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? []
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(IN_MEMORY, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return (thrown as { code?: string }).code === 'EPERM'
  }
}

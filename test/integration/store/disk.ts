import fs, { lstat } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const POWER_CUT = 'the power is cut'

/** Whether that is what an error comes of. */
export function isPowerCut(thrown: unknown): boolean {
  for (let cause = thrown; cause instanceof Error; cause = cause.cause)
    if (cause.message.includes(POWER_CUT)) return true
  return false
}

/** Changes of the disk by this process, the database's own apart: after some of them there are no more. */
export class Disk {
  static readonly #real = { rename: fs.rename, mkdir: fs.mkdir, rmdir: fs.rmdir, rm: fs.rm, unlink: fs.unlink }

  constructor(steps: number, canRenameFolders: boolean) {
    let left = steps
    const count = () => {
      left -= 1
      if (left < 0) throw new Error(POWER_CUT)
    }
    this.restore(canRenameFolders)
    const { rename } = fs
    fs.rename = async (from, to) => {
      count()
      await rename(from, to)
    }
    fs.mkdir = (async (path, options) => {
      count()
      return Disk.#real.mkdir(path, options)
    }) as typeof fs.mkdir
    fs.rmdir = async (path, options) => {
      count()
      await Disk.#real.rmdir(path, options)
    }
    fs.rm = async (path, options) => {
      count()
      await Disk.#real.rm(path, options)
    }
    fs.unlink = async (path) => {
      count()
      await Disk.#real.unlink(path)
    }
    syncBuiltinESMExports()
  }

  restore(canRenameFolders: boolean): void {
    Object.assign(fs, Disk.#real)
    if (!canRenameFolders) {
      fs.rename = async (from, to) => {
        if ((await lstat(from)).isDirectory()) throw Object.assign(new Error('ENOSYS'), { code: 'ENOSYS' })
        await Disk.#real.rename(from, to)
      }
    }
    syncBuiltinESMExports()
  }
}

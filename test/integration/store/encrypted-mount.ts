import fs, { lstat } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

function errorOf(code: string): Error {
  return Object.assign(new Error(`${code}: permission denied`), { code })
}

/**
 * What Gramine's encrypted mounts do otherwise than a disk, as far as this process asks by itself and not through the
 * database: folders are not renamed; a file that is renamed is written to, which is not on the disk before it is synced;
 * and one that does not open can be taken away, or be renamed over, and nothing else.
 */
export class EncryptedMount {
  static readonly #real = {
    open: fs.open,
    stat: fs.stat,
    lstat: fs.lstat,
    rm: fs.rm,
    rename: fs.rename,
    unlink: fs.unlink,
    writeFile: fs.writeFile,
  }

  /** Files that do not open. */
  readonly broken = new Set<string>()
  /** Files that would not open after a loss of power. */
  readonly unsynced = new Set<string>()

  /** Whether the power is cut when a file has been renamed to this place: it does not open then. */
  cuts: (place: string) => boolean = () => false

  constructor() {
    const real = EncryptedMount.#real
    const refuse = (path: unknown) => {
      if (this.broken.has(String(path))) throw errorOf('EACCES')
    }
    fs.open = async (path, ...options) => {
      refuse(path)
      const handle = await real.open(path, ...options)
      const sync = handle.sync.bind(handle)
      return Object.assign(handle, {
        sync: async () => {
          await sync()
          this.unsynced.delete(String(path))
        },
      })
    }
    for (const name of ['stat', 'lstat', 'rm', 'writeFile'] as const) {
      Object.assign(fs, {
        [name]: async (path: string, ...rest: unknown[]) => {
          refuse(path)
          return Reflect.apply(real[name], fs, [path, ...rest])
        },
      })
    }
    fs.unlink = async (path) => {
      await real.unlink(path)
      for (const files of [this.broken, this.unsynced]) files.delete(String(path))
    }
    fs.rename = async (from, to) => {
      refuse(from)
      if ((await lstat(from)).isDirectory()) throw errorOf('ENOSYS')
      await real.rename(from, to)
      this.broken.delete(String(to))
      this.unsynced.delete(String(from))
      this.unsynced.add(String(to))
      if (!this.cuts(String(to))) return
      this.broken.add(String(to))
      throw errorOf('ENOSPC')
    }
    syncBuiltinESMExports()
  }

  restore(): void {
    Object.assign(fs, EncryptedMount.#real)
    syncBuiltinESMExports()
  }
}

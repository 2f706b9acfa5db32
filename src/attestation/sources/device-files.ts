import { constants, mkdir, open, realpath as realPath, rmdir } from 'node:fs/promises'

/** Files that are devices: what is read depends on what was written, and each open is an act. */
export interface DeviceFiles {
  /** To the end, which may come in pieces. @throws RangeError behind `maximumBytes`. */
  read(path: string, maximumBytes: number): Promise<Uint8Array>
  /** All in one call of the system, as such files want it; the file must be there. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** The one path of a file, by whatever links it is reached. */
  realPath(path: string): Promise<string>
  makeFolder(path: string): Promise<void>
  removeFolder(path: string): Promise<void>
}

const BYTES_PER_READ = 4_096

export const deviceFiles: DeviceFiles = {
  async read(path, maximumBytes) {
    const file = await open(path, constants.O_RDONLY)
    try {
      const parts: Uint8Array[] = []
      let length = 0
      for (;;) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(BYTES_PER_READ), 0, BYTES_PER_READ)
        if (bytesRead === 0) return new Uint8Array(Buffer.concat(parts))
        length += bytesRead
        if (length > maximumBytes) throw new RangeError(`${path} has more than ${maximumBytes} bytes.`)
        parts.push(buffer.subarray(0, bytesRead))
      }
    } finally {
      await file.close()
    }
  },

  async write(path, bytes) {
    const file = await open(path, constants.O_WRONLY | constants.O_TRUNC)
    try {
      const { bytesWritten } = await file.write(bytes)
      if (bytesWritten !== bytes.length) throw new Error(`${path} took ${bytesWritten} of ${bytes.length} bytes.`)
    } finally {
      // Where the kernel acts on what was written only now, closing is what fails.
      await file.close()
    }
  },

  realPath,

  async makeFolder(path) {
    await mkdir(path)
  },

  async removeFolder(path) {
    await rmdir(path)
  },
}

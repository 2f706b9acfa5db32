import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { constants, type FileHandle, link, open, realpath, rm } from 'node:fs/promises'
import { dirname, relative, sep } from 'node:path'
import { zero } from '../crypto/index.js'
import { messageOf } from '../domain/index.js'
import { SealingKeyError } from './errors.js'

/** Bytes of a sealing key. */
export const KEY_BYTES = 32

/** A key file is 32 bytes, or their hexadecimal digits and perhaps the end of a line; a passphrase is no book. */
const MAXIMUM_FILE = 1_024

/**
 * Makes a key file: 32 random bytes that only this account can read, on the disk when this returns.
 *
 * @throws SealingKeyError `sealing-key/unavailable` when the path is taken or cannot be written.
 */
export async function createKeyFile(path: string): Promise<void> {
  const key = randomBytes(KEY_BYTES)
  try {
    await createFile(path, key)
  } catch (cause) {
    const sentence = `The key file ${path} cannot be made (${messageOf(cause)}): choose a path in a folder that exists, with no file there yet.`
    throw new SealingKeyError('sealing-key/unavailable', sentence, { cause })
  } finally {
    zero(key)
  }
}

/**
 * Never in place of another file, since what that one sealed would be lost with it; and whole or not at all, whatever
 * ends this process. Safe on the disk when this returns. Of mode 0600.
 *
 * @throws what the file system throws; `EEXIST` when the path is taken.
 */
export async function createFile(path: string, content: Uint8Array): Promise<void> {
  const draft = `${path}.${randomBytes(8).toString('hex')}.draft`
  const file = await open(draft, 'wx', 0o600)
  try {
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(draft, path)
  } finally {
    await rm(draft)
  }
  // The name is on the disk only with its folder.
  const folder = await open(dirname(path), constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** A file that no other account of the machine can read, and that stands where it is said to stand. */
export function readPrivate(path: string): Promise<Uint8Array> {
  return readWhole(path, 'check the path and its permissions', () => openPrivate(path))
}

async function openPrivate(path: string): Promise<FileHandle> {
  // A pipe without a writer would hold the start up for ever.
  const file = await open(await inItsFolder(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    requirePrivate(path, await file.stat())
    return file
  } catch (thrown) {
    await file.close()
    throw thrown
  }
}

function requirePrivate(path: string, stat: Stats): void {
  if (!stat.isFile()) throw unfit(path, 'is no regular file')
  const mode = stat.mode & 0o777
  if ((mode & 0o077) !== 0) {
    throw unfit(path, `can be read or written by others (mode ${mode.toString(8)}): run chmod 600 on it`)
  }
  if (stat.uid !== 0 && stat.uid !== process.geteuid?.()) {
    throw unfit(path, 'belongs to another account, which can read it: run chown on it')
  }
}

/**
 * A link within the folder is how mounted secrets are swapped (Kubernetes); one that leads out of it leads to a file
 * that nobody meant to be a key.
 */
async function inItsFolder(path: string): Promise<string> {
  const [folder, file] = await Promise.all([realpath(dirname(path)), realpath(path)])
  // Behind the separator, since Kubernetes' own folder in there is named ..data.
  if (!relative(folder, file).startsWith(`..${sep}`)) return file
  throw unfit(path, 'is a link that leads out of its folder: name the file itself')
}

/** @returns a buffer of its own, for the caller to zero. */
export async function readWhole(
  path: string,
  hint: string,
  opened: () => Promise<FileHandle> = () => open(path, constants.O_RDONLY),
): Promise<Uint8Array> {
  // One byte more than may be, to see that there is more. Of its own memory, not of a pool that others read from.
  const buffer = new Uint8Array(MAXIMUM_FILE + 1)
  let length = 0
  try {
    const file = await opened()
    try {
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length)
        length += bytesRead
        if (bytesRead === 0 || length === buffer.length) break
      }
    } finally {
      await file.close()
    }
    if (length > MAXIMUM_FILE) throw unfit(path, `has more than ${MAXIMUM_FILE} bytes`)
    return buffer.slice(0, length)
  } catch (cause) {
    if (cause instanceof SealingKeyError) throw cause
    const sentence = `The sealing key's source ${path} cannot be read (${messageOf(cause)}): ${hint}.`
    throw new SealingKeyError('sealing-key/unavailable', sentence, { cause })
  } finally {
    zero(buffer)
  }
}

export function unfit(path: string, what: string): SealingKeyError {
  return new SealingKeyError('sealing-key/unfit', `The sealing key's source ${path} ${what}.`)
}

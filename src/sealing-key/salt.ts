import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { fromHex, toHex } from '../crypto/index.js'
import { type Hex, messageOf } from '../domain/index.js'
import { SealingKeyError } from './errors.js'
import { createFile } from './files.js'

/**
 * What a passphrase is stretched with (RFC 7914), as it stands beside the store. A host can change the file: with too
 * little work the passphrase could be guessed from what is sealed then, with too much the start would never end.
 */
const SaltSchema = z.strictObject({
  scheme: z.literal('scrypt'),
  salt: z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{32}$/.test(value)),
  N: z
    .int()
    .min(2 ** 17)
    .max(2 ** 20)
    .refine((value) => Number.isInteger(Math.log2(value))),
  r: z.literal(8),
  p: z.literal(1),
})

export interface Stretching {
  readonly salt: Uint8Array
  readonly N: number
  readonly r: number
  readonly p: number
}

const SALT_BYTES = 16

/** Outside of the database's own files, which it may take away; the same one however the folder is written. */
export function saltFileOf(folder: string): string {
  return `${resolve(folder)}.sealing-salt.json`
}

/**
 * Reads the salt that stands beside a store's folder, or makes it when there is none.
 *
 * @param mayMake also when there is a folder, which is known not to be sealed under this salt.
 * @throws SealingKeyError `sealing-key/unfit`, `sealing-key/unavailable`, `sealing-key/salt-gone`
 */
export async function readSalt(folder: string, mayMake: boolean): Promise<Stretching> {
  const path = saltFileOf(folder)
  try {
    const { salt, ...rest } = SaltSchema.parse(
      JSON.parse((await readOrMake(path, mayMake ? undefined : folder)).toString()),
    )
    return { ...rest, salt: fromHex(salt) }
  } catch (cause) {
    if (cause instanceof SealingKeyError) throw cause
    if (cause instanceof SyntaxError || cause instanceof z.ZodError) {
      const sentence = `The file ${path} was altered or is damaged, and the passphrase is of no use without it: restore it.`
      throw new SealingKeyError('sealing-key/unfit', sentence, { cause })
    }
    const sentence = `The file ${path} cannot be used (${messageOf(cause)}): check the folder's permissions.`
    throw new SealingKeyError('sealing-key/unavailable', sentence, { cause })
  }
}

/** @param sealed a folder that no new salt opens; where it is there, none is made. */
async function readOrMake(path: string, sealed: string | undefined): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOENT')) throw thrown
    if (sealed !== undefined && (await holdsAnything(sealed))) throw goneError(path, sealed, thrown)
  }
  const made = { scheme: 'scrypt', salt: toHex(randomBytes(SALT_BYTES)), N: 2 ** 17, r: 8, p: 1 }
  await mkdir(dirname(path), { recursive: true })
  try {
    await createFile(path, Buffer.from(`${JSON.stringify(made)}\n`))
  } catch (thrown) {
    // Another process has made one meanwhile, and may have sealed with it.
    if (!isErrno(thrown, 'EEXIST')) throw thrown
  }
  return readFile(path)
}

async function holdsAnything(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return false
    throw thrown
  }
}

function goneError(path: string, folder: string, cause: unknown): SealingKeyError {
  const sentence = `The file ${path} is gone, without which the passphrase does not open ${folder}: restore it, or begin with an empty folder.`
  return new SealingKeyError('sealing-key/salt-gone', sentence, { cause })
}

function isErrno(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code
}

import { hkdf, scrypt } from 'node:crypto'
import { constants, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { DOMAIN, utf8, zero } from '../crypto/index.js'
import { messageOf } from '../domain/index.js'
import { SealingKeyError } from './errors.js'
import { readSalt } from './salt.js'
import type { SealingKeySource } from './source.js'

/** Bytes of a sealing key. */
const KEY_BYTES = 32

/** Bytes of the keys that Gramine hands out: EGETKEY gives 128 bits. */
const GRAMINE_KEY_BYTES = 16

/** A key file is 32 bytes, or their hexadecimal digits and perhaps the end of a line; a passphrase is no book. */
const MAXIMUM_FILE = 1_024

/** Below this a passphrase is guessed at once. */
const SHORTEST_PASSPHRASE = 12

const [expand, stretch] = [promisify(hkdf), promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt)]

export interface SealingKeyOptions {
  /** Of the sealed store: the salt of a passphrase stands beside it. */
  readonly folder: string
  /** Where Gramine has its keys; `/dev/attestation/keys` by default. */
  readonly gramineKeys?: string
}

/**
 * @returns 32 bytes for the caller to zero.
 * @throws SealingKeyError
 */
export async function sealingKey(
  source: SealingKeySource,
  { folder, gramineKeys = '/dev/attestation/keys' }: SealingKeyOptions,
): Promise<Uint8Array> {
  switch (source.from) {
    case 'gramine':
      return gramineKey(`${gramineKeys}/_sgx_${source.policy}`, source.policy)
    case 'file':
      return keyOfFile(source.path)
    case 'passphrase':
      return keyOfPassphrase(source.path, folder)
  }
}

/**
 * The CPU's key is not used itself: Gramine seals encrypted mounts under it, if there are any, and warns of a second use
 * (Gramine, "Manifest syntax", encrypted files).
 */
async function gramineKey(path: string, policy: string): Promise<Uint8Array> {
  const raw = await readWhole(path, 'it is there inside an SGX enclave of Gramine 1.5 or later only')
  try {
    if (raw.length !== GRAMINE_KEY_BYTES) throw unfit(path, `has ${raw.length} bytes in place of ${GRAMINE_KEY_BYTES}`)
    const info = utf8(`${DOMAIN.sealingKey}/gramine/${policy}`)
    return new Uint8Array(await expand('sha256', raw, new Uint8Array(), info, KEY_BYTES))
  } finally {
    zero(raw)
  }
}

async function keyOfFile(path: string): Promise<Uint8Array> {
  const content = await readPrivate(path)
  try {
    if (content.length === KEY_BYTES) return Uint8Array.from(content)
    return fromDigits(path, content)
  } finally {
    zero(content)
  }
}

/** By hand, since a string cannot be zeroed. */
function fromDigits(path: string, content: Uint8Array): Uint8Array {
  const end = content.at(-1) === 0x0a ? content.length - 1 : content.length
  if (end !== 2 * KEY_BYTES) throw unfit(path, 'holds neither 32 bytes nor 64 hexadecimal digits')
  const key = new Uint8Array(KEY_BYTES)
  for (let at = 0; at < end; at += 1) {
    const digit = digitOf(content[at] ?? 0)
    if (digit === undefined) {
      zero(key)
      throw unfit(path, 'holds neither 32 bytes nor 64 hexadecimal digits')
    }
    key[at >> 1] = ((key[at >> 1] ?? 0) << 4) | digit
  }
  return key
}

function digitOf(character: number): number | undefined {
  if (character >= 0x30 && character <= 0x39) return character - 0x30
  const letter = character | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : undefined
}

async function keyOfPassphrase(path: string, folder: string): Promise<Uint8Array> {
  const content = await readPrivate(path)
  try {
    const passphrase = content.at(-1) === 0x0a ? content.subarray(0, -1) : content
    if (passphrase.length < SHORTEST_PASSPHRASE) {
      throw unfit(path, `holds a passphrase of less than ${SHORTEST_PASSPHRASE} bytes`)
    }
    const { salt, N, r, p } = await readSalt(folder)
    // Node's own limit is 32 MiB, and this takes 128 · N · r bytes.
    return new Uint8Array(await stretch(passphrase, salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r }))
  } finally {
    zero(content)
  }
}

/** A file that its owner alone can read, so that no other account of the machine has the key. */
async function readPrivate(path: string): Promise<Uint8Array> {
  return readWhole(path, 'check the path and its permissions', async (file) => {
    const { mode } = await file.stat()
    if ((mode & 0o077) !== 0) {
      throw unfit(path, `can be read or written by others (mode ${(mode & 0o777).toString(8)}): run chmod 600 on it`)
    }
  })
}

type OpenFile = Awaited<ReturnType<typeof open>>

/** @returns a buffer of its own, for the caller to zero. */
async function readWhole(
  path: string,
  hint: string,
  check: (file: OpenFile) => Promise<void> = async () => undefined,
): Promise<Uint8Array> {
  // One byte more than may be, to see that there is more. Of its own memory, not of a pool that others read from.
  const buffer = new Uint8Array(MAXIMUM_FILE + 1)
  let length = 0
  try {
    const file = await open(path, constants.O_RDONLY)
    try {
      await check(file)
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

function unfit(path: string, what: string): SealingKeyError {
  return new SealingKeyError('sealing-key/unfit', `The sealing key's source ${path} ${what}.`)
}

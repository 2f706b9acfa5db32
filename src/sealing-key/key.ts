import { hkdf, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { DOMAIN, utf8, zero } from '../crypto/index.js'
import { abortable } from '../domain/index.js'
import { KEY_BYTES, readPrivate, readWhole, unfit } from './files.js'
import { readSalt } from './salt.js'
import type { SealingKeySource } from './source.js'

/** Bytes of the keys that Gramine hands out: EGETKEY gives 128 bits. */
const GRAMINE_KEY_BYTES = 16

/** Below this a passphrase is guessed at once. */
const SHORTEST_PASSPHRASE = 12

const [expand, stretch] = [promisify(hkdf), promisify<Uint8Array, Uint8Array, number, object, Buffer>(scrypt)]

/** What a sealing key is for, and where its parts are. */
export interface SealingKeyOptions {
  /** Of the sealed store: the salt of a passphrase stands beside it. */
  readonly folder: string
  /** Where Gramine has its keys; `/dev/attestation/keys` by default. */
  readonly gramineKeys?: string
  /** The folder has been opened with another key, and is to be sealed anew: only then a passphrase gets a salt for it. */
  readonly isNext?: boolean
  readonly signal?: AbortSignal
}

/**
 * Reads or derives the key that a folder is sealed under.
 *
 * @returns 32 bytes for the caller to zero.
 * @throws SealingKeyError; the signal's reason when it aborts.
 */
export async function sealingKey(source: SealingKeySource, options: SealingKeyOptions): Promise<Uint8Array> {
  const { signal } = options
  if (signal === undefined) return keyOf(source, options)
  signal.throwIfAborted()
  const key = keyOf(source, options)
  try {
    return await abortable(key, signal)
  } catch (thrown) {
    // Nobody is left to take it; a failure of its own has been told already, or interests nobody any more.
    key.then(zero, () => undefined)
    throw thrown
  }
}

async function keyOf(
  source: SealingKeySource,
  { folder, gramineKeys = '/dev/attestation/keys', isNext = false }: SealingKeyOptions,
): Promise<Uint8Array> {
  switch (source.from) {
    case 'gramine':
      return gramineKey(`${gramineKeys}/_sgx_${source.policy}`, source.policy)
    case 'file':
      return keyOfFile(source.path)
    case 'passphrase':
      return keyOfPassphrase(source.path, folder, isNext)
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

async function keyOfPassphrase(path: string, folder: string, isNext: boolean): Promise<Uint8Array> {
  const content = await readPrivate(path)
  try {
    const passphrase = content.at(-1) === 0x0a ? content.subarray(0, -1) : content
    if (passphrase.length < SHORTEST_PASSPHRASE) {
      throw unfit(path, `holds a passphrase of less than ${SHORTEST_PASSPHRASE} bytes`)
    }
    const { salt, N, r, p } = await readSalt(folder, isNext)
    // Node's own limit is 32 MiB, and this takes 128 · N · r bytes.
    const key = await stretch(passphrase, salt, KEY_BYTES, { N, r, p, maxmem: 256 * N * r })
    // The same memory: of a copy, one would be left.
    return new Uint8Array(key.buffer, key.byteOffset, key.length)
  } finally {
    zero(content)
  }
}

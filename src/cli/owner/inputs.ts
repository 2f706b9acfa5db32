import { open, readFile } from 'node:fs/promises'
import { type AccountSigner, accountSigner, fromHex, zero } from '../../crypto/index.js'
import { messageOf, SHARE_SIZE, SlotmeshError } from '../../domain/index.js'
import { SEED_VARIABLE } from './flags.js'

const STANDARD_INPUT = '-'
const LONGEST_SEED_FILE = 1_024

/** A share is the secret and one byte more, in hexadecimal. */
const SECRET_SIZE = { minimum: SHARE_SIZE.minimum / 2 - 1, maximum: SHARE_SIZE.maximum / 2 - 1 }

/**
 * Who signs: by a file with 64 hexadecimal digits, or by the environment.
 * @throws SlotmeshError `cli/bad-seed`
 */
export async function signerOf(seedFile: string | undefined, environment = process.env): Promise<AccountSigner> {
  const text = seedFile === undefined ? environment[SEED_VARIABLE] : await textIn(seedFile)
  const where = seedFile ?? SEED_VARIABLE
  if (text === undefined) {
    throw new SlotmeshError('cli/bad-seed', `Give --seed-file, or the seed of the account in ${SEED_VARIABLE}.`)
  }
  const digits = text.trim().replace(/^0x/, '')
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) {
    throw new SlotmeshError('cli/bad-seed', `What ${where} holds is no seed of 64 hexadecimal digits; correct it.`)
  }
  const seed = fromHex(`0x${digits}`)
  try {
    return accountSigner(seed)
  } finally {
    zero(seed)
  }
}

async function textIn(path: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_SEED_FILE), 0, LONGEST_SEED_FILE)
      const text = buffer.toString('utf8', 0, bytesRead)
      buffer.fill(0)
      return text
    } finally {
      await file.close()
    }
  } catch (cause) {
    const sentence = `The seed file ${path} cannot be read: ${messageOf(cause)}; check the path and its permissions.`
    throw new SlotmeshError('cli/bad-seed', sentence, { cause })
  }
}

/**
 * What is to be split; the caller zeroes it.
 * @param path of the file; `-` is the standard input.
 * @throws SlotmeshError `cli/bad-secret`
 */
export async function secretIn(path: string, input: AsyncIterable<Uint8Array> = process.stdin): Promise<Uint8Array> {
  const secret = path === STANDARD_INPUT ? await all(input) : await read(path)
  const { minimum, maximum } = SECRET_SIZE
  if (secret.length >= minimum && secret.length <= maximum) return secret
  zero(secret)
  const sentence = `The secret has ${secret.length} bytes, and its shares fit an enclave with ${minimum} to ${maximum}; store a key in its place.`
  throw new SlotmeshError('cli/bad-secret', sentence)
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    const sentence = `The file ${path} cannot be read: ${messageOf(cause)}; check the path and its permissions.`
    throw new SlotmeshError('cli/bad-secret', sentence, { cause })
  }
}

/** No more than is needed to see that it is too long. */
async function all(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > SECRET_SIZE.maximum) break
  }
  const whole = new Uint8Array(Buffer.concat(chunks))
  zero(...chunks)
  return whole
}

import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A secret in every form in which a program writes bytes down. */
export function formsOf(secret: Uint8Array): { readonly form: string; readonly bytes: Buffer }[] {
  const raw = Buffer.from(secret)
  const hex = raw.toString('hex')
  const texts = {
    'lower-case hexadecimal': hex,
    'upper-case hexadecimal': hex.toUpperCase(),
    // The last characters depend on what follows.
    base64: raw.toString('base64').slice(0, 40),
    base64url: raw.toString('base64url').slice(0, 40),
    numbers: [...raw.subarray(0, 16)].join(','),
  }
  return [
    { form: 'bytes', bytes: raw },
    // Freed memory has pointers of the allocator in its first 16 bytes.
    { form: 'later half', bytes: raw.subarray(raw.length / 2) },
    ...Object.entries(texts).map(([form, text]) => ({ form, bytes: Buffer.from(text) })),
    // V8 keeps text that is not all Latin in two bytes a character.
    { form: 'hexadecimal in UTF-16', bytes: Buffer.from(hex, 'utf16le') },
  ]
}

export interface Finding {
  readonly secret: string
  readonly form: string
  readonly where: string
}

/** Which of the secrets are in some bytes. */
export function findIn(content: Buffer, where: string, secrets: Readonly<Record<string, Uint8Array>>): Finding[] {
  return Object.entries(secrets).flatMap(([secret, value]) =>
    formsOf(value)
      .filter(({ bytes }) => content.includes(bytes))
      .map(({ form }) => ({ secret, form, where })),
  )
}

/** Every file in a folder, and below. */
export function findInFolder(folder: string, secrets: Readonly<Record<string, Uint8Array>>): Finding[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? findInFolder(path, secrets) : findIn(readFileSync(path), path, secrets)
  })
}

/** Overlap of two pieces, longer than any form of a secret. */
const OVERLAP = 512
const PIECE = 8 * 1024 * 1024

/**
 * A process's whole memory that it can write to: also what is freed and not used again yet. Linux only.
 *
 * @throws Error when the system does not let it be read.
 */
export function findInMemory(pid: number, secrets: Readonly<Record<string, Uint8Array>>): Finding[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    const findings: Finding[] = []
    const buffer = Buffer.allocUnsafeSlow(PIECE + OVERLAP)
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from = '', to = '', rest = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw(.*)$/.exec(line) ?? []
      if (from === '') continue
      const end = Number.parseInt(to, 16)
      for (let at = Number.parseInt(from, 16); at < end; at += PIECE) {
        const read = readPiece(memory, buffer, at, Math.min(PIECE + OVERLAP, end - at))
        const where = `memory at ${at.toString(16)}${rest.slice(-30)}`
        if (read > 0) findings.push(...findIn(buffer.subarray(0, read), where, secrets))
      }
    }
    return findings
  } finally {
    closeSync(memory)
  }
}

/** Pages that were reserved and never used cannot be read. */
function readPiece(memory: number, buffer: Buffer, at: number, length: number): number {
  try {
    return readSync(memory, buffer, 0, length, at)
  } catch {
    return 0
  }
}

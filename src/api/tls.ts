import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { messageOf, SlotmeshError } from '../domain/index.js'
import type { ApiSettings } from './settings.js'

type Files = NonNullable<ApiSettings['tls']>

/** What a TLS server shows and keeps. */
export interface Credentials {
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * Reads a certificate with its chain, and the key.
 * @throws SlotmeshError `api/bad-certificate` when a file cannot be read, or they do not belong together.
 */
export async function readCredentials({ certificate, key }: Files): Promise<Credentials> {
  const credentials = { cert: await read('certificate', certificate), key: await read('key', key) }
  try {
    createSecureContext(credentials)
    return credentials
  } catch (cause) {
    credentials.key.fill(0)
    const sentence = `The certificate ${certificate} and the key ${key} are no PEM files that belong together: correct the paths.`
    throw new SlotmeshError('api/bad-certificate', sentence, { cause })
  }
}

async function read(what: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    const sentence = `The api's ${what} ${path} cannot be read: ${messageOf(cause)}; check the path and its permissions.`
    throw new SlotmeshError('api/bad-certificate', sentence, { cause })
  }
}

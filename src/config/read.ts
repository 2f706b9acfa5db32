import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseDocument, type Tags } from 'yaml'
import { z } from 'zod'
import { messageOf } from '../domain/index.js'
import { ConfigError } from './errors.js'
import { type Settings, SettingsSchema } from './settings.js'
import { wordsOf } from './words.js'

/** Bytes; a file with every policy rule that fits is far below. */
const MAXIMUM_FILE = 1_048_576

/**
 * Reads the file of a node. It is YAML 1.2, of which JSON is a part; a key that is not known is refused rather than
 * passed over, since a policy with a misspelt word would be another policy.
 *
 * @throws ConfigError
 */
export async function readSettings(path: string): Promise<Settings> {
  const settings = parseSettings(await read(path), path)
  return settings.folder === undefined ? settings : { ...settings, folder: resolve(dirname(path), settings.folder) }
}

/**
 * @param path of the file, for messages.
 * @throws ConfigError `config/bad-value`
 */
export function parseSettings(text: string, path: string): Settings {
  const document = parseDocument(text, { customTags: withoutHexadecimal })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw badValue(path, problem.message.split('\n')[0]?.replace(/:$/, '') ?? '', problem)
  // Aliases can make a small file a large one.
  const plain: unknown = attempt(path, () => document.toJS({ maxAliasCount: 0 }))
  const { data, error } = SettingsSchema.safeParse(plain ?? {})
  if (data === undefined) throw badValue(path, describe(error), error)
  return data
}

/** YAML takes `0xe1` for the number 225; here it is what everybody means by it. */
function withoutHexadecimal(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || tag.format !== 'HEX')
}

async function read(path: string): Promise<string> {
  try {
    const bytes = await readFile(path)
    if (bytes.length > MAXIMUM_FILE) throw new Error(`it has ${bytes.length} bytes, more than ${MAXIMUM_FILE}`)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const sentence = `The configuration file ${path} cannot be read: ${messageOf(cause)}; check the path and its permissions.`
    throw new ConfigError('config/unreadable', sentence, { cause })
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw badValue(path, messageOf(cause), cause)
  }
}

function badValue(path: string, reason: string, cause: unknown): ConfigError {
  return new ConfigError('config/bad-value', `In the configuration file ${path}, ${reason}; correct it.`, { cause })
}

/** The first thing that is wrong, and where it stands. */
function describe({ issues }: z.ZodError): string {
  const [issue] = issues
  if (issue === undefined) return 'something is wrong'
  const place = placeOf(issue.path)
  return `${place === '' ? 'the whole' : place} ${wordsOf(issue, knownKeys(SettingsSchema))}`
}

/** As people write it: `attestation.policy.allowedMeasurements[1]`. */
function placeOf(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
  return parts.join('').replace(/^\./, '')
}

/** Every name of a setting, wherever it belongs. */
function knownKeys(schema: unknown): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly) return knownKeys(schema.unwrap())
  if (schema instanceof z.ZodArray) return knownKeys(schema.element)
  if (!(schema instanceof z.ZodObject)) return []
  return Object.entries(schema.shape).flatMap(([key, value]) => [key, ...knownKeys(value)])
}

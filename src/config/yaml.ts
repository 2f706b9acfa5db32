import { readFile } from 'node:fs/promises'
import { parseDocument, type Tags } from 'yaml'
import { z } from 'zod'
import { messageOf } from '../domain/index.js'
import { ConfigError } from './errors.js'
import { wordsOf } from './words.js'

/** Bytes; a file with every policy rule that fits is far below. */
const MAXIMUM_FILE = 1_048_576

/** What kind of file it is, for sentences about it: `configuration file`. */
export interface FileKind<Schema extends z.ZodType> {
  readonly noun: string
  readonly schema: Schema
}

/**
 * Reads a file that people write. It is YAML 1.2, of which JSON is a part; a key that is not known is refused rather
 * than passed over, since a policy with a misspelt word would be another policy.
 *
 * @throws ConfigError `config/unreadable`, `config/bad-value`
 */
export async function readYaml<Schema extends z.ZodType>(
  path: string,
  kind: FileKind<Schema>,
): Promise<z.output<Schema>> {
  return parseYaml(await read(path, kind.noun), path, kind)
}

/**
 * @param path of the file, for messages.
 * @throws ConfigError `config/bad-value`
 */
export function parseYaml<Schema extends z.ZodType>(
  text: string,
  path: string,
  { noun, schema }: FileKind<Schema>,
): z.output<Schema> {
  const bad = (reason: string, cause: unknown) =>
    new ConfigError('config/bad-value', `In the ${noun} ${path}, ${reason}; correct it.`, { cause })
  const document = parseDocument(text, { customTags: withoutHexadecimal })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw bad(problem.message.split('\n')[0]?.replace(/:$/, '') ?? '', problem)
  let plain: unknown
  try {
    // Aliases can make a small file a large one.
    plain = document.toJS({ maxAliasCount: 0 })
  } catch (cause) {
    throw bad(messageOf(cause), cause)
  }
  const { data, error, success } = schema.safeParse(plain ?? {})
  if (!success) throw bad(describe(error, schema), error)
  return data
}

/** YAML takes `0xe1` for the number 225; here it is what everybody means by it. */
function withoutHexadecimal(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || tag.format !== 'HEX')
}

async function read(path: string, noun: string): Promise<string> {
  try {
    const bytes = await readFile(path)
    if (bytes.length > MAXIMUM_FILE) throw new Error(`it has ${bytes.length} bytes, more than ${MAXIMUM_FILE}`)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const sentence = `The ${noun} ${path} cannot be read: ${messageOf(cause)}; check the path and its permissions.`
    throw new ConfigError('config/unreadable', sentence, { cause })
  }
}

/** The first thing that is wrong, and where it stands. */
function describe({ issues }: z.ZodError, schema: z.ZodType): string {
  const [issue] = issues
  if (issue === undefined) return 'something is wrong'
  const place = placeOf(issue.path)
  return `${place === '' ? 'the whole' : place} ${wordsOf(issue, knownKeys(schema))}`
}

/** As people write it: `attestation.policy.allowedMeasurements[1]`. */
function placeOf(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
  return parts.join('').replace(/^\./, '')
}

/** Every name of a setting, wherever it belongs. */
function knownKeys(schema: unknown): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly || schema instanceof z.ZodDefault) {
    return knownKeys(schema.unwrap())
  }
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodPrefault) return knownKeys(schema.unwrap())
  if (schema instanceof z.ZodArray) return knownKeys(schema.element)
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap(knownKeys)
  if (!(schema instanceof z.ZodObject)) return []
  return Object.entries(schema.shape).flatMap(([key, value]) => [key, ...knownKeys(value)])
}

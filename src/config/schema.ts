import { z } from 'zod'
import { PolicySchema } from './policy-schema.js'
import { type FileSettings, isSetting, type Kind, type Row, type Section, TABLE } from './table/index.js'
import { address, hex, sealingSource, serverAddress, url } from './values.js'
import { wordsOf } from './words.js'

/** As Linux takes it, in bytes. */
const LONGEST_PATH = 4_096

/** What the file of a node may say; every part can be left out, for something else to say it. */
export const SettingsSchema = objectOf(TABLE) as z.ZodType<FileSettings>

/** What is wrong with a value that did not come from a file, as the end of a sentence; undefined when it is right. */
export function checked(row: Row, value: unknown): { readonly value: unknown } | { readonly wrong: string } {
  const { data, error } = schemaOf(row.kind).safeParse(value)
  const [issue] = error?.issues ?? []
  return issue === undefined ? { value: data } : { wrong: wordsOf(issue, []) }
}

function objectOf(section: Section): z.ZodType {
  const shape = Object.entries(section).map(([name, entry]) => {
    // Where all of a section is commented out, YAML has null.
    if (!isSetting(entry)) return [name, objectOf(entry).nullable().optional()]
    const schema = schemaOf(entry.kind).optional()
    const description = `${entry.about[0]?.toUpperCase()}${entry.about.slice(1)}.`
    return [name, schema.meta({ description, ...('fallback' in entry && { default: entry.fallback }) })]
  })
  return z.strictObject(Object.fromEntries(shape))
}

function schemaOf(kind: Kind): z.ZodType {
  switch (kind.is) {
    case 'text':
      return z.string().min(1).max(kind.longest)
    case 'path':
      return z.string().min(1).max(LONGEST_PATH)
    case 'choice':
      return z.enum(kind.of, { error: `takes one of ${kind.of.join(', ')}` })
    case 'whole':
      return z
        .int({ error: `takes a whole number from ${kind.minimum} to ${kind.maximum}` })
        .min(kind.minimum, `takes a whole number from ${kind.minimum} to ${kind.maximum}`)
        .max(kind.maximum, `takes a whole number from ${kind.minimum} to ${kind.maximum}`)
    case 'yes-or-no':
      return z.boolean({ error: 'takes true or false' })
    case 'url':
      return url(...kind.schemes)
    case 'hex':
      return hex(kind.bytes)
    case 'multiaddr':
      return address(kind)
    case 'listen-address':
      return serverAddress()
    case 'sealing-source':
      return sealingSource()
    case 'list':
      return z.array(schemaOf(kind.of)).min(kind.fewest).max(kind.most).readonly()
    case 'policy':
      return PolicySchema
  }
}

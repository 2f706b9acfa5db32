import { stringify } from 'yaml'
import { z } from 'zod'
import { markdownTable } from '../domain/index.js'
import { MeasurementRuleForms, MeasurementRuleSchema } from './policy-schema.js'
import { SettingsSchema } from './schema.js'
import { flagName, isSetting, ROWS, type Row, rowAt, type Section, TABLE } from './table/index.js'

/** What the file may say, as JSON Schema, for editors. */
export function configurationSchema(): object {
  const schema = z.toJSONSchema(SettingsSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      // Which of its forms a rule has is found out by a function, of which nothing shows.
      if (zodSchema !== MeasurementRuleSchema) return
      const { $schema: _, ...forms } = z.toJSONSchema(MeasurementRuleForms, { io: 'input' })
      Object.assign(jsonSchema, forms)
    },
  })
  return { ...schema, title: 'The configuration file of a slotmesh node' }
}

/**
 * A file that says `values`, by their paths; every other setting stands in it as a comment.
 *
 * @param schema where the file's JSON Schema is, for editors.
 */
export function configurationText(values: ReadonlyMap<string, unknown>, schema?: string): string {
  const head = [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    '# What a slotmesh node is told. A flag wins over an environment variable, and that over this file.',
    '# A setting behind a # is an example, or what holds unless it is said.',
    '',
  ]
  return `${[...head, ...linesOf(TABLE, [], values)].join('\n')}\n`
}

/** The settings as a Markdown table, one in a line. */
export function settingsReference(): string {
  const head = ['setting', 'flag', 'variable', 'otherwise', 'meaning']
  const cells = ROWS.map((row) => [
    `\`${row.path}\``,
    row.flag === undefined ? 'none' : `\`${row.flag}\``,
    row.variable === undefined ? 'none' : `\`${row.variable}\``,
    otherwiseOf(row),
    row.about,
  ])
  return markdownTable(head, cells)
}

function otherwiseOf({ otherwise, fallback }: Row): string {
  if (otherwise !== undefined) return otherwise
  if (Array.isArray(fallback)) return fallback.length === 0 ? 'none' : `\`${fallback.join(' ')}\``
  return `\`${String(fallback)}\``
}

function linesOf(section: Section, above: readonly string[], values: ReadonlyMap<string, unknown>): string[] {
  return Object.entries(section).flatMap(([name, entry]) => {
    const path = [...above, name].join('.')
    if (isSetting(entry)) return settingLines(rowAt(path), name, values.get(path))
    const below = linesOf(entry, [...above, name], values).map((line) => (line === '' ? '' : `  ${line}`))
    return [...(above.length === 0 ? [''] : []), `${name}:`, ...below]
  })
}

function settingLines(row: Row, name: string, value: unknown): string[] {
  const { about, variable, flag, example } = row
  const said = stringify({ [name]: value ?? example }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
  return [
    `# ${about[0]?.toUpperCase()}${about.slice(1)}.`,
    ...(flag === undefined ? [] : [`# ${flagName(row)}, ${variable}`]),
    ...(value === undefined ? said.map((line) => `# ${line}`) : said),
  ]
}

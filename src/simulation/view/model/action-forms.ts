/** One thing that a form asks for. */
export interface Field {
  readonly name: string
  readonly title: string
  readonly kind: 'text' | 'number' | 'texts' | 'numbers' | 'flag'
  readonly choices: readonly string[] | undefined
  readonly initial: string | undefined
  /** What may stand there. */
  readonly example: string
  readonly isNeeded: boolean
}

export interface ActionForm {
  readonly type: string
  readonly title: string
  readonly fields: readonly Field[]
}

/** What may stand in texts; the first that a pattern admits is its example. */
const EXAMPLES = ['c1-s2', '30 s', '10 Mbit/s', 'east'] as const

/** Not, when nothing is chosen. */
const FLAG = ['no', 'yes'] as const

type Schema = Readonly<Record<string, unknown>>

/**
 * The forms for a schema of actions: JSON Schema, a choice between objects with a constant `type`. What a form cannot
 * say, such as the highest number, the one who receives it says.
 */
export function formsOf(schema: unknown): ActionForm[] {
  return list(object(schema).oneOf).map((each) => {
    const { properties, required } = object(each)
    const { type, ...rest } = object(properties)
    const name = String(object(type).const)
    const fields = Object.entries(rest).map(([key, value]) => fieldOf(key, object(value), list(required).includes(key)))
    return { type: name, title: sentence(name), fields }
  })
}

/** What was typed in, as the schema wants it; undefined when nothing was. */
export function typedValue({ kind }: Field, typed: string): unknown {
  const text = typed.trim()
  if (text === '') return undefined
  const parts = text.split(',').map((part) => part.trim())
  switch (kind) {
    case 'text':
      return text
    case 'number':
      return numberOr(text)
    case 'texts':
      return parts
    case 'numbers':
      return parts.map(numberOr)
    case 'flag':
      return text === FLAG[1]
  }
}

function fieldOf(name: string, schema: Schema, isNeeded: boolean): Field {
  const title = sentence(name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))
  if (schema.type === 'boolean') {
    return { name, title, kind: 'flag', choices: FLAG, initial: FLAG[0], example: '', isNeeded }
  }
  const isList = schema.type === 'array'
  const [item] = isList ? [...list(schema.prefixItems), schema.items].map(object) : [schema]
  const isNumber = item?.type === 'integer' || item?.type === 'number'
  const example = isNumber ? String(item?.minimum ?? 0) : exampleOf(item?.pattern)
  const choices = Array.isArray(schema.enum) ? schema.enum.map(String) : undefined
  return {
    name,
    title,
    kind: isNumber ? (isList ? 'numbers' : 'number') : isList ? 'texts' : 'text',
    choices,
    initial: schema.default === undefined ? undefined : String(schema.default),
    example: isList && isNumber ? `${example}, ${Number(example) + 1}` : example,
    isNeeded,
  }
}

function exampleOf(pattern: unknown): string {
  if (typeof pattern !== 'string') return ''
  const expression = new RegExp(pattern)
  return EXAMPLES.find((example) => expression.test(example)) ?? ''
}

function sentence(name: string): string {
  const words = name.replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** What is no number goes as it is, and is answered by what it should have been. */
function numberOr(text: string): number | string {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

function object(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

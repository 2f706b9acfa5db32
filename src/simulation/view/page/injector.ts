import { byId, element } from '../../../web/page/dom.js'
import { type ActionForm, type Field, formsOf, typedValue } from '../model/action-forms.js'
import { actionSchema, steer } from './steering.js'

/** The form by which something is done to the run: one for each action, made from the schema of scenarios. */
export class Injector {
  readonly #choice = byId('action-type', HTMLSelectElement)
  readonly #fields = byId('action-fields', HTMLDivElement)
  readonly #answer = byId('action-answer', HTMLParagraphElement)
  #forms: readonly ActionForm[] = []
  #inputs = new Map<Field, HTMLInputElement | HTMLSelectElement>()
  #enclave: string | undefined

  constructor() {
    this.#choice.addEventListener('change', () => this.#build())
    byId('action', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#submit()
    })
  }

  async load(): Promise<void> {
    if (this.#forms.length > 0) return
    this.#forms = formsOf(await actionSchema())
    this.#choice.replaceChildren(...this.#forms.map(({ type, title }) => element('option', { value: type }, title)))
    this.#build()
  }

  /** Fills in the enclave that is looked at. */
  suggest(enclave: string): void {
    this.#enclave = enclave
    for (const [{ name }, input] of this.#inputs) if (name === 'enclave') input.value = enclave
  }

  #build(): void {
    const form = this.#forms.find(({ type }) => type === this.#choice.value)
    this.#answer.replaceChildren()
    this.#inputs = new Map(form?.fields.map((field) => [field, this.#inputOf(field)]))
    this.#fields.replaceChildren(
      ...[...this.#inputs].flatMap(([field, input]) => {
        const text = field.isNeeded ? field.title : `${field.title} (may be left out)`
        return [element('label', { for: input.id }, text), input]
      }),
    )
  }

  #inputOf(field: Field): HTMLInputElement | HTMLSelectElement {
    const id = `field-${field.name}`
    if (field.choices !== undefined) {
      const options = field.choices.map((choice) => element('option', { value: choice }, choice))
      const select = element('select', { id, name: field.name }, ...options)
      if (field.initial !== undefined) select.value = field.initial
      return select
    }
    const input = element('input', { id, name: field.name, type: 'text', autocomplete: 'off', spellcheck: 'false' })
    input.required = field.isNeeded
    input.placeholder = field.example
    if (field.kind === 'number') input.inputMode = 'numeric'
    const suggested = field.name === 'enclave' ? this.#enclave : undefined
    input.value = suggested ?? field.initial ?? ''
    return input
  }

  async #submit(): Promise<void> {
    const action: Record<string, unknown> = { type: this.#choice.value }
    for (const [field, { value }] of this.#inputs) {
      const given = typedValue(field, value)
      if (given !== undefined) action[field.name] = given
    }
    this.#say('…', '')
    const trouble = await steer('action', action)
    if (trouble === undefined) this.#say('Done.', 'passed')
    else this.#say(trouble, 'failed')
  }

  #say(text: string, style: string): void {
    this.#answer.className = style
    this.#answer.textContent = text
  }
}

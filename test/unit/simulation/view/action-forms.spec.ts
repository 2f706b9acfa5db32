import assert from 'node:assert/strict'
import { ACTIONS } from '../../../../src/simulation/scenario/index.js'
import { formsOf, typedValue } from '../../../../src/simulation/view/model/action-forms.js'
import { actionOf, actionSchema } from '../../../../src/simulation/view/server/requests.js'

describe('the forms for actions', () => {
  const forms = formsOf(actionSchema())

  it('are there for every action that scenarios know', () => {
    assert.deepEqual(
      forms.map(({ type }) => type),
      ACTIONS.options.map(({ shape }) => shape.type.value),
    )
  })

  it('ask for what an action takes, with examples that are admitted', () => {
    for (const { type, fields } of forms) {
      const action: Record<string, unknown> = { type }
      for (const field of fields) {
        const typed = field.choices?.[0] ?? field.initial ?? field.example
        action[field.name] = typedValue(field, typed)
      }
      assert.equal(actionOf(JSON.stringify(action)).type, type)
    }
  })

  it('tell what may be left out, and what it is then', () => {
    const fields = forms.find(({ type }) => type === 'chain-outage')?.fields ?? []
    assert.deepEqual(
      fields.map(({ name, isNeeded, initial }) => [name, isNeeded, initial]),
      [
        ['region', false, '*'],
        ['lasts', true, undefined],
      ],
    )
  })

  it('take numbers, texts and lists of them as they are typed', () => {
    const field = {
      name: 'x',
      title: 'X',
      choices: undefined,
      initial: undefined,
      example: '',
      isNeeded: true,
    } as const
    assert.equal(typedValue({ ...field, kind: 'number' }, ' 3 '), 3)
    assert.equal(typedValue({ ...field, kind: 'number' }, 'three'), 'three')
    assert.deepEqual(typedValue({ ...field, kind: 'texts' }, 'east, west'), ['east', 'west'])
    assert.deepEqual(typedValue({ ...field, kind: 'numbers' }, '0,1'), [0, 1])
    assert.equal(typedValue({ ...field, kind: 'text' }, '  '), undefined)
  })

  it('have nothing for a schema that is none', () => {
    assert.deepEqual(formsOf(undefined), [])
    assert.deepEqual(formsOf({ oneOf: [{}] }), [{ type: 'undefined', title: 'Undefined', fields: [] }])
  })
})

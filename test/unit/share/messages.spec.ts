import assert from 'node:assert/strict'
import { decode } from '../../../src/share/messages.js'
import { RefusalError } from '../../../src/share/refusals.js'
import { RequesterMessage } from '../../../src/share/wire/share.js'

/** Fields of no use, and then a Hello. */
function behind(...fields: number[]): Uint8Array {
  const hello = { body: Uint8Array.of(1), signature: Uint8Array.of(2) }
  return Uint8Array.of(...fields, ...RequesterMessage.encode({ hello }))
}

function times(count: number, ...field: number[]): number[] {
  return Array.from({ length: count }, () => field).flat()
}

describe('a message', () => {
  for (const [what, ...field] of [
    ['fields that come again', 0x0a, 0],
    ['unknown fields', 0x70, 1],
    ['unknown groups', 0x73, 0x74],
  ] as const) {
    it(`may have some ${what}, but not any number`, () => {
      assert.ok(decode(RequesterMessage, behind(...times(250, ...field))).hello)
      assert.throws(
        () => decode(RequesterMessage, behind(...times(513, ...field))),
        (thrown) => thrown instanceof RefusalError && thrown.refusal === 'MALFORMED',
      )
    })
  }

  it('of nothing but such fields costs next to nothing, however long it is', () => {
    for (const field of [[0x12, 0], [0x73], [0x70, 0]]) {
      const bytes = new Uint8Array(2 * 1024 * 1024).map((_, at) => field[at % field.length] ?? 0)
      const begun = performance.now()
      assert.throws(() => decode(RequesterMessage, bytes), { code: 'share/refusing' })
      // Decoding it whole takes seconds.
      assert.ok(performance.now() - begun < 100)
    }
  })
})

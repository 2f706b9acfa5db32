import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/crypto/index.js'
import { ListReader, ListWriter } from '../../../src/share/id-lists.js'
import { RefusalError } from '../../../src/share/refusals.js'
import { checkWants } from '../../../src/share/wants.js'
import { vectorsOf } from './vectors.js'

/** Ranges up to this long are written, too: the writer takes ids one by one. */
const WRITABLE = 524_288

function isMalformed(thrown: unknown): boolean {
  return thrown instanceof RefusalError && thrown.refusal === 'MALFORMED'
}

describe('the test vectors of lists', () => {
  const { wantLists, idLists, requests } = vectorsOf('share/1/vectors/lists.json')

  function read(list: string, kind: 'wants' | 'ids') {
    const reader = new ListReader(fromHex(list), kind)
    const ranges: { first: number; length: number; minimumVersion: number }[] = []
    while (reader.next()) {
      const { first, length, minimumVersion } = reader
      ranges.push({ first, length, minimumVersion })
    }
    return ranges
  }

  for (const vector of wantLists) {
    it(`wants, ${vector.name}: ${vector.outcome}`, () => {
      const { list } = vector
      if (vector.outcome === 'MALFORMED') return assert.throws(() => read(list, 'wants'), isMalformed)
      assert.deepEqual(read(list, 'wants'), vector.ranges)
      const writer = new ListWriter('wants')
      for (const { first, length, minimumVersion } of vector.ranges) {
        assert.ok(length <= WRITABLE)
        if (length === 0) writer.addOpen(first, minimumVersion)
        for (let id = first; id < first + length; id += 1) writer.add(id, minimumVersion)
      }
      assert.equal(toHex(writer.finish()), list)
    })
  }

  for (const vector of idLists) {
    it(`ids, ${vector.name}: ${vector.outcome}`, () => {
      const { list } = vector
      if (vector.outcome === 'MALFORMED') return assert.throws(() => read(list, 'ids'), isMalformed)
      assert.deepEqual(
        read(list, 'ids').map(({ first, length }) => ({ first, length })),
        vector.ranges,
      )
      const writer = new ListWriter('ids')
      for (const { first, length } of vector.ranges) {
        for (let id = first; id < first + length; id += 1) writer.add(id)
      }
      assert.equal(toHex(writer.finish()), list)
    })
  }

  for (const { name, secrets, capsules, outcome } of requests) {
    it(`a request of ${name}: ${outcome}`, () => {
      const bytes = ({ once, repeated, times }: typeof secrets) =>
        Buffer.concat([fromHex(once), Buffer.alloc(((repeated.length - 2) / 2) * times, fromHex(repeated))])
      const check = () => checkWants({ secrets: bytes(secrets), capsules: bytes(capsules) })
      if (outcome === 'accepted') check()
      else assert.throws(check, isMalformed)
    })
  }
})

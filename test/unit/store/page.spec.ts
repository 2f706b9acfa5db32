import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodePage, OpenPages, WorkingPage } from '../../../src/store/page.js'
import { PLACES, SMALL_PAYLOADS, WANTS } from '../../../src/store/records.js'

const text = (value: string) => new Uint8Array(Buffer.from(value))
const name = Uint8Array.of(0x25, 1, 0, 0, 0, 0)

/** As the database has it: what these values come to. */
function encoded(values: readonly (readonly [entry: number, value: Uint8Array])[]): Uint8Array {
  const page = new WorkingPage(name)
  for (const [entry, value] of values) page.set(entry, value.slice())
  return page.encode() ?? new Uint8Array(0)
}

describe('a page as bytes', () => {
  // Whoever changes these bytes changes the format, which has another number then.
  const BYTES = Uint8Array.of(2, 0, 3, 97, 98, 99, 7, 0, 0, 255, 0, 1, 100)
  const VALUES = [
    [2, text('abc')],
    [7, text('')],
    [255, text('d')],
  ] as const

  it('is its values in the order of their entries, in whatever order they came', () => {
    for (const order of [VALUES, [VALUES[2], VALUES[0], VALUES[1]], [...VALUES].reverse()]) {
      assert.deepEqual(encoded(order), BYTES)
    }
    assert.deepEqual([...decodePage(BYTES)], VALUES)
  })

  it('gives back what it was made of, whatever the values and their lengths', () => {
    const value = fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ minLength: 250, maxLength: 600 }))
    const values = fc.uniqueArray(fc.tuple(fc.nat(255), value), { selector: ([entry]) => entry, maxLength: 64 })
    fc.assert(
      fc.property(values, (given) => {
        const inOrder = [...given].sort(([one], [other]) => one - other)
        assert.deepEqual([...decodePage(encoded(given))], inOrder)
      }),
      { seed: 5, numRuns: 100 },
    )
    assert.deepEqual([...encoded([[1, new Uint8Array(515)]]).subarray(0, 3)], [1, 2, 3])
  })

  it('is nothing without values', () => {
    const page = new WorkingPage(name)
    assert.equal(page.encode(), undefined)
    page.set(3, text('abc'))
    page.set(3, undefined)
    assert.equal(page.encode(), undefined)
    assert.deepEqual([...decodePage(new Uint8Array(0))], [])
  })

  it('is read as views of its bytes, so that what zeroes these leaves none of it', () => {
    const bytes = BYTES.slice()
    const values = decodePage(bytes)
    bytes.fill(0)
    assert.deepEqual(values.get(2), new Uint8Array(3))
  })

  it('is none where it ends within a value, or before it', () => {
    const ends = new Set([0, 6, 9, 13])
    for (let length = 0; length <= BYTES.length; length += 1) {
      const read = () => decodePage(BYTES.subarray(0, length))
      if (ends.has(length)) assert.doesNotThrow(read)
      else assert.throws(read, { code: 'store/unreadable' }, `${length}`)
    }
    assert.throws(() => decodePage(Uint8Array.of(0, 255, 255, 1)), { code: 'store/unreadable' })
  })
})

describe('a page that a transaction changes', () => {
  const stored = () =>
    encoded([
      [1, text('one')],
      [2, text('two')],
      [3, text('three')],
    ])
  const sealed = text('sealed')

  it('keeps what was put and deleted before it was read, and has the rest from what is read then', () => {
    const page = new WorkingPage(name)
    assert.deepEqual([page.isRead, page.isChanged, page.knows(1), page.get(1)], [false, false, false, undefined])
    page.set(2, text('other'))
    page.set(3, undefined)
    page.set(9, text('new'))
    assert.deepEqual(
      [1, 2, 3, 9].map((entry) => page.knows(entry)),
      [false, true, true, true],
    )
    page.take(sealed, stored())
    assert.deepEqual([page.isRead, page.isChanged, page.before], [true, true, sealed])
    assert.deepEqual(
      [1, 2, 3, 4, 9].map((entry) => page.knows(entry)),
      Array(5).fill(true),
    )
    assert.deepEqual(page.get(1), text('one'))
    assert.deepEqual(
      page.encode(),
      encoded([
        [1, text('one')],
        [2, text('other')],
        [9, text('new')],
      ]),
    )
  })

  it('is as it was until something is changed in it', () => {
    const page = new WorkingPage(name)
    page.take(sealed, stored())
    assert.equal(page.isChanged, false)
    assert.deepEqual(page.encode(), stored())
    page.set(2, text('other'))
    page.set(1, undefined)
    page.set(4, undefined)
    assert.equal(page.isChanged, true)
    assert.deepEqual(
      page.encode(),
      encoded([
        [2, text('other')],
        [3, text('three')],
      ]),
    )
  })

  it('is one that is to be made where there is none', () => {
    const page = new WorkingPage(name)
    page.take(undefined, undefined)
    assert.deepEqual([page.isRead, page.isChanged, page.knows(7), page.before], [true, false, true, undefined])
    assert.equal(page.encode(), undefined)
  })

  it('zeroes at once what is replaced or deleted, be it read or put', () => {
    const page = new WorkingPage(name)
    const read = stored()
    const put = text('put')
    page.take(sealed, read)
    page.set(4, put)
    page.set(4, text('other'))
    page.set(2, undefined)
    assert.deepEqual(put, new Uint8Array(3))
    assert.equal(Buffer.from(read).includes('two'), false)
    assert.ok(Buffer.from(read).includes('three'))
  })

  it('leaves nothing when it is cleared, also of what was read behind what was put before', () => {
    const page = new WorkingPage(name)
    const [read, put] = [stored(), text('other')]
    page.set(2, put)
    page.set(3, undefined)
    page.take(sealed, read)
    page.clear()
    assert.deepEqual([read, put], [new Uint8Array(read.length), new Uint8Array(5)])
    assert.equal(page.get(1), undefined)
    assert.equal(page.encode(), undefined)
  })
})

describe('pages that were opened for reading', () => {
  const page = encoded([[1, text('one')]])

  it('are known by their table and what it calls them, and so is that there is none', () => {
    const pages = new OpenPages()
    pages.add(PLACES, 7, page.slice())
    pages.add(WANTS, 7, undefined)
    assert.deepEqual([pages.has(PLACES, 7), pages.has(WANTS, 7)], [true, true])
    assert.deepEqual([pages.has(PLACES, 8), pages.has(SMALL_PAYLOADS, 7)], [false, false])
    assert.deepEqual(pages.get(PLACES, 7)?.get(1), text('one'))
    assert.equal(pages.get(WANTS, 7), undefined)
  })

  it('are zeroed when they are let go', () => {
    const pages = new OpenPages()
    const opened = [page.slice(), page.slice()]
    // Of two that read it at the same time each has opened it.
    for (const plain of opened) pages.add(PLACES, 7, plain)
    pages.clear()
    assert.deepEqual(opened, Array(2).fill(new Uint8Array(page.length)))
    assert.equal(pages.has(PLACES, 7), false)
  })

  it('are let go where they are too many, and not before', () => {
    const pages = new OpenPages()
    const read = () => {
      pages.use()
      pages.release()
    }
    const large = () =>
      encoded(Array.from({ length: 32 }, (_, entry) => [entry, new Uint8Array(32_765).fill(9)] as const))
    const opened = Array.from({ length: 5 }, large)
    for (const [at, plain] of opened.slice(0, 4).entries()) pages.add(PLACES, at, plain)
    read()
    assert.ok(pages.has(PLACES, 0))
    pages.add(PLACES, 4, opened[4])
    pages.use()
    read()
    assert.ok(pages.has(PLACES, 4), 'while somebody else reads')
    pages.release()
    assert.equal(pages.has(PLACES, 4), false)
    assert.ok(opened.every((plain) => plain.every((byte) => byte === 0)))
    pages.add(PLACES, 0, page.slice())
    read()
    assert.ok(pages.has(PLACES, 0))
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { toHex } from '../../../src/crypto/index.js'
import type { ShareKey } from '../../../src/domain/index.js'
import type { PagedTable } from '../../../src/store/records.js'
import * as records from '../../../src/store/records.js'

interface AnyTable {
  readonly prefix: number
  decodeKey(bytes: Uint8Array): unknown
}

const tables = Object.entries(records).flatMap(([name, value]): [string, AnyTable][] =>
  typeof value === 'object' && 'prefix' in value ? [[name, value as AnyTable]] : [],
)

describe('records', () => {
  it('have a first byte for each table that no other has', () => {
    const byPrefix = new Map<number, string>()
    for (const [name, { prefix }] of tables) {
      assert.equal(byPrefix.get(prefix), undefined, `${name} and ${byPrefix.get(prefix)} share ${prefix}`)
      byPrefix.set(prefix, name)
    }
    assert.ok(tables.length > 10)
  })

  it('have names that people can read, whatever table they are of', () => {
    const lengths = Array.from({ length: 64 }, (_, length) => length + 1)
    for (const [name, { prefix }] of tables) {
      const names = lengths.map((length) => records.describeName(new Uint8Array(length).fill(1).fill(prefix, 0, 1)))
      const isSecrets = name.startsWith('SECRETS')
      assert.ok(isSecrets || names.some((each) => !each.startsWith('unknown/')), `${name} is not described`)
    }
    assert.equal(records.describeName(records.SECRETS.encodeKey('account-seed')), 'secret/account-seed')
  })
})

/** What is of the same page has one name there, and nothing else has. */
function assertSamePage<Key>(table: PagedTable<Key, unknown>, keys: readonly Key[]): void {
  const names = new Map<string | number, string>()
  const ids = new Map<string, string | number>()
  for (const key of keys) {
    const [id, name] = [table.pageOf(key), toHex(table.encodePage(key))]
    assert.equal(names.get(id) ?? name, name)
    assert.equal(ids.get(name) ?? id, id)
    names.set(id, name)
    ids.set(name, id)
  }
}

function assertRoundTrip<Key>(table: PagedTable<Key, unknown>, key: Key): void {
  const [page, entry] = [table.encodePage(key), table.entryOf(key)]
  assert.ok(Number.isInteger(entry) && entry >= 0 && entry <= 255, `${entry}`)
  assert.equal(page[0], table.prefix)
  assert.deepEqual(table.decodeKey(page, entry), key)
}

/** In the order of the database. */
function inOrder<Key>(table: PagedTable<Key, unknown>, keys: readonly Key[]): Key[] {
  return [...keys].sort(
    (one, other) =>
      Buffer.compare(table.encodePage(one), table.encodePage(other)) || table.entryOf(one) - table.entryOf(other),
  )
}

describe('pages of shares', () => {
  const tables = [records.WANTS, records.PLACES, records.SMALL_PAYLOADS]
  const nftIds = [0, 1, 63, 64, 65, 127, 128, 4_095, 4_096, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 64, 2 ** 32 - 1]
  const keys = (['secret', 'capsule'] as const).flatMap((kind) => nftIds.map((nftId): ShareKey => ({ kind, nftId })))

  it('have 64 NFTs of one kind each', () => {
    for (const table of tables) {
      const pages = Array.from({ length: 200 }, (_, nftId) => table.pageOf({ kind: 'secret', nftId }))
      assert.deepEqual(
        [0, 64, 128, 192].map((nftId) => pages.lastIndexOf(pages[nftId] ?? 0)),
        [63, 127, 191, 199],
      )
      assert.equal(new Set(pages).size, 4)
      assert.notEqual(table.pageOf({ kind: 'capsule', nftId: 0 }), pages[0])
      assertSamePage(table, keys)
    }
  })

  it('of shares of some kilobytes have eight', () => {
    const pages = Array.from({ length: 17 }, (_, nftId) => records.MEDIUM_PAYLOADS.pageOf({ kind: 'secret', nftId }))
    assert.deepEqual(
      [0, 8, 16].map((nftId) => pages.lastIndexOf(pages[nftId] ?? 0)),
      [7, 15, 16],
    )
    assertSamePage(records.MEDIUM_PAYLOADS, keys)
  })

  it('are by the size of the share', () => {
    const tableOf = (bytes: number) => records.payloadPagesOf({ bytes })
    assert.deepEqual([tableOf(16), tableOf(512)], [records.SMALL_PAYLOADS, records.SMALL_PAYLOADS])
    assert.deepEqual([tableOf(513), tableOf(4_096)], [records.MEDIUM_PAYLOADS, records.MEDIUM_PAYLOADS])
    assert.equal(tableOf(4_097), undefined)
  })

  it('say of each value what it is of, and have them in order', () => {
    for (const table of [...tables, records.MEDIUM_PAYLOADS]) {
      for (const key of keys) assertRoundTrip(table, key)
      assert.deepEqual(inOrder(table, [...keys].reverse()), keys)
      assert.equal(table.encodePage({ kind: 'secret', nftId: 2 ** 32 - 1 }).length, 6)
    }
  })

  it('are named for what is on them', () => {
    const last = records.PLACES.encodePage({ kind: 'capsule', nftId: 2 ** 32 - 1 })
    assert.equal(records.describeName(last), 'place/capsule/4294967232 to 4294967295')
    assert.equal(records.describeName(records.WANTS.encodePage({ kind: 'secret', nftId: 70 })), 'want/secret/64 to 127')
    assert.equal(
      records.describeName(records.SMALL_PAYLOADS.encodePage({ kind: 'secret', nftId: 0 })),
      'share/secret/0 to 63',
    )
    assert.equal(records.describeName(last.subarray(0, -1)), `unknown/${toHex(last.subarray(0, -1))}`)
  })
})

describe('pages of nodes', () => {
  const { NODES } = records
  const log = { account: `0x${'aa'.repeat(32)}`, incarnation: `0x${'bb'.repeat(16)}` } as const
  const other = { ...log, incarnation: `0x${'cc'.repeat(16)}` } as const

  it('say of each node which it is, of a log of any size', () => {
    const positions = fc
      .integer({ min: 0, max: 32 })
      .chain((level) => fc.nat(2 ** 32 / 2 ** level - 1).map((index) => ({ level, index })))
    fc.assert(
      fc.property(positions, fc.constantFrom(log, other), (at, of) => assertRoundTrip(NODES, { log: of, at })),
      { seed: 3, numRuns: 2_000 },
    )
    for (let level = 0; level <= 32; level += 1) {
      for (const index of [0, 2 ** 32 / 2 ** level - 1]) assertRoundTrip(NODES, { log, at: { level, index } })
    }
  })

  it('have no two nodes in one place, and each page one name', () => {
    const nodes = [log, other].flatMap((of) =>
      Array.from({ length: 14 }, (_, level) =>
        Array.from({ length: 2 ** (13 - level) }, (_, index) => ({ log: of, at: { level, index } })),
      ).flat(),
    )
    const places = nodes.map((key) => `${NODES.pageOf(key)} ${NODES.entryOf(key)}`)
    assert.equal(new Set(places).size, nodes.length)
    assertSamePage(NODES, nodes)
    // Whichever was asked for before.
    assert.deepEqual(nodes.toReversed().map(NODES.pageOf), nodes.map(NODES.pageOf).toReversed())
    // 2^13 leaves: 128 pages of 64, two above them, one above these.
    assert.equal(new Set(nodes.map(NODES.pageOf)).size, 2 * 131)
  })

  it('have 64 leaves each, with all that is above these alone but the last, which begins the page above', () => {
    const pageOf = (level: number, index: number) => NODES.pageOf({ log, at: { level, index } })
    for (const leaf of [0, 1, 37, 63]) {
      for (let level = 0; level < 6; level += 1) {
        assert.equal(pageOf(level, leaf >> level), pageOf(0, 0), `${level}`)
        assert.notEqual(pageOf(level, (leaf + 64) >> level), pageOf(0, 0))
      }
    }
    assert.notEqual(pageOf(6, 0), pageOf(0, 0))
    assert.equal(pageOf(6, 63), pageOf(6, 0))
    assert.notEqual(pageOf(6, 64), pageOf(6, 0))
    assert.notEqual(NODES.pageOf({ log: other, at: { level: 0, index: 0 } }), pageOf(0, 0))
  })

  it('have them in order: by log, and of each level by what they are above', () => {
    for (const level of [0, 3, 5, 6]) {
      const nodes = [log, other].flatMap((of) =>
        [0, 1, 63, 64, 65, 130].map((index) => ({ log: of, at: { level, index } })),
      )
      assert.deepEqual(inOrder(NODES, nodes.toReversed()), nodes)
    }
  })

  it('are named for the node that they are below', () => {
    const page = NODES.encodePage({ log, at: { level: 2, index: 16 } })
    assert.equal(records.describeName(page), `nodes below node/${log.account}/${log.incarnation}/6/1`)
    assert.equal(records.describeName(page.subarray(0, 20)), `unknown/${toHex(page.subarray(0, 20))}`)
  })
})

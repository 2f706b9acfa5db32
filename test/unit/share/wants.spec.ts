import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type ShareKey, U32_MAX } from '../../../src/domain/index.js'
import { ListReader, ListWriter } from '../../../src/share/id-lists.js'
import {
  checkWants,
  FIRST_PORTION_SHARES,
  Outstanding,
  PORTION_SHARES,
  type Portion,
  portionsOf,
} from '../../../src/share/wants.js'
import { capsule, secret, want } from './fixture.js'
import { row } from './raw.js'

async function portions(
  lists: Outstanding['lists'],
  held: readonly ShareKey[] = [],
): Promise<Pick<Portion, 'wanted' | 'isOpen' | 'cursor'>[]> {
  checkWants(lists)
  const found: Portion[] = []
  const heldFrom = async ({ kind, nftId }: ShareKey, limit: number) =>
    held
      .filter((key) => key.kind === kind && key.nftId >= nftId)
      .map((key) => key.nftId)
      .slice(0, limit)
  for await (const portion of portionsOf(lists, heldFrom)) found.push(portion)
  return found
}

describe('want lists', () => {
  it('are the bytes of the specification’s example', () => {
    const wants = [5, 6, 7].map((id) => want(secret(id)))
    const { lists } = new Outstanding([...wants, want(secret(9), 300)], [{ from: secret(1000), minimumVersion: 299 }])
    assert.deepEqual(lists.secrets, Uint8Array.of(5, 3, 0, 1, 1, 0xd8, 4, 0xde, 7, 0, 1))
    assert.deepEqual(lists.capsules, row())
  })

  it('say what was put in, whatever it was and in whatever order', async () => {
    const id = fc.oneof(fc.nat(300), fc.integer({ min: U32_MAX - 3, max: U32_MAX }), fc.nat(U32_MAX))
    const kind = fc.constantFrom('secret' as const, 'capsule' as const)
    const version = fc.oneof(fc.nat(2), fc.nat(U32_MAX))
    const entry = fc
      .tuple(kind, id, version)
      .map(([kind, nftId, minimumVersion]) => ({ key: { kind, nftId }, minimumVersion }))
    const entries = fc.uniqueArray(entry, { minLength: 1, selector: ({ key }) => `${key.kind}/${key.nftId}` })
    await fc.assert(
      fc.asyncProperty(entries, async (wants) => {
        const found = await portions(new Outstanding(wants).lists)
        const sorted = wants.toSorted(
          (one, other) =>
            Number(one.key.kind === 'capsule') - Number(other.key.kind === 'capsule') ||
            one.key.nftId - other.key.nftId,
        )
        assert.deepEqual(
          found.flatMap(({ wanted }) => wanted),
          sorted,
        )
      }),
    )
  })

  it('have one encoding: what can be read is what would be written', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 12, max: 5 }),
        fc.constantFrom('wants' as const, 'ids' as const),
        (bytes, kind) => {
          const reader = new ListReader(bytes, kind)
          const writer = new ListWriter(kind)
          try {
            while (reader.next()) {
              if (reader.length === 0) writer.addOpen(reader.first, reader.minimumVersion)
              for (let id = reader.first; id < reader.first + reader.length; id += 1)
                writer.add(id, reader.minimumVersion)
            }
          } catch {
            return
          }
          assert.deepEqual(writer.finish(), bytes)
        },
      ),
      { numRuns: 5_000 },
    )
  })

  it('of half a million scattered shares keep within a request', () => {
    const wants = Array.from({ length: 524_288 }, (_, at) => want(secret(at * 7), at >>> 3))
    const { lists, left } = new Outstanding(wants)
    assert.equal(left, 524_288)
    assert.ok(lists.secrets.length <= 2 * 1024 * 1024, `${lists.secrets.length} bytes`)
    checkWants(lists)
  })

  it('are refused above so many bytes, though each range is right', () => {
    const ranges = (count: number) =>
      Uint8Array.from({ length: 5 * count }, (_, at) => [200, 1, 1, at % 10 === 3 ? 200 : 199, 1][at % 5] ?? 0)
    const half = ranges(209_714)
    checkWants({ secrets: half, capsules: half })
    assert.throws(() => checkWants({ secrets: half, capsules: ranges(209_718) }), { refusal: 'MALFORMED' })
  })

  it('are dealt with in portions of bounded size, in order', async () => {
    const wants = Array.from({ length: 20_000 }, (_, nftId) => want(secret(nftId)))
    const found = await portions(new Outstanding([...wants, want(capsule(3))]).lists)
    assert.deepEqual(
      found.map(({ wanted, cursor }) => [wanted.length, cursor]),
      [
        [FIRST_PORTION_SHARES, secret(512)],
        [1_024, secret(1_536)],
        [2_048, secret(3_584)],
        [4_096, secret(7_680)],
        [PORTION_SHARES, secret(15_872)],
        [4_129, capsule(4)],
      ],
    )
  })

  it('that are open find all that is held from there on', async () => {
    const held = [
      ...Array.from({ length: 10_000 }, (_, nftId) => secret(nftId)),
      secret(U32_MAX),
      capsule(1),
      capsule(9),
    ]
    const { lists } = new Outstanding(
      [want(secret(3))],
      [
        { from: secret(100), minimumVersion: 5 },
        { from: capsule(2), minimumVersion: 6 },
      ],
    )
    assert.deepEqual(
      (await portions(lists, held)).map(({ wanted, isOpen, cursor }) => [wanted.length, wanted.at(-1), isOpen, cursor]),
      [
        [1, want(secret(3)), false, secret(4)],
        [1_024, want(secret(1_123), 5), true, secret(1_124)],
        [2_048, want(secret(3_171), 5), true, secret(3_172)],
        [4_096, want(secret(7_267), 5), true, secret(7_268)],
        [2_733, want(secret(U32_MAX), 5), true, capsule(0)],
        [1, want(capsule(9), 6), true, capsule(10)],
      ],
    )
  })

  it('that are open are one of each kind, above all others', () => {
    const open = { from: secret(5), minimumVersion: 0 }
    assert.throws(() => new Outstanding([], [open, open]), { code: 'share/wants' })
    assert.throws(() => new Outstanding([want(secret(5))], [open]), { code: 'share/wants' })
    assert.throws(() => new Outstanding([], []), { code: 'share/wants' })
  })
})

describe('what is outstanding', () => {
  it('is taken once, one by one or out of an open want', () => {
    const outstanding = new Outstanding(
      [{ ...want(secret(3), 7), origin: 2 }, want(secret(4))],
      [{ from: secret(10), minimumVersion: 9 }],
    )
    assert.deepEqual(outstanding.take(secret(3)), { minimumVersion: 7, origin: 2 })
    assert.equal(outstanding.take(secret(3)), undefined)
    assert.equal(outstanding.take(capsule(4)), undefined)
    assert.equal(outstanding.take(secret(5)), undefined)
    assert.equal(outstanding.take(secret(10))?.minimumVersion, 9)
    assert.equal(outstanding.take(secret(10)), undefined)
    assert.equal(outstanding.takeNotHeld(secret(11)), false, 'nobody asked for it by itself')
    assert.equal(outstanding.left, 1)
    assert.equal(outstanding.takeNotHeld(secret(4)), true)
    assert.equal(outstanding.takeNotHeld(secret(4)), false)
    assert.equal(outstanding.left, 0)
  })
})

import assert from 'node:assert/strict'
import type { PortableRegistry } from '@polkadot/types'
import polkadot from '@polkadot/types-support/metadata/v14/polkadot-hex'
import fc from 'fast-check'
import { readCompact, Skipper } from '../../../src/chain/runtime/skipper.js'
import { developmentMetadata } from '../../../src/devchain/metadata/index.js'
import { registryOf } from './runtime.js'

const { registry, types } = registryOf(developmentMetadata(2))
const skipper = new Skipper(types)

/** The number of the type with this path in the metadata. */
function typeAt(path: string): number {
  const found = types.types.find(({ type }) => type.path.map(String).join('::') === path)
  assert.ok(found !== undefined, path)
  return found.id.toNumber()
}

/** Arbitrary SCALE encodings of a type, made from the metadata as `scale-info` defines it. */
function encodings(lookup: PortableRegistry, id: number, depth = 0): fc.Arbitrary<number[]> {
  const { def } = lookup.getSiType(id)
  const isDeep = depth > 8
  const one = (type: { toNumber(): number }) => encodings(lookup, type.toNumber(), depth + 1)
  const all = (ids: Iterable<{ toNumber(): number }>) => fc.tuple(...[...ids].map(one)).map((parts) => parts.flat())
  const fields = (of: Iterable<{ type: { toNumber(): number } }>) => all([...of].map(({ type }) => type))
  if (def.isComposite) return fields(def.asComposite.fields)
  if (def.isTuple) return all(def.asTuple)
  if (def.isCompact) return fc.nat({ max: 255 }).map(compact)
  if (def.isSequence) {
    const items = fc.array(one(def.asSequence.type), { maxLength: isDeep ? 0 : 70 })
    return items.map((list) => [...compact(list.length), ...list.flat()])
  }
  if (def.isArray) {
    const length = def.asArray.len.toNumber()
    return fc.array(one(def.asArray.type), { minLength: length, maxLength: length }).map((list) => list.flat())
  }
  if (def.isVariant) {
    const variants = [...def.asVariant.variants].sort((a, b) => a.fields.length - b.fields.length)
    return fc
      .constantFrom(...(isDeep ? variants.slice(0, 1) : variants))
      .chain((variant) => fields(variant.fields).map((rest) => [variant.index.toNumber(), ...rest]))
  }
  if (def.isBitSequence) {
    return fc.nat({ max: 300 }).map((bits) => [...compact(bits), ...new Uint8Array(Math.ceil(bits / 8))])
  }
  assert.ok(def.isPrimitive)
  if (def.asPrimitive.isBool) return fc.constantFrom([0], [1])
  if (def.asPrimitive.isStr) return fc.string().map((text) => [...registry.createType('Text', text).toU8a()])
  const size = registry.createTypeUnsafe(def.asPrimitive.type.toLowerCase(), []).encodedLength
  return fc.array(fc.nat({ max: 255 }), { minLength: size, maxLength: size })
}

const compact = (value: number) => [...registry.createType('Compact<u32>', value).toU8a()]

describe('the size of SCALE values', () => {
  const record = typeAt('frame_system::EventRecord')

  it('is that which @polkadot/types gives, for any event record, whatever follows it', () => {
    const skip = skipper.skip(record)
    fc.assert(
      fc.property(encodings(types, record), fc.uint8Array({ maxLength: 9 }), (encoding, rest) => {
        const end = skip(Uint8Array.from([7, ...encoding, ...rest]), 1)
        const decoded = registry.createTypeUnsafe(registry.createLookupType(record), [Uint8Array.from(encoding)])
        assert.equal(end - 1, decoded.encodedLength)
        assert.equal(end - 1, encoding.length)
      }),
      { numRuns: 300 },
    )
  })

  it('is that which @polkadot/types gives, for any event of a large chain', function () {
    this.timeout(60_000)
    const large = registryOf(polkadot)
    const skips = new Skipper(large.types)
    for (const { name, events } of large.metadata.asLatest.pallets) {
      if (events.isNone) continue
      const type = events.unwrap().type.toNumber()
      fc.assert(
        fc.property(encodings(large.types, type), (encoding) => {
          const bytes = Uint8Array.from(encoding)
          const decoded = large.registry.createTypeUnsafe(large.registry.createLookupType(type), [bytes])
          assert.equal(skips.skip(type)(bytes, 0), decoded.encodedLength, name.toString())
        }),
        { numRuns: 30 },
      )
    }
  })

  it('is never found past the end: a value that is cut anywhere is refused', () => {
    const skip = skipper.skip(record)
    fc.assert(
      fc.property(encodings(types, record), fc.nat(), (encoding, at) => {
        assert.throws(() => skip(Uint8Array.from(encoding.slice(0, at % encoding.length)), 0), Error)
      }),
    )
  })

  it('is found, or refused, in any bytes for every type of the metadata', () => {
    const skips = types.types.map(({ id }) => skipper.skip(id.toNumber()))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...skips), (bytes, skip) => {
        try {
          assert.ok(skip(bytes, 0) <= bytes.length)
        } catch (thrown) {
          assert.match(String(thrown), /it ends before|there is no variant|deep/)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('of a list is not believed before the bytes are there', () => {
    const events = skipper.skip(record)
    assert.throws(
      () => events(Uint8Array.of(0, 0, 0, 0, 0, 0, 5, ...new Uint8Array(64), 0xfe, 0xff, 0xff, 0xff), 0),
      Error,
    )
  })

  it('of a value that holds itself too often is refused before the stack is full', () => {
    const call = typeAt('slotmesh_runtime::RuntimeCall')
    const { index } = types.getSiType(call).def.asVariant.variants.find(({ name }) => name.eq('Utility')) ?? {}
    assert.ok(index !== undefined)
    // Utility.batch of one call, of one call, of one call...
    const nested = Uint8Array.from({ length: 300_000 }, (_, at) => [index.toNumber(), 0, 4][at % 3] ?? 0)
    assert.throws(() => skipper.skip(call)(nested, 0), /more than 1024 deep/)
  })

  it('of compact numbers is that of each of their four forms', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 128n }).map(String)).map(BigInt), (value) => {
        const bytes = registry.createType('Compact<u256>', value).toU8a()
        const read = readCompact(bytes, 0)
        assert.equal(read.end, bytes.length)
        if (value <= Number.MAX_SAFE_INTEGER) assert.equal(read.value, Number(value))
        else assert.ok(read.value > Number.MAX_SAFE_INTEGER)
      }),
    )
  })
})

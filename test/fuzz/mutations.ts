import fc from 'fast-check'
import { RefusalCode } from '../../src/share/wire/share.js'

/** One change to some bytes, at a place given as a fraction of their length, so that it fits bytes of any length. */
type Mutation = (bytes: Uint8Array) => Uint8Array

const INTERESTING = [
  [0],
  [0xff],
  [0x80, 0x80, 0x80, 0x80, 0x80],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x0a, 0xff, 0xff, 0xff, 0x7f],
  [0x08, 0x01],
  [0x12, 0x00],
]

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
const span = fc.integer({ min: 1, max: 40 })
const junk = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 24 }),
  fc.constantFrom(...INTERESTING.map((bytes) => Uint8Array.from(bytes))),
)

const flip = fc.tuple(place, fc.nat(7)).map(
  ([where, bit]): Mutation =>
    (bytes) => {
      const at = Math.floor(where * bytes.length)
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte))
    },
)
const cut = place.map(
  (where): Mutation =>
    (bytes) =>
      bytes.slice(0, Math.floor(where * bytes.length)),
)
const leaveOut = fc.tuple(place, span).map(
  ([where, length]): Mutation =>
    (bytes) => {
      const at = Math.floor(where * bytes.length)
      return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + length))
    },
)
const insert = fc.tuple(place, junk).map(
  ([where, added]): Mutation =>
    (bytes) => {
      const at = Math.floor(where * bytes.length)
      return Uint8Array.of(...bytes.subarray(0, at), ...added, ...bytes.subarray(at))
    },
)
const overwrite = fc.tuple(place, junk).map(
  ([where, written]): Mutation =>
    (bytes) => {
      const changed = bytes.slice()
      const at = Math.floor(where * bytes.length)
      changed.set(written.subarray(0, changed.length - at), at)
      return changed
    },
)
const repeat = fc.tuple(place, span).map(
  ([where, length]): Mutation =>
    (bytes) => {
      const at = Math.floor(where * bytes.length)
      return Uint8Array.of(...bytes.subarray(0, at + length), ...bytes.subarray(at))
    },
)
const replace = fc.uint8Array({ maxLength: 200 }).map(
  (other): Mutation =>
    () =>
      other,
)

/** Up to four changes, one after the other; fewer more often. */
export const mutations: fc.Arbitrary<Mutation> = fc
  .array(fc.oneof({ arbitrary: flip, weight: 4 }, cut, leaveOut, insert, overwrite, repeat, replace), {
    minLength: 1,
    maxLength: 4,
    size: 'small',
  })
  .map((changes) => (bytes) => changes.reduce((changed, change) => change(changed), bytes))

/** Mostly none. */
export const seldomMutations: fc.Arbitrary<Mutation> = fc.oneof(
  { arbitrary: fc.constant<Mutation>((bytes) => bytes), weight: 3 },
  { arbitrary: mutations, weight: 1 },
)

export const refusalCodes = fc.constantFrom(
  ...Object.values(RefusalCode).filter((code): code is RefusalCode => typeof code === 'string'),
)

import * as varint from 'uint8-varint'
import type { WantLists } from '../../share/raw/index.js'
import { demandRefusal, UNHELD } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { demand } from '../deviation.js'

const ONE_ENCODING = 'There is one encoding for each set of wants; a receiver MUST refuse any other'
const VARINTS = 'varints MUST have the least number of bytes, at most 5; those of `gap` and `length` MUST be below 2^32'
const IDS =
  'no id may be above 2^32 − 1; an open range MUST be the last of its list, and MUST begin at or below that id'
const NEIGHBOURS = 'a closed range that follows its neighbour without a gap MUST differ from it in its least version'
const SIZES =
  'A Request holds at least one range, at most 524,288 shares in the closed ranges of both lists together, and at most 2,097,152 bytes in both lists together'

/** A list by its numbers, each in the least number of bytes. */
function list(...numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Buffer.concat(numbers.map((number) => varint.encode(number))))
}

/** Ranges of one id each whose versions go up and down, so that each takes 7 bytes. */
function longList(bytes: number): Uint8Array {
  const [up, down] = [list(1, 1, 2 * 0xfff_ffff), list(1, 1, 2 * 0xfff_ffff - 1)]
  const count = Math.ceil(bytes / up.length)
  const whole = new Uint8Array(count * up.length)
  for (let at = 0; at < count; at += 1) whole.set(at % 2 === 0 ? up : down, at * up.length)
  return whole
}

interface WantCase {
  readonly sent: string
  readonly quote: string
  readonly lists: () => Partial<WantLists>
}

const MALFORMED: readonly WantCase[] = [
  { sent: 'no ranges at all', quote: SIZES, lists: () => ({}) },
  {
    sent: 'a gap in one byte more than it needs',
    quote: VARINTS,
    lists: () => ({ secrets: Uint8Array.of(0x85, 0, 1, 0) }),
  },
  {
    sent: 'a gap in six bytes',
    quote: VARINTS,
    lists: () => ({ secrets: Uint8Array.of(0x85, 0x80, 0x80, 0x80, 0x80, 0, 1, 0) }),
  },
  { sent: 'a gap of 2^32', quote: VARINTS, lists: () => ({ secrets: list(2 ** 32, 1, 0) }) },
  { sent: 'a length of 2^32', quote: VARINTS, lists: () => ({ secrets: list(0, 2 ** 32, 0) }) },
  { sent: 'a range that lacks its step', quote: ONE_ENCODING, lists: () => ({ capsules: list(5, 1) }) },
  { sent: 'a varint that is cut', quote: ONE_ENCODING, lists: () => ({ secrets: Uint8Array.of(5, 1, 0x80) }) },
  { sent: 'a range that goes on above 2^32 − 1', quote: IDS, lists: () => ({ secrets: list(0xffff_ffff, 2, 0) }) },
  { sent: 'an open range above 2^32 − 1', quote: IDS, lists: () => ({ secrets: list(0xffff_ffff, 1, 0, 0, 0, 0) }) },
  { sent: 'an open range and another after it', quote: IDS, lists: () => ({ secrets: list(5, 0, 0, 1, 1, 0) }) },
  { sent: 'neighbours that differ in nothing', quote: NEIGHBOURS, lists: () => ({ secrets: list(5, 1, 0, 0, 1, 0) }) },
  { sent: 'a least version below 0', quote: ONE_ENCODING, lists: () => ({ secrets: list(5, 1, 1) }) },
  {
    sent: 'a least version above 2^32 − 1',
    quote: ONE_ENCODING,
    lists: () => ({ secrets: list(5, 1, 2 * 0xffff_ffff, 1, 1, 2) }),
  },
  { sent: '524,289 shares in one closed range', quote: SIZES, lists: () => ({ secrets: list(UNHELD, 524_289, 0) }) },
  {
    sent: '262,145 secrets and 262,144 capsules in closed ranges',
    quote: SIZES,
    lists: () => ({ secrets: list(UNHELD, 262_145, 0), capsules: list(UNHELD, 262_144, 0) }),
  },
  { sent: 'a list of more than 2,097,152 bytes', quote: SIZES, lists: () => ({ secrets: longList(2_097_153) }) },
]

const GOOD: readonly WantCase[] = [
  {
    sent: "the specification's example",
    quote: 'in bytes `05 03 00 01 01 d8 04 de 07 00 01`',
    lists: () => ({ secrets: Uint8Array.of(5, 3, 0, 1, 1, 0xd8, 4, 0xde, 7, 0, 1) }),
  },
  { sent: 'the last id that there is', quote: IDS, lists: () => ({ secrets: list(0xffff_ffff, 1, 0) }) },
  {
    sent: 'an open range from the last id that there is',
    quote: IDS,
    lists: () => ({ capsules: list(0xffff_ffff, 0, 0) }),
  },
  {
    sent: 'neighbours that differ in their least version',
    quote: NEIGHBOURS,
    lists: () => ({ secrets: list(UNHELD, 1, 10, 0, 1, 1) }),
  },
  {
    sent: 'an open range that follows its neighbour without a gap, and differs in nothing',
    quote: NEIGHBOURS,
    lists: () => ({ secrets: list(UNHELD, 1, 0, 0, 0, 0) }),
  },
  {
    sent: 'the highest least version',
    quote: ONE_ENCODING,
    lists: () => ({ secrets: list(UNHELD, 1, 2 * 0xffff_ffff) }),
  },
  { sent: '524,288 shares in one closed range', quote: SIZES, lists: () => ({ secrets: list(UNHELD, 524_288, 0) }) },
]

export const wantListCases: readonly ConformanceCase[] = [
  ...MALFORMED.map(({ sent, quote, lists }, at) =>
    conformanceCase({
      id: `WANT-${String(at + 1).padStart(2, '0')}`,
      clause: '6.1',
      quote,
      role: 'provider',
      sent: `Request with ${sent}`,
      expected: 'Refusal MALFORMED',
      run: async (bench) => {
        const { side } = await bench.challenged()
        await side.request(lists())
        demandRefusal(await side.answer(), 'MALFORMED')
      },
    }),
  ),
  ...GOOD.map(({ sent, quote, lists }, at) =>
    conformanceCase({
      id: `WANT-${String(at + 31)}`,
      clause: '6.1',
      quote,
      role: 'provider',
      sent: `Request with ${sent}`,
      expected: 'Grant, and an End that accounts for it',
      run: async (bench) => {
        const { end } = await bench.fetch(lists())
        demand(!end.unfinished, 'its End says that it stopped early')
      },
    }),
  ),
]

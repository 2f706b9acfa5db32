import { ascii, concat } from './tools.js'
import { varint } from './wire.js'

const U32_MAX = 0xffff_ffff

/** Ids from `first` on, `length` of them, or all where `length` is 0. */
export interface Range {
  readonly first: number
  readonly length: number
  readonly minimumVersion: number
}

/** Clause 6.1: gap, length, step, as unsigned varints. */
export function row(...numbers: readonly number[]): Uint8Array {
  return concat(...numbers.map(varint))
}

export function zigzag(step: number): number {
  return step < 0 ? -2 * step - 1 : 2 * step
}

export function wantList(ranges: readonly Range[]): Uint8Array {
  let [end, version] = [0, 0]
  const rows = ranges.map(({ first, length, minimumVersion }) => {
    const bytes = row(first - end, length, zigzag(minimumVersion - version))
    end = first + length
    version = minimumVersion
    return bytes
  })
  return concat(...rows)
}

export function idList(ranges: readonly Omit<Range, 'minimumVersion'>[]): Uint8Array {
  let end = 0
  const rows = ranges.map(({ first, length }) => {
    const bytes = row(first - end, length)
    end = first + length
    return bytes
  })
  return concat(...rows)
}

function raw(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits.replaceAll(' ', ''), 'hex'))
}

/** Want lists and id lists: the one encoding of each, and what is none. */
export function listVectors() {
  const wants = (name: string, ...ranges: [number, number, number?][]) => {
    const read = ranges.map(([first, length, minimumVersion = 0]) => ({ first, length, minimumVersion }))
    return { name, list: wantList(read), ranges: read, outcome: 'accepted' as const }
  }
  const ids = (name: string, ...ranges: [number, number][]) => {
    const read = ranges.map(([first, length]) => ({ first, length }))
    return { name, list: idList(read), ranges: read, outcome: 'accepted' as const }
  }
  const bad = (name: string, list: Uint8Array) => ({ name, list, outcome: 'MALFORMED' as const })
  return {
    about:
      'Clause 6.1: want lists and id lists. `length` 0 is an open range. `outcome` is `accepted`, or the refusal. In `requests`, `secrets` and `capsules` are the bytes `once` and then `repeated`, so many `times`.',
    wantLists: [
      wants('nothing'),
      wants('the example', [5, 3], [9, 1, 300], [1_000, 0, 299]),
      wants('id 0 in any version', [0, 1]),
      wants('id 0 of the last version there can be', [0, 1, U32_MAX]),
      wants('the last id there can be', [U32_MAX, 1]),
      wants('the first and the last', [0, 1], [U32_MAX, 1, 7]),
      wants('all', [0, 0]),
      wants('all of version 12,345 or later', [0, 0, 12_345]),
      wants('all from the last id on', [U32_MAX, 0]),
      wants('all from 7 on in any version, neighbours of 5 and 6 of version 2', [5, 2, 2], [7, 0]),
      wants('neighbours of two versions', [5, 3, 300], [8, 2, 301]),
      wants('neighbours, the later of a lower version', [5, 3, 301], [8, 2, 300]),
      wants('three neighbours, the first and the last of one version', [5, 1, 1], [6, 1, 2], [7, 1, 1]),
      wants('versions from the least to the last and back', [1, 1], [3, 1, U32_MAX], [5, 1]),
      wants('varints of one byte and of two', [127, 127, 63], [127 + 127 + 128, 128, 127]),
      wants('as many as a request may hold', [1, 524_288]),
      bad('no length', row(5)),
      bad('no step', row(5, 3)),
      bad('no step in the second range', row(5, 3, 0, 1, 1)),
      bad('a varint without its end', raw('05 03 80')),
      bad('a gap that is longer than need be', raw('85 00 03 00')),
      bad('a length that is longer than need be', raw('05 83 00 00')),
      bad('a step that is longer than need be', raw('05 03 80 00')),
      bad('a zero of two bytes', raw('80 00 03 00')),
      bad('a varint of six bytes', raw('85 80 80 80 80 00 03 00')),
      bad('a varint of ten bytes', raw('ff ff ff ff ff ff ff ff ff 01 03 00')),
      bad('a gap of 2^32', row(2 ** 32, 1, 0)),
      bad('a gap of 2^32 + 5, which is not 5', row(2 ** 32 + 5, 1, 0)),
      bad('a length of 2^32', row(0, 2 ** 32, 0)),
      bad('a length of 2^32 + 1, which is not 1', row(0, 2 ** 32 + 1, 0)),
      bad('a version below 0', row(5, 3, zigzag(-1))),
      bad('a version below that of the range before it, and below 0', row(5, 1, zigzag(300), 1, 1, zigzag(-301))),
      bad('a version of 2^32', row(5, 3, zigzag(2 ** 32))),
      bad('a version of 2^32, in two steps', row(5, 1, zigzag(U32_MAX), 1, 1, zigzag(1))),
      bad('ids above 2^32 - 1', row(U32_MAX, 2, 0)),
      bad('ids above 2^32 - 1, in the second range', row(5, 1, 0, U32_MAX - 5, 1, 0)),
      bad('an open range that begins behind the last id', row(U32_MAX, 1, 0, 0, 0, zigzag(1))),
      bad('an open range before another', row(0, 0, 0, 5, 1, 0)),
      bad('an open range before a neighbour', row(0, 0, 0, 0, 1, zigzag(1))),
      bad('two open ranges', row(0, 0, 0, 1, 0, 0)),
      bad('neighbours that could be one range', row(5, 3, 0, 0, 2, 0)),
      bad('neighbours that could be one range, of a version', row(5, 3, zigzag(9), 0, 2, 0)),
      bad('an id list', row(5, 3)),
      bad('text', ascii('5-7,9')),
    ],
    idLists: [
      ids('nothing'),
      ids('id 0', [0, 1]),
      ids('the last id there can be', [U32_MAX, 1]),
      ids('two ranges', [5, 3], [9, 1]),
      ids('varints of one byte and of two', [127, 127], [127 + 127 + 128, 128]),
      ids('as many as a request may hold', [1, 524_288]),
      bad('no length', row(5)),
      bad('no length in the second range', row(5, 3, 1)),
      bad('a length of 0', row(5, 0)),
      bad('a length of 0 behind another range', row(5, 1, 5, 0)),
      bad('a gap of 0', row(5, 3, 0, 1)),
      bad('a gap that is longer than need be', raw('85 00 03')),
      bad('a length that is longer than need be', raw('05 83 00')),
      bad('a gap of 2^32', row(2 ** 32, 1)),
      bad('ids above 2^32 - 1', row(U32_MAX, 2)),
      bad('ids above 2^32 - 1, in the second range', row(5, 1, U32_MAX - 5, 1)),
      bad('a varint of six bytes', raw('85 80 80 80 80 00 03')),
      bad('a want list of one range', row(5, 3, 0)),
    ],
    requests: requests(),
  }
}

interface Long {
  readonly once: Uint8Array
  readonly repeated: Uint8Array
  readonly times: number
}

/** What a Request may ask for in all. */
function requests() {
  const list = (once: Uint8Array, repeated: Uint8Array = new Uint8Array(), times = 0): Long => ({
    once,
    repeated,
    times,
  })
  const none = list(new Uint8Array())
  const judged = (name: string, secrets: Long, capsules: Long, outcome: 'accepted' | 'MALFORMED') => ({
    name,
    secrets,
    capsules,
    outcome,
  })
  const most = 524_288
  // Ranges of five and of seven bytes, of one id each, of ever later versions.
  const five = row(128, 1, zigzag(64))
  const seven = row(20_000, 1, zigzag(10_000))
  return [
    judged('nothing', none, none, 'MALFORMED'),
    judged('a secret', list(row(5, 1, 0)), none, 'accepted'),
    judged('a capsule', none, list(row(5, 1, 0)), 'accepted'),
    judged('everything', list(row(0, 0, 0)), list(row(0, 0, 0)), 'accepted'),
    judged('as many secrets as may be', list(row(0, most, 0)), none, 'accepted'),
    judged('one secret too many', list(row(0, most + 1, 0)), none, 'MALFORMED'),
    judged('as many of both as may be', list(row(0, most - 5, 0)), list(row(0, 5, 0)), 'accepted'),
    judged('one of both too many', list(row(0, most - 5, 0)), list(row(0, 6, 0)), 'MALFORMED'),
    judged('nearly all ids there can be, one by one', list(row(0, U32_MAX, 0)), none, 'MALFORMED'),
    judged('as many as may be, and all from there on', list(row(0, most, 0, 5, 0, 0)), list(row(0, 0, 0)), 'accepted'),
    judged('as many ranges as may be', list(row(0, 1, 0), row(1, 1, 0), most - 1), none, 'accepted'),
    judged('one range too many', list(row(0, 1, 0), row(1, 1, 0), most), none, 'MALFORMED'),
    judged('2,097,152 bytes', list(seven, five, 419_429), none, 'accepted'),
    judged('2,097,155 bytes', list(five, five, 419_430), none, 'MALFORMED'),
    judged('2,097,152 bytes in two lists', list(seven, five, 419_428), list(five), 'accepted'),
    judged('2,097,154 bytes in two lists', list(seven, five, 419_428), list(seven), 'MALFORMED'),
    judged('capsules that are no list', list(row(5, 1, 0)), list(row(5)), 'MALFORMED'),
    judged('secrets that are no list', list(row(5)), list(row(5, 1, 0)), 'MALFORMED'),
  ]
}

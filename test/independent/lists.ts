import type { Range } from '../vectors/lists.js'
import { Refused } from './outcomes.js'

const IDS = 2 ** 32

/** Share 6.1: the ranges of a want list, or (`isIdList`) of an id list. */
export function readList(bytes: Uint8Array, isIdList = false): Range[] {
  const ranges: Range[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let place = 0; place < 5; place += 1) {
      const byte = bytes[at]
      if (byte === undefined) break
      at += 1
      value += (byte % 128) * 128 ** place
      if (byte < 128) {
        if (byte === 0 && place > 0) break
        return value
      }
    }
    throw new Refused('MALFORMED')
  }
  const require = (holds: boolean) => {
    if (!holds) throw new Refused('MALFORMED')
  }
  let [end, version] = [0, 0]
  while (at < bytes.length) {
    const last = ranges.at(-1)
    require(last === undefined || last.length > 0)
    const [gap, length] = [varint(), varint()]
    require(gap < IDS && length < IDS)
    const step = isIdList ? 0 : varint()
    version += step % 2 === 0 ? step / 2 : -(step + 1) / 2
    require(version >= 0 && version < IDS)
    const first = end + gap
    end = first + length
    require(first < IDS && end <= IDS && !(isIdList && length === 0))
    require(last === undefined || gap > 0 || step !== 0 || length === 0)
    ranges.push({ first, length, minimumVersion: version })
  }
  return ranges
}

/** Ids in ascending order, as ranges. */
export function rangesOf(ids: readonly number[], versionOf: (id: number) => number = () => 0): Range[] {
  const ranges: { first: number; length: number; minimumVersion: number }[] = []
  for (const id of ids) {
    const last = ranges.at(-1)
    const minimumVersion = versionOf(id)
    if (last !== undefined && last.first + last.length === id && last.minimumVersion === minimumVersion)
      last.length += 1
    else ranges.push({ first: id, length: 1, minimumVersion })
  }
  return ranges
}

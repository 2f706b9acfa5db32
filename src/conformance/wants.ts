import type { BlockNumber, ShareKey, ShareKind } from '../domain/index.js'
import { ListReader, ListWriter, type WantLists } from '../share/raw/index.js'

/** A range of a want list. */
export interface WantedRange {
  readonly kind: ShareKind
  readonly first: number
  /** 0 for an open range. */
  readonly length: number
  readonly minimumVersion: BlockNumber
}

/** What a Request asks for. */
export interface AskedFor {
  readonly ranges: readonly WantedRange[]
  includes(key: ShareKey): boolean
}

/** @throws RefusalError MALFORMED when a list is not canonical. */
export function askedFor(lists: WantLists): AskedFor {
  const ranges = (['secret', 'capsule'] as const).flatMap((kind) => {
    const reader = new ListReader(kind === 'secret' ? lists.secrets : lists.capsules, 'wants')
    const found: WantedRange[] = []
    while (reader.next()) {
      const { first, length, minimumVersion } = reader
      found.push({ kind, first, length, minimumVersion })
    }
    return found
  })
  const includes = ({ kind, nftId }: ShareKey) =>
    ranges.some(
      (range) =>
        range.kind === kind && nftId >= range.first && (range.length === 0 || nftId < range.first + range.length),
    )
  return { ranges, includes }
}

/** The want lists for these shares, in any order. */
export function listsFor(keys: readonly ShareKey[], minimumVersion: BlockNumber = 0): WantLists {
  const list = (kind: ShareKind) => {
    const writer = new ListWriter('wants')
    const ids = keys.flatMap((key) => (key.kind === kind ? [key.nftId] : []))
    for (const id of [...new Set(ids)].sort((one, other) => one - other)) writer.add(id, minimumVersion)
    return writer.finish()
  }
  return { secrets: list('secret'), capsules: list('capsule') }
}

/** The want list for all ids from one on. */
export function openList(first: number, minimumVersion: BlockNumber): Uint8Array {
  const writer = new ListWriter('wants')
  writer.addOpen(first, minimumVersion)
  return writer.finish()
}

/** The id list of these ids, ascending. */
export function idList(ids: readonly number[]): Uint8Array {
  const writer = new ListWriter('ids')
  for (const id of ids) writer.add(id)
  return writer.finish()
}

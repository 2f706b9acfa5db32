/**
 * Of bytes of which a part is damaged: the first place from which one entry follows another up to the end. It looks once
 * at each place, whatever the bytes are.
 *
 * @param next where an entry that begins at a place ends, and so the one behind it begins; undefined where none can.
 * @param canBegin whether an entry at this place needs nothing of one before it.
 */
export function chainStart(
  from: number,
  end: number,
  next: (at: number) => number | undefined,
  canBegin: (at: number) => boolean = () => true,
): number | undefined {
  if (end <= from) return undefined
  const leads = new Uint8Array(end - from + 1)
  leads[end - from] = 1
  let first: number | undefined
  for (let at = end - 1; at >= from; at -= 1) {
    const after = next(at)
    if (after === undefined || after > end || leads[after - from] !== 1) continue
    leads[at - from] = 1
    if (canBegin(at)) first = at
  }
  return first
}

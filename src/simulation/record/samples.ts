import type { RunEvent, Sample } from './events.js'

type SampleEvent = Extract<RunEvent, { readonly type: 'sample' }>

/** What a name of an enclave says, `c12-s3`; undefined for any other. */
export function placeOf(enclave: string): { readonly cluster: number; readonly slot: number } | undefined {
  const [, cluster, slot] = /^c(\d{1,9})-s(\d)$/.exec(enclave) ?? []
  return cluster === undefined || slot === undefined ? undefined : { cluster: Number(cluster), slot: Number(slot) }
}

/** Every enclave's sample, whether it stands there by itself or among those that are complete. */
export function* samplesOf({ listed, enclaves, complete = [] }: SampleEvent): Generator<[enclave: string, Sample]> {
  const whole = { held: listed, wanted: 0, lag: 0 }
  for (const [slot, ranges] of complete.entries()) {
    for (const cluster of clustersOf(ranges)) yield [`c${cluster}-s${slot}`, whole]
  }
  yield* Object.entries(enclaves)
}

/** The same in few words: those that hold all, want nothing and are not behind are named by ranges. */
export function compacted(event: SampleEvent): SampleEvent {
  const enclaves: Record<string, Sample> = {}
  const clusters: number[][] = []
  for (const [name, sample] of samplesOf(event)) {
    const place = placeOf(name)
    if (place === undefined || sample.held !== event.listed || sample.wanted !== 0 || sample.lag !== 0) {
      enclaves[name] = sample
      continue
    }
    clusters[place.slot] ??= []
    clusters[place.slot]?.push(place.cluster)
  }
  const { complete: _, ...rest } = event
  return { ...rest, enclaves, complete: Array.from(clusters, (each = []) => rangesOf(each)) }
}

function rangesOf(clusters: readonly number[]): string {
  const ranges: { first: number; last: number }[] = []
  for (const cluster of [...clusters].sort((one, other) => one - other)) {
    const range = ranges.at(-1)
    if (range !== undefined && cluster === range.last + 1) range.last = cluster
    else ranges.push({ first: cluster, last: cluster })
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}

/** Ascending, as they were written: a file that somebody altered cannot make much of few words. */
function* clustersOf(ranges: string): Generator<number> {
  let next = 0
  for (const range of ranges.split(',')) {
    if (range === '') continue
    const [first = 0, last = first] = range.split('-').map(Number)
    for (let cluster = Math.max(first, next); cluster <= last; cluster += 1) yield cluster
    next = Math.max(next, last + 1)
  }
}

import type { Level } from 'level'
import { equalBytes } from '../crypto/index.js'
import { HEADERS, MANIFEST } from './records.js'
import { Sealer } from './sealing.js'

/**
 * What the two copies of the header say, of which at least one could be opened. Where they do not agree, or one could
 * not be opened, it is the id under which the manifest opens; the copy that says something else is written anew.
 *
 * @param sealer of headers.
 * @param ids as the copies of these names were opened.
 */
export async function idOfCopies(
  level: Level<Uint8Array, Uint8Array>,
  sealingKey: Uint8Array,
  sealer: Sealer,
  ids: readonly (Uint8Array | undefined)[],
): Promise<Uint8Array | undefined> {
  const [first, second] = ids
  if (first !== undefined && second !== undefined && equalBytes(first, second)) return first
  const opened = ids.filter((id) => id !== undefined)
  const name = MANIFEST.encodeKey(undefined)
  const manifest: Uint8Array | undefined = await level.get(name)
  const id = opened.find((each) => manifest && opens(new Sealer(sealingKey, each), name, manifest))
  // Without a manifest nothing is known of either; whether anything opens will show.
  if (id === undefined) return opened.length === 1 ? opened[0] : undefined
  const operations = ([0, 1] as const).map((copy) => {
    const key = HEADERS.encodeKey(copy)
    return { type: 'put' as const, key, value: sealer.seal(key, id) }
  })
  await level.batch(operations, { sync: true })
  return id
}

function opens(sealer: Sealer, name: Uint8Array, sealed: Uint8Array): boolean {
  try {
    return sealer.open(name, sealed) !== undefined
  } finally {
    sealer.clear()
  }
}

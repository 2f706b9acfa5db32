import type { Level } from 'level'
import { equalBytes } from '../crypto/index.js'
import { HEADER, HEADER_COPY, MANIFEST } from './records.js'
import { Sealer, STORE_ID_BYTES } from './sealing.js'

type Database = Level<Uint8Array, Uint8Array>

/** Where the header and its copy stand. */
export const HEADER_NAMES: readonly Uint8Array[] = [HEADER, HEADER_COPY].map((table) => table.encodeKey(undefined))

/**
 * What the header and its copy say, of which at least one could be opened. Where they do not agree, or one could not be
 * opened, it is the id under which the manifest opens.
 *
 * @param ids as {@link HEADER_NAMES} were opened.
 */
export async function idOfCopies(
  level: Database,
  sealingKey: Uint8Array,
  ids: readonly (Uint8Array | undefined)[],
): Promise<Uint8Array | undefined> {
  const [first, second] = ids
  if (first !== undefined && second !== undefined && equalBytes(first, second)) return first
  const opened = ids.filter((id) => id !== undefined)
  const name = MANIFEST.encodeKey(undefined)
  const manifest: Uint8Array | undefined = await level.get(name)
  const id = opened.find((each) => manifest && opens(new Sealer(sealingKey, each), name, manifest))
  // Without a manifest nothing is known of either; whether anything opens will show.
  return id ?? (opened.length === 1 ? opened[0] : undefined)
}

/** Writes the header and its copy anew where one of them is gone, or says something else. */
export async function mendHeader(level: Database, sealingKey: Uint8Array, id: Uint8Array): Promise<void> {
  const sealer = headerSealer(sealingKey)
  try {
    const sealed: (Uint8Array | undefined)[] = await level.getMany([...HEADER_NAMES])
    const said = HEADER_NAMES.map((name, at) => sealed[at] && sealer.open(name, sealed[at]))
    if (said.every((each) => each !== undefined && equalBytes(each, id))) return
    const operations = HEADER_NAMES.map((key) => ({ type: 'put' as const, key, value: sealer.seal(key, id) }))
    await level.batch(operations, { sync: true })
  } finally {
    sealer.clear()
  }
}

/** The header holds the store's id, and is sealed without it. */
export function headerSealer(sealingKey: Uint8Array): Sealer {
  return new Sealer(sealingKey, new Uint8Array(STORE_ID_BYTES))
}

function opens(sealer: Sealer, name: Uint8Array, sealed: Uint8Array): boolean {
  try {
    return sealer.open(name, sealed) !== undefined
  } finally {
    sealer.clear()
  }
}

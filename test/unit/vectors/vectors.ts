import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fromHex } from '../../../src/crypto/index.js'
import { type ClusterType, Registry } from '../../../src/domain/index.js'
import type { ChainView } from '../../../src/share/party.js'
import { pathOf, type VECTOR_FILES, type VectorFile } from '../../vectors/make.js'
import type { Hex, Json } from '../../vectors/tools.js'
import type { Cluster } from '../../vectors/world.js'

/** A file of test vectors as it stands in `protocols`. */
export function vectorsOf<F extends VectorFile>(file: F): Json<Awaited<ReturnType<(typeof VECTOR_FILES)[F]>>> {
  return JSON.parse(readFileSync(pathOf(file), 'utf8'))
}

/** The value with bytes where the file has hexadecimal. */
export function toBytes<T>(value: T): Bytes<T>
export function toBytes(value: unknown): unknown {
  if (typeof value === 'string' && value.startsWith('0x')) return fromHex(value)
  if (Array.isArray(value)) return value.map((item) => toBytes(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toBytes(member)]))
}

/** The other way round than `Json`. */
export type Bytes<T> = T extends Hex
  ? Uint8Array
  : T extends readonly (infer Item)[]
    ? Bytes<Item>[]
    : T extends object
      ? { [Key in keyof T]: Bytes<T[Key]> }
      : T

export function registryFrom(clusters: Json<readonly Cluster[]>): Registry {
  return new Registry(
    clusters.map(({ cluster, type, seats }) => ({
      id: cluster,
      type: type ?? ('public' satisfies ClusterType),
      seats: seats.map(({ account, slot }) => ({ account, operator: account, cluster, slot, apiUri: '' })),
    })),
  )
}

/** The chain as a receiver sees it. */
export function chainFrom(
  { genesisHash, blockHashes }: { readonly genesisHash: Hex; readonly blockHashes: Readonly<Record<string, Hex>> },
  { now, viewAgeSeconds, registry }: Json<{ now: number; viewAgeSeconds: number; registry: readonly Cluster[] }>,
): ChainView {
  const hashOf = (number: number) => blockHashes[number] ?? assert.fail(`the vectors have no block ${number}`)
  return {
    genesisHash,
    finalised: () => ({ number: now, hash: hashOf(now) }),
    finalisedAgeMs: () => viewAgeSeconds * 1_000,
    blockHash: async (number) => hashOf(number),
    registry: () => registryFrom(registry),
    registryAt: async () => registryFrom(registry),
  }
}

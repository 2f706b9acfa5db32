import * as varint from 'uint8-varint'
import { equalBytes } from '../crypto/index.js'
import { type BlockNumber, U32_MAX } from '../domain/index.js'
import {
  DEEPEST_LEVEL,
  FINGERPRINT_BYTES,
  fanOutAt,
  type HeldShares,
  type Item,
  type Prefix,
  type Summary,
  sizeAt,
} from '../inventory/index.js'
import { PART_ITEMS } from './protocol.js'
import { malformed } from './refusals.js'
import type { Part as WirePart } from './wire/reconcile.js'

/** What one side holds of a prefix: its shares, or the fingerprint of each child; no bytes of one that holds nothing. */
export type Part = { readonly items: readonly Item[] } | { readonly children: readonly Uint8Array[] }

/** A number below 2^33, or a version, takes no more bytes. */
const VARINT_BYTES = 5

/** What is held of a prefix, as it goes over the wire. */
export function partOf(held: HeldShares, prefix: Prefix): WirePart {
  const nothing = new Uint8Array()
  if (held.count(prefix) <= PART_ITEMS) {
    const items = encodeItems(prefix, held.items(prefix, PART_ITEMS))
    return { present: 0, fingerprints: nothing, items }
  }
  const children = held.children(prefix)
  const present = children.reduce((bits, { count }, index) => (count > 0 ? bits | (1 << index) : bits), 0)
  return { present, fingerprints: Buffer.concat(children.map(({ fingerprint }) => fingerprint)), items: nothing }
}

/** @throws RefusingError MALFORMED */
export function partFrom({ present, fingerprints, items }: WirePart, prefix: Prefix): Part {
  if (present === 0) {
    if (fingerprints.length > 0) malformed()
    return { items: decodeItems(prefix, items) }
  }
  const fanOut = fanOutAt(prefix.level)
  if (items.length > 0 || prefix.level === DEEPEST_LEVEL || present >= 2 ** fanOut) malformed()
  const children: Uint8Array[] = []
  let at = 0
  for (let index = 0; index < fanOut; index += 1) {
    const length = present & (1 << index) ? FINGERPRINT_BYTES : 0
    children.push(fingerprints.subarray(at, at + length))
    at += length
  }
  if (at !== fingerprints.length) malformed()
  return { children }
}

/** Whether one side holds of a child what the other says that it holds. */
export function isSame({ fingerprint }: Summary, told: Uint8Array): boolean {
  return equalBytes(fingerprint, told)
}

function encodeItems({ first }: Prefix, items: readonly Item[]): Uint8Array {
  let next = first
  const rows: Uint8Array[] = []
  for (const { share, version } of items) {
    rows.push(varint.encode(share - next), varint.encode(version))
    next = share + 1
  }
  return Buffer.concat(rows)
}

function decodeItems({ level, first }: Prefix, bytes: Uint8Array): Item[] {
  const end = first + sizeAt(level)
  const items: Item[] = []
  let next = first
  const reader = { bytes, at: 0 }
  while (reader.at < bytes.length) {
    if (items.length === PART_ITEMS) malformed()
    const share = next + readVarint(reader)
    const version: BlockNumber = readVarint(reader)
    if (share >= end || version > U32_MAX) malformed()
    items.push({ share, version })
    next = share + 1
  }
  return items
}

function readVarint(reader: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0
  for (let place = 0; place < VARINT_BYTES; place += 1) {
    const byte = reader.bytes[reader.at] ?? malformed()
    reader.at += 1
    // Multiplied, as shifting ends at 32 bits.
    value += (byte & 0x7f) * 2 ** (7 * place)
    if (byte >= 0x80) continue
    return byte !== 0 || place === 0 ? value : malformed()
  }
  return malformed()
}

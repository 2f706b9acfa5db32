import { Compact, Enum, Option, Raw, Struct, Tuple, UInt, Vec, VecFixed } from '@polkadot/types'
import type { Codec } from '@polkadot/types/types'
import { type Hex, messageOf, SlotmeshError } from '../../domain/index.js'
import type { RuntimeCodec } from './codec.js'

/** Storage as it stands. */
export interface Storage {
  keys(prefix: Hex): Iterable<Hex>
  get(key: Hex): Uint8Array | undefined
}

/** Events are those of one block and read by the runtime that made it. */
const NOT_MIGRATED = ['System.Events']

/**
 * What must change for another runtime to read the storage: entries are carried over by the names of their pallet,
 * item and fields, new fields get their default, and what the new runtime does not know is removed.
 * @throws SlotmeshError `devchain/cannot-migrate`
 */
export function migrate(from: RuntimeCodec, to: RuntimeCodec, storage: Storage): Map<Hex, Uint8Array | undefined> {
  const changes = new Map<Hex, Uint8Array | undefined>()
  for (const name of from.storageItems) {
    const [pallet = '', item = ''] = name.split('.')
    const prefix = from.storagePrefix(pallet, item)
    if (NOT_MIGRATED.includes(name)) continue
    for (const key of storage.keys(prefix)) {
      const old = storage.get(key)
      if (!to.hasStorage(pallet, item)) {
        changes.set(key, undefined)
        continue
      }
      if (from.storageKeyType(pallet, item) !== to.storageKeyType(pallet, item)) {
        throw cannotMigrate(name, 'its keys are of another type')
      }
      const newKey: Hex = `${to.storagePrefix(pallet, item)}${key.slice(prefix.length)}`
      const value = convert(from, to, pallet, item, old)
      if (newKey !== key) changes.set(key, undefined)
      else if (old !== undefined && Buffer.from(old).equals(value)) continue
      changes.set(newKey, value)
    }
  }
  return changes
}

function convert(from: RuntimeCodec, to: RuntimeCodec, pallet: string, item: string, old: Uint8Array | undefined) {
  try {
    const value = from.decodeStorage(pallet, item, old)
    const named = value === undefined ? undefined : plain(value.codec)
    return to.encodeStorage(pallet, item, `${pallet}.${item}` === 'TEE.ClusterData' ? seated(to, named) : named)
  } catch (thrown) {
    throw cannotMigrate(`${pallet}.${item}`, messageOf(thrown))
  }
}

/** From generation 1 to 2 of the TEE pallet, positions become slots and clusters public; back again, the reverse. */
function seated(to: RuntimeCodec, cluster: unknown): unknown {
  if (!isNamed(cluster) || !Array.isArray(cluster.enclaves)) return cluster
  const seats: unknown[] = cluster.enclaves
  const hasSlots = to.callArguments('TEE', 'assign_enclave')?.includes('slotId') === true
  const enclaves = hasSlots
    ? seats.map((seat, position) => (Array.isArray(seat) ? seat : [seat, position]))
    : seats
        .map((seat) => (Array.isArray(seat) ? seat : [seat, 0]))
        .sort(bySlot)
        .map(([operator]) => operator)
  return { clusterType: 'Public', ...cluster, enclaves }
}

function bySlot([, one]: unknown[], [, other]: unknown[]): number {
  return Number(one) - Number(other)
}

function isNamed(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** A value without its types, as any registry takes it. */
function plain(codec: Codec): unknown {
  if (codec instanceof Option) return codec.isNone ? null : plain(codec.unwrap())
  if (codec instanceof Compact) return plain(codec.unwrap())
  if (codec instanceof UInt) return codec.toBigInt()
  if (codec instanceof Enum) return codec.isBasic ? codec.type : { [codec.type]: plain(codec.inner) }
  if (codec instanceof Struct) {
    return Object.fromEntries([...codec.entries()].map(([name, field]) => [name, plain(field)]))
  }
  if (codec instanceof Vec || codec instanceof VecFixed || codec instanceof Tuple) return [...codec].map(plain)
  // Bytes taken as an array would be read as an encoding, with a length before them.
  return codec instanceof Raw ? codec.toHex() : codec.toPrimitive()
}

function cannotMigrate(item: string, reason: string): SlotmeshError {
  return new SlotmeshError(
    'devchain/cannot-migrate',
    `The runtime upgrade cannot carry ${item} over: ${reason}; upgrade to metadata in which it is alike.`,
  )
}

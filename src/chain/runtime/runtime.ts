import {
  expandMetadata,
  type GenericCall,
  type GenericExtrinsic,
  type GenericExtrinsicPayload,
  Metadata,
  StorageKey,
  TypeRegistry,
  unwrapStorageType,
  type Vec,
} from '@polkadot/types'
import type { EventRecord, MortalEra } from '@polkadot/types/interfaces'
import type { StorageEntry } from '@polkadot/types/primitive/types'
import type { Codec } from '@polkadot/types/types'
import { stringCamelCase } from '@polkadot/util'
import { blake2AsU8a } from '@polkadot/util-crypto'
import { type AccountSigner, fromHex, toHex } from '../../crypto/index.js'
import { type BlockHash, type BlockRef, type Hex, messageOf, SlotmeshError } from '../../domain/index.js'
import type { RuntimeVersion } from '../connection/rpc.js'
import { type EventFilter, EventRecords } from './event-records.js'
import { eventFields, type Plain, type PlainFields, plain } from './plain.js'
import { Skipper } from './skipper.js'

/** How long a transaction may wait for a block, in blocks; a power of two. */
const LIFE_OF_TRANSACTION = 64

/** The extrinsic format that every runtime takes to date. */
const EXTRINSIC_VERSION = 4

/** Longer payloads are hashed before they are signed. */
const LONGEST_SIGNED_PAYLOAD = 256

/** Marks the 64 bytes that follow as an sr25519 signature (`MultiSignature`). */
const SR25519 = 1

/** A call by the names of its pallet and itself, in camelCase or as the metadata has them. */
export interface ChainCall {
  readonly pallet: string
  readonly method: string
  /** Plain data that fits the arguments' types; calls again for batches and committees, alone or in lists. */
  readonly args: readonly unknown[]
}

/** An event as it stands in a block. */
export interface ChainEvent {
  /** In whose course it was emitted: an extrinsic's position in the block, or `initialization` or `finalization`. */
  readonly phase: number | string
  /** In camelCase. */
  readonly pallet: string
  readonly name: string
  readonly data: PlainFields
}

/** A transaction as it is submitted. */
export interface SignedTransaction {
  readonly bytes: Hex
  /** The first block that can hold it comes after this one. */
  readonly birth: BlockRef
  /** The last block that can hold it. */
  readonly lastBlock: number
}

/** Bytes before the key itself in the last part of a storage key; other hashers do not keep the key. */
const HASHES: Readonly<Record<string, number>> = { Blake2_128Concat: 16, Twox64Concat: 8, Identity: 0 }

type Flags<Name extends string> = Record<Name, boolean>

/** An entry of storage, by its metadata: how it is filed and what it holds. */
export class StorageItem {
  readonly name: string
  readonly #entry: StorageEntry
  readonly #registry: TypeRegistry
  readonly #type: string

  constructor(name: string, entry: StorageEntry, registry: TypeRegistry) {
    this.name = name
    this.#entry = entry
    this.#registry = registry
    this.#type = unwrapStorageType(registry, entry.meta.type)
  }

  key(...keys: unknown[]): Hex {
    return new StorageKey(this.#registry, [this.#entry, keys]).toHex()
  }

  /** What the keys of all its entries begin with. */
  get prefix(): Hex {
    return toHex(this.#entry.keyPrefix())
  }

  /** Reads the map's key off an entry's key. @throws Error when it does not fit the metadata. */
  keyOf(key: Hex): Plain {
    const [argument] = new StorageKey(this.#registry, key).setMeta(this.#entry.meta).args
    if (argument === undefined) throw new Error('its key does not fit the metadata')
    return plain(argument)
  }

  /** @throws Error when the value does not fit the metadata. */
  decode(value: Hex): Codec {
    return decodeExactly(this.#registry, this.#type, fromHex(value))
  }

  /**
   * As `keyOf`, for a map whose key is a `u32`, in a fraction of the time.
   * @throws Error at once when it is no such map, and from the reader when a key does not fit.
   */
  keyReader(): (key: Hex) => number {
    const { type } = this.#entry.meta
    const [hasher, ...others] = type.isMap ? type.asMap.hashers : []
    const hash = hasher === undefined || others.length > 0 ? undefined : HASHES[hasher.type]
    if (hash === undefined || this.#registry.lookup.getTypeDef(type.asMap.key).type !== 'u32') {
      throw new Error('its keys are not of one u32')
    }
    const offset = fromHex(this.prefix).length + hash
    return (key) => {
      const bytes = fromHex(key)
      if (bytes.length !== offset + 4) throw new Error('its key does not fit the metadata')
      return new DataView(bytes.buffer).getUint32(offset, true)
    }
  }

  /**
   * Reads fields that are yes or no without decoding the rest, in a fraction of the time.
   * @param path to the struct that has them, and `names` of them, in camelCase
   * @throws Error at once when there are no such fields, and from the reader when a value does not fit.
   */
  flagReader<Name extends string>(path: readonly string[], names: readonly Name[]): (value: Hex) => Flags<Name> {
    const skipper = new Skipper(this.#registry.lookup)
    const skip = skipper.skip(this.valueType)
    const struct = skipper.field(this.valueType, path)
    const fields = names.map((name) => {
      const { type, find } = skipper.field(struct.type, [name])
      if (this.#registry.lookup.getTypeDef(type).type !== 'bool') throw new Error(`its field ${name} is no bool`)
      return { name, find }
    })
    return (value) => {
      const bytes = fromHex(value)
      if (skip(bytes, 0) !== bytes.length) throw new Error(`its ${bytes.length} bytes are more than its type has`)
      const begin = struct.find(bytes, 0)
      const flags: Partial<Flags<Name>> = {}
      for (const { name, find } of fields) flags[name] = flagAt(bytes, find(bytes, begin))
      // Each name was given its flag just now.
      return flags as Flags<Name>
    }
  }

  /** The type of what it holds, by its number in the metadata. */
  get valueType(): number {
    const { type } = this.#entry.meta
    return (type.isPlain ? type.asPlain : type.asMap.value).toNumber()
  }

  /** A value of its type with nothing in it, which shows the type's shape. */
  empty(): Plain {
    return plain(this.#registry.createTypeUnsafe(this.#type, []))
  }
}

function flagAt(bytes: Uint8Array, offset: number): boolean {
  const byte = bytes[offset]
  if (byte === 0 || byte === 1) return byte === 1
  throw new Error(`its byte ${offset} is no bool`)
}

/** One version of the chain's runtime: everything that its metadata decides. */
export class Runtime {
  readonly version: RuntimeVersion
  readonly #registry = new TypeRegistry()
  readonly #metadata: Metadata
  readonly #decorated: ReturnType<typeof expandMetadata>
  #records: EventRecords | undefined
  #eventsKey: Hex | undefined

  /** @throws Error when the bytes are no metadata that `@polkadot/types` knows. */
  constructor(metadataBytes: Hex, version: RuntimeVersion) {
    this.version = version
    this.#metadata = new Metadata(this.#registry, metadataBytes)
    this.#registry.setMetadata(this.#metadata, undefined, undefined, true)
    this.#decorated = expandMetadata(this.#registry, this.#metadata)
  }

  /** The names of an event's fields; undefined when there is no such event. */
  eventFields(pallet: string, event: string): string[] | undefined {
    const meta = this.#decorated.events[stringCamelCase(pallet)]?.[event]?.meta
    return meta?.fields.map(({ name }) => name.unwrapOr('').toString())
  }

  /** The names of a call's arguments; undefined when there is no such call. */
  callArguments(pallet: string, method: string): string[] | undefined {
    const call = this.#decorated.tx[stringCamelCase(pallet)]?.[stringCamelCase(method)]
    return call?.meta.args.map(({ name }) => name.toString())
  }

  hasStorage(pallet: string, item: string): boolean {
    return this.#decorated.query[stringCamelCase(pallet)]?.[stringCamelCase(item)] !== undefined
  }

  /** @throws SlotmeshError `chain/unsupported`. */
  storage(pallet: string, item: string): StorageItem {
    const entry = this.#decorated.query[stringCamelCase(pallet)]?.[stringCamelCase(item)]
    if (entry !== undefined) return new StorageItem(`${pallet}.${item}`, entry, this.#registry)
    throw new SlotmeshError('chain/unsupported', `The chain has no storage ${pallet}.${item}; use another chain.`)
  }

  /** Where the events of a block are filed. */
  get eventsKey(): Hex {
    this.#eventsKey ??= this.storage('System', 'Events').key()
    return this.#eventsKey
  }

  /** The events of a block. @throws Error when they do not fit the metadata. */
  events(records: Hex): ChainEvent[] {
    // What the entry holds is a list of event records in every runtime; `decode` has checked that it fits.
    return [...(this.storage('System', 'Events').decode(records) as Vec<EventRecord>)].map(eventOf)
  }

  /**
   * Those of the events of a block that `filter` picks, which is to be the same function each time.
   * @throws Error when they do not fit the metadata, and as `EventRecords.find`.
   */
  eventsAmong(records: Hex, filter: EventFilter): ChainEvent[] {
    this.#records ??= new EventRecords(this.#metadata, this.storage('System', 'Events').valueType)
    const { type } = this.#records
    return this.#records.find(fromHex(records), filter).map((record) => {
      const decoded = decodeExactly(this.#registry, this.#registry.createLookupType(type), record)
      return eventOf(decoded as EventRecord)
    })
  }

  /** The name of what `System.ExtrinsicFailed` and its like report. */
  errorName(dispatchError: Plain): string {
    const [[kind, inner] = ['', null]] = entries(dispatchError)
    if (kind === 'Module') {
      const { index, error } = Object.fromEntries(entries(inner))
      const bytes = typeof error === 'string' ? fromHex(error) : [Number(error)]
      return this.#registry.findMetaError(Uint8Array.of(Number(index), ...bytes)).name
    }
    if (typeof dispatchError === 'string') return dispatchError
    return typeof inner === 'string' ? `${kind}.${inner}` : kind
  }

  /**
   * @param birth a finalised block; the transaction can be included in the blocks after it, for a time
   * @throws SlotmeshError `chain/unknown-call`, `chain/bad-argument`.
   */
  sign(
    signer: AccountSigner,
    call: ChainCall,
    { nonce, birth, genesisHash }: { nonce: number; birth: BlockRef; genesisHash: BlockHash },
  ): SignedTransaction {
    const method = this.#call(call)
    const era = this.#registry.createTypeUnsafe<MortalEra>('MortalEra', [
      { current: birth.number, period: LIFE_OF_TRANSACTION },
    ])
    const { specVersion, transactionVersion } = this.version
    const values = {
      method: method.toHex(),
      era: this.#registry.createTypeUnsafe('ExtrinsicEra', [{ MortalEra: era.toU8a() }]).toHex(),
      nonce,
      tip: 0,
      genesisHash,
      blockHash: birth.hash,
      specVersion,
      transactionVersion,
    }
    const payload = this.#registry
      .createTypeUnsafe<GenericExtrinsicPayload>('ExtrinsicPayload', [values, { version: EXTRINSIC_VERSION }])
      .toU8a({ method: true })
    const signature = signer.sign(payload.length > LONGEST_SIGNED_PAYLOAD ? blake2AsU8a(payload) : payload)
    const extrinsic = this.#registry.createTypeUnsafe<GenericExtrinsic>('Extrinsic', [
      { method },
      { version: EXTRINSIC_VERSION },
    ])
    extrinsic.addSignature(signer.account, Uint8Array.of(SR25519, ...signature), values)
    return { bytes: extrinsic.toHex(), birth, lastBlock: era.death(birth.number) - 1 }
  }

  #call(call: ChainCall): GenericCall {
    const name = `${call.pallet}.${call.method}`
    const make = this.#decorated.tx[stringCamelCase(call.pallet)]?.[stringCamelCase(call.method)]
    if (make === undefined) {
      throw new SlotmeshError('chain/unknown-call', `The chain has no call ${name}; use another chain.`)
    }
    const args = call.args.map((argument) => this.#argument(argument))
    try {
      return make(...args)
    } catch (cause) {
      throw new SlotmeshError('chain/bad-argument', `The arguments do not fit ${name}: ${messageOf(cause)}.`, { cause })
    }
  }

  #argument(argument: unknown): unknown {
    if (Array.isArray(argument)) return argument.map((item: unknown) => this.#argument(item))
    return isCall(argument) ? this.#call(argument) : argument
  }
}

/** @throws Error when the bytes are not those of one value of the type, to the last. */
function decodeExactly(registry: TypeRegistry, type: string, bytes: Uint8Array): Codec {
  const codec = registry.createTypeUnsafe(type, [bytes])
  if (codec.encodedLength === bytes.length) return codec
  throw new Error(`its ${bytes.length} bytes are not the ${codec.encodedLength} of its type`)
}

function eventOf({ phase, event }: EventRecord): ChainEvent {
  const position = phase.isApplyExtrinsic ? phase.asApplyExtrinsic.toNumber() : phase.type.toLowerCase()
  return { phase: position, pallet: event.section, name: event.method, data: eventFields(event) }
}

function isCall(argument: unknown): argument is ChainCall {
  if (typeof argument !== 'object' || argument === null) return false
  return 'pallet' in argument && 'method' in argument && 'args' in argument && Array.isArray(argument.args)
}

function entries(value: Plain): [string, Plain][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

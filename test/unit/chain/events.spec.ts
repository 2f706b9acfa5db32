import assert from 'node:assert/strict'
import type { Metadata, Vec } from '@polkadot/types'
import type { EventRecord } from '@polkadot/types/interfaces'
import fc from 'fast-check'
import { readEvents } from '../../../src/chain/blocks/events.js'
import { EventRecords } from '../../../src/chain/runtime/event-records.js'
import { toHex } from '../../../src/crypto/index.js'
import { developmentMetadata } from '../../../src/devchain/metadata/index.js'
import { registryOf, runtimeOf } from './runtime.js'

const runtime = runtimeOf(2)
const { registry, metadata, types } = registryOf(developmentMetadata(2))
const eventsType = metadata.asLatest.pallets
  .find(({ name }) => name.eq('System'))
  ?.storage.unwrap()
  .items.find(({ name }) => name.eq('Events'))?.type.asPlain

/** An event by its names, with fields that are all `filler` bytes. */
function event(pallet: string, name: string, phase = 1, filler = 7): number[] {
  const { index, events } = metadata.asLatest.pallets.find((each) => each.name.eq(pallet)) ?? {}
  const type = events?.unwrap().type
  const variant = type && types.getSiType(type).def.asVariant.variants.find((each) => each.name.eq(name))
  assert.ok(index !== undefined && variant !== undefined, `${pallet}.${name}`)
  const fields = variant.fields.flatMap(({ type: field }) => {
    const empty = registry.createTypeUnsafe(registry.createLookupType(field), []).toU8a()
    return [...(/^(u32|AccountId32|H256)$/.test(types.getTypeDef(field).type) ? empty.fill(filler) : empty)]
  })
  return [0, phase, 0, 0, 0, index.toNumber(), variant.index.toNumber(), ...fields, 0]
}

const listOf = (...records: number[][]) =>
  toHex(Uint8Array.from([...registry.createType('Compact<u32>', records.length).toU8a(), ...records.flat()]))

const read = (...records: number[][]) => readEvents(runtime, 9, listOf(...records))
const account = `0x${'07'.repeat(32)}`
const nftId = 0x07070707

describe('the events of a block', () => {
  it('are read where they matter, in order, among any others', () => {
    const noise = event('System', 'Remarked')
    const found = read(
      event('System', 'ExtrinsicSuccess', 0),
      event('NFT', 'ShardAdded'),
      noise,
      event('NFT', 'SecretNFTSynced'),
      event('NFT', 'CapsuleShardAdded', 2),
      event('NFT', 'CapsuleSynced', 2),
      noise,
      event('NFT', 'NFTBurned', 3),
      event('NFT', 'CapsuleReverted', 3),
      event('NFT', 'CapsuleKeyUpdateNotified', 3),
      event('TEE', 'EnclaveAssigned', 4),
      event('TEE', 'EnclaveUpdated', 4),
      event('TEE', 'EnclaveRemoved', 4),
      event('TEE', 'ClusterAdded', 4),
      event('TEE', 'ClusterUpdated', 4),
      event('TEE', 'ClusterRemoved', 4),
      event('TEE', 'MovedForUnregistration', 4),
    )
    const registryChange = (change: object) => ({ type: 'registry', phase: 4, change })
    assert.deepEqual(found, [
      { type: 'confirmed', kind: 'secret', phase: 1, nftId, enclave: account },
      { type: 'synced', kind: 'secret', phase: 1, nftId },
      { type: 'confirmed', kind: 'capsule', phase: 2, nftId, enclave: account },
      { type: 'synced', kind: 'capsule', phase: 2, nftId },
      { type: 'removed', kind: 'secret', phase: 3, nftId },
      { type: 'removed', kind: 'capsule', phase: 3, nftId },
      { type: 'removed', kind: 'capsule', phase: 3, nftId },
      { type: 'key-update', kind: 'capsule', phase: 3, nftId },
      registryChange({ type: 'enclave-assigned', operator: account, cluster: nftId }),
      registryChange({ type: 'enclave-updated', operator: account, account }),
      registryChange({ type: 'enclave-removed', operator: account }),
      registryChange({ type: 'cluster-added', cluster: nftId }),
      registryChange({ type: 'cluster-updated', cluster: nftId }),
      registryChange({ type: 'cluster-removed', cluster: nftId }),
      registryChange({ type: 'other', event: 'MovedForUnregistration' }),
    ])
  })

  it('are not taken for those that their data look like', () => {
    // Two bytes of an account that are the indices of NFT.SecretNFTSynced.
    const lookalike = event('System', 'Remarked')
    lookalike.splice(12, 2, ...event('NFT', 'SecretNFTSynced').slice(5, 7))
    assert.deepEqual(read(lookalike), [])
  })

  it('are the same as @polkadot/types reads, for all events of all pallets', () => {
    const all = metadata.asLatest.pallets.flatMap(({ name, events }) =>
      events.isNone
        ? []
        : types
            .getSiType(events.unwrap().type)
            .def.asVariant.variants.map((each) => event(name.toString(), each.name.toString())),
    )
    assert.ok(eventsType !== undefined)
    const list = listOf(...all)
    const decoded = registry.createTypeUnsafe<Vec<EventRecord>>(registry.createLookupType(eventsType), [list])
    const picked = runtime.eventsAmong(list, everything)
    assert.deepEqual(
      picked.map(({ pallet, name }) => `${pallet}.${name}`),
      decoded.map((record) => `${record.event.section}.${record.event.method}`),
    )
    assert.deepEqual(picked, runtime.events(list))
  })

  it('that are cut short, continued or wrongly counted are refused, whether any of them matters or not', () => {
    const unreadable = { code: 'chain/unreadable-block', message: /^Block 9 .*System\.Events/ }
    for (const record of [event('NFT', 'NFTBurned'), event('System', 'Remarked')]) {
      const whole = listOf(record, record)
      assert.throws(() => readEvents(runtime, 9, `0x${whole.slice(2, -2)}`), unreadable)
      assert.throws(() => readEvents(runtime, 9, `${whole}00`), unreadable)
      assert.throws(() => readEvents(runtime, 9, `0x0c${whole.slice(4)}`), unreadable)
      assert.throws(() => readEvents(runtime, 9, `0x04${whole.slice(4)}`), unreadable)
    }
  })

  it('in random bytes are found or refused in one way only, and soon', function () {
    this.timeout(20_000)
    const records = fc.constantFrom(
      event('NFT', 'ShardAdded'),
      event('TEE', 'EnclaveUpdated'),
      event('System', 'Remarked'),
    )
    const damaged = fc
      .tuple(fc.array(records, { maxLength: 20 }), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }))
      .map(([list, damages]) => {
        const bytes = Buffer.from(listOf(...list).slice(2), 'hex')
        for (const [at, value] of damages) bytes[at % bytes.length] = value
        return new Uint8Array(bytes)
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 500 }), damaged), (bytes) => {
        try {
          readEvents(runtime, 9, toHex(bytes))
        } catch (thrown) {
          assert.equal(thrown instanceof Error && 'code' in thrown && thrown.code, 'chain/unreadable-block')
        }
      }),
      { numRuns: 3_000 },
    )
  })

  it('are not counted for ever where the metadata says that a record takes no bytes', () => {
    const number = (value: number) => ({ toNumber: () => value })
    const types = [
      { isSequence: true, asSequence: { type: number(1) } },
      { isComposite: true, asComposite: { fields: [{ name: { unwrapOr: () => 'event' }, type: number(2) }] } },
      { isTuple: true, asTuple: [] },
    ]
    const lookup = { getSiType: (id: number) => ({ def: types[id] }) }
    const records = new EventRecords({ asLatest: { lookup, pallets: [] } } as unknown as Metadata, 0)
    const list = Uint8Array.of(0x13, ...new Uint8Array(8).fill(0xff))
    assert.throws(() => records.find(list, () => true), /record takes no bytes/)
  })
})

function everything(): boolean {
  return true
}

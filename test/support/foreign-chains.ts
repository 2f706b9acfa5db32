import assert from 'node:assert/strict'
import polkadot from '@polkadot/types-support/metadata/v14/polkadot-hex'
import substrate from '@polkadot/types-support/metadata/v14/substrate-hex'
import { splicedMetadata } from './foreign-metadata.js'
import type { MetadataParts } from './metadata.js'

/** More flags in the state of an NFT, its data in another order, and an update of an enclave that may leave things out. */
function likeLaterPallets({ lookup }: MetadataParts): void {
  const fieldsOf = (name: string) =>
    lookup.types.find(({ type }) => type.path.at(-1) === name)?.type.def.composite?.fields ?? []
  const flags = fieldsOf('NFTState')
  const [flag] = flags
  assert.ok(flag !== undefined)
  flags.unshift({ ...flag, name: 'is_frozen' })
  flags.push({ ...flag, name: 'is_new' })
  fieldsOf('NFTData').reverse()
  fieldsOf('Cluster').reverse()
  const variant = (path: string, name: string) =>
    lookup.types
      .find(({ type }) => type.path.join('::') === path)
      ?.type.def.variant?.variants.find((each) => each.name === name)
  const [, recipient] = variant('pallet_nft::pallet::Event', 'NFTDelegated')?.fields ?? []
  const [, address] = variant('pallet_tee::pallet::Call', 'force_update_enclave')?.fields ?? []
  assert.ok(recipient !== undefined && address !== undefined)
  address.type = recipient.type
}

/** Real chains' metadata, with the NFT and TEE pallets among their own. */
export const FOREIGN_CHAINS: Readonly<Record<string, { generation: 1 | 2; metadata: () => Uint8Array }>> = {
  'a Substrate node': {
    generation: 2,
    metadata: () => splicedMetadata(substrate, { pallets: { NFT: 129, TEE: 134 }, before: likeLaterPallets }),
  },
  'a relay chain of an older kind': {
    generation: 1,
    metadata: () =>
      splicedMetadata(polkadot, {
        pallets: { TEE: 12, TechnicalCommittee: 16, NFT: 110 },
        generation: 1,
        after: (foreign) => {
          // Weights of one number, and events whose fields have no names.
          Object.assign(foreign.type('weight_v2::Weight'), { path: [], def: { primitive: 'U64' } })
          for (const { name, fields } of foreign.type('frame_system::pallet::Event').def.variant?.variants ?? []) {
            if (name === 'ExtrinsicSuccess') for (const field of fields) field.name = null
          }
          // Texts are bounded in the pallets of a real chain.
          const data = foreign.type('NFTData').def.composite?.fields.find(({ name }) => name === 'offchain_data')
          assert.ok(data !== undefined)
          data.type = foreign.add({
            path: ['bounded_collections', 'bounded_vec', 'BoundedVec'],
            params: [],
            def: { composite: { fields: [{ name: null, type: data.type }] } },
          })
        },
      }),
  },
}

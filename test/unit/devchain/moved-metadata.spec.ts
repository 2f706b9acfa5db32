import assert from 'node:assert/strict'
import { Metadata, TypeRegistry } from '@polkadot/types'
import { developmentMetadata, movedMetadata } from '../../../src/devchain/metadata/index.js'

function indices(metadata: Uint8Array): Map<string, number> {
  const { pallets } = new Metadata(new TypeRegistry(), metadata).asLatest
  return new Map(pallets.map(({ name, index }) => [name.toString(), index.toNumber()]))
}

describe('the metadata of a later runtime', () => {
  it('has the same pallets under other indices, System in its place', () => {
    const [before, after] = [indices(developmentMetadata(2)), indices(movedMetadata(2, 20))]
    assert.deepEqual([...after.keys()], [...before.keys()])
    for (const [name, index] of before) assert.equal(after.get(name), name === 'System' ? index : index + 20, name)
  })
})

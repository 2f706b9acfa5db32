import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type ShareKey, shareKeyText, U32_MAX } from '../../../src/domain/index.js'
import { ShareSet } from '../../../src/inventory/share-set.js'
import { numberOf } from '../../../src/inventory/trie.js'

const KEY: fc.Arbitrary<ShareKey> = fc.record({
  kind: fc.constantFrom('secret' as const, 'capsule' as const),
  nftId: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 4_080, max: 4_110 }), fc.nat(U32_MAX)),
})

describe('a set of very many shares', () => {
  it('has those that were added, and no others', () => {
    fc.assert(
      fc.property(fc.array(KEY), fc.array(KEY), (added, others) => {
        const set = new ShareSet()
        const texts = new Set(added.map(shareKeyText))
        for (const key of added) set.add(key)
        for (const key of [...added, ...others]) assert.equal(set.has(key), texts.has(shareKeyText(key)))
      }),
    )
  })

  it('says what it has in order, each once', () => {
    fc.assert(
      fc.property(fc.array(KEY), (added) => {
        const set = new ShareSet()
        for (const key of added) set.add(key)
        const numbers = [...new Set(added.map(numberOf))].sort((one, other) => one - other)
        assert.deepEqual([...set.keys()].map(numberOf), numbers)
      }),
    )
  })

  it('keeps both ends of the ids apart, and the kinds', () => {
    const set = new ShareSet()
    set.add({ kind: 'secret', nftId: 0 })
    set.add({ kind: 'capsule', nftId: U32_MAX })
    assert.equal(set.has({ kind: 'secret', nftId: 0 }), true)
    assert.equal(set.has({ kind: 'capsule', nftId: 0 }), false)
    assert.equal(set.has({ kind: 'capsule', nftId: U32_MAX }), true)
    assert.equal(set.has({ kind: 'secret', nftId: U32_MAX }), false)
  })
})

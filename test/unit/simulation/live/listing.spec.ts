import assert from 'node:assert/strict'
import type { Trigger } from '../../../../src/domain/index.js'
import { Listing } from '../../../../src/simulation/live/listing.js'

const secret = { kind: 'secret', nftId: 3 } as const
const capsule = { kind: 'capsule', nftId: 3 } as const

function listingAfter(...blocks: Trigger[][]): Listing {
  const listing = new Listing()
  for (const [index, triggers] of blocks.entries()) {
    listing.takeIn({ block: { number: index + 1, hash: `0x${'00'.repeat(32)}` }, triggers, registryChanges: [] })
  }
  return listing
}

describe('what the chain lists, block by block', () => {
  it('counts what is synced and not removed, after each block', () => {
    const listing = listingAfter(
      [],
      [{ type: 'synced', ...secret, cluster: 1 }],
      [{ type: 'synced', ...capsule, cluster: 2 }],
      [
        { type: 'removed', ...secret },
        { type: 'removed', ...capsule },
      ],
    )
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((block) => listing.countsAt(block)),
      [
        { secret: 0, capsule: 0 },
        { secret: 1, capsule: 0 },
        { secret: 1, capsule: 1 },
        { secret: 0, capsule: 0 },
        undefined,
      ],
    )
    assert.deepEqual([listing.size, listing.block], [0, 4])
  })

  it('knows the newest version of a share, and counts it once', () => {
    const listing = listingAfter(
      [{ type: 'synced', ...capsule, cluster: 1 }],
      [{ type: 'key-update', ...capsule }],
      [{ type: 'synced', ...capsule, cluster: 2 }],
    )
    assert.deepEqual(listing.of(capsule), { key: capsule, origin: 2, version: 3 })
    assert.deepEqual(listing.countsAt(3), { secret: 0, capsule: 1 })
    assert.equal(listing.of(secret), undefined)
  })
})

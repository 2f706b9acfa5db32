import assert from 'node:assert/strict'
import { missedVersion } from '../../../src/store/missed.js'
import { IDENTITY, PENDING, PLACES, type Table, WANTS } from '../../../src/store/records.js'
import type { Reads } from '../../../src/store/transaction.js'

const KEY = { kind: 'capsule', nftId: 7 } as const
const PAYLOAD = Uint8Array.of(1, 2, 3)

/** What is pending since block 10, of which the own cluster has synced a version in block 50. */
function readsWith(held: { readonly version: number } | undefined): Reads {
  const records = new Map<unknown, unknown>([
    [PENDING, { payload: Uint8Array.from(PAYLOAD), after: 10, isDoubtful: true, confirmed: true }],
    [IDENTITY, { seat: { cluster: 1, slot: 2 } }],
    [WANTS, { minimumVersion: 50, asOf: 50, origin: 1, since: 0 }],
    [PLACES, held],
  ])
  const get = async <Key, Value>(table: Table<Key, Value>) => records.get(table) as Value | undefined
  return { get, getMany: () => assert.fail() }
}

describe('a share that is pending though its round is over', () => {
  it('is of the round that the own cluster has ended since', async () => {
    assert.equal(await missedVersion(readsWith(undefined), KEY, PAYLOAD), 50)
    assert.equal(await missedVersion(readsWith({ version: 9 }), KEY, PAYLOAD), 50)
    assert.equal(await missedVersion(readsWith(undefined), KEY, Uint8Array.of(1, 2, 4)), undefined)
  })

  it('is of an earlier round when a version was synced in between: the host may have brought it back', async () => {
    assert.equal(await missedVersion(readsWith({ version: 11 }), KEY, PAYLOAD), undefined)
  })
})

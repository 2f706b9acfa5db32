import assert from 'node:assert/strict'
import type { RelevantEvent } from '../../../src/chain/blocks/events.js'
import { triggersOf } from '../../../src/chain/blocks/triggers.js'
import { type AccountId, Registry } from '../../../src/domain/index.js'

const enclave = (cluster: number): AccountId => `0x${`e${cluster}`.repeat(32)}`
const operator = (cluster: number): AccountId => `0x${`a${cluster}`.repeat(32)}`

/** A registry in which each of these clusters has its one enclave, and `moved` sits elsewhere. */
function registry(clusters: readonly number[], moved: Readonly<Record<number, number>> = {}): Registry {
  return new Registry(
    clusters.map((cluster) => {
      const id = moved[cluster] ?? cluster
      const seat = { account: enclave(cluster), operator: operator(cluster), cluster: id, slot: 0, apiUri: '' }
      return { id, type: 'public', seats: [seat] }
    }),
  )
}

type Kind = 'secret' | 'capsule'
const confirmed = (phase: number, kind: Kind, nftId: number, cluster: number): RelevantEvent => ({
  type: 'confirmed',
  phase,
  kind,
  nftId,
  enclave: enclave(cluster),
})
const synced = (phase: number, kind: Kind, nftId: number): RelevantEvent => ({ type: 'synced', phase, kind, nftId })
const registryEvent = (phase: number, seated?: AccountId, cluster = 0): RelevantEvent => ({
  type: 'registry',
  phase,
  change:
    seated === undefined
      ? { type: 'other', event: 'SomethingNew' }
      : { type: 'enclave-assigned', operator: seated, cluster },
})

const triggers = (events: RelevantEvent[], after = registry([0, 1]), before = after) =>
  triggersOf(7, events, { after: async () => after, before: async () => before })

const origins = async (...of: Parameters<typeof triggers>) =>
  (await triggers(...of)).map((trigger) => {
    assert(trigger.type === 'synced')
    return `${trigger.kind}/${trigger.nftId} from ${trigger.cluster}`
  })

describe('triggers of a block', () => {
  it('pairs each synced NFT of an extrinsic with its own confirmation', async () => {
    const events = [confirmed(1, 'secret', 5, 0), confirmed(1, 'secret', 6, 1), synced(1, 'secret', 5)]
    assert.deepEqual(await origins([...events, synced(1, 'secret', 6)]), ['secret/5 from 0', 'secret/6 from 1'])
  })

  it('pairs NFTs whose confirmations are interleaved, of several extrinsics', async () => {
    const events = [
      confirmed(1, 'secret', 5, 0),
      confirmed(1, 'secret', 6, 1),
      confirmed(1, 'capsule', 6, 0),
      synced(1, 'secret', 6),
      confirmed(2, 'secret', 5, 1),
      synced(1, 'capsule', 6),
      synced(1, 'secret', 5),
      synced(2, 'secret', 5),
    ]
    assert.deepEqual(await origins(events), [
      'secret/6 from 1',
      'capsule/6 from 0',
      'secret/5 from 0',
      'secret/5 from 1',
    ])
  })

  it('keeps the secret and the capsule of one NFT apart', async () => {
    const events = [confirmed(1, 'secret', 5, 0), confirmed(1, 'capsule', 5, 1)]
    assert.deepEqual(await origins([...events, synced(1, 'secret', 5), synced(1, 'capsule', 5)]), [
      'secret/5 from 0',
      'capsule/5 from 1',
    ])
  })

  it('takes no confirmation of another extrinsic, and names what it cannot pair', async () => {
    await assert.rejects(triggers([confirmed(1, 'secret', 5, 0), synced(2, 'secret', 5)]), {
      code: 'chain/unreadable-block',
      message: /^Block 7 .*NFT\.SecretNFTSynced: NFT 5/,
    })
  })

  it('refuses a block in which the confirming enclave has no seat', async () => {
    await assert.rejects(triggers([confirmed(1, 'capsule', 5, 0), synced(1, 'capsule', 5)], registry([1])), {
      code: 'chain/unreadable-block',
      message: /NFT\.CapsuleSynced: NFT 5.*no seat/,
    })
  })

  it('knows the seat of an enclave that the same block removes afterwards', async () => {
    const events = [confirmed(1, 'secret', 5, 0), synced(1, 'secret', 5), registryEvent(2)]
    assert.deepEqual(await origins(events, registry([1]), registry([0, 1])), ['secret/5 from 0'])
  })

  it('takes the seat at the event when the same block gives another, before or after', async () => {
    const [after, before] = [registry([0, 1], { 0: 9 }), registry([0, 1])]
    const sync = [confirmed(2, 'secret', 5, 0), synced(2, 'secret', 5)]
    assert.deepEqual(await origins([...sync, registryEvent(3, operator(0), 9)], after, before), ['secret/5 from 0'])
    assert.deepEqual(await origins([registryEvent(1, operator(0), 9), ...sync], after, before), ['secret/5 from 9'])
    assert.deepEqual(await origins([registryEvent(1, operator(1)), ...sync], after, before), ['secret/5 from 0'])
  })

  it('knows the seat of an enclave that the same block seats', async () => {
    const events = [registryEvent(1, operator(0)), confirmed(2, 'secret', 5, 0), synced(2, 'secret', 5)]
    assert.deepEqual(await origins(events, registry([0, 1]), registry([1])), ['secret/5 from 0'])
  })

  it('takes the cluster of the assignment before it when the same block assigns the enclave twice', async () => {
    const assigned = (to: number) => registryEvent(1, operator(1), to)
    const events = [assigned(4), confirmed(2, 'secret', 5, 1), synced(2, 'secret', 5), assigned(6)]
    const at = (cluster: number) => registry([0, 1], { 1: cluster })
    assert.deepEqual(await origins(events, at(6), registry([0])), ['secret/5 from 4'])
    assert.deepEqual(await origins(events, at(6), at(1)), ['secret/5 from 4'])
  })

  it('knows an enclave account that the same block brings and replaces again', async () => {
    const updated = (account: AccountId): RelevantEvent => ({
      type: 'registry',
      phase: 1,
      change: { type: 'enclave-updated', operator: operator(1), account },
    })
    const events = [updated(enclave(9)), confirmed(2, 'secret', 5, 9), synced(2, 'secret', 5), updated(enclave(8))]
    assert.deepEqual(await origins(events), ['secret/5 from 1'])
  })

  it('keeps the order of what was synced and removed', async () => {
    const removed: RelevantEvent = { type: 'removed', phase: 2, kind: 'secret', nftId: 5 }
    const found = await triggers([confirmed(1, 'secret', 5, 0), synced(1, 'secret', 5), removed])
    assert.deepEqual(
      found.map(({ type }) => type),
      ['synced', 'removed'],
    )
  })
})

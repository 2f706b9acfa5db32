import { actor, made } from './tools.js'
import type { RefusalName, Token } from './wire.js'
import { blockHash, blockHashes, type Cluster, type ClusterType, type Outcome, requester, stranger } from './world.js'

const NOW = 100
const U32_MAX = 0xffff_ffff

/** Tokens, and what a receiver makes of them. */
export function tokenVectors() {
  const hashes: Record<string, Uint8Array> = {
    ...blockHashes(0, 2),
    ...blockHashes(79, 103),
    [U32_MAX - 20]: blockHash(U32_MAX - 20),
    [U32_MAX]: blockHash(U32_MAX),
  }
  const judged = (name: string, token: Partial<Token>, outcome: Outcome, now = NOW) => {
    const blockNumber = token.blockNumber ?? now
    return { name, now, token: { blockNumber, blockHash: blockHash(blockNumber), validity: 20, ...token }, outcome }
  }
  return {
    about:
      'Clause 4.2: tokens as a receiver judges them at its `now`. `blockHashes` are those of its chain. `outcome` is `accepted`, or the refusal.',
    blockHashes: hashes,
    cases: [
      judged('anchored at now', {}, 'accepted'),
      judged('no validity, anchored at now', { validity: 0 }, 'accepted'),
      judged('20 blocks old', { blockNumber: 80 }, 'accepted'),
      judged('21 blocks old', { blockNumber: 79 }, 'TOKEN_EXPIRED'),
      judged('no validity, one block old', { blockNumber: 99, validity: 0 }, 'TOKEN_EXPIRED'),
      judged('5 blocks old, valid for 5', { blockNumber: 95, validity: 5 }, 'accepted'),
      judged('6 blocks old, valid for 5', { blockNumber: 94, validity: 5 }, 'TOKEN_EXPIRED'),
      judged('one block ahead', { blockNumber: 101 }, 'accepted'),
      judged('two blocks ahead', { blockNumber: 102 }, 'accepted'),
      judged('three blocks ahead', { blockNumber: 103 }, 'TOKEN_IN_FUTURE'),
      judged(
        'one block ahead, of a hash that the receiver cannot know',
        { blockNumber: 101, blockHash: made('other') },
        'accepted',
      ),
      judged('anchored in another chain', { blockHash: made('another chain') }, 'UNKNOWN_CHAIN'),
      judged('old, anchored in another chain', { blockNumber: 90, blockHash: made('another chain') }, 'UNKNOWN_CHAIN'),
      judged('the hash of the block before', { blockHash: blockHash(99) }, 'UNKNOWN_CHAIN'),
      judged('valid for too long', { validity: 21 }, 'MALFORMED'),
      judged('valid for as long as can be', { validity: U32_MAX }, 'MALFORMED'),
      judged('valid for too long and ahead', { validity: 21, blockNumber: 103 }, 'MALFORMED'),
      judged('valid for too long and expired', { validity: 21, blockNumber: 2 }, 'MALFORMED'),
      judged('ahead, and anchored in another chain', { blockNumber: 103, blockHash: made('other') }, 'TOKEN_IN_FUTURE'),
      judged('expired, and anchored in another chain', { blockNumber: 79, blockHash: made('other') }, 'TOKEN_EXPIRED'),
      judged('a hash of 31 bytes', { blockHash: made('short', 31) }, 'MALFORMED'),
      judged('a hash of 33 bytes', { blockHash: made('long', 33) }, 'MALFORMED'),
      judged('no hash', { blockHash: new Uint8Array() }, 'MALFORMED'),
      judged('block 0 of a young chain', { blockNumber: 0 }, 'accepted', 1),
      judged('block 0, at block 0', { blockNumber: 0, validity: 0 }, 'accepted', 0),
      judged('the last block there can be: the sum does not wrap', { blockNumber: U32_MAX }, 'accepted', U32_MAX),
      judged('20 blocks before the last there can be', { blockNumber: U32_MAX - 20 }, 'accepted', U32_MAX),
      judged('the last block there can be, early', { blockNumber: U32_MAX }, 'TOKEN_IN_FUTURE'),
    ],
  }
}

/** Pairs of accounts, and whether they may exchange. */
export function registryVectors() {
  const other = actor('another enclave')
  const cluster = (id: number, type: ClusterType | null, ...seats: Cluster['seats']): Cluster => ({
    cluster: id,
    type,
    seats,
  })
  const at = (account: Uint8Array, slot: number) => ({ account, slot })
  const [a, b] = [requester.account, other.account]
  const judged = (name: string, registry: readonly Cluster[], outcome: Outcome) => ({ name, registry, outcome })
  const pair = (typeA: ClusterType | null, slotA: number, typeB: ClusterType | null, slotB: number) => [
    cluster(1, typeA, at(a, slotA)),
    cluster(2, typeB, at(b, slotB)),
  ]
  const notPublic: RefusalName = 'CLUSTER_NOT_PUBLIC'
  return {
    about:
      'Clause 1.2: whether `one` and `other` may exchange in a registry. `type` is null where the chain knows no cluster types. `outcome` is `accepted`, or the refusal; it is the same with the accounts exchanged.',
    one: a,
    other: b,
    cases: [
      judged('the same slot of two public clusters', pair('public', 3, 'public', 3), 'accepted'),
      judged('slot 0', pair('public', 0, 'public', 0), 'accepted'),
      judged('clusters without types', pair(null, 3, null, 3), 'accepted'),
      judged(
        'cluster ids 0 and 2^32 - 1',
        [cluster(0, 'public', at(a, 3)), cluster(U32_MAX, 'public', at(b, 3))],
        'accepted',
      ),
      judged('nobody has a seat', [], 'NOT_REGISTERED'),
      judged('one has no seat', [cluster(2, 'public', at(b, 3))], 'NOT_REGISTERED'),
      judged('the other has no seat', [cluster(1, 'public', at(a, 3))], 'NOT_REGISTERED'),
      judged('others have their seats', [cluster(1, 'public', at(stranger.account, 3))], 'NOT_REGISTERED'),
      judged('one cluster, two slots', [cluster(1, 'public', at(a, 3), at(b, 4))], 'SAME_CLUSTER'),
      judged('one cluster, one slot', [cluster(1, 'public', at(a, 3), at(b, 3))], 'SAME_CLUSTER'),
      judged('two slots', pair('public', 3, 'public', 4), 'WRONG_SLOT'),
      judged('a private cluster', pair('private', 3, 'public', 3), notPublic),
      judged('the other cluster private', pair('public', 3, 'private', 3), notPublic),
      judged('both clusters private', pair('private', 3, 'private', 3), notPublic),
      judged('an admin cluster', pair('public', 3, 'admin', 3), notPublic),
      judged('a disabled cluster', pair('disabled', 3, 'public', 3), notPublic),
      judged('no seat comes before a private cluster', [cluster(2, 'private', at(b, 3))], 'NOT_REGISTERED'),
      judged('the same cluster comes before two slots', [cluster(1, 'private', at(a, 3), at(b, 4))], 'SAME_CLUSTER'),
      judged('two slots come before a private cluster', pair('private', 3, 'private', 4), 'WRONG_SLOT'),
    ],
  }
}

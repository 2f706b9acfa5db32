import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { Neighbourhood } from '../../../src/mesh/neighbourhood.js'

async function peer(index: number): Promise<PeerId> {
  const seed = createHash('sha256').update(String(index)).digest()
  return peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', seed))
}

/** Leading bits in common of two places in the DHT. */
function sharedBits(one: PeerId, other: PeerId): number {
  const [a, b] = [one, other].map((peerId) =>
    BigInt(`0x${createHash('sha256').update(peerId.toMultihash().bytes).digest('hex')}`),
  )
  return 256 - ((a ?? 0n) ^ (b ?? 0n)).toString(2).length
}

describe('the neighbourhood in the DHT', () => {
  const size = 3
  let self: PeerId
  let peers: PeerId[]
  let neighbourhood: Neighbourhood

  before(async () => {
    const everyone = await Promise.all(Array.from({ length: 201 }, (_, index) => peer(index)))
    self = everyone[0] as PeerId
    peers = everyone.slice(1)
  })
  beforeEach(() => {
    neighbourhood = new Neighbourhood(self, size)
  })

  function admitAll(): PeerId[] {
    return peers.filter((candidate) => {
      const admitted = neighbourhood.admits(candidate, () => true)
      if (admitted) neighbourhood.add(candidate)
      return admitted
    })
  }

  it('takes so many of each half, quarter, eighth …, and all of the nearest', () => {
    const admitted = admitAll()
    for (let shared = 0; shared < 16; shared++) {
      const of = (some: PeerId[]) => some.filter((one) => sharedBits(self, one) === shared).length
      assert.equal(of(admitted), Math.min(size, of(peers)))
    }
    assert.ok(admitted.length > 2 * size && admitted.length < peers.length / 4)
  })

  it('admits its members always', () => {
    for (const member of admitAll()) assert.ok(neighbourhood.admits(member, () => true))
  })

  it('has room again when a member is removed or gone', () => {
    const [member] = admitAll()
    const turnedAway = peers.find(
      (one) => member && sharedBits(self, one) === sharedBits(self, member) && !neighbourhood.admits(one, () => true),
    )
    assert.ok(member && turnedAway)
    assert.ok(neighbourhood.admits(turnedAway, (one) => one !== member))
    neighbourhood.remove(member)
    assert.ok(neighbourhood.admits(turnedAway, () => true))
  })
})

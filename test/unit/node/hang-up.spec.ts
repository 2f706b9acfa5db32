import assert from 'node:assert/strict'
import { once } from 'node:events'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { silentLogger } from '../../../src/domain/index.js'
import { hangUp } from '../../../src/node/hang-up.js'

describe('hanging up on peers', () => {
  it('closes the connections of each, also when that fails or lasts with one before', async () => {
    const seeds = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
    const keys = await Promise.all(seeds.map((seed) => generateKeyPairFromSeed('Ed25519', seed)))
    const [failing, slow, last] = keys.map((key) => peerIdFromPrivateKey(key).toString())
    assert.ok(failing !== undefined && slow !== undefined && last !== undefined)
    const asked: string[] = []
    const lines: string[] = []
    const both = new AbortController()
    const lastAsked = once(both.signal, 'abort')
    const host = {
      hangUp: async (peer: { toString(): string }) => {
        asked.push(peer.toString())
        if (peer.toString() === failing) throw new Error('It cannot be closed.')
        if (peer.toString() === last) both.abort()
        if (peer.toString() === slow) await lastAsked
      },
    }
    await hangUp(host, ['no PeerId', failing, slow, last], {
      ...silentLogger,
      debug: (_, fields = {}) => lines.push(String(fields.reason)),
    })
    assert.deepEqual(asked, [failing, slow, last])
    assert.equal(lines.length, 2)
    assert.ok(lines.includes('It cannot be closed.'))
  })
})

import 'core-js/actual/promise/with-resolvers.js'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId, Stream, StreamHandler, Topology } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { lpStream, streamPair } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { accountSigner, toHex } from '../../../src/crypto/index.js'
import { type LogFields, Registry, systemClock } from '../../../src/domain/index.js'
import { HandOver } from '../../../src/mesh/hand-over.js'
import { KnownRecords } from '../../../src/mesh/known-records.js'
import { LIMITS } from '../../../src/mesh/limits.js'
import { type EnclaveRecord, signRecord } from '../../../src/mesh/record.js'

const genesisHash = toHex(randomBytes(32))
const seat = { cluster: 1, slot: 2 }
const ignore = () => undefined

describe('the hand-over of records', () => {
  const { account, sign } = accountSigner(randomBytes(32))
  let record: EnclaveRecord
  let own: Uint8Array | undefined
  let known: KnownRecords
  let handOver: HandOver
  let serve: StreamHandler
  let topology: Topology
  /** Why a record was not taken. */
  let dropped: Promise<LogFields | undefined>

  before(async () => {
    const multiaddrs = [multiaddr('/ip4/192.0.2.7/tcp/4001')]
    const content = { genesisHash, ...seat, multiaddrs, sequence: Date.now(), expiresAt: Date.now() + 60_000 }
    record = await signRecord(content, { account, sign }, await generateKeyPair('Ed25519'))
  })

  beforeEach(async () => {
    const registry = new Registry([
      { id: 1, type: 'public', seats: [{ account, operator: account, ...seat, apiUri: '' }] },
    ])
    known = new KnownRecords({
      genesisHash,
      registry: () => registry,
      clock: systemClock,
      onNews: async () => undefined,
    })
    own = record.bytes
    dropped = new Promise((resolve) => {
      handOver = new HandOver({
        libp2p: {
          handle: async (_protocol, handler) => {
            serve = handler
          },
          unhandle: async () => undefined,
          register: async (_protocol, registered) => {
            topology = registered
            return 'topology'
          },
          unregister: ignore,
        },
        known,
        own: () => own,
        logger: { debug: (_message, fields) => resolve(fields), info: ignore, warn: ignore, error: ignore },
      })
    })
    await handOver.start()
  })
  afterEach(() => handOver.stop())

  /** Connects to a peer, and returns the stream on which that peer answers. */
  async function connect(peer: PeerId): Promise<Stream> {
    const [mine, theirs] = await streamPair()
    const connection = { remotePeer: peer, newStream: async () => mine } as unknown as Connection
    topology.onConnect?.(peer, connection)
    return theirs
  }

  it('makes those who connect known to each other', async () => {
    const theirs = await connect(record.peerId)
    const news = once(known.news, account)
    await serve(theirs, { remotePeer: record.peerId } as unknown as Connection)
    await news
    assert.deepEqual(known.current(account)?.record.bytes, record.bytes)
  })

  it('is empty for one who has no record yet', async () => {
    own = undefined
    const [mine, theirs] = await streamPair()
    await serve(theirs, { remotePeer: record.peerId } as unknown as Connection)
    assert.equal((await lpStream(mine).read()).byteLength, 0)
  })

  it('drops the record of another peer', async () => {
    const theirs = await connect(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))
    await serve(theirs, { remotePeer: record.peerId } as unknown as Connection)
    assert.match(String((await dropped)?.reason), /names another PeerId/)
    assert.equal(known.current(account), undefined)
  })

  for (const [what, bytes] of [
    ['a length over the limit', Uint8Array.of(0x81, 0x10)],
    ['a length prefix without end', new Uint8Array(100).fill(0xff)],
    ['nonsense', Uint8Array.of(3, 1, 2, 3)],
  ] as const) {
    it(`is given up at ${what}`, async () => {
      assert.equal(LIMITS.record.bytes, 0x800)
      const theirs = await connect(record.peerId)
      theirs.send(bytes)
      await dropped
      assert.equal(known.current(account), undefined)
    })
  }

  it('ends with the host', async () => {
    const theirs = await connect(record.peerId)
    const closed = once(theirs, 'close')
    await handOver.stop()
    await closed
  })
})

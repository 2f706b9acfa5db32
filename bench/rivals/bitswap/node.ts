// As in src/mesh/host.ts.
import 'core-js/actual/promise/with-resolvers.js'
import { Readable } from 'node:stream'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type Bitswap, createBitswap } from '@helia/bitswap'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { LevelBlockstore } from 'blockstore-level'
import { createLibp2p } from 'libp2p'
import { temporaryFolder } from '../../harness/folder.js'

export interface BitswapNode {
  readonly host: Libp2p
  readonly bitswap: Bitswap
  readonly blockstore: LevelBlockstore
  readonly folder: string
}

/** Of two nodes that know each other: who has a block is never looked up. */
export async function bitswapNode(): Promise<BitswapNode> {
  const folder = await temporaryFolder()
  const blockstore = new LevelBlockstore(folder)
  await blockstore.open()
  const host = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  })
  const routing = { findProviders: () => Readable.from([]) }
  const bitswap = createBitswap({ libp2p: host, blockstore, routing, logger: host.logger })
  await bitswap.start()
  return { host, bitswap, blockstore, folder }
}

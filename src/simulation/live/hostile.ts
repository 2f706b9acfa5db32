import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { harass } from '../hostility.js'
import type { World } from './world.js'

/** PeerIds from which each enclave is beset. */
const HOSTS = 2

/**
 * Peers whom nobody knows beset one enclave of every cluster for so long.
 * @param turn how many times there was such a thing before.
 * @returns how many streams they were given.
 */
export async function besetByStrangers(
  world: World,
  lasts: number,
  turn: number,
  signal: AbortSignal,
): Promise<number> {
  const targets = await world.entryPoints()
  const hosts = await Promise.all(Array.from({ length: HOSTS }, (_, index) => start(world, `${turn}/${index}`)))
  try {
    const besetting = hosts.flatMap((host, index) =>
      targets.map((address) => {
        const bytes = (length: number) => world.init.random.bytes(`hostile/${turn}/${index}`, length)
        return harass({ host, target: [multiaddr(address)], lasts, bytes, clock: world.clock, signal })
      }),
    )
    return (await Promise.all(besetting)).reduce((sum, streams) => sum + streams, 0)
  } finally {
    await Promise.all(hosts.map((host) => host.stop()))
  }
}

async function start(world: World, name: string): Promise<Libp2p> {
  return createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', world.init.random.bytes(`hostile/${name}/peer`, 32)),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // What is turned away is to come again at once.
    connectionGater: { denyDialMultiaddr: () => false },
  })
}

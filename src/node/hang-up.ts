import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Logger, messageOf } from '../domain/index.js'

/** Closes the connections with these PeerIds, those of each at once: whom it fails with keeps nobody else connected. */
export async function hangUp(host: Pick<Libp2p, 'hangUp'>, peers: readonly string[], logger: Logger): Promise<void> {
  const each = peers.map(async (peer) => {
    try {
      await host.hangUp(peerIdFromString(peer))
    } catch (thrown) {
      logger.debug('a connection could not be closed', { peer, reason: messageOf(thrown) })
    }
  })
  await Promise.all(each)
}

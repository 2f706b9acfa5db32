import { zero } from '../crypto/index.js'
import { type AccountId, type Logger, silentLogger } from '../domain/index.js'
import { openStore } from '../store/index.js'
import { takeSecrets } from './secrets.js'

/** Who the node of a folder is. */
export interface NodeIdentity {
  readonly account: AccountId
  readonly peerId: string
}

/**
 * Makes a node's folder, its account and its PeerId, as `createEnclaveNode` does, and closes it again; of a folder that
 * is there it says who it is.
 *
 * @param sealingKey 32 bytes; the caller zeroes them.
 * @throws SlotmeshError as `createEnclaveNode`.
 */
export async function nodeIdentity(options: {
  readonly folder: string
  readonly sealingKey: Uint8Array
  readonly logger?: Logger
}): Promise<NodeIdentity> {
  const { folder, sealingKey, logger = silentLogger } = options
  const store = await openStore({ location: folder, sealingKey, logger })
  try {
    const { signer, peerSeed, peerId } = await takeSecrets(store)
    zero(peerSeed)
    signer.forget()
    return { account: signer.account, peerId }
  } finally {
    await store.close()
  }
}

import { randomFillSync } from 'node:crypto'
import { accountSigner, type ForgetfulSigner, zero } from '../crypto/index.js'
import { SlotmeshError } from '../domain/index.js'
import type { SecretName, Store } from '../store/index.js'
import { peerIdOf } from './peer-id.js'

const SEED_BYTES = 32

/** Who a node is. */
export interface Secrets {
  /** For the node to forget. */
  readonly signer: ForgetfulSigner
  /** Of the key that the PeerId follows from; for the node to zero. */
  readonly peerSeed: Uint8Array
  readonly peerId: string
}

/**
 * Takes the node's secrets from its folder, or makes them when it is new. Whatever fails, no copy of a seed is left.
 *
 * @param given 32 bytes: the seed of the account that a new folder begins with; copied.
 * @throws SlotmeshError `node/identity-lost`; as the store does.
 */
export async function takeSecrets(
  store: Pick<Store, 'secret' | 'putSecret' | 'integrity'>,
  given?: Uint8Array,
): Promise<Secrets> {
  const accountSeed = await seed(store, 'account-seed', given)
  try {
    const peerSeed = await seed(store, 'peer-key-seed')
    try {
      const peerId = await peerIdOf(peerSeed)
      return { signer: accountSigner(accountSeed), peerSeed, peerId }
    } catch (thrown) {
      zero(peerSeed)
      throw thrown
    }
  } finally {
    zero(accountSeed)
  }
}

/** A secret that is born in the enclave, sealed, and never leaves it. */
async function seed(
  store: Parameters<typeof takeSecrets>[0],
  name: SecretName,
  given?: Uint8Array,
): Promise<Uint8Array> {
  const kept = await store.secret(name)
  if (kept !== undefined) return kept
  if (store.integrity().state === 'altered') throw identityLost(name)
  // Filled in place: what makes random bytes anew would leave another copy.
  const made = given?.slice() ?? randomFillSync(new Uint8Array(SEED_BYTES))
  try {
    await store.putSecret(name, made)
    return made
  } catch (thrown) {
    zero(made)
    throw thrown
  }
}

function identityLost(name: SecretName): SlotmeshError {
  return new SlotmeshError(
    'node/identity-lost',
    `The folder was altered from outside and has lost the ${name}, without which this would be another enclave: restore the folder, or begin with an empty one and register the new account.`,
  )
}

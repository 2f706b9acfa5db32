import { createPublicKey, verify as verifyEd25519 } from 'node:crypto'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { ascii, concat, H, hex } from '../vectors/tools.js'
import { bytes, nested, uint } from '../vectors/wire.js'
import { type Enclave, isSigned } from './side.js'
import { fieldsOf } from './wire.js'
import { unhex, type World } from './world.js'

/* Enclave records, as protocols/enclave-record/1 has them. */

export const HAND_OVER = '/ternoa/enclave-record/1'
export const NAMESPACE = 'ternoa-enclave'

const HOUR = 3_600_000
const TAG = 'ternoa/enclave-record/1'

export function keyOf(account: string): Uint8Array {
  return ascii(`/${NAMESPACE}/${account.replace(/^0x/, '')}`)
}

export interface EnclaveRecord {
  readonly account: string
  readonly peerKey: Uint8Array
  readonly multiaddrs: readonly string[]
  readonly sequence: number
  readonly expiresAt: number
}

export async function makeRecord(
  enclave: Enclave,
  privateKey: Ed25519PrivateKey,
  addresses: readonly string[],
): Promise<Uint8Array> {
  const { world, account } = enclave
  const { cluster, slot } = world.target
  const body = concat(
    bytes(1, world.genesisHash),
    bytes(2, account),
    bytes(3, privateKey.publicKey.raw),
    ...addresses.map((address) => nested(4, multiaddr(address).bytes)),
    uint(5, cluster),
    uint(6, slot),
    uint(7, Date.now()),
    uint(8, Date.now() + 2 * HOUR),
  )
  const digest = H(TAG, body)
  return concat(bytes(1, body), bytes(2, enclave.sign(digest)), bytes(3, await privateKey.sign(digest)))
}

/** Section 4. @throws when a rule is broken. */
export function readRecord(world: World, record: Uint8Array): EnclaveRecord {
  const require = (holds: boolean, rule: number) => {
    if (!holds) throw new Error(`rule ${rule} of enclave records is broken`)
  }
  require(record.length <= 2048, 1)
  const parts = fieldsOf(record)
  const part = (field: number) => {
    const value = parts.get(field)?.at(-1)
    return value instanceof Uint8Array ? value : new Uint8Array()
  }
  const [body, accountSignature, peerSignature] = [part(1), part(2), part(3)]
  const canonical = concat(bytes(1, body), bytes(2, accountSignature), bytes(3, peerSignature))
  require(Buffer.compare(canonical, record) === 0, 1)
  const fields = fieldsOf(body)
  const bytesOf = (field: number) => {
    const value = fields.get(field)?.at(-1)
    return value instanceof Uint8Array ? value : new Uint8Array()
  }
  const numberOf = (field: number) => {
    const value = fields.get(field)?.at(-1) ?? 0
    return typeof value === 'number' ? value : Number.NaN
  }
  const account = bytesOf(2)
  const peerKey = bytesOf(3)
  require([bytesOf(1), account, peerKey].every((value) => value.length === 32), 2)
  require(accountSignature.length === 64 && peerSignature.length === 64, 2)
  const [sequence, expiresAt] = [numberOf(7), numberOf(8)]
  require([sequence, expiresAt].every(Number.isSafeInteger), 2)
  require(Buffer.compare(bytesOf(1), world.genesisHash) === 0, 3)
  const addresses = (fields.get(4) ?? []).map((value) => {
    require(value instanceof Uint8Array && value.length <= 128, 4)
    const components = multiaddr(value as Uint8Array).getComponents()
    const [host, port] = components
    const isHost = ['ip4', 'ip6', 'dns', 'dns4', 'dns6'].includes(host?.name ?? '')
    const isSomewhere = host?.value !== '0.0.0.0' && host?.value !== '::'
    require(components.length === 2 && isHost && isSomewhere && port?.name === 'tcp' && port.value !== '0', 4)
    return multiaddr(value as Uint8Array).toString()
  })
  require(addresses.length >= 1 && addresses.length <= 8, 4)
  require(expiresAt > Date.now() && expiresAt <= Date.now() + 24 * HOUR, 6)
  const seat = world.registry.seats.find((each) => each.account === hex(account))
  require(seat !== undefined && seat.cluster === numberOf(5) && seat.slot === numberOf(6), 7)
  const digest = H(TAG, body)
  const spki = concat(unhex('302a300506032b6570032100'), peerKey)
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  require(verifyEd25519(null, digest, publicKey, peerSignature), 9)
  require(isSigned(digest, accountSignature, account), 10)
  return { account: hex(account), peerKey, multiaddrs: addresses, sequence, expiresAt }
}

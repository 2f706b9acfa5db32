import { actor, ascii, H, made } from './tools.js'
import type { RefusalName } from './wire.js'

/** The chain and the enclaves that the vectors tell of. */

export type ClusterType = 'disabled' | 'admin' | 'public' | 'private'

export interface Cluster {
  readonly cluster: number
  /** null where the chain knows no cluster types. */
  readonly type: ClusterType | null
  readonly seats: readonly { readonly account: Uint8Array; readonly slot: number }[]
}

export type Outcome = 'accepted' | RefusalName

export const genesisHash = made('genesis')
export const NOW = 1_000
export const SLOT = 3

export const requester = actor('requester')
export const provider = actor('provider')
export const origin = actor('origin')
export const stranger = actor('stranger')

export function blockHash(number: number): Uint8Array {
  return made(`block ${number}`)
}

/** The hashes of these blocks as a vector file gives them. */
export function blockHashes(from: number, to: number): Record<string, Uint8Array> {
  const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at)
  return Object.fromEntries(numbers.map((number) => [number, blockHash(number)]))
}

export function token(blockNumber = NOW, validity = 20) {
  return { blockNumber, blockHash: blockHash(blockNumber), validity }
}

export const registry: readonly Cluster[] = [
  { cluster: 1, type: 'public', seats: [{ account: requester.account, slot: SLOT }] },
  { cluster: 2, type: 'public', seats: [{ account: provider.account, slot: SLOT }] },
  { cluster: 5, type: 'public', seats: [{ account: origin.account, slot: SLOT }] },
]

/** Section 4.1 */
const PARTS = [
  'hello-body',
  'hello-signature',
  'challenge-body',
  'challenge-quote',
  'request-body',
  'request-quote',
] as const

/** T0 and, for as many parts as are given, what follows it. */
export function transcript(
  peers: { readonly requester: Uint8Array; readonly provider: Uint8Array },
  parts: readonly Uint8Array[],
): Uint8Array[] {
  const tag = 'ternoa/share/1/transcript'
  const hashes = [H(tag, ascii('/ternoa/share/1'), genesisHash, peers.requester, peers.provider)]
  for (const [at, part] of parts.entries()) {
    hashes.push(H(tag, hashes[at] ?? new Uint8Array(), ascii(PARTS[at] ?? ''), part))
  }
  return hashes
}

const SIGNED = {
  hello: 'ternoa/share/1/hello',
  provider: 'ternoa/share/1/quote/provider',
  requester: 'ternoa/share/1/quote/requester',
} as const

export type Signed = keyof typeof SIGNED

/** What is signed in Hello, and in the quotes of both. */
export function digest(what: Signed, transcriptHash: Uint8Array): Uint8Array {
  return H(SIGNED[what], transcriptHash)
}

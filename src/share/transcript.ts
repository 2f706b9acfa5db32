import { DOMAIN, fromHex, taggedHash, utf8 } from '../crypto/index.js'
import type { BlockHash } from '../domain/index.js'
import { SHARE_PROTOCOL } from './protocol.js'

/** Everything that fixes an exchange before its first byte (SPEC 4.1). */
export interface TranscriptSetting {
  readonly genesisHash: BlockHash
  /** The PeerIds' multihashes, as Noise has proved them. */
  readonly requesterPeer: Uint8Array
  readonly providerPeer: Uint8Array
}

/** The parts of an exchange in the order in which they enter the transcript; each name separates its domain. */
type TranscriptPart =
  | 'hello-body'
  | 'hello-signature'
  | 'challenge-body'
  | 'challenge-quote'
  | 'request-body'
  | 'request-quote'

/**
 * The running hash over all that both sides have sent (SPEC 4.1). Each part is hashed as the bytes that were on the
 * wire, never as a re-encoding.
 */
export class Transcript {
  #hash: Uint8Array

  constructor({ genesisHash, requesterPeer, providerPeer }: TranscriptSetting) {
    this.#hash = taggedHash(
      DOMAIN.shareTranscript,
      utf8(SHARE_PROTOCOL),
      fromHex(genesisHash),
      requesterPeer,
      providerPeer,
    )
  }

  /** @returns the hash up to and including this part. */
  add(part: TranscriptPart, bytes: Uint8Array): Uint8Array {
    this.#hash = taggedHash(DOMAIN.shareTranscript, this.#hash, utf8(part), bytes)
    return this.#hash
  }
}

/** What the requester account signs in Hello: the transcript up to the Hello's body. */
export function helloDigest(transcriptHash: Uint8Array): Uint8Array {
  return taggedHash(DOMAIN.shareHelloSignature, transcriptHash)
}

/** What an enclave account signs into `report_data` before the hardware signs the quote. The roles never mix. */
export function quoteDigest(role: 'provider' | 'requester', transcriptHash: Uint8Array): Uint8Array {
  return taggedHash(role === 'provider' ? DOMAIN.shareQuoteProvider : DOMAIN.shareQuoteRequester, transcriptHash)
}

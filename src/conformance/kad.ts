import { lpStream } from '@libp2p/utils'
import * as varint from 'uint8-varint'
import type { Hex } from '../domain/index.js'
import { Deviation } from './deviation.js'
import type { Member, PeerUnderTest } from './members.js'

/*
 * As much of libp2p's Kademlia as it takes to ask one peer for one value, or to give it one: `Message` and `Record` of
 * https://github.com/libp2p/specs/blob/master/kad-dht/README.md.
 */

const PUT_VALUE = 0
const GET_VALUE = 1
const LIMIT = 65_536

/** The DHT of a chain's mesh, as one of its peers sees it. */
export class KadClient {
  readonly #protocol: string
  readonly #member: Member
  readonly #peer: PeerUnderTest
  readonly #signal: AbortSignal

  constructor(genesisHash: Hex, member: Member, peer: PeerUnderTest, signal: AbortSignal) {
    this.#protocol = `/ternoa/${genesisHash.slice(2, 10)}/kad/1.0.0`
    this.#member = member
    this.#peer = peer
    this.#signal = signal
  }

  /** Gives a value to the peer, which may refuse it without a word. */
  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    const record = message([1, key], [2, value])
    await this.#request(message([1, PUT_VALUE], [2, key], [3, record]))
  }

  /** The value that the peer holds, if it does. @throws Deviation when it does not answer. */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const answer = await this.#request(message([1, GET_VALUE], [2, key]))
    if (answer === undefined) throw new Deviation('it does not answer GET_VALUE')
    const record = fieldOf(answer, 3)
    return record && fieldOf(record, 2)
  }

  async #request(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const stream = await this.#member.mesh.libp2p.dialProtocol(this.#peer.id, this.#protocol, { signal: this.#signal })
    const frames = lpStream(stream, { maxDataLength: LIMIT })
    try {
      await frames.write(bytes, { signal: this.#signal })
      const answer = await frames.read({ signal: this.#signal })
      await stream.close({ signal: this.#signal })
      return answer.subarray()
    } catch (thrown) {
      this.#signal.throwIfAborted()
      stream.abort(thrown instanceof Error ? thrown : new Error('the stream was cut'))
      return undefined
    }
  }
}

/** Fields of a protocol buffer, by number. */
function message(...fields: readonly (readonly [number, number | Uint8Array])[]): Uint8Array {
  const parts = fields.flatMap(([number, value]) =>
    typeof value === 'number'
      ? [varint.encode(number << 3), varint.encode(value)]
      : [varint.encode((number << 3) | 2), varint.encode(value.length), value],
  )
  return new Uint8Array(Buffer.concat(parts))
}

/** The first field of this number that is bytes. */
function fieldOf(bytes: Uint8Array, number: number): Uint8Array | undefined {
  let at = 0
  const next = () => {
    const value = varint.decode(bytes, at)
    at += varint.encodingLength(value)
    return value
  }
  while (at < bytes.length) {
    const tag = next()
    if ((tag & 7) === 0) {
      next()
    } else if ((tag & 7) === 2) {
      const length = next()
      if (tag >>> 3 === number) return bytes.subarray(at, at + length)
      at += length
    } else {
      throw new Deviation('its answer from the DHT cannot be decoded')
    }
  }
  return undefined
}

import type { Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { getPublicKey, secretFromSeed, sign, verify } from '@scure/sr25519'
import { ascii, concat, H } from '../vectors/tools.js'
import { encodeRefusal, REFUSALS, type RefusalName, type Token, varint } from '../vectors/wire.js'
import { Broken, Refused, RefusedByPeer } from './outcomes.js'
import { decodeRefusal, messageIn } from './wire.js'
import type { World } from './world.js'

/** Share 8.1, in bytes. */
export const LIMITS = { hello: 16_384, challenge: 20_480, request: 2_129_920, grant: 4_096, sealed: 655_360 } as const

/** Share 4.8, in ms. */
export const PATIENCE = { hello: 10_000, handshake: 30_000, batch: 60_000 } as const

/** An enclave account. */
export interface Identity {
  readonly account: Uint8Array
  readonly sign: (message: Uint8Array) => Uint8Array
}

export function identityOf(seed: Uint8Array): Identity {
  const secret = secretFromSeed(seed)
  return { account: getPublicKey(secret), sign: (message) => sign(secret, message) }
}

/** This enclave: its account, and the world that it sees. */
export class Enclave {
  readonly world: World
  readonly account: Uint8Array
  readonly peer: Uint8Array
  readonly sign: Identity['sign']

  constructor(world: World, { account, sign }: Identity, peer: Uint8Array) {
    this.world = world
    this.account = account
    this.sign = sign
    this.peer = peer
  }

  token(): Token {
    const { number, hash } = this.world.tip
    return { blockNumber: number, blockHash: hash, validity: 20 }
  }

  /** Share 4.2 */
  async checkToken({ blockNumber, blockHash, validity }: Token): Promise<void> {
    const { now } = this.world
    if (validity > 20) throw new Refused('MALFORMED')
    if (blockNumber > now + 2) throw new Refused('TOKEN_IN_FUTURE')
    if (blockNumber + validity < now) throw new Refused('TOKEN_EXPIRED')
    if (blockNumber > now) return
    const known = blockNumber === now ? this.world.tip.hash : await hashOf(this.world, blockNumber)
    if (Buffer.compare(known, blockHash) !== 0) throw new Refused('UNKNOWN_CHAIN')
  }

  hasExpired({ blockNumber, validity }: Token): boolean {
    return blockNumber + validity < this.world.now
  }
}

async function hashOf(world: World, number: number): Promise<Uint8Array> {
  if (number === 0) return world.genesisHash
  const { hash } = await world.block(number)
  return new Uint8Array(Buffer.from(hash.slice(2), 'hex'))
}

export function isSigned(message: Uint8Array, signature: Uint8Array, account: Uint8Array): boolean {
  try {
    return signature.length === 64 && verify(message, signature, account)
  } catch {
    return false
  }
}

/** Share 4.1 */
export class Transcript {
  #hash: Uint8Array

  constructor(genesisHash: Uint8Array, requester: Uint8Array, provider: Uint8Array) {
    this.#hash = H('ternoa/share/1/transcript', ascii('/ternoa/share/1'), genesisHash, requester, provider)
  }

  add(what: string, bytes: Uint8Array): Uint8Array {
    this.#hash = H('ternoa/share/1/transcript', this.#hash, ascii(what), bytes)
    return this.#hash
  }
}

/** Share 3: messages behind their lengths. */
export class Wire {
  readonly #stream: Stream
  readonly #bytes: ReturnType<typeof byteStream<Stream>>

  constructor(stream: Stream) {
    this.#stream = stream
    this.#bytes = byteStream(stream)
  }

  /** The next message, which must be of this field. @throws RefusedByPeer, Refused MALFORMED, Broken */
  async read(field: number, limit: number, patienceMs: number): Promise<Uint8Array> {
    const signal = AbortSignal.timeout(patienceMs)
    let [length, isWhole] = [0, false]
    for (let place = 0; place < 4 && !isWhole; place += 1) {
      const [byte = 0] = (await this.#take(1, signal)).subarray()
      length += (byte % 128) * 128 ** place
      isWhole = byte < 128
    }
    if (!isWhole || length > limit) throw new Broken('a message is too long')
    const found = messageIn(length === 0 ? new Uint8Array() : (await this.#take(length, signal)).slice())
    if (found.field === 15) {
      const { code, retryAfterMs } = decodeRefusal(found.message)
      const refusal = REFUSALS[code]
      if (refusal === undefined || refusal === 'REFUSAL_UNSPECIFIED') throw new Refused('MALFORMED')
      throw new RefusedByPeer(refusal, retryAfterMs)
    }
    if (found.field !== field) throw new Refused('MALFORMED')
    return found.message
  }

  async write(message: Uint8Array, patienceMs: number): Promise<void> {
    try {
      await this.#bytes.write(concat(varint(message.length), message), { signal: AbortSignal.timeout(patienceMs) })
    } catch (cause) {
      throw new Broken('the stream is cut', { cause })
    }
  }

  /** Ends the exchange as share 4.8 says: with a refusal, if it is one of ours, or without a word. */
  async end(thrown?: unknown): Promise<void> {
    try {
      if (thrown instanceof Refused) await this.#refuse(thrown.refusal, thrown.retryAfterMs)
      else if (thrown !== undefined && !(thrown instanceof RefusedByPeer)) throw thrown
      await this.#stream.close({ signal: AbortSignal.timeout(PATIENCE.hello) })
      if (this.#stream.status !== 'open') return
      const reset = setTimeout(() => this.#stream.abort(new Error('the peer stays')), PATIENCE.batch).unref()
      this.#stream.addEventListener('close', () => clearTimeout(reset))
    } catch (failure) {
      this.#stream.abort(failure instanceof Error ? failure : new Error(String(failure)))
    }
  }

  async #refuse(refusal: RefusalName, retryAfterMs: number): Promise<void> {
    const code = REFUSALS.indexOf(refusal)
    await this.write(encodeRefusal({ code, sentence: `It is ${refusal}.`, retryAfterMs }), PATIENCE.hello)
  }

  async #take(bytes: number, signal: AbortSignal) {
    try {
      return await this.#bytes.read({ bytes, signal })
    } catch (cause) {
      throw new Broken('the stream is cut', { cause })
    }
  }
}

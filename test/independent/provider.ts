import { randomBytes } from 'node:crypto'
import type { Range } from '../vectors/lists.js'
import { idList } from '../vectors/lists.js'
import { H, hex } from '../vectors/tools.js'
import {
  type Batch,
  encodeBatch,
  encodeChallenge,
  encodeChallengeBody,
  encodeEnd,
  encodeGrant,
  encodeSealed,
  type Kind,
  type Run,
  type Token,
} from '../vectors/wire.js'
import { rangesOf, readList } from './lists.js'
import { Refused } from './outcomes.js'
import { keyPair, preSharedKeyFrom, SUITE_NUMBERS, sealerTo } from './sealing.js'
import { type Enclave, isSigned, LIMITS, PATIENCE, Transcript, type Wire } from './side.js'
import type { Store } from './store.js'
import { bodyAndProof, decodeHelloBody, decodeRequestBody } from './wire.js'
import { barrier } from './world.js'

/** Share 8.3: bounds of what is taken on; gives back what was taken. */
export interface Door {
  hello(peer: string, account: string): void
  enter(peer: string, account: string): () => void
}

const BATCH_BYTES = 256 * 1024
const MOST_SHARES = 524_288
const MOST_LIST_BYTES = 2_097_152

/** Share 4, the provider's side of one exchange. */
export async function provide(enclave: Enclave, store: Store, door: Door, peer: Uint8Array, wire: Wire): Promise<void> {
  const { world } = enclave
  const own = hex(enclave.account)
  const transcript = new Transcript(world.genesisHash, peer, enclave.peer)
  let leave: (() => void) | undefined
  try {
    // 4.3
    const hello = bodyAndProof(await wire.read(1, LIMITS.hello, PATIENCE.hello))
    const offer = decodeHelloBody(hello.body)
    const numbers = new Set(offer.suites.map(({ suite }) => suite))
    const sizes = [offer.genesisHash, offer.account, offer.nonce, offer.token?.blockHash]
    const isSound = sizes.every((bytes) => bytes?.length === 32) && numbers.size >= 1 && offer.suites.length <= 8
    if (!isSound || numbers.size < offer.suites.length || offer.token === undefined) throw new Refused('MALFORMED')
    if (Buffer.compare(offer.genesisHash, world.genesisHash) !== 0) throw new Refused('UNKNOWN_CHAIN')
    if (world.isStale) throw new Refused('NOT_READY')
    const requester = hex(offer.account)
    const refusal = barrier(world.registry, requester, own)
    if (refusal !== undefined) throw new Refused(refusal)
    const suite = SUITE_NUMBERS.find((number) => numbers.has(number))
    const theirs = offer.suites.find((each) => each.suite === suite)
    if (suite === undefined || theirs === undefined) throw new Refused('UNSUPPORTED_SUITE')
    door.hello(hex(peer), requester)
    await enclave.checkToken(offer.token)
    const T1 = transcript.add('hello-body', hello.body)
    if (!isSigned(H('ternoa/share/1/hello', T1), hello.proof, offer.account)) throw new Refused('BAD_SIGNATURE')
    leave = door.enter(hex(peer), requester)
    transcript.add('hello-signature', hello.proof)

    // 4.4
    const keys = await keyPair(suite)
    const challenge = encodeChallengeBody({
      account: enclave.account,
      nonce: new Uint8Array(randomBytes(32)),
      token: enclave.token(),
      suite,
      publicKey: keys.publicKey,
      syncedBlock: store.takenIn,
      takenInBlock: store.takenIn,
    })
    const T3 = transcript.add('challenge-body', challenge)
    const quote = await world.quote(enclave.sign(H('ternoa/share/1/quote/provider', T3)))
    const T4 = transcript.add('challenge-quote', quote)
    await wire.write(encodeChallenge(challenge, quote), PATIENCE.handshake)

    // 4.5
    const request = bodyAndProof(await wire.read(2, LIMITS.request, PATIENCE.handshake))
    const body = decodeRequestBody(request.body)
    const wanted = { SECRET: readList(body.secrets), CAPSULE: readList(body.capsules) }
    const ranges = [...wanted.SECRET, ...wanted.CAPSULE]
    const count = ranges.reduce((sum, { length }) => sum + length, 0)
    const bytes = body.secrets.length + body.capsules.length
    if (ranges.length === 0 || count > MOST_SHARES || bytes > MOST_LIST_BYTES) throw new Refused('MALFORMED')
    const reportData = await world.verify(request.proof)
    const T5 = transcript.add('request-body', request.body)
    const bound = H('ternoa/share/1/quote/requester', T5)
    if (!isSigned(bound, reportData, offer.account)) throw new Refused('BINDING_MISMATCH')
    const T6 = transcript.add('request-quote', request.proof)

    // 4.7
    const psk = await preSharedKeyFrom(keys, body.encapsulatedKey, T4)
    const sealer = await sealerTo(suite, theirs.publicKey, { T4, T6, psk })
    await wire.write(encodeGrant(sealer.encapsulatedKey), PATIENCE.handshake)
    const mayGoOn = () => maySend(enclave, requester, own, offer.token)
    for (const content of contents(store, wanted, mayGoOn)) {
      await wire.write(encodeSealed(await sealer.seal(content)), PATIENCE.batch)
    }
    await wire.end()
  } catch (thrown) {
    await wire.end(thrown)
    throw thrown
  } finally {
    leave?.()
  }
}

function maySend(enclave: Enclave, requester: string, own: string, token: Token | undefined): boolean {
  const { world } = enclave
  const isAllowed = barrier(world.registry, requester, own) === undefined
  return isAllowed && !world.isStale && token !== undefined && !enclave.hasExpired(token)
}

/** The batches, each a portion of what is wanted, and the End. */
function* contents(store: Store, wanted: Record<Kind, Range[]>, mayGoOn: () => boolean): Generator<Uint8Array> {
  let [shareCount, notHeldCount] = [0, 0]
  for (const batch of batches(store, wanted)) {
    if (!mayGoOn()) {
      yield encodeEnd({ shareCount, notHeldCount, unfinished: true })
      return
    }
    shareCount += batch.runs.length
    notHeldCount += batch.missing
    yield encodeBatch(batch)
  }
  yield encodeEnd({ shareCount, notHeldCount, unfinished: !mayGoOn() })
}

/** What one batch tells at most not to be held. */
const MISSING_PER_BATCH = 16_384

function* batches(store: Store, wanted: Record<Kind, Range[]>): Generator<Batch & { missing: number }> {
  for (const kind of ['SECRET', 'CAPSULE'] as const) {
    const held = store.ids(kind)
    let [runs, missing, bytes] = [[] as Run[], [] as number[], 0]
    const batch = (next: number) => {
      const list = idList(rangesOf(missing))
      const made = {
        runs,
        secretsNotHeld: kind === 'SECRET' ? list : new Uint8Array(),
        capsulesNotHeld: kind === 'CAPSULE' ? list : new Uint8Array(),
        cursor: next < 2 ** 32 ? { kind, nftId: next } : undefined,
        missing: missing.length,
      }
      ;[runs, missing, bytes] = [[], [], 0]
      return made
    }
    for (const { first, length, minimumVersion } of wanted[kind]) {
      const isOpen = length === 0
      const ids = isOpen ? held.filter((id) => id >= first) : Array.from({ length }, (_, at) => first + at)
      for (const id of ids) {
        const share = store.held(kind, id)
        const run = share !== undefined && share.version >= minimumVersion ? store.runOf(kind, id) : undefined
        if (run !== undefined) {
          runs.push(run)
          bytes += 300 + (share?.payload.length ?? 0) + 34 * (run.left.length + run.right.length)
        } else if (!isOpen) missing.push(id)
        if (bytes > BATCH_BYTES - 8_192 || missing.length >= MISSING_PER_BATCH) yield batch(id + 1)
      }
    }
    if (runs.length > 0 || missing.length > 0) yield batch(2 ** 32)
  }
}

import { randomBytes } from 'node:crypto'
import { type Range, wantList } from '../vectors/lists.js'
import { H, hex } from '../vectors/tools.js'
import {
  type Batch,
  encodeHello,
  encodeHelloBody,
  encodeRequest,
  encodeRequestBody,
  type Kind,
  type LogHead,
  type Run,
} from '../vectors/wire.js'
import { rangesOf, readList } from './lists.js'
import { Broken, Refused } from './outcomes.js'
import { keyPair, openerFor, preSharedKeyTo, SUITE_NUMBERS } from './sealing.js'
import { type Enclave, isSigned, LIMITS, PATIENCE, Transcript, type Wire } from './side.js'
import { keyOf, type Store, type Want } from './store.js'
import { bodyAndProof, decodeChallengeBody, decodeSealedContent, onlyField } from './wire.js'
import { barrier, type Registry } from './world.js'

/** The one that is asked. */
export interface Provider {
  readonly peer: Uint8Array
  readonly account: Uint8Array
}

/** Share 4, the requester's side of one exchange. @returns what the provider does not hold. */
export async function request(
  enclave: Enclave,
  store: Store,
  provider: Provider,
  wants: readonly Want[],
  wire: Wire,
): Promise<{ readonly notHeld: string[]; readonly isWhole: boolean }> {
  const { world } = enclave
  const [own, theirs] = [hex(enclave.account), hex(provider.account)]
  const transcript = new Transcript(world.genesisHash, enclave.peer, provider.peer)
  try {
    if (world.isStale) throw new Broken('the own view of the chain is old')

    // 4.3
    const pairs = await Promise.all(SUITE_NUMBERS.map(keyPair))
    const hello = encodeHelloBody({
      genesisHash: world.genesisHash,
      account: enclave.account,
      nonce: new Uint8Array(randomBytes(32)),
      token: enclave.token(),
      suites: pairs,
    })
    const signature = enclave.sign(H('ternoa/share/1/hello', transcript.add('hello-body', hello)))
    transcript.add('hello-signature', signature)
    await wire.write(encodeHello(hello, signature), PATIENCE.handshake)

    // 4.4
    const challenge = bodyAndProof(await wire.read(1, LIMITS.challenge, PATIENCE.handshake))
    const offer = decodeChallengeBody(challenge.body)
    if (offer.account.length !== 32) throw new Refused('MALFORMED')
    if (Buffer.compare(offer.account, provider.account) !== 0) throw new Refused('BAD_SIGNATURE')
    if (offer.nonce.length !== 32) throw new Refused('MALFORMED')
    const keys = pairs.find(({ suite }) => suite === offer.suite)
    if (keys === undefined) throw new Refused('UNSUPPORTED_SUITE')
    const refusal = barrier(world.registry, own, theirs)
    if (refusal !== undefined) throw new Refused(refusal)
    if (offer.token?.blockHash.length !== 32) throw new Refused('MALFORMED')
    await enclave.checkToken(offer.token)
    const isInOrder = offer.syncedBlock <= offer.takenInBlock && offer.takenInBlock <= offer.token.blockNumber
    if (!isInOrder) throw new Refused('MALFORMED')
    const reportData = await world.verify(challenge.proof)
    const T3 = transcript.add('challenge-body', challenge.body)
    if (!isSigned(H('ternoa/share/1/quote/provider', T3), reportData, provider.account)) {
      throw new Refused('BINDING_MISMATCH')
    }
    const T4 = transcript.add('challenge-quote', challenge.proof)

    // 4.5
    const { encapsulatedKey, psk } = await preSharedKeyTo(offer.suite, offer.publicKey, T4)
    const lists = { secrets: listOf(wants, 'SECRET'), capsules: listOf(wants, 'CAPSULE') }
    const body = encodeRequestBody({ encapsulatedKey, ...lists })
    const T5 = transcript.add('request-body', body)
    const quote = await world.quote(enclave.sign(H('ternoa/share/1/quote/requester', T5)))
    const T6 = transcript.add('request-quote', quote)
    await wire.write(encodeRequest(body, quote), PATIENCE.handshake)

    // 4.7
    const granted = onlyField(await wire.read(2, LIMITS.grant, PATIENCE.handshake))
    const open = await openerFor(keys, granted, { T4, T6, psk })
    const outstanding = new Map(wants.map((want) => [keyOf(want.kind, want.nftId), want]))
    const notHeld: string[] = []
    let cursor = -1
    let shareCount = 0
    for (;;) {
      const content = decodeSealedContent(await open(onlyField(await wire.read(3, LIMITS.sealed, PATIENCE.batch))))
      if ('end' in content) {
        const { end } = content
        const isWhole = end.unfinished || outstanding.size === 0
        const isRight = end.shareCount === shareCount && end.notHeldCount === notHeld.length
        if (!isRight || !isWhole) throw new Broken('the End does not match')
        await wire.end()
        return { notHeld, isWhole: !end.unfinished }
      }
      const { batch } = content
      for (const run of runsOf(batch)) {
        await checkRun(enclave, run, outstanding)
        store.put(run)
        shareCount += run.shares.length
        for (const { kind, nftId } of run.shares) outstanding.delete(keyOf(kind, nftId))
      }
      for (const [kind, list] of [
        ['SECRET', batch.secretsNotHeld] as const,
        ['CAPSULE', batch.capsulesNotHeld] as const,
      ]) {
        for (const { first, length } of readList(list, true)) {
          for (let id = first; id < first + length; id += 1) {
            if (!outstanding.delete(keyOf(kind, id))) throw new Refused('MALFORMED')
            notHeld.push(keyOf(kind, id))
          }
        }
      }
      if (batch.cursor !== undefined) {
        const position = (batch.cursor.kind === 'SECRET' ? 0 : 2 ** 32) + batch.cursor.nftId
        if (position < cursor) throw new Refused('MALFORMED')
        cursor = position
      }
    }
  } catch (thrown) {
    await wire.end(thrown)
    throw thrown
  }
}

function listOf(wants: readonly Want[], kind: Kind): Uint8Array {
  const versions = new Map(wants.filter((want) => want.kind === kind).map((want) => [want.nftId, want.minimumVersion]))
  const ids = [...versions.keys()].sort((one, other) => one - other)
  const ranges: Range[] = rangesOf(ids, (id) => versions.get(id) ?? 0)
  return wantList(ranges)
}

/** Share 6.2, and the sizes of clause 3. @throws Refused MALFORMED */
function runsOf({ runs, secretsNotHeld, capsulesNotHeld, cursor }: Batch): (Run & { head: LogHead })[] {
  const isEmpty = runs.length === 0 && secretsNotHeld.length === 0 && capsulesNotHeld.length === 0
  if (isEmpty && cursor === undefined) throw new Refused('MALFORMED')
  return runs.map((run) => {
    const { head, shares } = run
    const areSized = shares.every(({ payload }) => payload.length >= 16 && payload.length <= 3_000)
    if (head === undefined || shares.length === 0 || !areSized) throw new Refused('MALFORMED')
    const sizes = [head.account.length, head.incarnation.length, head.root.length, head.signature.length]
    if (sizes.join() !== '32,16,32,64') throw new Refused('MALFORMED')
    return { ...run, head }
  })
}

/** Share 6.3, checks 1 to 4; the store makes the others. @throws Broken */
async function checkRun(
  { world, account }: Enclave,
  { head, shares }: Run & { head: LogHead },
  outstanding: ReadonlyMap<string, Want>,
): Promise<void> {
  const seen = new Set<string>()
  for (const { kind, nftId, version } of shares) {
    const key = keyOf(kind, nftId)
    const want = outstanding.get(key)
    const isAsked = want !== undefined && !seen.has(key) && version >= want.minimumVersion && version <= world.now + 2
    const isLater = kind === 'CAPSULE' && version > (want?.minimumVersion ?? 0)
    if (!isAsked || (want.origin !== head.cluster && !isLater)) throw new Broken(`${key} was not asked for like this`)
    seen.add(key)
  }
  const origin = hex(head.account)
  const own = world.registry.seats.find((seat) => seat.account === hex(account))
  if (own === undefined || own.slot !== head.slot) throw new Broken('it is of another slot')
  if (sits(world.registry, head, origin)) return
  for (const version of new Set(shares.map((share) => share.version))) {
    if (version > world.now || !sits(await world.block(version), head, origin))
      throw new Broken('its origin had no such seat')
  }
}

function sits({ seats }: Registry, { cluster, slot }: LogHead, account: string): boolean {
  return seats.some((seat) => seat.account === account && seat.cluster === cluster && seat.slot === slot)
}

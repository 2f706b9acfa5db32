import { idList, wantList } from './lists.js'
import { Log, leafHash } from './provenance.js'
import { KEMS, presharing, sealing } from './sealing.js'
import { ascii, concat, made } from './tools.js'
import {
  encodeBatch,
  encodeChallenge,
  encodeChallengeBody,
  encodeEnd,
  encodeGrant,
  encodeHello,
  encodeHelloBody,
  encodeRequest,
  encodeRequestBody,
  encodeSealed,
  type Share,
  varint,
} from './wire.js'
import { digest, genesisHash, NOW, provider, requester, token, transcript } from './world.js'

/** Two whole exchanges, byte by byte, with all that is random told. */
export async function exchangeVectors() {
  return {
    about:
      'Clauses 3 to 6: whole exchanges, byte by byte. `private` is what only the two enclaves know. The quotes are any bytes here; `reportData` is what their verification tells. `length` is what stands before the `message` on the stream.',
    genesisHash,
    requester: { account: requester.account, seed: requester.seed, peer: requester.peer },
    provider: { account: provider.account, seed: provider.seed, peer: provider.peer },
    now: NOW,
    exchanges: [
      await exchange('suite 2, of two offered', 2, [2, 1]),
      await exchange('suite 1, the only one offered', 1, [1]),
    ],
  }
}

type Suite = keyof typeof KEMS

async function exchange(name: string, suite: Suite, offered: readonly Suite[]) {
  const offers = await Promise.all(
    offered.map(async (number) => ({ suite: number, ...(await KEMS[number].keyPair('requester')) })),
  )
  const kem = KEMS[suite]
  const own = await kem.keyPair('provider')
  const peers = { requester: requester.peer, provider: provider.peer }

  const helloBody = encodeHelloBody({
    genesisHash,
    account: requester.account,
    nonce: made('nonce of the requester'),
    token: token(),
    suites: offers,
  })
  const [, T1] = transcript(peers, [helloBody])
  const helloSignature = requester.sign(digest('hello', present(T1)))

  const challengeBody = encodeChallengeBody({
    account: provider.account,
    nonce: made('nonce of the provider'),
    token: token(NOW - 1),
    suite,
    publicKey: own.publicKey,
    syncedBlock: 990,
    takenInBlock: 995,
  })
  const [, , , T3] = transcript(peers, [helloBody, helloSignature, challengeBody])
  const providerReport = provider.sign(digest('provider', present(T3)))
  const challengeQuote = concat(ascii('quote of the provider, with '), providerReport)

  const answered = [helloBody, helloSignature, challengeBody, challengeQuote]
  const T4 = present(transcript(peers, answered)[4])
  const shared = await presharing(kem, own.publicKey, T4)
  const requestBody = encodeRequestBody({
    encapsulatedKey: shared.encapsulatedKey,
    secrets: wantList([
      { first: 5, length: 3, minimumVersion: 0 },
      { first: 9, length: 1, minimumVersion: 300 },
    ]),
    capsules: wantList([{ first: 100, length: 0, minimumVersion: 0 }]),
  })
  const T5 = present(transcript(peers, [...answered, requestBody])[5])
  const requesterReport = requester.sign(digest('requester', T5))
  const requestQuote = concat(ascii('quote of the requester, with '), requesterReport)

  const T = transcript(peers, [...answered, requestBody, requestQuote])
  const T6 = present(T[6])
  const chosen = present(offers.find((offer) => offer.suite === suite))
  const { outputs, seal } = await sealing(kem, chosen.publicKey, T4, T6, shared.psk)
  const contents = sealedContents()
  const messages = [
    message('Hello', encodeHello(helloBody, helloSignature)),
    message('Challenge', encodeChallenge(challengeBody, challengeQuote)),
    message('Request', encodeRequest(requestBody, requestQuote)),
    message('Grant', encodeGrant(outputs.encapsulatedKey)),
    ...contents.map((content, at) => message('Sealed', encodeSealed(seal(at, content)))),
  ]
  return {
    name,
    suite,
    reportData: { provider: providerReport, requester: requesterReport },
    messages,
    T,
    private: {
      requesterKeys: offers,
      providerKeys: { suite, ...own },
      presharingRandomness: shared.randomness,
      psk: shared.psk,
      sealingRandomness: outputs.randomness,
      contents,
    },
  }
}

function sealedContents(): Uint8Array[] {
  const share = (kind: Share['kind'], nftId: number, version: number): Share => ({
    kind,
    nftId,
    version,
    payload: made(`payload of ${kind} ${nftId}`, 48),
  })
  const shares = [
    share('SECRET', 6, 280),
    share('CAPSULE', 40, 290),
    share('SECRET', 9, 301),
    share('SECRET', 5, 302),
    share('CAPSULE', 512, 303),
  ]
  const log = new Log(shares.map(leafHash))
  const run = (first: number, count: number) => ({
    head: log.head(),
    firstIndex: first,
    shares: shares.slice(first, first + count),
    ...log.proof(first, count),
  })
  const none = new Uint8Array()
  return [
    encodeBatch({
      runs: [run(0, 1), run(2, 2)],
      secretsNotHeld: idList([{ first: 7, length: 1 }]),
      capsulesNotHeld: none,
      cursor: { kind: 'SECRET', nftId: 10 },
    }),
    encodeBatch({
      runs: [run(4, 1)],
      secretsNotHeld: none,
      capsulesNotHeld: none,
      cursor: { kind: 'CAPSULE', nftId: 513 },
    }),
    encodeEnd({ shareCount: 4, notHeldCount: 1, unfinished: false }),
  ]
}

function message(name: string, bytes: Uint8Array) {
  return { name, length: varint(bytes.length), message: bytes }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the exchange is not complete')
  return value
}

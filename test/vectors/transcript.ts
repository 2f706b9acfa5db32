import { altered, ascii, concat, H, made, u32be } from './tools.js'
import { digest, genesisHash, provider, requester, type Signed, stranger, transcript } from './world.js'

/** H, T0 to T6, and what is signed of them. */
export function transcriptVectors() {
  const peers = { requester: requester.peer, provider: provider.peer }
  const parts = [150, 64, 200, 460, 60, 461].map((length, at) => made(`part ${at}`, length))
  return {
    about:
      'Clauses 1.1 and 4.1: the hash H(tag; parts), the transcript T0 to T6 over given bytes, and the digests that are signed. The parts are any bytes here; exchange.json has those of a whole exchange.',
    hashes: [
      hashed('no parts', 'ternoa/share/1/hello', []),
      hashed('no tag and no parts', '', []),
      hashed('one part', 'ternoa/share/1/hello', [made('a part')]),
      hashed('two parts', 'ternoa/share/1/psk', [ascii('ab'), ascii('c')]),
      hashed('the same bytes, parted elsewhere', 'ternoa/share/1/psk', [ascii('a'), ascii('bc')]),
      hashed('an empty part behind', 'ternoa/share/1/psk', [ascii('abc'), ascii('')]),
      hashed('an empty part before', 'ternoa/share/1/psk', [ascii(''), ascii('abc')]),
      hashed('a part that looks like a length', 'ternoa/share/1/psk', [u32be(1), ascii('a')]),
      hashed('a part of more than 255 bytes', 'ternoa/share/1/transcript', [made('a long part', 300)]),
    ],
    transcripts: [
      transcribed('a whole exchange', peers, parts),
      transcribed('the peers exchanged', { requester: peers.provider, provider: peers.requester }, parts),
      transcribed('an empty quote', peers, parts.with(3, new Uint8Array())),
    ],
  }
}

function hashed(name: string, tag: string, parts: readonly Uint8Array[]) {
  return { name, tag, parts, hash: H(tag, ...parts) }
}

function transcribed(
  name: string,
  peers: { readonly requester: Uint8Array; readonly provider: Uint8Array },
  parts: readonly Uint8Array[],
) {
  const T = transcript(peers, parts)
  const [, T1, , T3, , T5] = T
  return {
    name,
    genesisHash,
    requesterPeer: peers.requester,
    providerPeer: peers.provider,
    helloBody: parts[0],
    helloSignature: parts[1],
    challengeBody: parts[2],
    challengeQuote: parts[3],
    requestBody: parts[4],
    requestQuote: parts[5],
    T,
    signed: {
      hello: digest('hello', T1 ?? fail()),
      provider: digest('provider', T3 ?? fail()),
      requester: digest('requester', T5 ?? fail()),
    },
  }
}

function fail(): never {
  throw new Error('the transcript is too short')
}

/** Signatures of Hello and report data, right and wrong. */
export function bindingVectors() {
  const T = made('some transcript hash')
  const roles: readonly Signed[] = ['hello', 'provider', 'requester']
  const by = { hello: requester, provider, requester }
  const codes = { hello: 'BAD_SIGNATURE', provider: 'BINDING_MISMATCH', requester: 'BINDING_MISMATCH' } as const
  const cases = roles.flatMap((what) => {
    const { account, sign } = by[what]
    const right = sign(digest(what, T))
    const another = what === 'provider' ? 'requester' : 'provider'
    const judged = (name: string, signature: Uint8Array, isRight = false) => ({
      name: `${what}: ${name}`,
      signed: what,
      account,
      transcriptHash: T,
      signature,
      outcome: isRight ? ('accepted' as const) : codes[what],
    })
    return [
      judged('right', right, true),
      judged('by another account', stranger.sign(digest(what, T))),
      judged('over another transcript', sign(digest(what, altered(T)))),
      judged('over the transcript hash itself', sign(T)),
      judged('for another role', sign(digest(another, T))),
      judged('under the tag of the transcript', sign(H('ternoa/share/1/transcript', T))),
      judged('wrapped as wallets do', sign(concat(ascii('<Bytes>'), digest(what, T), ascii('</Bytes>')))),
      judged('with one bit altered in its first half', altered(right, 0)),
      judged('with one bit altered in its second half', altered(right, 32)),
      judged('without schnorrkel’s mark, the top bit of the last byte', unmarked(right)),
      judged('all zeroes', new Uint8Array(64)),
    ]
  })
  return {
    about:
      'Clause 4.1: signatures over digests of a transcript hash. `signed` says which: `hello` (Hello.signature over T1), `provider` or `requester` (report data of their quotes, over T3 or T5). `outcome` is `accepted`, or the refusal.',
    seeds: { requester: requester.seed, provider: provider.seed, stranger: stranger.seed },
    cases,
  }
}

function unmarked(signature: Uint8Array): Uint8Array {
  return signature.with(63, (signature[63] ?? 0) & 0x7f)
}

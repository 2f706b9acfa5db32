import assert from 'node:assert/strict'
import { accountSigner, toHex } from '../../../src/crypto/index.js'
import { type ShareKey, SlotmeshError } from '../../../src/domain/index.js'
import { Frames } from '../../../src/framing/index.js'
import type { ChainView, Party } from '../../../src/share/party.js'
import { RefusalError } from '../../../src/share/refusals.js'
import { requestShares } from '../../../src/share/requester.js'
import { createSealer, ephemeralKeys, takePreSharedKey } from '../../../src/share/sealing.js'
import { issueToken } from '../../../src/share/tokens.js'
import { quoteDigest, Transcript } from '../../../src/share/transcript.js'
import type { OpenWant, Wanted } from '../../../src/share/wants.js'
import {
  ChallengeBody,
  HelloBody,
  ProviderMessage,
  RequestBody,
  RequesterMessage,
} from '../../../src/share/wire/share.js'
import { provider, requester } from '../../vectors/world.js'
import { connectedStreams, soon } from '../share/fixture.js'
import { registryFrom, toBytes, vectorsOf } from './vectors.js'

const KINDS = { SECRET: 'secret', CAPSULE: 'capsule' } as const

/** How this code names what a requester resets the stream for, by the clause that is broken. */
const FAILURES: Readonly<Record<string, readonly string[]>> = {
  '6.3, 1': ['share/unasked'],
  '6.3, 2': ['share/unasked'],
  '6.3, 3': ['share/origin'],
  '6.3, 4': ['share/origin'],
  '6.3, 5': ['provenance/head-signature'],
  '6.3, 6': ['provenance/range'],
  '4.7': ['share/incomplete', 'share/cut'],
}

const PEERS = { requesterPeer: requester.peer, providerPeer: provider.peer }

/** Seals the contents of a vector to the requester at the other end, in an exchange without a fault until then. */
async function provide(frames: Frames, chain: ChainView, contents: readonly Uint8Array[]): Promise<void> {
  const next = async () => {
    const bytes = await frames.read(1024 * 1024, { signal: soon() })
    return bytes === undefined ? {} : RequesterMessage.decode(bytes)
  }
  const transcript = new Transcript({ genesisHash: chain.genesisHash, ...PEERS })
  const { hello } = await next()
  if (hello === undefined) return assert.fail('expected a Hello')
  transcript.add('hello-body', hello.body)
  transcript.add('hello-signature', hello.signature)
  const [offer] = HelloBody.decode(hello.body).suites
  if (offer === undefined) return assert.fail('expected an offer')

  const keys = await ephemeralKeys(1)
  const body = ChallengeBody.encode({
    account: provider.account,
    nonce: new Uint8Array(32),
    token: issueToken(chain),
    suite: 1,
    publicKey: keys.publicKey,
    syncedBlock: 0,
    takenInBlock: 0,
  })
  const quote = provider.sign(quoteDigest('provider', transcript.add('challenge-body', body)))
  const challengeHash = new Uint8Array(transcript.add('challenge-quote', quote))
  await frames.write(ProviderMessage.encode({ challenge: { body, quote } }), { signal: soon() })

  const { request } = await next()
  if (request === undefined) return
  transcript.add('request-body', request.body)
  const finalHash = transcript.add('request-quote', request.quote)
  const { encapsulatedKey } = RequestBody.decode(request.body)
  const preSharedKey = await takePreSharedKey(keys, encapsulatedKey, challengeHash)
  const sealer = await createSealer(
    { suite: 1, publicKey: offer.publicKey },
    { challengeHash, finalHash, preSharedKey },
  )
  await frames.write(ProviderMessage.encode({ grant: sealer }), { signal: soon() })
  for (const content of contents) {
    const ciphertext = await sealer.seal(content.slice())
    await frames.write(ProviderMessage.encode({ sealed: { ciphertext } }), { signal: soon() })
  }
  await frames.close({ signal: soon(), lingerMs: 10_000 })
}

describe('the test vectors of what a requester receives', () => {
  const vectors = vectorsOf('share/1/vectors/receiving.json')
  type Vector = (typeof vectors.cases)[number]

  function chainOf({ registries = vectors.registries }: Vector): ChainView {
    const at = (number: number) => registryFrom(registries.findLast(({ from }) => from <= number)?.registry ?? [])
    const now = at(vectors.now)
    return {
      genesisHash: vectors.genesisHash,
      finalised: () => ({ number: vectors.now, hash: vectors.genesisHash }),
      finalisedAgeMs: () => 0,
      blockHash: async () => vectors.genesisHash,
      registry: () => now,
      registryAt: async ({ number }) => at(number),
    }
  }

  function wantsOf({ asked, origins }: Vector): { wants: Wanted[]; open: OpenWant[] } {
    const [wants, open]: [Wanted[], OpenWant[]] = [[], []]
    for (const [list, name] of [
      [asked.secrets, 'SECRET'],
      [asked.capsules, 'CAPSULE'],
    ] as const) {
      for (const { first, length, minimumVersion } of list) {
        const key = (nftId: number): ShareKey => ({ kind: KINDS[name], nftId })
        if (length === 0) open.push({ from: key(first), minimumVersion })
        for (let nftId = first; nftId < first + length; nftId += 1) {
          const origin = origins.find((each) => each.kind === name && each.nftId === nftId)?.cluster
          wants.push({ key: key(nftId), minimumVersion, origin })
        }
      }
    }
    return { wants, open }
  }

  for (const vector of vectors.cases) {
    const { name, clause, contents, kept, outcome } = vector
    it(`${clause}, ${name}: ${outcome}`, async () => {
      const chain = chainOf(vector)
      // The chain lets the two begin, whatever it says of the shares.
      let isGranted = false
      const beginning = registryFrom(vectors.registries[0]?.registry ?? [])
      const party: Party = {
        signer: accountSigner(requester.seed),
        peer: PEERS.requesterPeer,
        chain: { ...chain, registry: () => (isGranted ? chain.registry() : beginning) },
        attestation: {
          quote: async (reportData) => {
            isGranted = true
            return reportData
          },
          verify: async (reportData) => ({ reportData }),
        },
        suites: [1],
      }
      const received: unknown[] = []
      const [near, far] = await connectedStreams()
      const providing = provide(new Frames(far), chain, toBytes(contents)).catch((thrown: unknown) => {
        assert.ok(thrown instanceof SlotmeshError && thrown.code === 'share/cut', String(thrown))
      })
      const exchange = requestShares(
        party,
        { peer: PEERS.providerPeer, account: toHex(provider.account) },
        new Frames(near),
        {
          ...wantsOf(vector),
          onRun: async ({ shares }) => {
            for (const { leaf, payload } of shares) {
              const { kind, nftId, version } = leaf
              received.push({ kind: kind === 'secret' ? 'SECRET' : 'CAPSULE', nftId, version, payload: toHex(payload) })
            }
          },
          signal: soon(),
        },
      )
      const told = await exchange.then(
        ({ unfinished }) => (unfinished ? 'unfinished' : 'finished'),
        (thrown: unknown) => {
          if (thrown instanceof RefusalError) return thrown.refusal
          assert.ok(thrown instanceof SlotmeshError && FAILURES[clause]?.includes(thrown.code), String(thrown))
          return 'reset'
        },
      )
      await providing
      assert.equal(told, outcome)
      const isWhole = outcome === 'finished' || outcome === 'unfinished'
      assert.deepEqual(isWhole ? received : received.slice(0, kept.length), kept)
    })
  }
})

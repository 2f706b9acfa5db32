import assert from 'node:assert/strict'
import type { webcrypto } from 'node:crypto'
import { NotSupportedError } from '@hpke/core'
import { utf8 } from '../../../src/crypto/index.js'
import { Frames } from '../../../src/framing/index.js'
import { MESSAGE_BYTES, SUITE_X_WING, SUITE_X25519, type Suite } from '../../../src/share/protocol.js'
import { type ServedExchange, serveExchange } from '../../../src/share/provider.js'
import { type Refusal, RefusalError, RefusedError } from '../../../src/share/refusals.js'
import { type ExchangeResult, requestShares } from '../../../src/share/requester.js'
import {
  allowedSuites,
  createOpener,
  createSealer,
  ephemeralKeys,
  offerPreSharedKey,
  takePreSharedKey,
} from '../../../src/share/sealing.js'
import { ChallengeBody, HelloBody, ProviderMessage, RequesterMessage } from '../../../src/share/wire/share.js'
import { XWingKem, XWingPrivateKey } from '../../../src/share/x-wing-kem.js'
import { MadeArrays } from '../../support/made-arrays.js'
import { SMALL_ORDER } from '../../support/small-order.js'
import {
  account,
  connectedStreams,
  FakeChain,
  MemoryShares,
  OriginLog,
  party,
  payloadOf,
  Received,
  registryOf,
  secret,
  soon,
  want,
} from './fixture.js'
import { RawProvider, RawRequester } from './raw.js'

const registry = registryOf([
  { name: 'asking', cluster: 1 },
  { name: 'serving', cluster: 2 },
])
const BOTH: readonly Suite[] = [SUITE_X_WING, SUITE_X25519]
const KEY_BYTES = { [SUITE_X25519]: [32, 32], [SUITE_X_WING]: [1216, 1120] } as const
const WANTS = [want(secret(1))]
const admission = { admitHello: () => undefined, admitAccount: async () => undefined }

function parties(requesterAllows?: readonly Suite[], providerAllows?: readonly Suite[]) {
  return {
    requester: { ...party('asking', new FakeChain(registry)), ...(requesterAllows && { suites: requesterAllows }) },
    provider: { ...party('serving', new FakeChain(registry)), ...(providerAllows && { suites: providerAllows }) },
    shares: new MemoryShares([new OriginLog(account('serving'), { cluster: 2 }).append(secret(1), 50)]),
  }
}

/** What one in the middle does to the messages that pass, and what it has seen. */
interface Middle {
  readonly hello?: (body: HelloBody) => HelloBody
  readonly challenge?: (body: ChallengeBody) => ChallengeBody
}

interface Passed {
  readonly result: PromiseSettledResult<ExchangeResult>
  readonly served: PromiseSettledResult<ServedExchange>
  readonly received: Received
  readonly shares: MemoryShares
  readonly fromRequester: RequesterMessage[]
  readonly fromProvider: ProviderMessage[]
}

/** An exchange whose bytes all pass through the hands of one in the middle. */
async function exchange({ requester, provider, shares }: ReturnType<typeof parties>, middle: Middle = {}) {
  const [[near, nearEnd], [farEnd, far]] = [await connectedStreams(), await connectedStreams()]
  const [toRequester, toProvider] = [new Frames(nearEnd), new Frames(farEnd)]
  const received = new Received()
  const fromRequester: RequesterMessage[] = []
  const fromProvider: ProviderMessage[] = []
  const { hello, challenge } = middle
  const counterpart = { account: provider.signer.account, peer: provider.peer }
  const [result, served] = await Promise.allSettled([
    requestShares(requester, counterpart, new Frames(near), { wants: WANTS, onRun: received.onRun, signal: soon() }),
    serveExchange(provider, shares, admission, requester.peer, new Frames(far), { signal: soon() }),
    pass(toRequester, toProvider, (bytes) => {
      const message = RequesterMessage.decode(bytes)
      fromRequester.push(message)
      if (message.hello === undefined || hello === undefined) return bytes
      const body = HelloBody.encode(hello(HelloBody.decode(message.hello.body)))
      return RequesterMessage.encode({ hello: { ...message.hello, body } })
    }),
    pass(toProvider, toRequester, (bytes) => {
      const message = ProviderMessage.decode(bytes)
      fromProvider.push(message)
      if (message.challenge === undefined || challenge === undefined) return bytes
      const body = ChallengeBody.encode(challenge(ChallengeBody.decode(message.challenge.body)))
      return ProviderMessage.encode({ challenge: { ...message.challenge, body } })
    }),
  ])
  return { result, served, received, shares, fromRequester, fromProvider }
}

async function pass(from: Frames, to: Frames, alter: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  for (;;) {
    const bytes = await from.read(1024 * 1024, { signal: soon() })
    if (bytes === undefined) return to.close({ signal: soon(), lingerMs: 10_000 })
    await to.write(alter(bytes), { signal: soon() })
  }
}

function offered({ fromRequester: [first] }: Passed): number[] {
  return HelloBody.decode(first?.hello?.body ?? new Uint8Array()).suites.map(({ suite }) => suite)
}

function chosen({ fromProvider: [first] }: Passed): ChallengeBody {
  assert.ok(first?.challenge)
  return ChallengeBody.decode(first.challenge.body)
}

function assertBrought({ result, received }: Passed): void {
  assert.equal(result.status, 'fulfilled')
  assert.deepEqual([...received.shares.values()], [payloadOf(secret(1))])
}

/** One side refused so, the other was told, and not a share was read, let alone sealed. */
function assertRefused({ result, served, shares, fromProvider }: Passed, by: 'requester' | 'provider', code: Refusal) {
  const [refusing, refused] = by === 'requester' ? [result, served] : [served, result]
  assert.ok(refusing.status === 'rejected' && refusing.reason instanceof RefusalError, String(refusing.status))
  assert.equal(refusing.reason.refusal, code)
  assert.ok(refused.status === 'rejected' && refused.reason instanceof RefusedError)
  assert.equal(refused.reason.refusal, code)
  assert.equal(shares.calls.runs, 0)
  assert.ok(fromProvider.every(({ grant, sealed }) => grant === undefined && sealed === undefined))
}

describe('suites', () => {
  for (const suite of BOTH) {
    it(`bring shares from end to end: ${suite}`, async () => {
      const passed = await exchange(parties([suite]))
      assertBrought(passed)
      const [publicKeyBytes, encapsulatedBytes] = KEY_BYTES[suite]
      const { fromRequester, fromProvider } = passed
      const [offer] = HelloBody.decode(fromRequester[0]?.hello?.body ?? new Uint8Array()).suites
      assert.deepEqual([offer?.suite, offer?.publicKey.length], [suite, publicKeyBytes])
      assert.deepEqual([chosen(passed).suite, chosen(passed).publicKey.length], [suite, publicKeyBytes])
      assert.equal(fromProvider[1]?.grant?.encapsulatedKey.length, encapsulatedBytes)
    })
  }

  describe('are chosen', () => {
    const table: [requester: readonly Suite[] | undefined, provider: readonly Suite[] | undefined, suite: Suite][] = [
      [undefined, undefined, SUITE_X_WING],
      [[1, 2], [1, 2], SUITE_X_WING],
      [[1], undefined, SUITE_X25519],
      [undefined, [1], SUITE_X25519],
      [undefined, [2], SUITE_X_WING],
      [[2], undefined, SUITE_X_WING],
    ]
    for (const [requester, provider, suite] of table) {
      it(`where ${requester ?? 'any'} and ${provider ?? 'any'} are allowed: ${suite}`, async () => {
        const passed = await exchange(parties(requester, provider))
        assertBrought(passed)
        assert.deepEqual(offered(passed), allowedSuites(requester), 'the strongest first')
        assert.equal(chosen(passed).suite, suite)
      })
    }

    it('by strength, in whatever order they are offered', async () => {
      const at = await rawRequester()
      const [weak, strong] = [await ephemeralKeys(SUITE_X25519), await ephemeralKeys(SUITE_X_WING)]
      await at.hello({ body: { suites: [weak, strong] } })
      assert.equal((await at.challenge()).body.suite, SUITE_X_WING)
    })

    it('not at all where none is allowed by both', async () => {
      assertRefused(await exchange(parties([1], [2])), 'provider', 'UNSUPPORTED_SUITE')
      assertRefused(await exchange(parties([2], [1])), 'provider', 'UNSUPPORTED_SUITE')
    })

    it('only among those that the requester has offered', async () => {
      const { provider, asked } = await rawProvider([2])
      await provider.hello()
      await provider.challenge()
      assert.equal((await provider.next()).refusal?.code, 'UNSUPPORTED_SUITE')
      await assert.rejects(asked, (thrown) => thrown instanceof RefusalError && thrown.refusal === 'UNSUPPORTED_SUITE')
    })
  })

  it('are all allowed by default, and never none or unknown ones', () => {
    assert.deepEqual(allowedSuites(), [2, 1])
    assert.deepEqual(allowedSuites([1, 2, 1]), [2, 1])
    for (const suites of [[], [3], [2, 3], [0]]) assert.throws(() => allowedSuites(suites), { code: 'share/suites' })
  })

  describe('cannot be forced down by one in the middle', () => {
    it('who cuts the strong one out of Hello', async () => {
      const passed = await exchange(parties(), {
        hello: (body) => ({ ...body, suites: body.suites.filter(({ suite }) => suite !== SUITE_X_WING) }),
      })
      assertRefused(passed, 'provider', 'BAD_SIGNATURE')
    })

    it('who puts a key of its own into Hello', async () => {
      const { publicKey } = await ephemeralKeys(SUITE_X_WING)
      const passed = await exchange(parties(), { hello: (body) => ({ ...body, suites: [{ suite: 2, publicKey }] }) })
      assertRefused(passed, 'provider', 'BAD_SIGNATURE')
    })

    it('who changes the suite in Challenge, with a key to match', async () => {
      const { publicKey } = await ephemeralKeys(SUITE_X25519)
      const passed = await exchange(parties(), { challenge: (body) => ({ ...body, suite: SUITE_X25519, publicKey }) })
      assertRefused(passed, 'requester', 'BINDING_MISMATCH')
      assert.ok(passed.fromRequester.every(({ request }) => request === undefined))
    })

    it('who changes the suite in Challenge to one that is not allowed', async () => {
      const { publicKey } = await ephemeralKeys(SUITE_X25519)
      const middle: Middle = { challenge: (body) => ({ ...body, suite: SUITE_X25519, publicKey }) }
      assertRefused(await exchange(parties([2]), middle), 'requester', 'UNSUPPORTED_SUITE')
    })
  })

  describe('in Hello', () => {
    it('are each offered once: MALFORMED', async () => {
      const at = await rawRequester()
      const [one, other] = [await ephemeralKeys(SUITE_X_WING), await ephemeralKeys(SUITE_X_WING)]
      await at.hello({ body: { suites: [one, await ephemeralKeys(SUITE_X25519), other] } })
      assert.equal((await at.next()).refusal?.code, 'MALFORMED')
    })

    it('that are not chosen may have any key, and all eight find room', async () => {
      const at = await rawRequester()
      at.suite = SUITE_X_WING
      const others = [1, 3, 4, 5, 6, 7, 2 ** 32 - 1].map((suite) => ({ suite, publicKey: new Uint8Array(1217) }))
      const lengths: number[] = []
      await at.hello({
        body: { suites: [...others, await at.keys()] },
        afterwards: (body) => {
          lengths.push(RequesterMessage.encode({ hello: { body, signature: new Uint8Array(64) } }).length)
          return body
        },
      })
      assert.equal((await at.challenge()).body.suite, SUITE_X_WING)
      await at.request(WANTS)
      assert.equal((await at.sealed()).batch?.runs.length, 1)
      assert.ok(lengths.every((length) => length > 8 * 1216 && length <= MESSAGE_BYTES.hello))
    })
  })

  describe('leave no copy of what is sealed', () => {
    const challengeHash = new Uint8Array(32).fill(1)
    const context = () => ({ challengeHash, finalHash: challengeHash, preSharedKey: new Uint8Array(32).fill(2) })
    const text = 'a batch of shares that nobody else may read'
    const { prototype } = crypto.subtle.constructor
    const { encrypt } = prototype

    afterEach(() => {
      prototype.encrypt = encrypt
    })

    for (const suite of BOTH) {
      it(`${suite}, also where sealing fails`, async () => {
        for (const fails of [false, true]) {
          const sealer = await createSealer(await ephemeralKeys(suite), context())
          if (fails) prototype.encrypt = () => Promise.reject(new Error('no memory'))
          const plaintext = utf8(text)
          const made = new MadeArrays()
          const [sealed] = await made.during(() => Promise.allSettled([sealer.seal(plaintext)]))
          assert.equal(sealed.status, fails ? 'rejected' : 'fulfilled')
          assert.ok(made.count > 0)
          assert.deepEqual(made.holding(utf8(text)), [])
          assert.ok(plaintext.every((byte) => byte === 0))
        }
      })
    }
  })

  describe('take no keys but their own: MALFORMED', () => {
    for (const suite of BOTH) {
      const [publicKeyBytes, encapsulatedBytes] = KEY_BYTES[suite]
      const wrong = (name: string, right: Uint8Array): Uint8Array => {
        if (name === 'short') return right.slice(1)
        if (name === 'long') return Uint8Array.of(...right, 0)
        if (name === 'of the other suite') return new Uint8Array(KEY_BYTES[suite === 1 ? 2 : 1][0]).fill(9)
        if (name === 'empty') return new Uint8Array()
        // The X25519 part is last in keys and in encapsulated keys of X-Wing.
        return Uint8Array.of(...right.slice(0, -32), ...new Uint8Array(32))
      }
      for (const name of ['short', 'long', 'of the other suite', 'empty', 'of small order']) {
        it(`${suite}, ${name}`, async () => {
          const challengeHash = new Uint8Array(32).fill(1)
          const context = () => ({ challengeHash, finalHash: challengeHash, preSharedKey: new Uint8Array(32).fill(2) })
          const { publicKey } = await ephemeralKeys(suite)
          assert.equal(publicKey.length, publicKeyBytes)
          const { encapsulatedKey } = await offerPreSharedKey({ suite, publicKey }, challengeHash)
          assert.equal(encapsulatedKey.length, encapsulatedBytes)
          const [badKey, badEncapsulated] = [wrong(name, publicKey), wrong(name, encapsulatedKey)]
          const [taking, opening] = [await ephemeralKeys(suite), await ephemeralKeys(suite)]
          const attempts = [
            offerPreSharedKey({ suite, publicKey: badKey }, challengeHash),
            createSealer({ suite, publicKey: badKey }, context()),
            takePreSharedKey(taking, badEncapsulated, challengeHash),
            createOpener(opening, badEncapsulated, context()),
          ]
          for (const attempt of await Promise.allSettled(attempts)) {
            assert.ok(attempt.status === 'rejected' && attempt.reason instanceof RefusalError)
            assert.equal(attempt.reason.refusal, 'MALFORMED')
          }
        })
      }
    }

    for (const suite of BOTH) {
      it(`${suite}, with every X25519 key of small order`, async () => {
        const { publicKey } = await ephemeralKeys(suite)
        for (const point of SMALL_ORDER) {
          const key = Uint8Array.of(...publicKey.slice(0, -32), ...point)
          const offer = offerPreSharedKey({ suite, publicKey: key }, new Uint8Array(32))
          await assert.rejects(offer, (thrown) => thrown instanceof RefusalError && thrown.refusal === 'MALFORMED')
        }
      })
    }

    it('2, whose ML-KEM key has a number that is not reduced (FIPS 203, 7.2)', async () => {
      const { publicKey } = await ephemeralKeys(SUITE_X_WING)
      const key = Uint8Array.of(0xff, 0xff, ...publicKey.slice(2))
      const offer = offerPreSharedKey({ suite: SUITE_X_WING, publicKey: key }, new Uint8Array(32))
      await assert.rejects(offer, (thrown) => thrown instanceof RefusalError && thrown.refusal === 'MALFORMED')
    })

    it('as a requester finds out in Challenge', async () => {
      for (const suite of BOTH) {
        const { provider } = await rawProvider([suite])
        provider.suite = suite
        await provider.hello()
        await provider.challenge({ body: { publicKey: new Uint8Array(KEY_BYTES[suite][0] - 1) } })
        assert.equal((await provider.next()).refusal?.code, 'MALFORMED')
      }
    })

    it('as a requester finds out in Grant', async () => {
      for (const suite of BOTH) {
        const { provider } = await rawProvider([suite])
        provider.suite = suite
        await provider.hello()
        await provider.challenge()
        await provider.request()
        await provider.grant({ encapsulatedKey: new Uint8Array(KEY_BYTES[suite][1] + 1) })
        assert.equal((await provider.next()).refusal?.code, 'MALFORMED')
      }
    })

    it('as a provider finds out in Request, of Hello’s key and of the encapsulated one', async () => {
      for (const suite of BOTH) {
        for (const lie of ['hello', 'request']) {
          const at = await rawRequester()
          at.suite = suite
          const short = new Uint8Array(31)
          await at.hello(lie === 'hello' ? { body: { suites: [{ suite, publicKey: short }] } } : {})
          await at.challenge()
          await at.request(WANTS, lie === 'request' ? { body: { encapsulatedKey: short } } : {})
          assert.equal((await at.next()).refusal?.code, 'MALFORMED')
        }
      }
    })
  })

  it('2 gives another key for an encapsulated key that was altered, in either of its parts', async () => {
    const hash = new Uint8Array(32)
    for (const at of [undefined, 0, 1087, 1088, 1119]) {
      const own = await ephemeralKeys(SUITE_X_WING)
      const { encapsulatedKey, preSharedKey } = await offerPreSharedKey(own, hash)
      if (at !== undefined) encapsulatedKey[at] = (encapsulatedKey[at] ?? 0) ^ 1
      const taken = await takePreSharedKey(own, encapsulatedKey, hash)
      assert.equal(Buffer.compare(taken, preSharedKey) === 0, at === undefined)
    }
  })

  it('have X-Wing under the number that its draft asks for, and with no sender to be proved', async () => {
    const kem = new XWingKem()
    assert.equal(kem.id, 0x647a)
    const { publicKey: recipientPublicKey, privateKey: recipientKey } = await kem.generateKeyPair()
    await assert.rejects(kem.encap({ recipientPublicKey, senderKey: recipientKey }), NotSupportedError)
    const { enc } = await kem.encap({ recipientPublicKey })
    await assert.rejects(kem.decap({ recipientKey, enc, senderPublicKey: recipientPublicKey }), NotSupportedError)
  })

  describe('leave no private key of X-Wing behind', () => {
    it('when it was used, or was not', async () => {
      const hash = new Uint8Array(32)
      const [used, failed, unused] = [await ephemeralKeys(2), await ephemeralKeys(2), await ephemeralKeys(2)]
      const pairs = [used, failed, unused].map(({ pair }) => pair)
      const secrets = pairs.map((pair) => secretOf(pair) ?? assert.fail('It is disposed of.'))
      assert.ok(!secrets.some(isZero))
      const { encapsulatedKey } = await offerPreSharedKey(used, hash)
      await takePreSharedKey(used, encapsulatedKey, hash)
      await assert.rejects(takePreSharedKey(failed, new Uint8Array(3), hash))
      unused[Symbol.dispose]()
      assert.ok(secrets.every(isZero))
      assert.deepEqual(pairs.map(secretOf), [undefined, undefined, undefined])
    })

    it('and take nothing with one that is disposed of, which is no fault of the peer', async () => {
      const own = await ephemeralKeys(2)
      const { encapsulatedKey } = await offerPreSharedKey(own, new Uint8Array(32))
      own[Symbol.dispose]()
      await assert.rejects(takePreSharedKey(own, encapsulatedKey, new Uint8Array(32)), RangeError)
    })

    it('nor a pre-shared key that came to no use', async () => {
      using keys = await ephemeralKeys(2)
      const presharing = await offerPreSharedKey(keys, new Uint8Array(32))
      assert.ok(!isZero(presharing.preSharedKey))
      presharing[Symbol.dispose]()
      assert.ok(isZero(presharing.preSharedKey))
    })

    it('however the exchange ends', async () => {
      const made: webcrypto.CryptoKeyPair[] = []
      const { generateKeyPair } = XWingKem.prototype
      XWingKem.prototype.generateKeyPair = async function (this: XWingKem) {
        const pair = await generateKeyPair.call(this)
        made.push(pair)
        return pair
      }
      try {
        assertBrought(await exchange(parties()))
        assertBrought(await exchange(parties(undefined, [1])))
        assertRefused(await exchange(parties([2], [1])), 'provider', 'UNSUPPORTED_SUITE')
        const altered: Middle = { challenge: (body) => ({ ...body, syncedBlock: body.syncedBlock + 1 }) }
        assertRefused(await exchange(parties(), altered), 'requester', 'BINDING_MISMATCH')
      } finally {
        XWingKem.prototype.generateKeyPair = generateKeyPair
      }
      assert.equal(made.length, 6)
      for (const pair of made) assert.equal(secretOf(pair), undefined)
    })
  })
})

async function rawRequester(): Promise<RawRequester> {
  const { requester, provider, shares } = parties()
  const [near, far] = await connectedStreams()
  const peers = { requesterPeer: requester.peer, providerPeer: provider.peer }
  const served = serveExchange(provider, shares, admission, requester.peer, new Frames(far), { signal: soon() })
  served.catch(() => 'the requester is told')
  return new RawRequester(requester, near, peers)
}

async function rawProvider(
  allowed: readonly Suite[],
): Promise<{ provider: RawProvider; asked: Promise<ExchangeResult> }> {
  const { requester, provider } = parties(allowed)
  const [near, far] = await connectedStreams()
  const peers = { requesterPeer: requester.peer, providerPeer: provider.peer }
  const counterpart = { account: provider.signer.account, peer: provider.peer }
  const { onRun } = new Received()
  const asked = requestShares(requester, counterpart, new Frames(near), { wants: WANTS, onRun, signal: soon() })
  asked.catch(() => 'the provider is told')
  return { provider: new RawProvider(provider, far, peers), asked }
}

/** The private key of X-Wing; undefined once it is disposed of. */
function secretOf({ privateKey }: webcrypto.CryptoKeyPair): Uint8Array | undefined {
  assert.ok(privateKey instanceof XWingPrivateKey)
  return privateKey.keys.privateKey?.mlKem
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

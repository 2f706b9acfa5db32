import { createHash, randomBytes } from 'node:crypto'
import type { PeerId, Stream } from '@libp2p/interface'
import { createDevelopmentPki } from '../../../src/attestation/development/index.js'
import { createQuoteVerifier, staticCollateral } from '../../../src/attestation/index.js'
import { type Chain, connectChain } from '../../../src/chain/index.js'
import type { Target } from '../../../src/conformance/index.js'
import { accountSigner, fromHex, toHex, verifySignature } from '../../../src/crypto/index.js'
import {
  type AccountId,
  type BlockNumber,
  type ShareKey,
  SlotmeshError,
  shareKeyText,
  silentLogger,
  synchronisationBarrier,
  systemClock,
} from '../../../src/domain/index.js'
import { Frames } from '../../../src/framing/index.js'
import { createMeshHost, type MeshHost } from '../../../src/mesh/index.js'
import {
  type LogHead,
  leafHash,
  proveRange,
  type RangeProof,
  verifyHead,
  verifyRange,
} from '../../../src/provenance/index.js'
import { ListReader, ListWriter } from '../../../src/share/id-lists.js'
import {
  accountFrom,
  decode,
  decodeSealed,
  fromWireRun,
  helloFrom,
  malformed,
  readFromProvider,
  readFromRequester,
  sized,
  tokenFrom,
  toWireRun,
} from '../../../src/share/messages.js'
import { SHARE_PROTOCOL, SUITES } from '../../../src/share/protocol.js'
import { attestationRefusal, BARRIER_REFUSALS, RefusalError } from '../../../src/share/refusals.js'
import {
  createOpener,
  createSealer,
  type EphemeralKeys,
  ephemeralKeys,
  offerPreSharedKey,
  strongest,
  takePreSharedKey,
} from '../../../src/share/sealing.js'
import { finish, finishRefused } from '../../../src/share/session.js'
import { checkToken, hasExpired, hasFreshView, issueToken } from '../../../src/share/tokens.js'
import { helloDigest, quoteDigest, Transcript } from '../../../src/share/transcript.js'
import { checkWants } from '../../../src/share/wants.js'
import {
  type Batch,
  ChallengeBody,
  HelloBody,
  ProviderMessage,
  RequestBody,
  RequesterMessage,
  type Run,
  SealedContent,
} from '../../../src/share/wire/share.js'

/** What the peer can be made to do wrong, one at a time. */
export type Fault =
  // As a provider.
  | 'reads messages of any size'
  | 'takes any field size'
  | 'hashes a body encoded anew'
  | 'resets where it should refuse'
  | 'exchanges with any account'
  | 'checks the token first'
  | 'believes any signature'
  | 'ignores expiry'
  | 'ignores the future'
  | 'ignores the hash of the anchor'
  | 'takes the weakest suite'
  | 'repeats its nonce and key'
  | 'replays its quote'
  | 'anchors its token anywhere'
  | 'says that it is further than it is'
  | 'believes any quote'
  | 'allows any build'
  | 'ignores the binding'
  | 'takes any want list'
  | 'sends what it likes'
  | 'sends the old version'
  | 'miscounts'
  | 'leaves out'
  | 'never ends'
  | 'does not seal'
  | 'goes on when the right has lapsed'
  | 'has no bounds'
  // As a requester.
  | 'signs no Hello'
  | 'asks in a list that is not canonical'
  | 'quotes for another exchange'
  | 'takes a Challenge of anyone'
  | 'takes an expired Challenge'
  | 'takes a Challenge that contradicts itself'
  | 'takes a Challenge without its binding'
  | 'takes a Challenge of any build'
  | 'takes what is not sealed'
  | 'takes any batch'
  | 'takes any provenance'
  | 'takes any head'
  | 'takes forked logs'
  | 'takes any End'
  // As a peer of the mesh.
  | 'has a slow clock'

/** One share, as it was received. */
interface Held {
  readonly version: BlockNumber
  readonly payload: Uint8Array
  readonly head: LogHead
  readonly index: number
  readonly proof: RangeProof
  /** Whether it came alone, so that the proof is its own. */
  readonly isAlone: boolean
}

const PATIENCE_MS = 10_000
const PLACES = { account: 2, all: 16 }
const RETRY_MS = 50

/**
 * A second, small implementation, which holds everything in memory and does as it is told by the specification, except
 * for one fault. It shares the project's codecs and formulas, but no state machine.
 */
export class SmallPeer {
  fault: Fault | undefined
  readonly #chain: Chain
  readonly #mesh: MeshHost
  readonly #target: Target
  readonly #signer: ReturnType<typeof accountSigner>
  readonly #attestation: {
    quote(reportData: Uint8Array): Promise<Uint8Array>
    verify(quote: Uint8Array): Promise<{ reportData: Uint8Array }>
  }
  readonly #lenient: { verify(quote: Uint8Array): Promise<{ reportData: Uint8Array }> }
  readonly #stopped = new AbortController()
  readonly #held = new Map<string, Held & { readonly key: ShareKey }>()
  readonly #former = new Map<string, Held & { readonly key: ShareKey }>()
  readonly #wants = new Map<string, { readonly key: ShareKey; readonly minimumVersion: BlockNumber }>()
  readonly #origins = new Map<string, number>()
  readonly #nodes = new Map<string, Uint8Array>()
  readonly #places: AccountId[] = []
  readonly #hellos = new Map<string, number>()
  #loops: Promise<unknown> = Promise.resolve()
  #takenIn: BlockNumber = 0
  #turn = 0
  #quote: Uint8Array | undefined
  #nonce: Uint8Array | undefined

  private constructor(chain: Chain, mesh: MeshHost, target: Target, pki: Awaited<ReturnType<typeof pkiOf>>) {
    this.#chain = chain
    this.#mesh = mesh
    this.#target = target
    this.#signer = accountSigner(fromHex(target.accountSeed))
    this.#attestation = pki
    this.#lenient = pki.lenient
  }

  static async start(target: Target, fault?: Fault): Promise<SmallPeer> {
    const chain = await connectChain({ endpoints: [target.rpcUrl], logger: silentLogger })
    const holder: { peer?: SmallPeer } = {}
    const mesh = await createMeshHost({
      privateKey: new Uint8Array(randomBytes(32)),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: target.bootstrap,
      allowPrivateAddresses: true,
      genesisHash: chain.genesisHash,
      signer: accountSigner(fromHex(target.accountSeed)),
      registry: () => chain.registry(),
      logger: silentLogger,
      clock: {
        ...systemClock,
        now: () => (holder.peer?.fault === 'has a slow clock' ? Date.now() - 60_000 : Date.now()),
      },
    })
    const peer = new SmallPeer(chain, mesh, target, await pkiOf(target))
    holder.peer = peer
    peer.fault = fault
    await mesh.start()
    await mesh.libp2p.handle(SHARE_PROTOCOL, (stream, { remotePeer }) => peer.#serve(stream, remotePeer))
    await mesh.publish({ cluster: target.cluster, slot: target.slot })
    await peer.#takeSnapshot()
    peer.#loops = Promise.all([peer.#follow(), peer.#fetchAll()])
    return peer
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#loops
    await this.#mesh.stop()
    await this.#chain.close()
  }

  #is(fault: Fault): boolean {
    return this.fault === fault
  }

  get #signal(): AbortSignal {
    return this.#stopped.signal
  }

  async #takeSnapshot(): Promise<void> {
    const block = this.#chain.finalised()
    this.#takenIn = block.number
    for await (const keys of this.#chain.syncedShares(block, { signal: this.#signal })) {
      for (const key of keys) this.#wants.set(shareKeyText(key), { key, minimumVersion: 0 })
    }
  }

  async #follow(): Promise<void> {
    try {
      for await (const { block, triggers } of this.#chain.follow(this.#takenIn, { signal: this.#signal })) {
        for (const trigger of triggers) {
          if (trigger.type === 'key-update') continue
          const key = { kind: trigger.kind, nftId: trigger.nftId }
          const text = shareKeyText(key)
          if (trigger.type === 'removed') {
            this.#wants.delete(text)
            if (!this.#is('sends the old version')) this.#held.delete(text)
          } else {
            this.#wants.set(text, { key, minimumVersion: block.number })
            this.#origins.set(text, trigger.cluster)
          }
        }
        this.#takenIn = block.number
      }
    } catch (thrown) {
      if (!this.#signal.aborted) throw thrown
    }
  }

  // ---- provider ---------------------------------------------------------------------------------------------------

  async #serve(stream: Stream, remotePeer: PeerId): Promise<void> {
    const frames = new Frames(stream)
    const places: AccountId[] = []
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS * 3)
      await this.#exchangeServed(this.#limited(frames), remotePeer, places, signal)
      await finish(frames, { signal })
    } catch (thrown) {
      const silent = this.#is('resets where it should refuse')
      await finishRefused(frames, silent ? new Error('no word') : thrown, (refusal) =>
        ProviderMessage.encode({ refusal }),
      )
    } finally {
      for (const account of places) this.#places.splice(this.#places.indexOf(account), 1)
    }
  }

  /** The stream's messages with the limits that the protocol sets, or none. */
  #limited(frames: Frames): Frames {
    if (!this.#is('reads messages of any size')) return frames
    const read: Frames['read'] = (_, options) => frames.read(64 * 1024 * 1024, options)
    return new Proxy(frames, {
      get: (target, name) => {
        if (name === 'read') return read
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  async #exchangeServed(frames: Frames, remotePeer: PeerId, places: AccountId[], signal: AbortSignal): Promise<void> {
    const chain = this.#chain
    const own = this.#mesh.peerId.toMultihash().bytes
    const requesterPeer = remotePeer.toMultihash().bytes
    const transcript = new Transcript({ genesisHash: chain.genesisHash, requesterPeer, providerPeer: own })

    const message = await readFromRequester(frames, 'hello', { signal })
    const hello = this.#is('takes any field size')
      ? { ...decode(HelloBody, message.body), token: tokenFrom(HelloBody.decode(message.body).token) }
      : helloFrom(message.body)
    if (this.#is('checks the token first')) await this.#checkToken(hello.token, signal)
    if (toHex(hello.genesisHash) !== chain.genesisHash) throw new RefusalError('UNKNOWN_CHAIN')
    if (!hasFreshView(chain)) throw new RefusalError('NOT_READY')
    const requester = toHex(hello.account)
    this.#requireAllowed(requester)
    const offer = this.#is('takes the weakest suite')
      ? strongest(hello.suites.slice().reverse(), [1, 2])
      : strongest(hello.suites, SUITES)
    this.#admitHello(remotePeer.toString())
    await this.#checkToken(hello.token, signal)
    const signedBody = this.#is('hashes a body encoded anew')
      ? HelloBody.encode(HelloBody.decode(message.body))
      : message.body
    const digest = helloDigest(transcript.add('hello-body', signedBody))
    const isSigned = verifySignature(requester, digest, message.signature)
    if (!isSigned && !this.#is('believes any signature')) throw new RefusalError('BAD_SIGNATURE')
    this.#admitAccount(requester, places)
    transcript.add('hello-signature', message.signature)

    const keys = await ephemeralKeys(offer.suite)
    this.#nonce = this.#is('repeats its nonce and key') ? this.#nonce : undefined
    this.#nonce ??= new Uint8Array(randomBytes(32))
    const { number } = chain.finalised()
    const token = this.#is('anchors its token anywhere')
      ? { blockNumber: number + 40, blockHash: this.#nonce, validity: 20 }
      : issueToken(chain)
    const body = ChallengeBody.encode({
      account: fromHex(this.#signer.account),
      nonce: this.#nonce,
      token,
      suite: keys.suite,
      publicKey: keys.publicKey,
      syncedBlock: 0,
      takenInBlock: this.#is('says that it is further than it is') ? number + 1 : this.#takenIn,
    })
    const ownDigest = quoteDigest('provider', transcript.add('challenge-body', body))
    const quote = await this.#quoteOver(this.#signer.sign(ownDigest))
    const challengeHash = transcript.add('challenge-quote', quote)
    await frames.write(ProviderMessage.encode({ challenge: { body, quote } }), { signal })

    const request = await readFromRequester(frames, 'request', { signal })
    const wanted = decode(RequestBody, request.body)
    if (!this.#is('takes any want list')) checkWants(wanted)
    await this.#checkQuote('requester', requester, request.quote, transcript.add('request-body', request.body))
    const finalHash = transcript.add('request-quote', request.quote)

    const preSharedKey = await takePreSharedKey(keys, wanted.encapsulatedKey, challengeHash)
    const sealer = await createSealer(offer, { challengeHash, finalHash, preSharedKey })
    await frames.write(ProviderMessage.encode({ grant: { encapsulatedKey: sealer.encapsulatedKey } }), { signal })
    const mayGoOn = () =>
      this.#is('goes on when the right has lapsed') ||
      (hasFreshView(chain) &&
        synchronisationBarrier(chain.registry(), requester, this.#signer.account) === undefined &&
        !hasExpired(hello.token, chain))
    for await (const content of this.#contents(wanted, mayGoOn)) {
      const plain = SealedContent.encode(content)
      const ciphertext = this.#is('does not seal') ? plain : await sealer.seal(plain)
      await frames.write(ProviderMessage.encode({ sealed: { ciphertext } }), { signal })
    }
  }

  async #quoteOver(reportData: Uint8Array): Promise<Uint8Array> {
    const fresh = await this.#attestation.quote(reportData)
    this.#quote ??= fresh
    return this.#is('replays its quote') ? this.#quote : fresh
  }

  async #checkToken(token: Parameters<typeof checkToken>[0], signal: AbortSignal): Promise<void> {
    await checkToken(token, this.#chain, { signal }).catch((thrown: unknown) => {
      const refusal = thrown instanceof RefusalError ? thrown.refusal : undefined
      const passes =
        (refusal === 'TOKEN_EXPIRED' && this.#is('ignores expiry')) ||
        (refusal === 'TOKEN_IN_FUTURE' && this.#is('ignores the future')) ||
        (refusal === 'UNKNOWN_CHAIN' && this.#is('ignores the hash of the anchor'))
      if (!passes) throw thrown
    })
  }

  #requireAllowed(account: AccountId): void {
    const barrier = synchronisationBarrier(this.#chain.registry(), account, this.#signer.account)
    if (barrier !== undefined && !this.#is('exchanges with any account'))
      throw new RefusalError(BARRIER_REFUSALS[barrier])
  }

  async #checkQuote(
    role: 'provider' | 'requester',
    account: AccountId,
    quote: Uint8Array,
    transcriptHash: Uint8Array,
  ): Promise<void> {
    const verifier =
      (role === 'requester' && this.#is('allows any build')) || this.#is('takes a Challenge of any build')
        ? this.#lenient
        : this.#attestation
    const verified = verifier.verify(quote).catch((thrown: unknown) => {
      if (this.#is('believes any quote')) return { reportData: quote.subarray(368, 432) }
      throw attestationRefusal(thrown)
    })
    const isBound = verifySignature(account, quoteDigest(role, transcriptHash), (await verified).reportData)
    const careless = role === 'requester' ? 'ignores the binding' : 'takes a Challenge without its binding'
    if (!isBound && !this.#is(careless)) throw new RefusalError('BINDING_MISMATCH')
  }

  #admitHello(peer: string): void {
    const count = (this.#hellos.get(peer) ?? 0) + 1
    this.#hellos.set(peer, count)
    if (count > 300 && !this.#is('has no bounds')) throw busy()
  }

  #admitAccount(account: AccountId, places: AccountId[]): void {
    const own = this.#places.filter((each) => each === account).length
    const isFull = own >= PLACES.account || this.#places.length >= PLACES.all
    if (isFull && !this.#is('has no bounds')) throw busy()
    this.#places.push(account)
    places.push(account)
  }

  async *#contents(
    lists: { secrets: Uint8Array; capsules: Uint8Array },
    mayGoOn: () => boolean,
  ): AsyncGenerator<SealedContent> {
    const counts = { shares: 0, notHeld: 0 }
    const runs: Run[] = []
    const missing = { secret: new ListWriter('ids'), capsule: new ListWriter('ids') }
    for (const kind of ['secret', 'capsule'] as const) {
      const reader = new ListReader(kind === 'secret' ? lists.secrets : lists.capsules, 'wants')
      while (reader.next()) {
        const { first, length, minimumVersion } = reader
        const ids =
          length > 0
            ? Array.from({ length }, (_, at) => first + at)
            : [...this.#held.values()].flatMap(({ key }) =>
                key.kind === kind && key.nftId >= first ? [key.nftId] : [],
              )
        for (const nftId of ids) {
          const text = shareKeyText({ kind, nftId })
          const share = (this.#is('sends the old version') && this.#former.get(text)) || this.#held.get(text)
          const isOld = (this.#wants.get(text)?.minimumVersion ?? 0) > (share?.version ?? 0)
          const isGood = (share?.version ?? 0) >= minimumVersion && (!isOld || this.#is('sends the old version'))
          const isDue = share !== undefined && (isGood || this.#is('sends what it likes'))
          if (isDue) runs.push(await this.#runOf({ kind, nftId }, share))
          else if (length > 0) {
            missing[kind].add(nftId)
            counts.notHeld += 1
          }
        }
      }
    }
    if (this.#is('leaves out')) runs.splice(0, 1)
    counts.shares = runs.length
    if (!mayGoOn()) {
      yield { end: { shareCount: 0, notHeldCount: 0, unfinished: true } }
      return
    }
    for (let at = 0; at < runs.length; at += 60) yield { batch: batchOf({ runs: runs.slice(at, at + 60) }) }
    if (counts.notHeld > 0) {
      yield {
        batch: batchOf({ secretsNotHeld: missing.secret.finish(), capsulesNotHeld: missing.capsule.finish() }),
      }
    }
    if (this.#is('never ends')) return
    const shareCount = counts.shares + (this.#is('miscounts') ? 1 : 0)
    yield { end: { shareCount, notHeldCount: counts.notHeld, unfinished: false } }
  }

  async #runOf(key: ShareKey, { version, payload, head, index, proof, isAlone }: Held): Promise<Run> {
    const log = `${head.account}/${head.incarnation}`
    const nodeAt = async ({ level, index: at }: { level: number; index: number }) =>
      this.#nodes.get(`${log}/${level}/${at}`)
    const own = isAlone ? proof : await proveRange(nodeAt, { first: index, count: 1, size: head.size })
    const payloadHash = sha256(payload)
    const shares = [{ leaf: { ...key, version, payloadHash }, payload }]
    return toWireRun({ head, first: index, shares, proof: own ?? proof })
  }

  // ---- requester --------------------------------------------------------------------------------------------------

  async #fetchAll(): Promise<void> {
    while (!this.#signal.aborted) {
      const wants = [...this.#wants.values()]
      const peers = this.#chain.registry().slotPeersOf(this.#signer.account)
      this.#turn += 1
      const peer = peers[this.#turn % Math.max(1, peers.length)]
      if (wants.length > 0 && peer !== undefined && hasFreshView(this.#chain)) await this.#ask(peer.account, wants)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  async #ask(provider: AccountId, wants: readonly { key: ShareKey; minimumVersion: BlockNumber }[]): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS * 3)
    let frames: Frames | undefined
    try {
      const { peerId } = await this.#mesh.resolve(provider, { signal })
      frames = new Frames(await this.#mesh.libp2p.dialProtocol(peerId, SHARE_PROTOCOL, { signal }))
      await this.#exchangeAsked(frames, provider, peerId, wants, signal)
      await finish(frames, { signal })
    } catch (thrown) {
      if (this.#signal.aborted || frames === undefined) return
      await finishRefused(frames, thrown, (refusal) => RequesterMessage.encode({ refusal }))
    }
  }

  async #exchangeAsked(
    frames: Frames,
    provider: AccountId,
    peerId: PeerId,
    wants: readonly { key: ShareKey; minimumVersion: BlockNumber }[],
    signal: AbortSignal,
  ): Promise<void> {
    const chain = this.#chain
    const requesterPeer = this.#mesh.peerId.toMultihash().bytes
    const providerPeer = peerId.toMultihash().bytes
    const transcript = new Transcript({ genesisHash: chain.genesisHash, requesterPeer, providerPeer })
    const keys: EphemeralKeys[] = await Promise.all(SUITES.map((suite) => ephemeralKeys(suite)))
    const hello = HelloBody.encode({
      genesisHash: fromHex(chain.genesisHash),
      account: fromHex(this.#signer.account),
      nonce: new Uint8Array(randomBytes(32)),
      token: issueToken(chain),
      suites: keys,
    })
    const digest = helloDigest(transcript.add('hello-body', hello))
    const signature = this.#is('signs no Hello') ? new Uint8Array(64) : this.#signer.sign(digest)
    transcript.add('hello-signature', signature)
    await frames.write(RequesterMessage.encode({ hello: { body: hello, signature } }), { signal })

    const challenge = await readFromProvider(frames, 'challenge', { signal })
    const offer = decode(ChallengeBody, challenge.body)
    const isHis = accountFrom(offer.account) === provider
    if (!isHis && !this.#is('takes a Challenge of anyone')) throw new RefusalError('BAD_SIGNATURE')
    sized(offer.nonce, 32)
    const key = keys.find(({ suite }) => suite === offer.suite)
    if (key === undefined) throw new RefusalError('UNSUPPORTED_SUITE')
    const barrier = synchronisationBarrier(chain.registry(), this.#signer.account, provider)
    if (barrier !== undefined) throw new RefusalError(BARRIER_REFUSALS[barrier])
    const isLate = this.#is('takes an expired Challenge')
    const token = tokenFrom(offer.token)
    if (!isLate) await checkToken(token, chain, { signal })
    const isInOrder = offer.syncedBlock <= offer.takenInBlock && offer.takenInBlock <= token.blockNumber
    if (!isInOrder && !this.#is('takes a Challenge that contradicts itself')) throw new RefusalError('MALFORMED')
    const signer = this.#is('takes a Challenge of anyone') ? accountFrom(offer.account) : provider
    await this.#checkQuote('provider', signer, challenge.quote, transcript.add('challenge-body', challenge.body))
    const challengeHash = transcript.add('challenge-quote', challenge.quote)

    const offered = await offerPreSharedKey({ suite: key.suite, publicKey: offer.publicKey }, challengeHash)
    const body = RequestBody.encode({ encapsulatedKey: offered.encapsulatedKey, ...this.#listsOf(wants) })
    const ownDigest = quoteDigest('requester', transcript.add('request-body', body))
    const quotes = this.#is('quotes for another exchange') ? sha256(ownDigest) : ownDigest
    const quote = await this.#attestation.quote(this.#signer.sign(quotes))
    const finalHash = transcript.add('request-quote', quote)
    await frames.write(RequesterMessage.encode({ request: { body, quote } }), { signal })

    const grant = await readFromProvider(frames, 'grant', { signal })
    const opener = await createOpener(key, grant.encapsulatedKey, { challengeHash, finalHash, ...offered })
    const left = new Map(wants.map((want) => [shareKeyText(want.key), want]))
    const counts = { shares: 0, notHeld: 0 }
    let cursor: Batch['cursor']
    for (;;) {
      const { ciphertext } = await readFromProvider(frames, 'sealed', { signal })
      const plaintext = this.#is('takes what is not sealed')
        ? await opener.open(ciphertext).catch(() => ciphertext)
        : await opener.open(ciphertext)
      const { batch, end } = decodeSealed(plaintext)
      if (end !== undefined) {
        const counted = end.shareCount === counts.shares && end.notHeldCount === counts.notHeld
        const isWhole = counted && (end.unfinished || left.size === 0)
        if (!isWhole && !this.#is('takes any End')) throw new SlotmeshError('share/incomplete', 'The End is wrong.')
        return
      }
      if (batch === undefined) return malformed()
      const isAny = this.#is('takes any batch')
      const holds = batch.runs.length + batch.secretsNotHeld.length + batch.capsulesNotHeld.length > 0
      if (!holds && batch.cursor === undefined && !isAny) malformed()
      for (const run of batch.runs) {
        if (isAny && (run.head === undefined || run.shares.length === 0)) continue
        await this.#takeRun(fromWireRun(run), left, signal)
        counts.shares += run.shares.length
      }
      counts.notHeld += this.#takeNotHeld(batch, left)
      if (batch.cursor !== undefined) {
        const goesBack = cursor !== undefined && place(batch.cursor) < place(cursor)
        if (goesBack && !isAny) malformed()
        if (!isAny) place(batch.cursor)
        cursor = batch.cursor
      }
    }
  }

  #listsOf(wants: readonly { key: ShareKey; minimumVersion: BlockNumber }[]) {
    const list = (kind: ShareKey['kind']) => {
      const writer = new ListWriter('wants')
      const ofKind = wants.filter(({ key }) => key.kind === kind)
      for (const { key, minimumVersion } of [...ofKind].sort((one, other) => one.key.nftId - other.key.nftId)) {
        writer.add(key.nftId, minimumVersion)
      }
      const bytes = writer.finish()
      if (!this.#is('asks in a list that is not canonical') || bytes.length === 0) return bytes
      const last = bytes.at(-1) ?? 0
      return new Uint8Array([...bytes.subarray(0, -1), last | 0x80, 0])
    }
    return { secrets: list('secret'), capsules: list('capsule') }
  }

  async #takeRun(
    run: ReturnType<typeof fromWireRun>,
    left: Map<string, { key: ShareKey; minimumVersion: BlockNumber }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { head, first, shares, proof } = run
    const isAnyHead = this.#is('takes any head')
    const isAny = this.#is('takes any provenance')
    const seen = new Set<string>()
    for (const { key, version } of shares) {
      const text = shareKeyText(key)
      const want = left.get(text)
      const isAsked =
        want !== undefined && version >= want.minimumVersion && version <= this.#chain.finalised().number + 2
      const origin = this.#origins.get(text)
      const isOfOrigin = key.kind === 'capsule' || origin === undefined || origin === head.cluster
      if ((!isAsked || !isOfOrigin || seen.has(text)) && !isAny) throw wrong('share/unasked')
      seen.add(text)
    }
    if (head.slot !== this.#target.slot && !isAnyHead) throw wrong('share/origin')
    for (const { version } of shares) {
      if (!isAnyHead && !(await this.#satThere(head, version, signal))) throw wrong('share/origin')
    }
    if (!isAnyHead) verifyHead(this.#chain.genesisHash, head)
    const leaves = shares.map(({ key, version, payload }) =>
      leafHash({ ...key, version, payloadHash: sha256(payload) }),
    )
    const nodes = this.#nodesOf(() => verifyRange(head, first, leaves, proof))
    const log = `${head.account}/${head.incarnation}`
    const isForked = nodes.some(({ level, index, hash }) => {
      const known = this.#nodes.get(`${log}/${level}/${index}`)
      return known !== undefined && toHex(known) !== toHex(hash)
    })
    if (isForked && !this.#is('takes forked logs')) {
      for (const { key } of shares) left.delete(shareKeyText(key))
      return
    }
    for (const { level, index, hash } of nodes) this.#nodes.set(`${log}/${level}/${index}`, hash)
    for (const [at, { key, version, payload }] of shares.entries()) {
      const text = shareKeyText(key)
      left.delete(text)
      this.#wants.delete(text)
      const before = this.#held.get(text)
      if (before !== undefined) this.#former.set(text, before)
      const isAlone = shares.length === 1
      this.#held.set(text, { key, version, payload: payload.slice(), head, index: first + at, proof, isAlone })
    }
  }

  #nodesOf(verify: () => ReturnType<typeof verifyRange>): ReturnType<typeof verifyRange> {
    if (!this.#is('takes any provenance')) return verify()
    try {
      return verify()
    } catch (thrown) {
      if (thrown instanceof SlotmeshError) return []
      throw thrown
    }
  }

  async #satThere({ account, cluster, slot }: LogHead, version: BlockNumber, signal: AbortSignal): Promise<boolean> {
    const chain = this.#chain
    if (chain.registry().seatAt(cluster, slot)?.account === account) return true
    if (version > chain.finalised().number) return false
    const hash = await chain.blockHash(version, { signal })
    return (await chain.registryAt({ number: version, hash }, { signal })).seatAt(cluster, slot)?.account === account
  }

  #takeNotHeld(batch: Batch, left: Map<string, unknown>): number {
    let count = 0
    for (const [kind, list] of [
      ['secret', batch.secretsNotHeld] as const,
      ['capsule', batch.capsulesNotHeld] as const,
    ]) {
      const reader = new ListReader(list, 'ids')
      try {
        while (reader.next()) {
          for (let nftId = reader.first; nftId < reader.first + reader.length; nftId += 1) {
            if (!left.delete(shareKeyText({ kind, nftId })) && !this.#is('takes any batch')) malformed()
            count += 1
          }
        }
      } catch (thrown) {
        if (!this.#is('takes any batch')) throw thrown
      }
    }
    return count
  }
}

async function pkiOf(target: Target) {
  const pki = await createDevelopmentPki({ seed: fromHex(target.developmentSeed) })
  const mrEnclave = target.allowedMeasurements[0] ?? '0x'
  const measurement = { tee: 'sgx' as const, mrEnclave, mrSigner: target.mrSigner, productId: 1, securityVersion: 1 }
  const { quoteSource } = pki.platform({ machineId: 'small peer', measurement })
  const verification = {
    rootCertificate: fromHex(target.rootCertificate),
    collateral: staticCollateral(target.collateral),
  }
  const strict = createQuoteVerifier({ ...verification, policy: { allowedMeasurements: [{ mrEnclave }] } })
  const anyBuild = [mrEnclave, `0x${'e1'.repeat(32)}` as const].map((allowed) => ({ mrEnclave: allowed }))
  return {
    quote: (reportData: Uint8Array) => quoteSource.quote(reportData, { signal: AbortSignal.timeout(PATIENCE_MS) }),
    verify: (quote: Uint8Array) => strict.verify(quote),
    lenient: createQuoteVerifier({ ...verification, policy: { allowedMeasurements: anyBuild } }),
  }
}

function place({ kind, nftId }: NonNullable<Batch['cursor']>): number {
  if (kind === 'SECRET') return nftId
  if (kind === 'CAPSULE') return 2 ** 32 + nftId
  return malformed()
}

function batchOf(batch: Partial<Batch>): Batch {
  return { runs: [], secretsNotHeld: new Uint8Array(), capsulesNotHeld: new Uint8Array(), ...batch }
}

function busy(): RefusalError {
  return new RefusalError('BUSY', { retryAfterMs: 500 })
}

function wrong(code: string): SlotmeshError {
  return new SlotmeshError(code, 'The provider sent what it should not have.')
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

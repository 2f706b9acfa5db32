import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import { accountSigner } from '../../../src/crypto/index.js'
import {
  type Clock,
  type LogFields,
  type Offence,
  type OffenceKind,
  type ShareKey,
  shareKeyText,
  silentLogger,
  systemClock,
} from '../../../src/domain/index.js'
import { Offenders } from '../../../src/node/offenders.js'
import { toWireRun } from '../../../src/share/messages.js'
import { MESSAGE_BYTES } from '../../../src/share/protocol.js'
import { type Batch, WireKind } from '../../../src/share/raw/index.js'
import { issueToken } from '../../../src/share/tokens.js'
import { OriginLog } from '../../unit/share/fixture.js'
import { type RawProvider, type RawRequester, row } from '../../unit/share/raw.js'
import { capsule, collect, enclave, payloadOf, secret } from '../store/fixture.js'
import { type Machine, WiredSlot } from '../sync/wired-slot.js'
import { HostilePeer } from './hostile-peer.js'

/** So many times as fast as the system's: a phase of 10 s takes one. */
const FASTER = 10

const phases: Clock = {
  now: () => systemClock.now() * FASTER,
  after: (ms, callback) => systemClock.after(ms / FASTER, callback),
}

/** Between two rounds of honest exchanges, ms: so that who is hostile has the processor, too. */
const ROUND_PAUSE_MS = 100

/** What is forgotten in a minute takes twenty seconds: on a slow machine some tries take two each. */
const memory = (): number => systemClock.now() * 3

/** What is done to the target, and what that is in its book. */
interface Hostility {
  readonly offence: OffenceKind
  /** Whether it is held against the account, which has proved itself by then; else against the PeerId alone. */
  readonly isProved: boolean
  /** Whether waiting between tries, as the target does when it asks, is all that it takes: nobody is shut out for it. */
  readonly isWaitedFor?: boolean
  readonly slot?: number
}

interface Asking extends Hostility {
  readonly ask: (peer: HostilePeer, target: Machine) => Promise<unknown>
}

interface Answering extends Hostility {
  readonly answer: (side: RawProvider, peer: HostilePeer, stream: Stream) => Promise<unknown>
}

/** The quote of an exchange that is over; made when it is first wanted. */
function replayed(): (right: Uint8Array) => Uint8Array {
  let former: Uint8Array | undefined
  return (right) => {
    former ??= right
    return former === right ? new Uint8Array(97) : former
  }
}

const notGenuine = () => new Uint8Array(97)
const honest = enclave(12, 1)

/** Of many blocks ago; its hash is right. */
async function expired({ party: { chain } }: HostilePeer) {
  const blockNumber = chain.finalised().number - 25
  return {
    ...issueToken(chain),
    blockNumber,
    blockHash: Buffer.from((await chain.blockHash(blockNumber)).slice(2), 'hex'),
  }
}

/** Hears why it is refused, and goes. */
async function refused(side: RawRequester): Promise<void> {
  await side.next()
  side.frames.abort(new Error('That was all.'))
}

async function shakeHands(peer: HostilePeer, host: Libp2p): Promise<void> {
  const side = await peer.ask(host)
  await side.hello()
  await side.challenge()
  await side.next()
}

const REQUESTERS: Readonly<Record<string, Asking>> = {
  'sends garbage': {
    offence: 'malformed',
    isProved: false,
    ask: async (peer, { running: { host } }) => {
      const side = await peer.ask(host)
      await side.send(new Uint8Array(randomBytes(200)))
      await refused(side)
    },
  },
  'announces a message over the limit': {
    offence: 'oversized',
    isProved: false,
    ask: async (peer, { running: { host } }) => {
      const stream = await peer.open(host)
      stream.send(row(MESSAGE_BYTES.hello + 1))
      await closed(stream)
    },
  },
  'sends a message byte by byte': {
    offence: 'crumbs',
    isProved: false,
    ask: async (peer, { running: { host } }) => {
      const stream = await peer.open(host)
      stream.send(row(MESSAGE_BYTES.hello))
      for (let sent = 0; sent < 2_000 && stream.status === 'open'; sent += 1) {
        stream.send(Uint8Array.of(0))
        if (sent % 8 === 0) await new Promise(setImmediate)
      }
      await closed(stream)
    },
  },
  'drips a Hello that never ends': {
    offence: 'silence',
    isProved: false,
    ask: async (peer, { running: { host } }) => {
      const drip = async () => {
        const stream = await peer.open(host, { isNew: true })
        stream.send(Uint8Array.of(100, 0))
        await closed(stream)
      }
      // Each to its end, also when another is turned away: none is still listened to afterwards.
      await Promise.allSettled([1, 2, 3, 4].map(drip))
    },
  },
  'shakes hands and is silent': {
    offence: 'stall',
    isProved: true,
    // As often as it may.
    ask: (peer, { running: { host } }) => Promise.all([shakeHands(peer, host), shakeHands(peer, host)]),
  },
  'shows a quote that is not genuine': {
    offence: 'bad-quote',
    isProved: true,
    ask: async (peer, { running: { host } }) => {
      const side = await peer.ask(host)
      await side.hello()
      await side.challenge()
      await side.request([{ key: secret(1), minimumVersion: 0 }], { proof: notGenuine })
      await refused(side)
    },
  },
  'shows a quote of an exchange before': {
    offence: 'bad-quote',
    isProved: true,
    ask: async (peer, { running: { host } }) => {
      const proof = replays.get(peer) ?? replayed()
      replays.set(peer, proof)
      const side = await peer.ask(host)
      await side.hello()
      await side.challenge()
      await side.request([{ key: secret(1), minimumVersion: 0 }], { proof })
      await refused(side)
    },
  },
  'asks by a token that has expired': {
    offence: 'bad-token',
    isProved: false,
    ask: async (peer, { running: { host } }) => {
      const side = await peer.ask(host)
      await side.hello({ body: { token: await expired(peer) } })
      await refused(side)
    },
  },
  'asks for what is of another slot': {
    offence: 'no-right',
    isProved: false,
    slot: 3,
    ask: async (peer, { running: { host } }) => {
      const side = await peer.ask(host)
      await side.hello()
      await refused(side)
    },
  },
  'asks in the name of an honest enclave': {
    offence: 'bad-signature',
    isProved: false,
    ask: async (peer, { running: { host } }) => {
      const side = await peer.ask(host, accountSigner(new Uint8Array(32).fill(12)))
      await side.hello({ signer: peer.party.signer })
      await refused(side)
    },
  },
  'asks by a list that is none': {
    offence: 'malformed',
    isProved: true,
    ask: async (peer, { running: { host } }) => {
      const side = await peer.ask(host)
      await side.hello()
      await side.challenge()
      await side.request([{ key: secret(1), minimumVersion: 0 }], { body: { secrets: new Uint8Array(3).fill(0xff) } })
      await refused(side)
    },
  },
}

const replays = new Map<HostilePeer, ReturnType<typeof replayed>>()

function batchOf(batch: Partial<Batch>): Batch {
  return { runs: [], secretsNotHeld: new Uint8Array(), capsulesNotHeld: new Uint8Array(), ...batch }
}

const challenge = { body: { syncedBlock: 0, takenInBlock: 0 } }

async function granted(side: RawProvider): Promise<{ readonly asksForCapsules: boolean }> {
  await side.hello()
  await side.challenge(challenge)
  const { capsules } = await side.request()
  await side.grant()
  return { asksForCapsules: capsules.length > 0 }
}

/** As {@link granted}; hangs up where only what honest enclaves have is asked for, which whoever is slow is asked for, too. */
async function grantedWhatIsWanted(side: RawProvider): Promise<void> {
  const { asksForCapsules } = await granted(side)
  if (!asksForCapsules) throw new Error('It is another exchange that is waited for.')
}

/** One share of the peer's own log, in a batch. */
async function give(side: RawProvider, peer: HostilePeer, key: ShareKey, slot?: number): Promise<void> {
  const { cluster, slot: own } = peer.who.identity.seat
  const log = new OriginLog(peer.party.signer, { cluster, slot: slot ?? own }).append(
    key,
    peer.party.chain.finalised().number,
  )
  await side.sendSealed({ batch: batchOf({ runs: [toWireRun(await log.run())] }) })
}

const PROVIDERS: Readonly<Record<string, Answering>> = {
  'answers with garbage': {
    offence: 'malformed',
    isProved: false,
    answer: async (side) => {
      await side.hello()
      await side.send(new Uint8Array(randomBytes(200)))
    },
  },
  'announces a Challenge over the limit': {
    offence: 'oversized',
    isProved: false,
    answer: async (side) => {
      await side.hello()
      await side.send(new Uint8Array(MESSAGE_BYTES.challenge + 1))
    },
  },
  'shows a quote that is not genuine': {
    offence: 'bad-quote',
    isProved: false,
    answer: async (side) => {
      await side.hello()
      await side.challenge({ ...challenge, proof: notGenuine })
      await side.next()
    },
  },
  'shows a quote of an exchange before': {
    offence: 'bad-quote',
    isProved: false,
    answer: async (side, peer) => {
      const proof = replays.get(peer) ?? replayed()
      replays.set(peer, proof)
      await side.hello()
      await side.challenge({ ...challenge, proof })
      await side.next()
    },
  },
  'answers by a token that has expired': {
    offence: 'bad-token',
    isProved: false,
    isWaitedFor: true,
    answer: async (side, peer) => {
      await side.hello()
      await side.challenge({ body: { ...challenge.body, token: await expired(peer) } })
      await side.next()
    },
  },
  'shakes hands and is silent': {
    offence: 'slow',
    isProved: true,
    isWaitedFor: true,
    answer: async (side) => {
      await granted(side)
      await side.next()
    },
  },
  'sends shares of another slot': {
    offence: 'bad-provenance',
    isProved: true,
    answer: async (side, peer) => {
      await grantedWhatIsWanted(side)
      await give(side, peer, wantedOf(peer), 3)
    },
  },
  'sends shares that were not asked for': {
    offence: 'unasked',
    isProved: true,
    answer: async (side, peer) => {
      await granted(side)
      await give(side, peer, secret(9_999))
    },
  },
  'sends shares that nobody vouches for': {
    offence: 'bad-provenance',
    isProved: true,
    answer: async (side, peer) => {
      await grantedWhatIsWanted(side)
      // The log of the test's fixture is of another chain, so that its head is not signed for this one.
      await give(side, peer, wantedOf(peer))
    },
  },
  'says that it has sent what it has not': {
    offence: 'miscounted',
    isProved: true,
    answer: async (side) => {
      await granted(side)
      await side.sendSealed({ end: { shareCount: 1, notHeldCount: 0, unfinished: false } })
    },
  },
  'sends what does not open': {
    offence: 'bad-seal',
    isProved: true,
    answer: async (side) => {
      await side.hello()
      await side.challenge(challenge)
      await side.request()
      await side.grant({ preSharedKey: new Uint8Array(32) })
      await side.sendSealed({ end: { shareCount: 0, notHeldCount: 1, unfinished: false } })
    },
  },
  'sends empty batches without end': {
    offence: 'endless',
    isProved: true,
    answer: async (side, _, stream) => {
      await granted(side)
      const batch = batchOf({ cursor: { kind: WireKind.SECRET, nftId: 0 } })
      const pieces: Uint8Array[] = []
      for (let sent = 0; sent <= 1_024; sent += 1) {
        const message = await side.seal({ batch })
        pieces.push(row(message.length), message)
      }
      // At once, or else it would be crumbs.
      stream.send(Buffer.concat(pieces))
    },
  },
}

/** What a hostile provider is asked for: a share that its cluster is said to have sealed. */
function wantedOf({ who }: HostilePeer): ShareKey {
  return capsule(1_000 + who.identity.seat.cluster)
}

async function closed(stream: { readonly status: string }): Promise<void> {
  while (stream.status === 'open') await pause(5)
}

/** Whatever comes of it: being turned away is what it comes for. */
async function repeat(isDone: () => boolean, work: () => Promise<unknown>): Promise<void> {
  while (!isDone()) {
    await work().catch(() => undefined)
    await pause(5)
  }
}

describe('enclaves among hostile ones', function () {
  this.timeout(90_000)
  const slot = new WiredSlot()
  const lines: LogFields[] = []
  const told: Offence[] = []
  const offenders = new Offenders({
    now: memory,
    logger: { ...silentLogger, warn: (_, fields = {}) => lines.push(fields) },
    onShut: () => undefined,
  })
  /** All that have come so far; each leaves when it is done. */
  const hostile: HostilePeer[] = []
  let target: Machine
  let other: Machine
  let isOver = false
  let rounds = 0
  let going: Promise<void> | undefined

  before(async () => {
    target = await slot.machine(11, enclave(11, 0))
    other = await slot.machine(12, honest)
    target.offenders = offenders
    const offended = offenders.offended.bind(offenders)
    offenders.offended = (offence) => {
      told.push(offence)
      offended(offence)
    }
    target.phases = phases
    other.offenders = new Offenders({ now: memory, logger: silentLogger, onShut: () => undefined })
    slot.seat(target.who, honest)
    for (let block = 0; block < 40; block += 1) slot.chain.finalise([], block === 0)
    for (const machine of [target, other]) {
      const { engine } = await machine.start()
      await engine.reached(slot.chain.finalised().number, { signal: AbortSignal.timeout(10_000) })
    }
    await exchange()

    going = repeat(
      () => isOver,
      async () => {
        await exchange()
        rounds += 1
        await pause(ROUND_PAUSE_MS)
      },
    )
  })

  after(async () => {
    isOver = true
    await going
    await slot.clear()
  })

  /** Somebody new, in a seat that it will lose. */
  async function joined({ slot: inSlot }: Hostility): Promise<HostilePeer> {
    const cluster = 2 + hostile.length
    const peer = await HostilePeer.join(slot, 20 + cluster, cluster, inSlot)
    hostile.push(peer)
    slot.seat(target.who, honest, peer.who)
    const { engine } = target.running
    await engine.reached(slot.chain.finalise([], true), { signal: AbortSignal.timeout(10_000) })
    return peer
  }

  let nextId = 1

  /** An owner hands a share to each of the two, and each fetches the other's. */
  async function exchange(): Promise<void> {
    const [one, two] = [secret(nextId), secret(nextId + 1)]
    nextId += 2
    const [mine, theirs] = [target.running.store, other.running.store]
    await mine.putPending({ key: one, payload: payloadOf(one), confirmed: true })
    await theirs.putPending({ key: two, payload: payloadOf(two), confirmed: true })
    slot.chain.finalise([
      { type: 'synced', ...one, cluster: target.who.identity.seat.cluster },
      { type: 'synced', ...two, cluster: honest.identity.seat.cluster },
    ])
    for (;;) {
      if ((await mine.place(two)) !== undefined && (await theirs.place(one)) !== undefined) return
      if (isOver) return
      await pause(5)
    }
  }

  /** The target is to fetch what this peer is said to have, until it knows better. */
  async function tempted(peer: HostilePeer, { answer }: Answering, isDone: () => boolean): Promise<void> {
    await peer.serve((side, stream) => answer(side, peer, stream))
    const { cluster } = peer.who.identity.seat
    slot.chain.finalise([{ type: 'synced', ...wantedOf(peer), cluster }])
    while (!isDone()) await pause(10)
    slot.chain.finalise([{ type: 'removed', ...wantedOf(peer) }])
  }

  /** Whether it has been shut out, or is named where waiting is all that it takes. */
  function isCaught(who: string, { offence, isWaitedFor = false }: Hostility): boolean {
    return isWaitedFor ? timesOf(who, offence) > 0 : lines.some((line) => line.who === who)
  }

  function timesOf(who: string, offence: OffenceKind): number {
    return told.filter(({ kind, peer, account }) => kind === offence && (account ?? peer) === who).length
  }

  const cases = [
    ['requester', REQUESTERS],
    ['provider', PROVIDERS],
  ] as const
  for (const [role, hostilities] of cases) {
    for (const [what, hostility] of Object.entries<Asking | Answering>(hostilities)) {
      const { offence, isProved, isWaitedFor = false } = hostility
      it(`go on when a ${role} ${what}, who is ${isWaitedFor ? 'named and waited' : 'shut out'} for it`, async () => {
        const peer = await joined(hostility)
        const before = rounds
        const who = isProved ? peer.account : peer.peerId
        const isDone = () => isCaught(who, hostility)
        if ('ask' in hostility) await repeat(isDone, () => hostility.ask(peer, target))
        else await tempted(peer, hostility, isDone)
        const others = told.filter(({ peer, account }) => (account ?? peer) === who).map(({ kind }) => kind)
        assert.ok(timesOf(who, offence) > 0, `only of ${others.join()}`)
        if (!isWaitedFor) {
          const line = lines.find((each) => each.who === who)
          assert.ok(String(line?.peers).split(',').includes(peer.peerId))
          assert.match(String(line?.did), new RegExp(offence))
          assert.equal(lines.filter((each) => each.who === who).length, 1, 'it is said once')
          assert.ok(offenders.isShut(who) && offenders.isShut(peer.peerId))
        }
        if ('ask' in hostility) {
          const times = timesOf(who, offence)
          await hostility.ask(peer, target).catch(() => undefined)
          assert.equal(timesOf(who, offence), times, 'it was listened to again')
        }
        while (rounds === before) await pause(5)
        slot.seat(target.who, honest)
        slot.chain.finalise([], true)
      })
    }
  }

  it('blame nobody for what was done in its name, and no honest enclave for anything', () => {
    const names = new Set(hostile.flatMap((peer): string[] => [peer.account, peer.peerId]))
    // On a busy machine anybody may let time run out.
    const judged = told.filter(({ kind }) => !['silence', 'stall', 'slow'].includes(kind))
    assert.ok(judged.every(({ peer, account }) => names.has(peer) && (account === undefined || names.has(account))))
    assert.equal(offenders.isShut(honest.identity.account), false)
  })

  it('hold only what verifies', async () => {
    const { store } = target.running
    const held = await collect(store.places())
    assert.ok(held.length >= 2 * rounds)
    for (const { kind, nftId } of held) {
      assert.ok(kind === 'secret' && nftId < nextId, `${shareKeyText({ kind, nftId })} was stored`)
      assert.deepEqual((await store.share({ kind, nftId }))?.payload, payloadOf({ kind, nftId }))
    }
  })
})

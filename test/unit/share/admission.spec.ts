import assert from 'node:assert/strict'
import { type AccountId, SlotmeshError, systemClock } from '../../../src/domain/index.js'
import { Admissions } from '../../../src/share/admission.js'
import { PROVIDER_LIMITS } from '../../../src/share/protocol.js'
import { RefusalError } from '../../../src/share/refusals.js'

const account = (at: number): AccountId => `0x${at.toString(16).padStart(64, '0')}`
const patient = () => ({ signal: new AbortController().signal })
const isBusy = (thrown: unknown) => thrown instanceof RefusalError && thrown.refusal === 'BUSY'

/** Places of which `admitted` tells who was given one, in order. */
class Door {
  readonly clock = { now: 1_000_000 }
  readonly known = new Map<string, AccountId>()
  readonly admitted: number[] = []
  readonly admissions = new Admissions({
    clock: { ...systemClock, now: () => this.clock.now },
    isKnown: (who, peer) => this.known.get(peer) === who,
  })

  /** @returns what gives the place free again, once it is there. */
  async enter(at: number, peer = `peer of ${at}`, options = patient()): Promise<() => void> {
    const admission = this.admissions.of(peer)
    await admission.admitAccount(account(at), options)
    this.admitted.push(at)
    return () => admission.leave()
  }

  /** Takes all places, by accounts from 1000 on. */
  async fill(): Promise<(() => void)[]> {
    const leaves: (() => void)[] = []
    for (let at = 0; at < PROVIDER_LIMITS.exchanges; at += 1) leaves.push(await this.enter(1000 + at))
    this.admitted.length = 0
    return leaves
  }

  refusesHello(peer: string, at = 1): boolean {
    try {
      this.admissions.of(peer).admitHello(account(at))
      return false
    } catch (thrown) {
      assert.ok(isBusy(thrown), String(thrown))
      return true
    }
  }
}

async function settled(): Promise<void> {
  await new Promise(setImmediate)
}

describe('the places of a provider', () => {
  let door: Door
  beforeEach(() => {
    door = new Door()
  })

  it('are given at once while there are any', async () => {
    await door.fill()
  })

  it('are not given to an account that is shut out, whichever peer it comes by, and are kept for others', async () => {
    const admissions = new Admissions({ clock: systemClock, isShut: (who) => who === account(1) })
    for (const peer of ['one', 'two']) {
      const visit = admissions.of(peer)
      await assert.rejects(visit.admitAccount(account(1), patient()), isBusy)
      assert.equal(visit.proved, account(1))
    }
    const visit = admissions.of('one')
    assert.equal(visit.proved, undefined)
    await visit.admitAccount(account(2), patient())
    assert.equal(visit.proved, account(2))
  })

  it('are not asked for by any number of streams: each peer may open so many a minute', () => {
    const open = (peer: string) => door.admissions.admitsStream(peer)
    for (let opened = 0; opened < PROVIDER_LIMITS.streamsPerPeerPerMinute; opened += 1) assert.equal(open('one'), true)
    assert.equal(open('one'), false)
    assert.equal(open('two'), true)
    door.clock.now += 30_000
    assert.equal(open('one'), true)
  })

  it('are waited for when all are taken, and given in the order of asking to those who never had one', async () => {
    const leaves = await door.fill()
    for (const at of [3, 1, 2]) void door.enter(at)
    await settled()
    assert.deepEqual(door.admitted, [])
    for (const leave of leaves.slice(0, 3)) leave()
    await settled()
    assert.deepEqual(door.admitted, [3, 1, 2])
  })

  it('go round: whoever asks all the time waits until every other was served', async () => {
    const leaves = await door.fill()
    const greedy = async () => {
      for (let turn = 0; turn < 5; turn += 1) (await door.enter(7))()
    }
    leaves[0]?.()
    await settled()
    const leaveFirst = await door.enter(8)
    const asking = greedy()
    for (const at of [1, 2, 3]) void door.enter(at).then((leave) => setImmediate(leave))
    leaveFirst()
    await asking
    assert.deepEqual(door.admitted, [8, 7, 1, 2, 3, 7, 7, 7, 7])
  })

  it('are given first to those served longest ago, though they came later', async () => {
    const leaves = await door.fill()
    for (const at of [5, 6, 7]) {
      leaves[0]?.()
      leaves[0] = await door.enter(at)
    }
    for (const at of [7, 5, 6, 1]) void door.enter(at)
    door.admitted.length = 0
    for (const leave of leaves.slice(0, 4)) leave()
    await settled()
    assert.deepEqual(door.admitted, [1, 5, 6, 7])
  })

  it('serve thirty accounts at sixteen places, each in its turn', async () => {
    const visits = Array.from({ length: 30 }, async (_, at) => {
      for (let turn = 0; turn < 4; turn += 1) {
        const leave = await door.enter(at)
        await settled()
        leave()
      }
    })
    await Promise.all(visits)
    const counts = Array.from({ length: 30 }, () => 0)
    for (const [position, at] of door.admitted.entries()) {
      counts[at] = (counts[at] ?? 0) + 1
      const spread = Math.max(...counts) - Math.min(...counts)
      assert.ok(spread <= 2, `after ${position + 1} places one account was ${spread} ahead of another`)
    }
  })

  it('are two for an account and for a peer, whatever else they claim', async () => {
    await door.enter(1, 'one')
    await door.enter(1, 'two')
    await assert.rejects(door.enter(1, 'three'), isBusy)
    await door.enter(2, 'four')
    await door.enter(3, 'four')
    await assert.rejects(door.enter(4, 'four'), isBusy)
  })

  it('are waited for once by an account and by a peer', async () => {
    await door.fill()
    void door.enter(1, 'one')
    await assert.rejects(door.enter(1, 'two'), isBusy)
    await assert.rejects(door.enter(2, 'one'), isBusy)
  })

  it('are waited for by so many at most, who are told the later to come back the longer the line', async () => {
    await door.fill()
    for (let at = 0; at < PROVIDER_LIMITS.waiting; at += 1) void door.enter(at)
    const { retryAfterMs, waiting, exchanges } = PROVIDER_LIMITS
    await assert.rejects(door.enter(500), { refusal: 'BUSY', retryAfterMs: retryAfterMs * (1 + waiting / exchanges) })
  })

  it('are not kept for one who has gone, nor given to it', async () => {
    const leaves = await door.fill()
    const gone = new AbortController()
    const waiting = door.enter(1, 'one', gone)
    void door.enter(2)
    gone.abort(new SlotmeshError('share/cut', 'gone'))
    await assert.rejects(waiting, { code: 'share/cut' })
    await assert.rejects(door.enter(3, 'three', gone), { code: 'share/cut' }, 'nor when it had gone before')
    leaves[0]?.()
    await settled()
    assert.deepEqual(door.admitted, [2])
    void door.enter(1, 'one')
    leaves[1]?.()
    await settled()
    assert.deepEqual(door.admitted, [2, 1])
  })

  it('are so many for an account in a minute', async () => {
    for (let turn = 0; turn < PROVIDER_LIMITS.exchangesPerAccountPerMinute; turn += 1) (await door.enter(1))()
    await assert.rejects(door.enter(1), isBusy)
    await door.enter(2)
    door.clock.now += 500
    await door.enter(1)
  })
})

describe('the signature checks of a provider', () => {
  let door: Door
  beforeEach(() => {
    door = new Door()
  })

  const { hellosPerPeerPerMinute, hellosOfUnknown, remembered } = PROVIDER_LIMITS

  it('are so many for a peer in a minute, whoever it is', () => {
    door.known.set('one', account(1))
    for (let turn = 0; turn < hellosPerPeerPerMinute; turn += 1) assert.equal(door.refusesHello('one'), false)
    assert.equal(door.refusesHello('one'), true)
    assert.equal(door.refusesHello('two'), false)
  })

  it('are so many for all strangers together', () => {
    for (let turn = 0; turn < hellosOfUnknown.atOnce; turn += 1) {
      assert.equal(door.refusesHello(`stranger ${turn}`, turn % 7), false)
    }
    assert.equal(door.refusesHello('another stranger'), true)
    door.clock.now += 100
    assert.equal(door.refusesHello('another stranger'), false)
  })

  it('go on when the clock is set back', () => {
    assert.equal(door.refusesHello('one'), false)
    door.clock.now -= 21_600_000
    for (let turn = 1; turn < hellosOfUnknown.atOnce; turn += 1) assert.equal(door.refusesHello(`${turn}`), false)
    assert.equal(door.refusesHello('one too many'), true)
    door.clock.now += 100
    assert.equal(door.refusesHello('another stranger'), false)
  })

  it('are kept for those who are known by a record, or have proved themselves before', async () => {
    door.known.set('by record', account(1))
    await door.enter(2, 'by signature')
    for (let turn = 0; turn < hellosOfUnknown.atOnce; turn += 1) door.refusesHello(`stranger ${turn}`)
    assert.equal(door.refusesHello('stranger', 1), true)
    assert.equal(door.refusesHello('by record', 1), false)
    assert.equal(door.refusesHello('by record', 2), true, 'only as the account that it is')
    assert.equal(door.refusesHello('by signature', 2), false)
    assert.equal(door.refusesHello('by signature', 1), true)
  })

  it('are kept for one peer of an account, the latest', async () => {
    for (const peer of ['old', 'new']) (await door.enter(1, peer))()
    for (let turn = 0; turn < hellosOfUnknown.atOnce; turn += 1) door.refusesHello(`stranger ${turn}`)
    assert.equal(door.refusesHello('old', 1), true)
    assert.equal(door.refusesHello('new', 1), false)
  })

  it('are counted for so many peers, the latest', () => {
    door.known.set('one', account(1))
    for (let turn = 0; turn < hellosPerPeerPerMinute; turn += 1) door.refusesHello('one')
    for (let turn = 1; turn < remembered; turn += 1) door.refusesHello(`stranger ${turn}`)
    assert.equal(door.refusesHello('one'), true)
    for (let turn = 1; turn < remembered; turn += 1) door.refusesHello(`other ${turn}`)
    assert.equal(door.refusesHello('one'), true)
    for (let turn = 0; turn < remembered; turn += 1) door.refusesHello(`third ${turn}`)
    assert.equal(door.refusesHello('one'), false)
  })
})

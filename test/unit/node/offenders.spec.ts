import assert from 'node:assert/strict'
import type { LogFields, OffenceKind } from '../../../src/domain/index.js'
import { silentLogger } from '../../../src/domain/index.js'
import { Offenders, PATIENCE, type ShutOut } from '../../../src/node/offenders.js'

const account = (number: number) => `0x${number.toString(16).padStart(64, '0')}` as const

/** A book with a clock that a test moves. */
class Book {
  now = 1_000_000
  readonly shut: ShutOut[] = []
  readonly lines: LogFields[] = []
  readonly offenders: Offenders

  constructor(isShutting?: boolean) {
    this.offenders = new Offenders({
      now: () => this.now,
      logger: { ...silentLogger, warn: (_, fields = {}) => this.lines.push(fields) },
      onShut: (shut) => this.shut.push(shut),
      isShutting,
    })
  }

  offend(kind: OffenceKind, peer: string, times = 1, by?: `0x${string}`): void {
    for (let time = 0; time < times; time += 1) this.offenders.offended({ kind, peer, account: by })
  }
}

describe('the book of offenders', () => {
  it('shuts a PeerId out at its third heavy offence within a minute, says so once, and lets it come back', () => {
    const book = new Book()
    book.offend('malformed', 'one', 2)
    assert.equal(book.offenders.isShut('one'), false)
    book.offend('bad-quote', 'one')
    assert.equal(book.offenders.isShut('one'), true)
    book.offend('malformed', 'one', 50)
    assert.deepEqual(book.shut, [{ who: 'one', peers: ['one'], kind: 'bad-quote', forMs: 60_000 }])
    assert.deepEqual(book.lines, [
      { who: 'one', peers: 'one', offence: 'bad-quote', did: 'malformed 2, bad-quote 1', forMs: 60_000 },
    ])
    assert.deepEqual(book.offenders.status(), {
      byKind: { malformed: 52, 'bad-quote': 1 },
      shut: 1,
      worst: [
        { who: 'one', peers: ['one'], offences: { malformed: 52, 'bad-quote': 1 }, shutUntil: book.now + 60_000 },
      ],
    })
    book.now += 60_000
    assert.equal(book.offenders.isShut('one'), false)
    assert.equal(book.offenders.status().shut, 0)
  })

  it('shuts out for twice as long each time, up to a bound, and forgives who was let be for long', () => {
    const book = new Book()
    for (let turn = 0; turn < 7; turn += 1) {
      book.offend('malformed', 'one', 3)
      book.now += (book.shut.at(-1)?.forMs ?? 0) + 1
    }
    const minutes = book.shut.map(({ forMs }) => forMs / 60_000)
    assert.deepEqual(minutes, [1, 2, 4, 8, 16, 16, 16])
    book.now += PATIENCE.shutMs.longest
    book.offend('malformed', 'one', 3)
    assert.equal(book.shut.at(-1)?.forMs, 60_000)
  })

  it('bears with what an honest peer comes to do in a bad minute', () => {
    const book = new Book()
    // Its chain is behind, and it comes back after half a second, a second, and so on, up to a minute.
    for (let waitMs = 500; waitMs < 100 * 60_000; waitMs *= 2) {
      book.offend('bad-token', 'behind')
      book.now += Math.min(waitMs, 60_000)
    }
    // It is overloaded, and lets each exchange run out of time.
    for (let waitMs = 30_500; waitMs < 100 * 60_000; waitMs *= 2) {
      book.offend('stall', 'busy', 1, account(1))
      book.now += Math.min(waitMs, 90_000)
    }
    // A bad line once an hour.
    for (let hour = 0; hour < 100; hour += 1) {
      book.offend('malformed', 'unlucky', 2)
      book.now += 3_600_000
    }
    assert.deepEqual(book.shut, [])
  })

  it('bears with an honest peer on a slow line, that gives up its waits neither as a provider nor as a requester', () => {
    for (const asks of [30_000, 60_000]) {
      for (const answers of [30_000, 60_000]) {
        for (let apartMs = 0; apartMs < 60_000; apartMs += 500) {
          const book = new Book()
          const times = (kind: OffenceKind, from: number, lasts: number) =>
            Array.from({ length: 20 }, (_, at) => {
              const waited = Array.from({ length: at }, (_, before) => Math.min(500 * 2 ** before, 60_000))
              return { kind, at: from + waited.reduce((sum, wait) => sum + wait + lasts, lasts) }
            })
          const all = [...times('stall', 0, asks), ...times('slow', apartMs, answers)]
          const start = book.now
          for (const { kind, at } of all.sort((one, other) => one.at - other.at)) {
            book.now = start + at
            book.offend(kind, 'slow', 1, account(1))
          }
          assert.deepEqual(book.shut, [], `${asks}, ${answers}, ${apartMs}`)
        }
      }
    }
  })

  it('bears with a peer that hands on, each time it is asked, what another has planted with it', () => {
    const book = new Book()
    for (let waitMs = 500; waitMs < 100 * 60_000; waitMs *= 2) {
      book.offend('doubtful', 'relay', 1, account(1))
      book.now += Math.min(waitMs, 60_000)
    }
    assert.deepEqual(book.shut, [])
  })

  it('shuts out who lets every exchange run out of time as fast as it may', () => {
    const book = new Book()
    for (let turn = 0; turn < 4; turn += 1) {
      book.offend('stall', 'idle', 2, account(1))
      book.now += 30_000
    }
    assert.equal(book.shut[0]?.who, account(1))
    for (let turn = 0; turn < 40; turn += 1) {
      book.offend('silence', 'mute')
      book.now += 2_500
    }
    assert.equal(book.shut.at(-1)?.who, 'mute')
  })

  it('shuts out an account with the PeerIds by which it came, and nobody for what was done in its name', () => {
    const book = new Book()
    book.offend('bad-signature', 'impostor', 3)
    assert.deepEqual([book.offenders.isShut('impostor'), book.offenders.isShut(account(1))], [true, false])
    book.offend('bad-provenance', 'one', 2, account(1))
    book.offend('bad-provenance', 'two', 1, account(1))
    for (const who of [account(1), 'one', 'two']) assert.equal(book.offenders.isShut(who), true, who)
    assert.equal(book.offenders.isShut('three'), false)
  })

  it('keeps no more than it may, and has no account forgotten for strangers', () => {
    const book = new Book()
    book.offend('malformed', 'one', 2, account(1))
    for (let stranger = 0; stranger < 3 * PATIENCE.remembered; stranger += 1)
      book.offend('malformed', `s${stranger}`, 3)
    assert.equal(book.offenders.status().shut, PATIENCE.remembered)
    assert.equal(book.offenders.status().worst.length, PATIENCE.named)
    assert.equal(book.lines.length, PATIENCE.linesPerMinute)
    book.offend('malformed', 'one', 1, account(1))
    assert.equal(book.offenders.isShut(account(1)), true)
    book.now += 60_000
    book.offend('malformed', 'last', 3)
    assert.equal(book.lines.at(-1)?.unsaid, 3 * PATIENCE.remembered - PATIENCE.linesPerMinute + 1)
  })

  it('keeps an account out to the end, and the PeerIds by which it came, however many strangers are shut out', () => {
    const book = new Book()
    for (let turn = 0; turn < 5; turn += 1) {
      book.offend('malformed', 'one', 3, account(1))
      if (turn < 4) book.now += (book.shut.at(-1)?.forMs ?? 0) + 1
    }
    const until = book.now + PATIENCE.shutMs.longest
    for (let stranger = 0; stranger < 3 * PATIENCE.remembered; stranger += 1) {
      book.now += 20
      book.offend('malformed', `s${stranger}`, 3)
    }
    for (const now of [book.now, until - 1, until]) {
      book.now = now
      assert.deepEqual(
        [account(1), 'one'].map((who) => book.offenders.isShut(who)),
        Array(2).fill(now < until),
      )
    }
    book.offend('malformed', 'two', 3, account(1))
    assert.deepEqual(
      [account(1), 'one', 'two'].map((who) => book.offenders.isShut(who)),
      Array(3).fill(true),
    )
  })

  it('lets a PeerId of two accounts come back with the one that is shut out for longer', () => {
    const book = new Book()
    book.offend('malformed', 'one', 3, account(1))
    book.now += 60_001
    book.offend('malformed', 'one', 3, account(1))
    book.offend('malformed', 'one', 3, account(2))
    book.now += 60_001
    assert.deepEqual(
      [account(1), account(2), 'one'].map((who) => book.offenders.isShut(who)),
      [true, false, true],
    )
  })

  it('keeps out the PeerIds of every account that is shut out, and forgets those of whom it is not any more', () => {
    const book = new Book()
    const many = PATIENCE.remembered / 2
    const isShut = (number: number) => book.offenders.isShut(`p${number}-0`)
    const offend = (number: number) => {
      for (let peer = 0; peer < PATIENCE.peersOfAccount; peer += 1)
        book.offend('no-right', `p${number}-${peer}`, 1, account(number))
      book.offend('malformed', `p${number}-0`, 1, account(number))
    }
    for (let number = 0; number < many; number += 1) offend(number)
    assert.deepEqual([isShut(0), isShut(many - 1)], [true, true])
    book.now += 60_000
    offend(many)
    assert.deepEqual([isShut(0), isShut(many)], [false, true])
  })

  it('only counts, where nobody is to be shut out', () => {
    const book = new Book(false)
    book.offend('malformed', 'one', 30)
    assert.equal(book.offenders.isShut('one'), false)
    assert.deepEqual(book.offenders.status().byKind, { malformed: 30 })
    assert.deepEqual(book.shut, [])
  })

  it('shuts nobody out for longer than it does at most because the clock was set back', () => {
    const book = new Book()
    book.offend('malformed', 'one', 3)
    assert.equal(book.offenders.isShut('one'), true)
    book.now -= 6 * 3_600_000
    assert.equal(book.offenders.isShut('one'), false)
    assert.deepEqual([book.offenders.status().shut, book.offenders.status().worst[0]?.shutUntil], [0, undefined])
    book.offend('malformed', 'one', 3)
    assert.equal(book.offenders.isShut('one'), true)
  })
  it('says in its log who is shut out, also when the clock was set back', () => {
    const book = new Book()
    for (let stranger = 0; stranger <= PATIENCE.linesPerMinute; stranger += 1)
      book.offend('malformed', `s${stranger}`, 3)
    book.now -= 6 * 3_600_000
    book.offend('malformed', 'one', 3)
    assert.deepEqual([book.lines.at(-1)?.who, book.lines.at(-1)?.unsaid], ['one', 1])
  })
})

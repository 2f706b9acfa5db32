import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { CollateralHealth } from '../../../src/attestation/index.js'
import type { ChainHealth } from '../../../src/chain/index.js'
import { problemsOf, watchProblems } from '../../../src/node/health.js'

const NOW = 1_000_000_000

const well: ChainHealth = {
  state: 'connected',
  endpoint: 'ws://near:9944',
  since: NOW - 60_000,
  endpoints: [{ url: 'ws://near:9944', lastFailure: undefined }],
  finalised: { number: 7, hash: `0x${'07'.repeat(32)}`, at: NOW - 3_000, ageMs: 3_000 },
  specVersion: 1,
  unreadable: undefined,
}
const none = { count: 0, oldestSince: undefined, lastOutcome: undefined }
const codes = (health: ChainHealth) => problemsOf({ chain: health, owed: none, now: NOW }).map(({ code }) => code)

describe('the watch over problems', () => {
  it('tells when they change, and when there are none any more', async () => {
    const stop = new AbortController()
    const wrong = (code: string, sentence: string) => [{ code, sentence }]
    const looks = [wrong('a', 'for 1 s'), wrong('a', 'for 2 s'), [...wrong('a', ''), ...wrong('b', '')], [], []]
    const told: string[] = []
    const look = () => {
      const problems = looks.shift()
      if (problems === undefined) stop.abort()
      return problems ?? []
    }
    const changed = (problems: readonly { code: string }[]) => told.push(problems.map(({ code }) => code).join())
    await assert.rejects(watchProblems(look, changed, { signal: stop.signal, everyMs: 1 }), { name: 'AbortError' })
    assert.deepEqual(told, ['a', 'a,b', ''])
  })
})

describe('what a node says of its health', () => {
  it('is nothing when it is well, also shortly after an endpoint was lost', () => {
    assert.deepEqual(codes(well), [])
    assert.deepEqual(codes({ ...well, state: 'connecting', since: NOW - 9_000 }), [])
  })

  it('names a connection that stays lost, and its endpoint', () => {
    const [problem] = problemsOf({ chain: { ...well, state: 'connecting', since: NOW - 11_000 }, owed: none, now: NOW })
    assert.equal(problem?.code, 'chain/unreachable')
    assert.match(problem?.sentence ?? '', /1970-01-12T13:46:29\.000Z.*ws:\/\/near:9944/)
  })

  it('says that nothing is shared once the view is older than tokens allow', () => {
    const at = (ageMs: number) => codes({ ...well, finalised: { ...well.finalised, ageMs } })
    assert.deepEqual(at(120_000), [])
    assert.deepEqual(at(120_001), ['chain/stale-view'])
  })

  it('says that owners are told nothing while the chain is behind what was taken in', () => {
    const at = (takenIn: number) => problemsOf({ chain: well, owed: none, now: NOW, takenIn })
    assert.deepEqual([at(-1), at(7)], [[], []])
    const [problem] = at(9)
    assert.equal(problem?.code, 'chain/behind')
    assert.match(problem?.sentence ?? '', /ws:\/\/near:9944 is at block 7 .* 9 /)
  })

  it('names a block that cannot be read, before all else', () => {
    const unreadable = { block: 9, item: 'System.Events', message: 'Block 9 cannot be read at System.Events: why.' }
    const health = { ...well, unreadable, finalised: { ...well.finalised, ageMs: 200_000 } }
    assert.deepEqual(codes(health), ['chain/unreadable-block', 'chain/stale-view'])
    assert.match(problemsOf({ chain: health, owed: none, now: NOW })[0]?.sentence ?? '', /^Block 9 /)
  })

  it('says that the account cannot pay for the confirmations that it owes', () => {
    const owed = { count: 3, oldestSince: NOW - 60_000, lastOutcome: 'no-funds' } as const
    const [problem] = problemsOf({ chain: well, owed, now: NOW })
    assert.equal(problem?.code, 'chain/no-funds')
    assert.match(problem?.sentence ?? '', /confirm 3 shares/)
    assert.deepEqual(problemsOf({ chain: well, owed: { ...owed, lastOutcome: 'not-registered' }, now: NOW }), [])
  })

  it('names endpoints that disagree about a final block', () => {
    const lastFailure = { code: 'chain/forked', message: 'They disagree.', at: NOW - 1 }
    assert.deepEqual(codes({ ...well, endpoints: [...well.endpoints, { url: 'ws://far:9944', lastFailure }] }), [
      'chain/forked',
    ])
  })

  it('does not hold against the endpoint in use that it once disagreed', () => {
    const lastFailure = { code: 'chain/forked', message: 'They disagree.', at: NOW - 1 }
    const endpoints = [{ url: well.endpoint, lastFailure }]
    assert.deepEqual(codes({ ...well, endpoints }), [])
    assert.deepEqual(codes({ ...well, state: 'connecting', endpoints }), ['chain/unreachable', 'chain/forked'])
  })

  it('says that synchronisation has stopped, unless the block that stopped it is named already', () => {
    const told = (health: ChainHealth) =>
      problemsOf({ chain: health, owed: none, now: NOW, stoppedBy: 'Why.' }).map(({ code }) => code)
    assert.deepEqual(told(well), ['sync/stopped'])
    const unreadable = { block: 9, item: 'System.Events', message: 'Why.' }
    assert.deepEqual(told({ ...well, unreadable }), ['chain/unreadable-block'])
  })

  it('says that confirmations are owed for long, whatever keeps them', () => {
    const owed = { count: 2, oldestSince: NOW - 600_001, lastOutcome: 'chain/call-failed' }
    const [problem] = problemsOf({ chain: well, owed, now: NOW })
    assert.equal(problem?.code, 'chain/not-confirmed')
    assert.match(problem?.sentence ?? '', /^2 shares .*chain\/call-failed/)
  })

  it('names a folder that was altered, and shares that were missing until they are fetched', () => {
    const told = (more: Partial<Parameters<typeof problemsOf>[0]>) =>
      problemsOf({ chain: well, owed: none, now: NOW, ...more }).map(({ code }) => code)
    const integrity = { sequence: 9, dropped: 2, doubtful: 0 }
    assert.deepEqual(told({ integrity: { ...integrity, state: 'altered' } }), ['store/altered'])
    assert.deepEqual(told({ integrity: { ...integrity, state: 'whole' } }), [])
    assert.deepEqual(told({ integrity: { ...integrity, state: 'whole', doubtful: 1 } }), ['store/doubtful-shares'])
    assert.deepEqual(told({ integrity: { ...integrity, state: 'whole', replaced: '/at' } }), ['store/replaced'])
    assert.deepEqual(told({ integrity: { ...integrity, state: 'whole', damaged: '/at' } }), ['store/damaged-files'])
    const comparison = { block: 5, listed: 10, missing: 3, erased: 0 }
    assert.deepEqual(told({ comparison, wants: 1 }), ['store/incomplete'])
    assert.deepEqual(told({ comparison, wants: 0 }), [])
    assert.deepEqual(told({ comparison: { ...comparison, missing: 0 }, wants: 1 }), [])
  })

  it('names gaps that a comparison has shown until they are fetched, with their likely cause; and versions in dispute', () => {
    const ofPeer = { missing: 4, outdated: 0, unlisted: 0, disputed: 0 }
    const reconciled = {
      peer: `0x${'ab'.repeat(32)}` as const,
      missing: 2,
      outdated: 1,
      erased: 0,
      ofPeer,
      causes: ['events-missed', 'peer-incomplete'] as const,
      isComplete: true,
      questions: 3,
      bytes: 1_000,
      ms: 5,
      at: NOW,
    }
    const told = (more: Partial<typeof reconciled>, wants: number) =>
      problemsOf({ chain: well, owed: none, now: NOW, reconciled: { ...reconciled, ...more }, wants })
    const [gaps, ...others] = told({}, 1)
    assert.deepEqual([gaps?.code, others], ['sync/gaps', []])
    assert.match(
      gaps?.sentence ?? '',
      /0xabab.* 2 shares that were missing here and 1 .*endpoint of the chain had left/,
    )
    assert.deepEqual(told({}, 0), [])
    assert.deepEqual(told({ missing: 0, outdated: 0 }, 1), [])
    const disputed = told({ missing: 0, outdated: 0, ofPeer: { ...ofPeer, disputed: 5 } }, 0)
    assert.deepEqual(
      disputed.map(({ code }) => code),
      ['sync/disputed'],
    )
  })

  describe('of collateral', () => {
    const request = { tee: 'sgx', fmspc: '00906ea10000', pceId: '0000', ca: 'platform' } as const
    const lastFailure = { at: new Date(NOW), reason: 'status 503', isOlder: false }
    const inDays = (days: number) => new Date(NOW + days * 86_400_000)
    const told = (collateral: Pick<CollateralHealth, 'held' | 'lastFailure'>) =>
      problemsOf({ chain: well, owed: none, now: NOW, collateral: [{ request, ...collateral }] })
    const held = (usableUntil: Date, issuedAt = inDays(-10)) => ({
      usableUntil,
      validUntil: inDays(90),
      collateralIssuedAt: issuedAt,
      tcbEvaluationDataNumber: 17,
    })

    it('names what is not there', () => {
      const [problem] = told({ held: undefined, lastFailure })
      assert.equal(problem?.code, 'attestation/collateral-missing')
      assert.match(
        problem?.sentence ?? '',
        /no collateral for SGX platforms 00906ea10000 .*status 503.*look at the PCCS/,
      )
    })

    it('names what ends soon, whether or not it could be fetched', () => {
      const [problem] = told({ held: held(inDays(6), inDays(-24)), lastFailure })
      assert.equal(problem?.code, 'attestation/collateral-ending')
      assert.match(problem?.sentence ?? '', /SGX platforms 00906ea10000 .*status 503.*no use after .*look at the PCCS/)
      const [stale] = told({ held: held(inDays(6), inDays(-24)), lastFailure: undefined })
      assert.match(stale?.sentence ?? '', /the service has nothing newer.*no use after/)
      const [ended] = told({ held: held(inDays(-1)), lastFailure })
      assert.match(ended?.sentence ?? '', /no use since/)
      assert.deepEqual(told({ held: held(inDays(8), inDays(-24)), lastFailure }), [])
    })

    it('does not call soon what is most of a short life', () => {
      assert.deepEqual(told({ held: held(inDays(3), inDays(-1)), lastFailure: undefined }), [])
      assert.equal(told({ held: held(inDays(1), inDays(-3)), lastFailure: undefined }).length, 1)
    })

    it('names what is of an earlier round than the policy takes', () => {
      const [problem] = told({ held: held(inDays(-10)), lastFailure: undefined })
      assert.equal(problem?.code, 'attestation/collateral-ending')
      assert.match(problem?.sentence ?? '', /is of round 17, and the policy asks for a later one/)
    })

    it('names what is older than what was seen, at once, and what to do', () => {
      const older = { ...lastFailure, reason: 'TCB info that is older', isOlder: true }
      const [problem, ...more] = told({ held: held(inDays(20), inDays(-10)), lastFailure: older })
      assert.equal(problem?.code, 'attestation/collateral-older')
      assert.match(problem?.sentence ?? '', /TCB info that is older.*serve the newer round.*or wait until the standard/)
      assert.deepEqual(more, [])
      assert.deepEqual(
        told({ held: undefined, lastFailure: older }).map(({ code }) => code),
        ['attestation/collateral-older', 'attestation/collateral-missing'],
      )
    })

    it('names floors that are not known, and quotes that this machine does not make', () => {
      const at = new Date(NOW)
      const problems = problemsOf({
        chain: well,
        owed: none,
        now: NOW,
        floorsFailure: 'EIO',
        quoteFailure: { at, reason: 'EBUSY' },
      })
      assert.deepEqual(
        problems.map(({ code }) => code),
        ['attestation/no-quotes', 'attestation/floors-unknown'],
      )
    })
  })

  it('names an enclave that has forked its log', () => {
    const account = `0x${'ab'.repeat(32)}` as const
    const head = {
      account,
      incarnation: '0x01',
      cluster: 7,
      slot: 2,
      size: 1,
      root: new Uint8Array(),
      signature: new Uint8Array(),
    } as const
    const branch = { head, subtree: undefined }
    const [problem] = problemsOf({
      chain: well,
      owed: none,
      now: NOW,
      forks: [{ branches: [branch, branch], position: undefined }],
    })
    assert.equal(problem?.code, 'provenance/forked')
    assert.match(problem?.sentence ?? '', /0xabab.* in cluster 7, slot 2/)
  })
})

describe('the documentation of problems', () => {
  const lines = async (file: string) =>
    (await readFile(file, 'utf8')).split('\n').filter((line) => /^\| `\S+\/\S+` +\|/.test(line))

  it('has each code that a node can tell, with what it means and what to do, and no other', async () => {
    const source = await readFile('src/node/health.ts', 'utf8')
    const codes = [...source.matchAll(/code: '([a-z]+\/[a-z-]+)'/g)].map(([, code]) => code)
    // Those of collateral that ends are put together.
    const ends = [...source.matchAll(/problem\(\s*'([a-z]+)'/g)].map(([, what]) => `attestation/collateral-${what}`)
    assert.equal(source.match(/\bcode: /g)?.length, codes.length + 1)
    const told = new Set([...codes, ...ends])
    const rows = [...(await lines('docs/chain.md')), ...(await lines('docs/configuration.md'))].map((line) =>
      line.split('|').map((cell) => cell.trim()),
    )
    assert.deepEqual(rows.map(([, code]) => code?.replaceAll('`', '')).sort(), [...told].sort())
    for (const [, code, meaning = '', advice = ''] of rows) assert.ok(meaning !== '' && advice !== '', code)
  })
})

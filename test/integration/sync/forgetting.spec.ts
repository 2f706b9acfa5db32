import assert from 'node:assert/strict'
import { type ClusterId, pause, type ShareKey, shareKeyText } from '../../../src/domain/index.js'
import type { Want } from '../../../src/store/index.js'
import { capsule, secret, wantOf } from '../store/fixture.js'
import { type Asked, LoneFetcher } from './lone-fetcher.js'
import { runOf } from './mesh.js'

const MINUTE_MS = 60_000
const KEPT_BY_ONE = secret(9_999)

describe('fetching when there are more answers than are remembered', () => {
  let lone: LoneFetcher

  afterEach(() => lone.stop())

  const isOpen = (key: ShareKey) => lone.wants.has(shareKeyText(key))
  /** Nobody holds the others. */
  const onlyAt =
    (holder: ClusterId) =>
    async (cluster: ClusterId, { wants, onRun, onNotHeld }: Asked) => {
      for (const { key } of wants) {
        if (key.nftId === KEPT_BY_ONE.nftId && cluster === holder) {
          await onRun(runOf(key, cluster), { newestAsOf: 50, takenIn: 50 })
        } else onNotHeld(key)
      }
    }
  const dead = (count: number, want: Partial<Want>) =>
    Array.from({ length: count }, (_, at) => wantOf(secret(at + 1), { minimumVersion: 9, ...want }))

  const begin = async (
    answer: ConstructorParameters<typeof LoneFetcher>[1],
    { peers, count, want = {} }: { peers: number; count: number; want?: Partial<Want> },
    lacksRemembered: number,
  ) => {
    lone = new LoneFetcher(peers, answer, { lacksRemembered })
    lone.final = 50
    lone.takenIn = 50
    lone.want(...dead(count, want))
    await lone.pass(2 * MINUTE_MS)
  }

  for (const peers of [7, 15]) {
    for (const origin of [undefined, 3]) {
      const title = `fetches what one of ${peers} peers holds${origin === undefined ? '' : ', and not its origin'}`
      for (const [lacksRemembered, most, what] of [
        [peers * 20, 2, 'many wants that nobody can satisfy'],
        [peers - 3, 20, 'even with too few to remember all peers of one share'],
      ] as const) {
        it(`${title}: ${what}`, async () => {
          for (let holder = 1; holder <= peers; holder += 1) {
            if (holder === origin) continue
            await begin(onlyAt(holder), { peers, count: 40, want: { origin } }, lacksRemembered)
            lone.want(wantOf(KEPT_BY_ONE, { origin }))
            const longest = origin !== undefined && peers >= 8 ? 10 * most : most
            assert.ok(
              await lone.pass(longest * MINUTE_MS, () => !isOpen(KEPT_BY_ONE)),
              `cluster ${holder} was not asked`,
            )
            await lone.stop()
          }
        })
      }
    }
  }

  it('has one that has failed once take its turn, too', async () => {
    const [holder, signal] = [9, new AbortController().signal]
    let failures = 0
    await begin(
      async (cluster, asked) => {
        await pause(100, { clock: lone.clock, signal })
        if (cluster === holder && failures === 0) {
          failures += 1
          throw new Error('It was restarted.')
        }
        await onlyAt(holder)(cluster, asked)
      },
      { peers: 15, count: 40 },
      100,
    )
    lone.want(wantOf(KEPT_BY_ONE))
    assert.ok(await lone.pass(20 * MINUTE_MS, () => !isOpen(KEPT_BY_ONE)))
    assert.equal(failures, 1)
  })

  it('asks for what nobody holds three times as often at most as when all is remembered', async () => {
    const asked: number[] = []
    for (const lacksRemembered of [1_000, 100]) {
      await begin(onlyAt(0), { peers: 7, count: 40 }, lacksRemembered)
      const { length } = lone.requests
      await lone.pass(30 * MINUTE_MS)
      asked.push(lone.requests.slice(length).reduce((sum, { keys }) => sum + keys.length, 0))
      await lone.stop()
    }
    const [all = 0, some = 0] = asked
    assert.ok(some <= 3 * all, `${some} answers in place of ${all}`)
  })

  /** All give the version that is held of a capsule, and are not sure of it; nobody holds a secret. */
  const unsure = async (_: ClusterId, { wants, onRun, onNotHeld }: Asked) => {
    for (const { key } of wants) {
      if (key.kind === 'capsule') await onRun(runOf(key, 1), { newestAsOf: 1, takenIn: 50 })
      else onNotHeld(key)
    }
  }

  it('settles which version is the newest among many wants that nobody can satisfy', async () => {
    await begin(unsure, { peers: 15, count: 40 }, 100)
    lone.want(wantOf(capsule(1), { asOf: 50 }))
    assert.ok(await lone.pass(MINUTE_MS, () => lone.settled.length === 1))
  })

  it('settles it of more shares than there are answers remembered', async () => {
    await begin(unsure, { peers: 15, count: 10 }, 100)
    const keys = Array.from({ length: 60 }, (_, at) => capsule(at + 1))
    lone.want(...keys.map((key) => wantOf(key, { asOf: 50 })))
    assert.ok(await lone.pass(30 * MINUTE_MS, () => lone.settled.length === keys.length), `${lone.settled.length}`)
  })
})

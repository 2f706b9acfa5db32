import { type BlockNumber, shareKeyText } from '../../domain/index.js'
import type { CaseBench, Fetched } from '../bench.js'
import { type ConformanceCase, conformanceCase } from '../case.js'
import { Deviation, demand, NotJudged } from '../deviation.js'
import type { KnownShare } from '../library.js'
import { openList } from '../wants.js'

const SENDS =
  'A provider sends each share that is wanted and that it holds in a version of at least the least one wanted, in the latest version that it holds, and at most once'
const NOT_HELD = 'id lists of what was asked for in closed ranges and is not held, or in no version that would do'
const KEPT_ORDER =
  'It MUST hold at least one of these, and its id lists and `cursor`s MUST be in keeping with that order'
const BATCH_END = 'It SHOULD end a batch when it holds about 256 KiB of payloads'
const AGAIN =
  "Before each `Sealed` message the provider MUST look again whether the two accounts are allowed at its _now_, whether its view is fresh, and whether the requester's token holds"

function serving(init: Omit<Parameters<typeof conformanceCase>[0], 'role' | 'needsShares'>): ConformanceCase {
  return conformanceCase({ ...init, role: 'provider', needsShares: true })
}

function demandAll({ shares }: Fetched, wanted: readonly KnownShare[]): void {
  const missing = wanted.filter(({ key }) => !shares.has(shareKeyText(key))).map(({ key }) => shareKeyText(key))
  demand(missing.length === 0, `it did not send ${missing.slice(0, 5).join(', ')}`)
}

/** What the peer has fetched for certain, and is not burned by any case. */
function held({ bench }: CaseBench): KnownShare[] {
  const found = bench.baseline.filter((share) => bench.library.get(share.key) === share)
  if (found.length === 0) throw new NotJudged('there is nothing that the peer must hold')
  return found
}

function one(bench: CaseBench): KnownShare {
  const [first] = held(bench)
  if (first === undefined) throw new NotJudged('there is nothing that the peer must hold')
  return first
}

export const servingCases: readonly ConformanceCase[] = [
  serving({
    id: 'SERVE-01',
    clause: '6.1',
    quote: SENDS,
    sent: 'Request for one share that it holds',
    expected: 'that share, as its origin vouched for it, and an End that counts it',
    run: async (bench) => {
      const share = one(bench)
      const fetched = await bench.fetch(bench.listsFor([share]))
      demandAll(fetched, [share])
      const [head] = fetched.heads
      demand(head?.account === share.log.signer.account, 'its head is of another account than the origin')
    },
  }),
  serving({
    id: 'SERVE-02',
    clause: '6.2',
    quote: NOT_HELD,
    sent: 'Request for one share that nobody holds',
    expected: 'its id among those not held',
    run: async (bench) => {
      const { notHeld, shares } = await bench.fetch(bench.unheldLists())
      demand(notHeld.size === 1 && shares.size === 0, 'it does not say that it does not hold it')
    },
  }),
  serving({
    id: 'SERVE-03',
    clause: '6.1',
    quote: SENDS,
    sent: 'Request for all shares that it holds, of several origins and both kinds, by their ids',
    expected: 'all of them',
    run: async (bench) => {
      const wanted = held(bench)
      const fetched = await bench.fetch(bench.listsFor(wanted))
      demandAll(fetched, wanted)
      demand(!fetched.end.unfinished, 'its End says that it stopped early')
    },
  }),
  serving({
    id: 'SERVE-04',
    clause: '6.2',
    quote: 'What is not held of open ranges is not listed',
    sent: 'Request for all secrets and all capsules, in open ranges',
    expected: 'all that it holds, and nothing named as not held',
    run: async (bench) => {
      const fetched = await bench.fetch({ secrets: openList(0, 0), capsules: openList(0, 0) })
      demandAll(fetched, held(bench))
      demand(fetched.notHeld.size === 0, 'it names ids as not held')
    },
  }),
  serving({
    id: 'SERVE-05',
    clause: '6.1',
    quote: SENDS,
    sent: 'Request for a share in exactly the version that it holds',
    expected: 'that share',
    run: async (bench) => {
      const share = one(bench)
      demandAll(await bench.fetch(bench.listsFor([share], share.version)), [share])
    },
  }),
  serving({
    id: 'SERVE-06',
    clause: '6.2',
    quote: NOT_HELD,
    sent: 'Request for a share in a later version than it holds',
    expected: 'its id among those not held',
    run: async (bench) => {
      const share = one(bench)
      const { notHeld } = await bench.fetch(bench.listsFor([share], share.version + 1))
      demand(notHeld.has(shareKeyText(share.key)), 'it does not name it as not held')
    },
  }),
  serving({
    id: 'SERVE-07',
    clause: '6.1',
    quote: SENDS,
    sent: 'Request for everything, in open ranges, in versions that nobody has',
    expected: 'an End, and no share',
    run: async (bench) => {
      const least = 0xffff_0000
      const { shares } = await bench.fetch({ secrets: openList(0, least), capsules: openList(0, least) })
      demand(shares.size === 0, `it sent ${shares.size} shares`)
    },
  }),
  serving({
    id: 'SERVE-08',
    clause: '6.2',
    quote: KEPT_ORDER,
    sent: 'Request for all shares that it holds and some that nobody holds between and behind them',
    expected: 'batches in the order of kind and id, as far as cursors tell',
    run: async (bench) => {
      const wanted = held(bench)
      const lists = bench.listsFor([
        ...wanted,
        { key: { kind: 'secret', nftId: 0xfff0_0000 } },
        { key: { kind: 'capsule', nftId: 0xfff0_0000 } },
      ])
      const fetched = await bench.fetch(lists)
      demandAll(fetched, wanted)
      demand(fetched.notHeld.size === 2, `it names ${fetched.notHeld.size} ids as not held, of 2`)
    },
  }),
  serving({
    id: 'SERVE-09',
    clause: '6.2',
    quote: BATCH_END,
    level: 'should',
    sent: 'Request for more than 300 KiB of shares',
    expected: 'batches of about 256 KiB at most',
    run: async (bench) => {
      const { batches } = await bench.fetch(bench.listsFor(held(bench)))
      const largest = Math.max(...batches.map(({ payloadBytes }) => payloadBytes))
      demand(largest <= 288 * 1024, `its largest batch holds ${largest} bytes of payloads`)
    },
  }),
  serving({
    id: 'SERVE-10',
    clause: '6.2',
    quote: 'It SHOULD set `cursor` at the end of a portion',
    level: 'should',
    sent: 'Request for all shares that it holds',
    expected: 'a cursor in some batch',
    run: async (bench) => {
      const { batches } = await bench.fetch(bench.listsFor(held(bench)))
      demand(
        batches.some(({ cursor }) => cursor !== undefined),
        'no batch has a cursor',
      )
    },
  }),
  serving({
    id: 'SERVE-11',
    clause: '6.3',
    quote:
      "In the registry at the requester's _now_ the seat (`cluster`, `slot`) is `account`'s; or, for each version in the Run, that version is at most _now_ and the seat was `account`'s in the registry at the block of that number",
    sent: 'Request for a share whose origin has left its seat to another since',
    expected: 'that share, vouched for by the former enclave',
    run: async (bench) => {
      const { former } = bench.stage.cast
      const shares = held(bench).filter(({ log }) => log.signer.account === former.signer.account)
      const fetched = await bench.fetch(bench.listsFor(shares))
      demandAll(fetched, shares)
      const isFormers = fetched.heads.every(({ account }) => account === former.signer.account)
      demand(isFormers, 'its heads are of another account than the one that vouched')
    },
  }),
  serving({
    id: 'SERVE-12',
    clause: '6.3',
    quote: 'A share is erased when its NFT is burned, or replaced by a later version',
    sent: 'Request for a share whose NFT has been burned since, and for those before and behind it in the log',
    expected: 'those two, with proofs that stand, and the burned one among those not held',
    run: async (bench) => {
      const [before, burned, behind] = await bench.neighbours()
      await bench.stage.burn(burned.key.nftId)
      await bench.until(async () => {
        const fetched = await bench.fetch(bench.listsFor([before, burned, behind]))
        demandAll(fetched, [before, behind])
        return fetched.notHeld.has(shareKeyText(burned.key))
      }, 'it still gives a share whose NFT has been burned')
      bench.bench.library.remove(burned.key)
    },
  }),
  serving({
    id: 'SERVE-13',
    clause: '6.1',
    quote: 'in the latest version that it holds',
    sent: 'Request for a capsule that has been synced anew, when it has fetched it again',
    expected: 'the later version alone',
    run: async (bench) => {
      const old = await bench.bench.plant('capsule')
      await bench.untilHeld(old.key)
      const anew = await bench.bench.renew(old)
      await bench.until(async () => {
        const { shares } = await bench.fetch(bench.listsFor([anew], anew.version))
        return shares.get(shareKeyText(anew.key))?.version === anew.version
      }, 'it does not give the later version')
    },
  }),
  ...lapses(),
]

/** What ends the requester's right between the Challenge and the Request, and how that is undone. */
function lapses(): ConformanceCase[] {
  const lapse = (
    id: string,
    sent: string,
    end: (bench: CaseBench, cluster: number) => Promise<BlockNumber>,
    options: { validity: number; undo?: (bench: CaseBench, cluster: number) => Promise<unknown> },
  ) =>
    serving({
      id,
      clause: '4.7',
      quote: AGAIN,
      sent,
      expected: 'no Batch, but an End with unfinished',
      run: async (bench) => {
        const member = bench.bench.members.next()
        await bench.stage.still(async () => {
          await bench.settle()
          const side = await bench.open({ member })
          const { number: blockNumber } = bench.stage.view.finalised()
          const token = { ...bench.bench.members.partyOf(member).token(), blockNumber, validity: options.validity }
          await side.hello({ body: { token } })
          await side.challenge()
          try {
            await end(bench, member.seat.cluster)
            await bench.settle(member)
            const lists = bench.listsFor(held(bench))
            await side.request(lists)
            const answer = await bench.receive(side, lists).catch((thrown: unknown) => {
              throw thrown instanceof Deviation ? thrown : new NotJudged(String(thrown))
            })
            demand(answer.shares.size === 0, `it sent ${answer.shares.size} shares`)
            demand(answer.end.unfinished, 'its End does not say that it stopped early')
          } finally {
            await options.undo?.(bench, member.seat.cluster)
            await bench.settle(member)
          }
        })
      },
    })
  return [
    lapse(
      'LAPSE-01',
      'Request after two more blocks, when the token in Hello, of validity 0, has ended',
      async ({ stage }) => {
        await stage.sealBlocks(2)
        return stage.now
      },
      { validity: 0 },
    ),
    lapse(
      'LAPSE-02',
      "Request after the chain has made the requester's cluster private",
      ({ stage }, cluster) => stage.setClusterType(cluster, 'Private'),
      { validity: 20, undo: ({ stage }, cluster) => stage.setClusterType(cluster, 'Public') },
    ),
  ]
}

import { type Phase, studyScale } from '../../src/simulation/index.js'
import { Folders, fetchAll } from '../bootstrap/bootstrap.js'
import { discover } from '../discovery/discovery.js'
import { untilDurable } from '../live/live.js'

/** A cost that is followed while there is more and more of something. */
export interface Growth {
  /** The name of its plot. */
  readonly id: string
  readonly title: string
  readonly unit: string
  /** Where it bends, and why; by hand. */
  readonly why: string
  readonly points: readonly Point[]
}

interface Point {
  readonly x: number
  readonly y: number
}

/** What there is more and more of, and what grows with it. */
export interface Part {
  readonly title: string
  /** As in a sentence: the number of what. */
  readonly of: string
  /** How it is measured, in one sentence or two. */
  readonly about: string
  readonly growths: readonly Growth[]
}

export interface Sizes {
  readonly shares: readonly number[]
  readonly bytes: readonly number[]
  readonly clusters: readonly number[]
  readonly triggers: readonly number[]
  readonly peers: readonly number[]
}

const SMALL = 64
/** Of each size of share: enough for a rate. */
const SHARES = 10_000
/** Of each number of triggers. */
const BLOCKS = 8
/** The discrete simulation's; with another one it would be another page each time. */
const SEED = `0x${'05'.repeat(32)}` as const

type Output = Awaited<ReturnType<typeof fetchAll>>

/** @returns a part as soon as it is measured. */
export async function* grown(sizes: Sizes): AsyncGenerator<Part> {
  const folders = new Folders()
  try {
    yield await byShares(sizes.shares, folders)
    yield await byBytes(sizes.bytes, folders)
  } finally {
    await folders.remove()
  }
  yield await byTriggers(sizes.triggers)
  yield await byClusters(sizes.clusters)
  yield await byPeers(sizes.peers)
}

async function byShares(sizes: readonly number[], folders: Folders): Promise<Part> {
  const outputs = await eachOf(sizes, (shares) => setup(folders, shares, SMALL))
  return {
    title: 'Shares',
    of: 'shares',
    about: `The setup of an enclave that fetches so many shares of ${SMALL} bytes from one provider, as in \`npm run bench -- bootstrap\`.`,
    growths: [
      {
        id: 'shares-time',
        title: 'Time of a setup',
        unit: 's',
        why: 'Each share is asked for, proved, sealed and written once, so it should be 1. It is less among few, where the start and the first handshake count, and more among many once LevelDB merges its tables again and again.',
        points: pointsOf(outputs, ({ seconds }) => seconds),
      },
      {
        id: 'shares-requester',
        title: 'Peak memory of who asks',
        unit: 'MB',
        why: 'Near 0 while what is held at any time is bounded; from some 100,000 shares on the tables that are kept for each share (freshness and inventory, some 40 bytes) are seen above what Node itself takes.',
        points: pointsOf(outputs, ({ peakMemory }) => peakMemory),
      },
      {
        id: 'shares-provider',
        title: 'Peak memory of who is asked',
        unit: 'MB',
        why: 'The same tables, and LevelDB’s own, which it maps into memory up to 64 MB.',
        points: pointsOf(outputs, ({ providerMemory }) => providerMemory),
      },
    ],
  }
}

async function byBytes(sizes: readonly number[], folders: Folders): Promise<Part> {
  const outputs = await eachOf(sizes, (bytes) => setup(folders, SHARES, bytes))
  return {
    title: 'Bytes of a share',
    of: 'bytes',
    about: `The setup of an enclave that fetches ${SHARES.toLocaleString('en')} shares of so many bytes.`,
    growths: [
      {
        id: 'bytes-time',
        title: 'Time of a setup',
        unit: 's',
        why: 'A share costs far more than its bytes: flat until some hundred bytes, and from about 1,000 on it bends upwards, since sealing and writing go by the byte.',
        points: pointsOf(outputs, ({ seconds }) => seconds),
      },
    ],
  }
}

async function byTriggers(sizes: readonly number[]): Promise<Part> {
  const outputs = await eachOf(sizes, (perBlock) => untilDurable({ blocks: BLOCKS, perBlock, bytes: SMALL }))
  return {
    title: 'Triggers in a block',
    of: 'triggers',
    about: `From the head of a block in which so many shares of ${SMALL} bytes are synced until the last of them is durable at a replica, as in \`npm run bench -- live\`; median of the last ${(3 * BLOCKS) / 4} of ${BLOCKS} blocks.`,
    growths: [
      {
        id: 'triggers-time',
        title: 'Until the last share is durable',
        unit: 'ms',
        why: 'One exchange brings all shares of a block: up to some ten they cost as much as one, which is its handshake, and from about a hundred on each costs what it costs in a setup.',
        points: pointsOf(outputs, (ms) => ms),
      },
    ],
  }
}

async function byClusters(sizes: readonly number[]): Promise<Part> {
  const signal = new AbortController().signal
  const results = await studyScale({ sizes, seed: SEED, signal, progress: () => undefined, runs: undefined })
  const outputs = results.map(({ clusters, one }) => ({ x: clusters, output: one }))
  const perFetched = (total: number, { fetched }: Phase) => total / Math.max(1, fetched)
  return {
    title: 'Clusters',
    of: 'clusters',
    about:
      'One share is synced in a mesh of so many clusters, under the computed clock of the [discrete simulation](simulation.md#modes); [scale.md](scale.md) has more, up to a thousand.',
    growths: [
      {
        id: 'clusters-time',
        title: 'Until the last replica holds it',
        unit: 'ms',
        why: 'Up to eight others ask the origin itself, one step for all; beyond that a share goes from replica to replica, eight from each, and every step more multiplies those reached by eight.',
        points: pointsOf(outputs, ({ coverageMs }) => coverageMs),
      },
      {
        id: 'clusters-bytes',
        title: 'Bytes for each share fetched',
        unit: 'bytes',
        why: 'Each replica makes one exchange for it, wherever it is in the ring: it does not bend.',
        points: pointsOf(outputs, (one) => perFetched(one.totals.bytes, one)),
      },
      {
        id: 'clusters-messages',
        title: 'Messages for each share fetched',
        unit: 'messages',
        why: 'Those of the exchange, and of looking its provider up in the DHT, whose ways grow as a logarithm.',
        points: pointsOf(outputs, (one) => perFetched(one.totals.messages, one)),
      },
    ],
  }
}

async function byPeers(sizes: readonly number[]): Promise<Part> {
  const outputs = await eachOf(sizes, discover)
  return {
    title: 'Peers',
    of: 'nodes',
    about:
      'So many hosts enter one mesh, publish where they are and find four others each, as in `npm run bench -- discovery`.',
    growths: [
      {
        id: 'peers-time',
        title: 'Processor time of each node',
        unit: 's',
        why: 'What costs is a connection, and in a small mesh everybody comes to know everybody: 1 or more. Once there are more peers than a table takes, eight for each half of the mesh, it should bend down to a logarithm; one process has not the time for so many ([discovery](performance.md#discovery)).',
        points: pointsOf(outputs, ({ secondsPerNode }) => secondsPerNode),
      },
      {
        id: 'peers-messages',
        title: 'Messages of the DHT of each node',
        unit: 'messages',
        why: 'Whoever is connected hands over its record without a look-up, so that few nodes hardly need the DHT; among more of them it is needed for nearly every peer.',
        points: pointsOf(outputs, ({ messagesPerNode }) => messagesPerNode),
      },
    ],
  }
}

async function setup(folders: Folders, shares: number, bytes: number): Promise<Output> {
  const what = { shares, bytes }
  return fetchAll(await folders.of(what), what)
}

async function eachOf<Result>(
  sizes: readonly number[],
  measure: (size: number) => Promise<Result>,
): Promise<{ readonly x: number; readonly output: Result }[]> {
  const outputs: { x: number; output: Result }[] = []
  for (const x of sizes) outputs.push({ x, output: await measure(x) })
  return outputs
}

function pointsOf<Result>(
  outputs: readonly { readonly x: number; readonly output: Result }[],
  cost: (output: Result) => number,
): Point[] {
  return outputs.map(({ x, output }) => ({ x, y: cost(output) }))
}

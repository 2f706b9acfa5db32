import type { Machine } from '../../src/cli/bench/machine.js'
import { markdownTable } from '../../src/domain/index.js'
import { count, percent } from '../../src/web/page/words.js'
import { byOwner, type Frame } from './tree.js'

/** Owners in a table. */
const ROWS = 20

/** A setup that was profiled. */
export interface Profiled {
  readonly shares: number
  readonly bytes: number
  /** From the seat until everything is durable and verified. */
  readonly seconds: number
  /** Of the processor in that time, with all threads. */
  readonly processorSeconds: number
  readonly tree: Frame
}

/** The name of a setup's files. */
export function nameOf({ bytes }: Pick<Profiled, 'bytes'>): string {
  return `setup-${bytes}`
}

/** `Setup of 100 000 shares of 64 bytes` */
export function titleOf({ shares, bytes }: Pick<Profiled, 'shares' | 'bytes'>): string {
  return `Setup of ${count(shares)} shares of ${count(bytes)} bytes`
}

export function profilePage(
  setups: readonly Profiled[],
  command: string,
  { processor, cores, node, commit }: Machine & { readonly commit: string },
): string {
  const preface = `# Where the time of a setup goes

Made by the command below, and never by hand. One run of each size, the requester's main thread looked at each millisecond from the seat until
everything is durable; ${processor}, ${cores} cores, Node ${node}, commit ${commit}.

\`\`\`sh
${command}
\`\`\`

In a graph width is time, and what is called stands on what calls it. Our own files have the colour of their room, packages are grey, Node is
pale; the collection of garbage and idleness are apart, at the right. A tooltip says how much each is, when the file is opened by itself.
In a table is the time of each room's and each package's own code. What V8 itself does for a function, and WebAssembly,
counts for whoever calls it. Other threads (of the database, and of Node's pool) are in none of it, but in the time of the processor. All else is
time by the clock: where other work has the processor, what waits for it is told as running.`
  return `${[preface, ...setups.map(setupText)].join('\n\n')}\n`
}

function setupText(setup: Profiled): string {
  const { shares, seconds, processorSeconds, tree } = setup
  const all = byOwner(tree)
  const rest = all.slice(ROWS).reduce((sum, { self }) => sum + self, 0)
  const row = (name: string, us: number) => [name, perShare(us, shares), percent(us, tree.total)]
  const rows = [
    ...all.slice(0, ROWS).map(({ owner, self }) => row(owner.kind === 'room' ? `**${owner.name}**` : owner.name, self)),
    ...(rest > 0 ? [row('others', rest)] : []),
    row('all', tree.total),
  ]
  const title = titleOf(setup)
  return `## ${title}

${perShare(seconds * 1_000_000, shares)} µs a share, and ${perShare(processorSeconds * 1_000_000, shares)} µs of the processor, while it was profiled.

[![${title}](${nameOf(setup)}.svg)](${nameOf(setup)}.svg)

${markdownTable(['whose code', 'µs a share', 'of the time'], rows).trimEnd()}`
}

function perShare(us: number, shares: number): string {
  const each = us / shares
  return each >= 100 ? count(Math.round(each)) : each.toFixed(1)
}

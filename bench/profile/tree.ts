import type { Profiler, Runtime } from 'node:inspector'
import { fileURLToPath } from 'node:url'

/** Whose time it is. */
export interface Owner {
  /** A folder of ours, a package, Node and V8 themselves, the collection of garbage, or nobody. */
  readonly kind: 'room' | 'library' | 'node' | 'garbage' | 'idle'
  readonly name: string
}

/** A function as it was called from one place, with all that it called. Times are µs. */
export interface Frame {
  readonly name: string
  /** Seen from the folder that has our sources, or from that of the packages; empty where there is none. */
  readonly file: string
  readonly owner: Owner
  /** Of its own code. */
  readonly self: number
  readonly total: number
  /** Those that took the most come first. */
  readonly children: readonly Frame[]
}

export interface Taken {
  readonly owner: Owner
  readonly self: number
}

const PACKAGES = '/node_modules/'

/** What V8 tells of under these names has no code. */
const WITHOUT_CODE = new Map<string, Owner>([
  ['(root)', { kind: 'node', name: 'V8' }],
  ['(program)', { kind: 'node', name: 'Node outside JavaScript' }],
  ['(garbage collector)', { kind: 'garbage', name: 'garbage collection' }],
  ['(idle)', { kind: 'idle', name: 'idle' }],
])

/**
 * A profile as the tree of its calls. What has no file (V8's own functions, WebAssembly) counts for whoever calls it.
 * @param build the folder that `src` and `bench` were built into, with a slash at its end.
 * @throws Error when the profile has nothing.
 */
export function treeOf(profile: Profiler.Profile, build: string): Frame {
  const [root] = profile.nodes
  if (root === undefined) throw new Error('The profile is empty: profile something that runs for some milliseconds.')
  const byId = new Map(profile.nodes.map((node) => [node.id, node]))
  const times = selfTimes(profile)

  const frameOf = (
    alike: readonly Profiler.ProfileNode[],
    { callFrame }: Profiler.ProfileNode,
    caller: Owner,
  ): Frame => {
    const { owner = caller, file } = whereIs(callFrame, build)
    const called = alike.flatMap(({ children = [] }) => children.flatMap((id) => byId.get(id) ?? []))
    const children = alikeIn(called).flatMap(([first, ...more]) =>
      first === undefined ? [] : frameOf([first, ...more], first, owner),
    )
    const self = alike.reduce((sum, { id }) => sum + (times.get(id) ?? 0), 0)
    return {
      name: callFrame.functionName || '(anonymous)',
      file,
      owner,
      self,
      total: children.reduce((sum, { total }) => sum + total, self),
      children: children.sort((one, other) => other.total - one.total),
    }
  }
  return frameOf([root], root, { kind: 'node', name: 'V8' })
}

/** The time of all code of each owner, the most first. */
export function byOwner(tree: Frame): Taken[] {
  const taken = new Map<string, { owner: Owner; self: number }>()
  const add = ({ owner, self, children }: Frame) => {
    const key = `${owner.kind} ${owner.name}`
    const before = taken.get(key)?.self ?? 0
    taken.set(key, { owner, self: before + self })
    children.forEach(add)
  }
  add(tree)
  return [...taken.values()].filter(({ self }) => self > 0).sort((one, other) => other.self - one.self)
}

/** Of each node, µs: a sample stands for the time until the next one. V8 does not always hand them over in order. */
function selfTimes({ samples = [], timeDeltas = [], startTime, endTime }: Profiler.Profile): Map<number, number> {
  let last = startTime
  const taken = samples.map((id, index) => {
    last += timeDeltas[index] ?? 0
    return { id, at: last }
  })
  taken.sort((one, other) => one.at - other.at)
  const times = new Map<number, number>()
  for (const [index, { id, at }] of taken.entries()) {
    const until = taken[index + 1]?.at ?? Math.max(at, endTime)
    times.set(id, (times.get(id) ?? 0) + until - at)
  }
  return times
}

/** V8 has a node of its own for each time that a function was compiled. */
function alikeIn(nodes: readonly Profiler.ProfileNode[]): Profiler.ProfileNode[][] {
  const alike = new Map<string, Profiler.ProfileNode[]>()
  for (const node of nodes) {
    const { functionName, url, lineNumber, columnNumber } = node.callFrame
    const key = `${functionName} ${url} ${lineNumber} ${columnNumber}`
    alike.set(key, [...(alike.get(key) ?? []), node])
  }
  return [...alike.values()]
}

function whereIs({ functionName, url }: Runtime.CallFrame, build: string): { owner?: Owner; file: string } {
  const node = /^node:(?:internal\/)?([^/]+)/.exec(url)
  if (node) return { owner: { kind: 'node', name: `node:${node[1]}` }, file: url }
  const path = url.startsWith('file:') ? fileURLToPath(url) : url
  const packages = path.lastIndexOf(PACKAGES)
  if (packages >= 0) {
    const file = path.slice(packages + PACKAGES.length)
    return { owner: { kind: 'library', name: /^(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? file }, file }
  }
  if (path.startsWith(build)) {
    const file = path
      .slice(build.length)
      .replace(/^src\//, '')
      .replace(/\.js$/, '.ts')
    return { owner: { kind: 'room', name: file.split('/')[0] ?? file }, file }
  }
  const owner = url === '' ? WITHOUT_CODE.get(functionName) : undefined
  return owner === undefined ? { file: '' } : { owner, file: '' }
}

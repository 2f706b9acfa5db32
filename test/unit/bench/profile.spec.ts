import assert from 'node:assert/strict'
import type { Profiler } from 'node:inspector'
import { flameGraph, rectanglesOf } from '../../../bench/profile/flame.js'
import { profilePage } from '../../../bench/profile/page.js'
import { byOwner, type Frame, treeOf } from '../../../bench/profile/tree.js'

const BUILD = '/home/me/build/'
const OPENED = 'file:///home/me/build/src/store/open%20it.js'
const NOBLE = 'file:///home/me/node_modules/@noble/curves/abstract/edwards.js'
const MACHINE = { processor: 'a processor', cores: 2, memoryGiB: 4, node: 'v20.0.0', commit: 'c0ffee' }

/** A node of the profile; V8 counts lines from 0. */
function node(id: number, functionName: string, url: string, children: number[] = []): Profiler.ProfileNode {
  return { id, callFrame: { functionName, scriptId: '1', url, lineNumber: 3, columnNumber: 0 }, children }
}

const NODES = [
  node(1, '(root)', '', [2, 3, 4, 5]),
  node(2, '(idle)', ''),
  node(3, '(garbage collector)', ''),
  node(4, 'open', OPENED, [6, 7]),
  node(5, 'open', OPENED, [8]),
  node(6, 'sign', NOBLE, [9]),
  node(7, 'update', 'node:internal/crypto/hash'),
  node(8, '', '/home/me/node_modules/level/node_modules/it-all/index.js'),
  node(9, 'set', ''),
]

/** From 1,000 µs on a sample each 100 µs, until 2,000 µs. */
function sampled(samples: number[]): Profiler.Profile {
  return { nodes: NODES, startTime: 1_000, endTime: 2_000, samples, timeDeltas: samples.map(() => 100) }
}

function found(tree: Frame, ...path: string[]): Frame {
  const frame = path.reduce<Frame | undefined>((at, name) => at?.children.find((child) => child.name === name), tree)
  assert.ok(frame, `${path.join(' / ')} is in the tree`)
  return frame
}

function ownersOf(tree: Frame): Record<string, number> {
  return Object.fromEntries(byOwner(tree).map(({ owner, self }) => [owner.name, self]))
}

describe('a profile as a tree', () => {
  it('gives each sample the time until the next one, and the last the time until the end', () => {
    const tree = treeOf({ ...sampled([2, 6, 7]), timeDeltas: [100, 250, 50] }, BUILD)
    assert.equal(found(tree, '(idle)').self, 250)
    assert.equal(found(tree, 'open', 'sign').self, 50)
    assert.equal(found(tree, 'open', 'update').self, 600)
    assert.equal(tree.total, 900)
  })

  it('puts samples in order that V8 hands over out of it', () => {
    const tree = treeOf({ ...sampled([6, 7, 2]), timeDeltas: [300, -200, 500] }, BUILD)
    assert.equal(found(tree, 'open', 'update').self, 200)
    assert.equal(found(tree, 'open', 'sign').self, 300)
    assert.equal(found(tree, '(idle)').self, 400)
  })

  it('has a function once for each place that it is called from, and the most time first', () => {
    const tree = treeOf(sampled([3, 4, 5, 6, 7, 7, 8, 2, 2]), BUILD)
    const open = tree.children.filter(({ name }) => name === 'open')
    assert.deepEqual(
      open.map(({ self, total }) => ({ self, total })),
      [{ self: 200, total: 600 }],
    )
    assert.deepEqual(
      open[0]?.children.map(({ name }) => name),
      ['update', 'sign', '(anonymous)'],
    )
  })

  it('knows rooms, packages and modules of Node by their files, and says nothing of where these are', () => {
    const tree = treeOf(sampled([2, 3, 4, 6, 7, 8]), BUILD)
    const of = (...path: string[]) => {
      const { owner, file } = found(tree, ...path)
      return [owner.kind, owner.name, file]
    }
    assert.deepEqual(of('open'), ['room', 'store', 'store/open it.ts'])
    assert.deepEqual(of('open', 'sign'), ['library', '@noble/curves', '@noble/curves/abstract/edwards.js'])
    assert.deepEqual(of('open', '(anonymous)'), ['library', 'it-all', 'it-all/index.js'])
    assert.deepEqual(of('open', 'update'), ['node', 'node:crypto', 'node:internal/crypto/hash'])
    assert.deepEqual(of('(garbage collector)'), ['garbage', 'garbage collection', ''])
    assert.doesNotMatch(flameGraph(tree, 'A setup'), /home/)
  })

  it('counts what has no file for whoever calls it', () => {
    const tree = treeOf(sampled([9, 9, 6, 4]), BUILD)
    assert.deepEqual(ownersOf(tree), { '@noble/curves': 300, store: 600 })
  })

  it('is not made of nothing', () => {
    assert.throws(() => treeOf({ nodes: [], startTime: 0, endTime: 0 }, BUILD), /is empty/)
  })
})

describe('a flame graph', () => {
  const tree = treeOf(sampled([2, 2, 2, 2, 2, 3, 4, 6, 9]), BUILD)
  const placed = (least: number) =>
    rectanglesOf(tree, least).map(({ frame, depth, from, to }) => [
      frame.name,
      depth,
      Math.round(from * tree.total),
      Math.round(to * tree.total),
    ])

  it('has whoever is called above the caller and within it, with garbage and idleness at the right', () => {
    assert.deepEqual(placed(0.003), [
      ['(root)', 0, 0, 900],
      ['open', 1, 0, 300],
      ['sign', 2, 0, 200],
      ['set', 3, 0, 100],
      ['(idle)', 1, 300, 800],
      ['(garbage collector)', 1, 800, 900],
    ])
  })

  it('leaves out what takes too little, with all that is above it', () => {
    assert.deepEqual(
      placed(0.2).map(([name]) => name),
      ['(root)', 'open', 'sign', '(idle)'],
    )
  })

  it('needs nothing else, says how much each is, and is only as large as a page can have', () => {
    const graph = flameGraph(tree, 'A setup')
    assert.match(graph, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /)
    assert.doesNotMatch(graph, /NaN|Infinity|undefined|https?:(?!\/\/www\.w3\.org)/)
    assert.match(graph, /<title>open, store\/open it\.ts: 0\.3 ms, 33\.3 %; itself 0\.1 ms<\/title>/)
    assert.match(graph, /prefers-color-scheme: dark/)
    const many = Array.from({ length: 300 }, (_, index) =>
      wide(`${'a long name '.repeat(60)}${index}`, 40 + index / 10),
    )
    const large = { ...wide('root', 0), total: 12_000, children: many }
    assert.ok(Buffer.byteLength(flameGraph(large, 'Much')) < 150_000)
  })

  it('has names as text', () => {
    const graph = flameGraph({ ...wide('all', 0), total: 10, children: [wide('<b>&"', 10)] }, 'A <setup>')
    assert.match(graph, /<title>&lt;b&gt;&amp;&quot;: /)
    assert.match(graph, />A &lt;setup&gt;: /)
    assert.doesNotMatch(graph, /<b>|<setup>/)
  })
})

describe('the page of profiles', () => {
  const children = Array.from({ length: 25 }, (_, index) => ({
    ...wide('f', 1_000 * (index + 1)),
    owner: { kind: 'library' as const, name: `package-${index + 1}` },
  }))
  const total = children.reduce((sum, child) => sum + child.total, 0)
  const tree = { ...wide('(root)', 0), total, children }
  const setup = { shares: 100, bytes: 64, seconds: 0.4, processorSeconds: 0.5, tree }
  const page = profilePage([setup], 'npm run bench -- profile', MACHINE)
  const rows = page.split('\n').filter((line) => line.startsWith('| '))

  it('has the twenty owners that took the most, by share, and all others as one', () => {
    assert.equal(rows.length, 2 + 20 + 2)
    assert.match(rows[2] ?? '', /^\| package-25 +\| 250 +\| 7\.7 % +\|$/)
    assert.match(rows[21] ?? '', /^\| package-6 +\| 60\.0 +\| 1\.8 % +\|$/)
    assert.match(rows[22] ?? '', /^\| others +\| 150 +\| 4\.6 % +\|$/)
    assert.match(rows[23] ?? '', /^\| all +\| 3\u202f250 +\| 100 % +\|$/)
  })

  it('says what was measured, where and how, and has the graph', () => {
    assert.match(page, /^## Setup of 100 shares of 64 bytes$/m)
    assert.match(page, /^4\u202f000 µs a share, and 5\u202f000 µs of the processor/m)
    assert.match(page, /\(setup-64\.svg\)/)
    assert.match(page, /commit c0ffee/)
    assert.match(page, /^npm run bench -- profile$/m)
  })
})

/** A function with no file and nothing that it calls. @param us of its own. */
function wide(name: string, us: number): Frame {
  return { name, file: '', owner: { kind: 'node', name: 'V8' }, self: us, total: us, children: [] }
}

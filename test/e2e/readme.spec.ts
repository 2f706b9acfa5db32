import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitUntil } from '../../src/simulation/wait.js'
import { freePorts } from '../support/free-ports.js'
import { MAIN, type Outcome, outcomeOf, runHere } from './cli.js'

const README = readFileSync('README.md', 'utf8')
const SLOTMESH = /^npx slotmesh /

/** Commands of the page that something else runs: as typed, or with smaller numbers. Each with a word of it. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, word: string]>> = {
  'npm ci && npm start': ['.ci/run', 'npm start'],
  'npm ci && npm test': ['.ci/run', 'npm test'],
  'npm run check': ['.ci/run', 'npm run check'],
  'npm run test:installed': ['.ci/run', 'npm run test:installed'],
  'npm run bench': ['.ci/run', 'npm run bench'],
  'npm run api': ['.ci/run', 'npm run api'],
  'npm run package': ['.ci/run', 'npm run package'],
  'npm ci && npm pack': ['test/installed/local-mesh.spec.ts', "npm('pack'"],
  'npm install --global ./slotmesh-0.1.0.tgz': ['test/installed/local-mesh.spec.ts', "npm('install', '--global'"],
  'node examples/local-mesh/local-mesh.mjs my-mesh': ['test/installed/local-mesh.spec.ts', 'local-mesh.mjs'],
  'node examples/embed-a-node.mjs': ['test/e2e/example.spec.ts', 'embed-a-node.mjs'],
  'npx slotmesh simulate': ['.ci/run', 'npm start'],
  'npx slotmesh simulate --scenario power-cut --ui': ['test/e2e/simulation.spec.ts', 'power-cut'],
  'npx slotmesh simulate --mode discrete --scenario five-hundred-clusters': [
    'test/integration/simulation/discrete.spec.ts',
    'stories',
  ],
  'npx slotmesh simulate chaos': ['test/e2e/cli.spec.ts', "'chaos'"],
  'npx slotmesh simulate show RUN.run.jsonl': ['test/e2e/recorded-runs.spec.ts', "'show'"],
  'npm run scale': ['test/e2e/recorded-runs.spec.ts', "'scale'"],
  'npm run ternoa-js': ['test/integration/api/ternoa-js.spec.ts', 'ternoa-js'],
  'npm run stories': ['test/e2e/simulation.spec.ts', 'stories'],
  'npm run soak': ['test/integration/chain/soak.spec.ts', 'soak'],
  'npm run crash -- --kills 200': ['test/integration/crash/crash.spec.ts', 'crash'],
  'npm run fuzz -- --minutes 10': ['test/unit/share/fuzz.spec.ts', 'fuzz'],
  'npm run independent': ['test/integration/independent/suite.spec.ts', 'independent'],
  'npm run vectors': ['test/unit/vectors/make.spec.ts', 'make'],
  'npx slotmesh store --chain ws://127.0.0.1:9944 --nft 7 --cluster 0 --seed-file owner.seed < key.pem': [
    'examples/local-mesh/local-mesh.mjs',
    "run(['store', ...owner",
  ],
  'npx slotmesh retrieve --chain ws://127.0.0.1:9944 --nft 7 --seed-file owner.seed > key.pem': [
    'examples/local-mesh/local-mesh.mjs',
    "run(['retrieve', ...owner",
  ],
}

/** Those that are run here, each by itself. */
const HERE = [
  / --help$/,
  / --list$/,
  /^npx slotmesh config (example|reference|schema)$/,
  /^npx slotmesh simulate --mode discrete --scenario region-lost-for-an-hour$/,
]

describe('README.md', function () {
  this.timeout(180_000)
  const walked = commandsIn('### One node by hand', '## How it works')
  const chains = commandsIn('## A chain to try things on', '## For owners')
  const running = new Set<ChildProcess>()
  let scratch: string

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-readme-'))
  })

  afterEach(async () => {
    for (const child of running) if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'close')
    running.clear()
  })

  after(() => rm(scratch, { recursive: true }))

  it('has no command that nothing runs', () => {
    const known = [...Object.keys(ELSEWHERE), ...walked, ...chains]
    const isKnown = (command: string) => known.includes(command) || HERE.some((pattern) => pattern.test(command))
    assert.deepEqual(
      commandsIn('').filter((command) => !isKnown(command)),
      [],
    )
    const all = commandsIn('')
    assert.deepEqual(
      known.filter((command) => !all.includes(command)),
      [],
      'commands that the page does not have any more',
    )
    for (const [file, word] of Object.values(ELSEWHERE)) assert.ok(readFileSync(file, 'utf8').includes(word), file)
  })

  for (const command of new Set(commandsIn('').filter((each) => HERE.some((pattern) => pattern.test(each))))) {
    it(`${command}: ends well`, async () => {
      const { exitCode, stdout, stderr } = await runHere(...wordsOf(command), ...runsOf(command))
      assert.equal(exitCode, 0, stderr)
      assert.ok(stdout.length > 100, stdout)
    })
  }

  for (const command of chains) {
    it(`${command}: is a chain`, async () => {
      const child = start([...wordsOf(command), '--port', '0'])
      await saying(child, /^Development chain listening on ws:/m)
      child.kill('SIGTERM')
      assert.deepEqual(await once(child, 'close'), [0, null])
    })
  }

  it('leads by hand to a node that has a seat, is seen, and is copied', async () => {
    const ports = [9944, 4001, 8100, 9616, 9615]
    const free = await freePorts(ports.length)
    const place = (text: string) =>
      ports.reduce((sofar, port, at) => sofar.replace(new RegExp(`(?<=[:/ ])${port}\\b`), String(free[at])), text)
    const steps = walked.map(place)
    const step = (words: string) =>
      wordsOf(steps.find((each) => each.startsWith(`npx slotmesh ${words}`)) ?? assert.fail(words))
    const endedWell = (words: string, outcome: Outcome): Outcome => {
      assert.equal(outcome.exitCode, 0, `${words}: ${outcome.stderr}`)
      return outcome
    }
    const ended = async (words: string, ...more: string[]) =>
      endedWell(words, await inScratch(() => runHere(...step(words), ...more)))
    assert.equal(steps.length, 9)
    // Where its port is the usual one it is not said.
    await saying(start([...step('devchain --block-time'), '--port', String(free[0])]), /^Development chain listening/m)
    const made = endedWell('init', await outcomeOf(start(step('init node-a'))))
    assert.match(made.stdout, /slotmesh join --config /)
    const node = start(step('join --config'))
    await saying(node, /^listens /m)
    assert.match(
      (await ended('devchain seat', '--chain', `ws://127.0.0.1:${free[0]}`)).stdout,
      /^cluster 0, slot 0 {2}/,
    )
    await waitUntil(async () => /state +running/.test((await ended('status')).stdout) || undefined, {
      what: () => 'the node to run',
      timeoutMs: 60_000,
      signal: AbortSignal.timeout(90_000),
    })
    await ended('peers')
    assert.match((await ended('registry')).stdout, /^0 +public +\w+…\w+ +empty/m)
    const doctor = await inScratch(() => runHere(...step('doctor')))
    assert.doesNotMatch(doctor.stdout, /^FAIL/m)
    await ended('backup')
    const seen = await fetch(`http://127.0.0.1:${free[3]}/`)
    assert.match(await seen.text(), /<html/i)
    assert.match(await (await fetch(`http://127.0.0.1:${free[4]}/metrics`)).text(), /^slotmesh_state/m)
    assert.match(await readFile(join(scratch, 'node-a', 'slotmesh.yaml'), 'utf8'), /chain/)
    node.kill('SIGTERM')
    assert.deepEqual(await once(node, 'close'), [0, null])
  })

  /** What the commands are told of files is relative to the folder that they are started in. */
  async function inScratch<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = process.cwd()
    process.chdir(scratch)
    try {
      return await work()
    } finally {
      process.chdir(before)
    }
  }

  function start(words: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [MAIN, ...words], { cwd: scratch, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    return child
  }
})

/** The commands between two headings, without what is said of them. */
function commandsIn(from: string, to?: string): string[] {
  const begin = README.indexOf(from)
  assert.ok(begin >= 0, from)
  const part = README.slice(begin, to === undefined ? undefined : README.indexOf(to, begin))
  const blocks = [...part.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block)
  return blocks.flatMap((block) =>
    block
      .split('\n')
      .map((line) => line.replace(/ +#.*$/, '').trim())
      .filter((line) => line !== ''),
  )
}

function wordsOf(command: string): string[] {
  assert.match(command, SLOTMESH)
  return command.replace(SLOTMESH, '').split(' ')
}

/** Where a simulation writes what it has seen, other than into this folder. */
function runsOf(command: string): string[] {
  return /^npx slotmesh simulate --mode/.test(command) ? ['--runs', join(tmpdir(), 'slotmesh-readme-runs')] : []
}

function saying(child: ChildProcess, pattern: RegExp): Promise<void> {
  let said = ''
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (pattern.test(said)) resolve()
      })
    }
    child.once('close', () => reject(new Error(`It has ended: ${said}`)))
  })
}

#!/usr/bin/env node
/*
 * A mesh on this machine, from the installed package and by its commands alone: a development chain and three clusters
 * of five enclaves, each a process of its own. An owner's secret is stored with one cluster; then a fourth cluster
 * joins, which is told the address of the chain and nothing else, and gives the secret back. README.md beside this file.
 *
 *     node local-mesh.mjs [folder] [--once] [--port N]
 */
import { spawn } from 'node:child_process'
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const USAGE = `node local-mesh.mjs [folder] [--once] [--port N]
  folder     where chain and enclaves are kept; it must be empty (default: a temporary one, which is removed)
  --once     stop everything as soon as the fourth cluster has given the secret back
  --port N   the chain listens on N; the enclaves take 80 ports after it (default: 9944)
`
const [CLUSTERS, SLOTS] = [4, 5]
const PATIENCE_MS = 180_000
/** A stop takes an enclave up to ten seconds. */
const STOP_MS = 15_000
const SECRET_BYTES = 32
/** From it the simulated machines are made. Anybody knows it: nothing here protects anything. */
const DEVELOPMENT_SEED = `0x${'01'.repeat(32)}`

class Failure extends Error {}

const stop = new AbortController()
/** Somebody has asked for the end, which is no failure. */
let isInterrupted = false
for (const name of ['SIGINT', 'SIGTERM']) {
  process.on(name, () => {
    isInterrupted = true
    stop.abort()
  })
}

const { port, isOnce, given } = parameters()
const command = process.env.SLOTMESH ?? 'slotmesh'
const chain = `ws://127.0.0.1:${port}`
const children = new Set()
const began = Date.now()

try {
  const folder = given === undefined ? await mkdtemp(join(tmpdir(), 'slotmesh-mesh-')) : await emptyFolder(given)
  try {
    await play(folder)
  } finally {
    await stopAll()
    if (given === undefined) await rm(folder, { recursive: true, force: true })
  }
} catch (thrown) {
  if (!isInterrupted) {
    console.error(thrown instanceof Failure ? `local-mesh: ${thrown.message}` : thrown)
    process.exitCode = 1
  }
}

async function play(folder) {
  await writePrometheus(folder)
  heading('A chain, and three clusters on it')
  await start('chain', ['devchain', '--port', port, '--block-time', '1000'], /^Development chain listening/m)
  for (let cluster = 0; cluster < CLUSTERS - 1; cluster++) await addCluster(folder, cluster)

  heading('An owner mints an NFT, and hands the shares of its secret to cluster 0')
  const seed = join(folder, 'owner.seed')
  const owner = ['--chain', chain, '--nft', '0', '--seed-file', seed]
  await run(['devchain', 'mint', '--chain', chain, '--seed-file', seed])
  const secret = randomBytes(SECRET_BYTES)
  await run(['store', ...owner, '--cluster', '0'], { input: secret })

  heading('A fourth cluster joins; it knows where the chain is, and nothing else')
  await addCluster(folder, CLUSTERS - 1)
  // Each of its enclaves has fetched its share from a slot peer that it has found by itself.
  await untilHeld(CLUSTERS - 1)
  const retrieved = await run(['retrieve', ...owner, '--cluster', String(CLUSTERS - 1)], { isSecret: true })
  if (retrieved.length !== secret.length || !timingSafeEqual(retrieved, secret)) {
    throw new Failure('What the fourth cluster gave is not the secret.')
  }
  await run(['registry', '--chain', chain])
  console.log(
    `\nPASS  The fourth cluster gave the secret back, ${Math.round((Date.now() - began) / 1_000)} s after the start.`,
  )
  if (isOnce) return

  heading('The mesh goes on until you press Ctrl-C')
  for (const place of placesOf(CLUSTERS - 1).slice(0, 1)) {
    console.log(`slotmesh status --config ${configOf(folder, place)} --watch`)
    console.log(
      `the page of that enclave: http://127.0.0.1:${place.status}/, its metrics: http://127.0.0.1:${place.metrics}/metrics`,
    )
  }
  await untilStopped()
}

/** Each enclave is made and started; then all are registered, by where their clients reach them. */
async function addCluster(folder, cluster) {
  const places = placesOf(cluster)
  await Promise.all(places.map((place) => run(initOf(folder, place), { isQuiet: place.slot > 0 })))
  await Promise.all(
    places.map((place) => start(nameOf(place), ['join', '--config', configOf(folder, place)], /^status /m)),
  )
  await run(['devchain', 'seat', '--chain', chain, ...places.map(({ api }) => `http://127.0.0.1:${api}`)])
  await untilRunning(cluster)
}

function initOf(folder, place) {
  const flags = {
    '--chain': chain,
    '--listen': `/ip4/127.0.0.1/tcp/${place.listen}`,
    '--api-listen': `127.0.0.1:${place.api}`,
    '--status-listen': String(place.status),
    '--metrics-listen': String(place.metrics),
    '--development-seed': DEVELOPMENT_SEED,
  }
  return ['init', join(folder, nameOf(place)), ...Object.entries(flags).flat(), '--allow-private-addresses']
}

/** What a Prometheus on this machine watches the mesh by, with the alerts that come with the package. */
async function writePrometheus(folder) {
  const alerts = fileURLToPath(new URL('../../packaging/monitoring/alerts.yaml', import.meta.url))
  const all = Array.from({ length: CLUSTERS }, (_, cluster) => placesOf(cluster)).flat()
  const config = {
    global: { scrape_interval: '5s', evaluation_interval: '5s' },
    rule_files: existsSync(alerts) ? [alerts] : [],
    scrape_configs: [
      { job_name: 'slotmesh', static_configs: [{ targets: all.map(({ metrics }) => `127.0.0.1:${metrics}`) }] },
    ],
  }
  // YAML is a superset of JSON.
  await writeFile(join(folder, 'prometheus.yaml'), `${JSON.stringify(config, undefined, 2)}\n`)
}

function placesOf(cluster) {
  return Array.from({ length: SLOTS }, (_, slot) => {
    const at = Number(port) + 1 + (cluster * SLOTS + slot) * 4
    return { cluster, slot, listen: at, api: at + 1, status: at + 2, metrics: at + 3 }
  })
}

function nameOf({ cluster, slot }) {
  return `cluster-${cluster}-slot-${slot}`
}

function configOf(folder, place) {
  return join(folder, nameOf(place), 'slotmesh.yaml')
}

/** What tells anybody who watches an enclave how it is. */
function untilRunning(cluster) {
  return untilAll(cluster, 'run', async ({ api }) => (await ask(api, '/readyz')).ok)
}

function untilHeld(cluster) {
  return untilAll(cluster, 'hold their share', async ({ api }) => {
    const { secrets_number: held } = await (await ask(api, '/api/health')).json()
    return held === 1
  })
}

function ask(api, path) {
  return fetch(`http://127.0.0.1:${api}${path}`, { signal: stop.signal })
}

async function untilAll(cluster, what, isSo) {
  const limit = AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)])
  for (const place of placesOf(cluster)) {
    while (!(await isSo(place))) {
      if (!stop.signal.aborted && limit.aborted) throw new Failure(`${nameOf(place)} does not ${what}.`)
      await pause(200, undefined, { signal: stop.signal })
    }
  }
  console.log(`All enclaves of cluster ${cluster} ${what}.`)
}

/** Starts what goes on, and waits until it says that it has begun. */
async function start(name, words, begun) {
  const child = launch(words, { isQuiet: name.endsWith('0') === false && name !== 'chain' })
  const log = []
  child.stderr.setEncoding('utf8').on('data', (text) => log.splice(0, Math.max(0, log.push(text) - 20)))
  const ended = new Promise((_, reject) => {
    child.once('error', (thrown) => {
      children.delete(child)
      reject(notStarted(thrown))
    })
    child.once('close', (code, signal) => {
      children.delete(child)
      const failure = new Failure(`${name} has ended (${signal ?? code}):\n${log.join('')}`)
      reject(failure)
      // What ends later ends all of it.
      stop.abort(failure)
    })
  })
  children.add(child)
  let said = ''
  const saying = new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      if (said.length < 10_000) said += text
      if (begun.test(said)) resolve()
    })
  })
  await Promise.race([saying, ended, untilStopped()])
  stop.signal.throwIfAborted()
}

/** Runs a command to its end. */
async function run(words, { input, isQuiet = false, isSecret = false } = {}) {
  stop.signal.throwIfAborted()
  const child = launch(words, { isQuiet })
  children.add(child)
  const output = []
  const errors = []
  child.stdout.on('data', (chunk) => output.push(chunk))
  child.stderr.on('data', (chunk) => errors.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = await new Promise((resolve, reject) => {
    child.once('error', (thrown) => reject(notStarted(thrown)))
    child.once('close', resolve)
  }).finally(() => children.delete(child))
  stop.signal.throwIfAborted()
  if (code !== 0) throw new Failure(`slotmesh ${words.join(' ')} has failed:\n${Buffer.concat(errors)}`)
  const text = Buffer.concat(output)
  if (!isQuiet) console.log(isSecret ? `(${text.length} bytes)` : String(text).trimEnd())
  return text
}

function launch(words, { isQuiet }) {
  if (!isQuiet) console.log(`$ slotmesh ${words.join(' ')}`)
  // A group of its own: Ctrl-C is for this program, which stops all in their order.
  return spawn(command, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
}

function notStarted(thrown) {
  if (thrown.code !== 'ENOENT') return thrown
  return new Failure(`There is no command "${command}": install the package first (npm install --global slotmesh).`)
}

/** Fulfilled when somebody asks for the end; rejected when something ends that is to go on. */
async function untilStopped() {
  if (!stop.signal.aborted) await once(stop.signal, 'abort')
  if (!isInterrupted) throw stop.signal.reason
}

async function stopAll() {
  stop.abort()
  const all = [...children]
  for (const child of all) child.kill('SIGTERM')
  const late = setTimeout(() => {
    for (const child of all) child.kill('SIGKILL')
  }, STOP_MS)
  await Promise.all(all.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'close')))
  clearTimeout(late)
}

async function emptyFolder(path) {
  const folder = resolve(path)
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length === 0) return folder
  throw new Failure(`The folder ${folder} is not empty: name another one.`)
}

function parameters() {
  try {
    const options = { once: { type: 'boolean', default: false }, port: { type: 'string', default: '9944' } }
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    const isPort = /^\d+$/.test(values.port) && Number(values.port) > 0 && Number(values.port) <= 65_455
    if (positionals.length <= 1 && isPort) return { port: values.port, isOnce: values.once, given: positionals[0] }
  } catch (thrown) {
    console.error(thrown.message)
  }
  process.stderr.write(USAGE)
  process.exit(2)
}

function heading(text) {
  console.log(`\n== ${text}`)
}

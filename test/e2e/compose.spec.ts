import assert from 'node:assert/strict'
import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { waitUntil } from '../../src/simulation/wait.js'
import { freePorts } from '../support/free-ports.js'
import { runHere, spawnCliIn } from './cli.js'

const FOLDER = 'packaging/container'

const Service = z.object({
  image: z.string(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  network_mode: z.string().optional(),
  depends_on: z
    .union([z.array(z.string()), z.record(z.string(), z.strictObject({ condition: z.string() }))])
    .default([]),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
})

const Compose = z.object({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.null()) })

type Services = z.infer<typeof Compose>['services']

/** There is no engine for containers here: what they would run is run as it is, and what is around it is looked at. */
describe('compose.yaml', function () {
  this.timeout(180_000)
  let services: Services
  let volumes: readonly string[]
  let scratch: string
  const running = new Set<ChildProcess>()

  before(async () => {
    const read = Compose.parse(parse(await readFile(`${FOLDER}/compose.yaml`, 'utf8'), { merge: true }))
    services = read.services
    volumes = Object.keys(read.volumes)
    scratch = await mkdtemp(join(tmpdir(), 'slotmesh-compose-'))
  })

  after(async () => {
    const ended = [...running].map((child) => (child.exitCode === null ? once(child, 'close') : undefined))
    for (const child of running) child.kill('SIGTERM')
    await Promise.all(ended)
    await rm(scratch, { recursive: true })
  })

  it('names services, volumes and files that there are, and opens ports on this machine alone', () => {
    const published = new Set<string>()
    for (const [name, { build, depends_on: needs, network_mode: network, ports, volumes: mounts }] of Object.entries(
      services,
    )) {
      if (build !== undefined) assert.ok(existsSync(join(FOLDER, build.context, build.dockerfile)), name)
      for (const needed of Array.isArray(needs) ? needs : Object.keys(needs)) assert.ok(needed in services, needed)
      if (network !== undefined) assert.ok(network.replace('service:', '') in services, network)
      for (const port of ports) {
        assert.match(port, /^127\.0\.0\.1:(\d+):\1$/)
        assert.ok(!published.has(port), port)
        published.add(port)
      }
      for (const mount of mounts) {
        const [source = ''] = mount.split(':')
        assert.ok(source.startsWith('.') ? existsSync(join(FOLDER, source)) : volumes.includes(source), mount)
      }
    }
  })

  it('passes docker’s own check, where that is there', function () {
    if (spawnSync('docker', ['compose', 'version']).status !== 0) return this.skip()
    const check = ['compose', '-f', `${FOLDER}/compose.yaml`, 'config', '-q']
    const { status, stderr } = spawnSync('docker', check, { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })

  it('is a chain, five enclaves, and what gives them their seats', async () => {
    const ours = Object.entries(services).filter(([, { image }]) => image === 'slotmesh')
    const texts = JSON.stringify(ours)
    // The containers have a network of their own, and these ports may be taken here.
    const fixed = [...new Set(texts.match(/(?<=[:/])(?:9944|40\d\d|80\d\d|9[67]\d\d)\b/g))]
    const free = await freePorts(fixed.length)
    const replaced = (name: string, text: string) =>
      fixed
        .reduce((sofar, port, at) => sofar.replace(new RegExp(`(?<=[:/])${port}\\b`), String(free[at])), text)
        .replace('0.0.0.0', '127.0.0.1')
        .replace('/data', join(scratch, name))
    const start = async (name: string) => {
      const { command = [], environment = {} } = services[name] ?? {}
      await mkdir(join(scratch, name))
      const variables = Object.entries(environment).map(([key, value]) => [key, replaced(name, value)])
      const parameters = command.map((each) => replaced(name, each))
      if (name === 'chain') parameters.push(`--port=${free[fixed.indexOf('9944')]}`)
      const child = spawnCliIn({ ...process.env, ...Object.fromEntries(variables) }, ...parameters)
      running.add(child)
      let said = ''
      child.stderr?.on('data', (chunk) => {
        said += chunk
      })
      await new Promise<void>((resolve, reject) => {
        child.stdout?.on('data', (chunk) => /^(Development chain|status )/m.test(String(chunk)) && resolve())
        child.on('close', () => reject(new Error(`${name} has ended: ${said}`)))
      })
    }
    const names = ours.map(([name]) => name)
    await start('chain')
    const enclaves = names.filter((name) => name.startsWith('enclave-'))
    assert.equal(enclaves.length, 5)
    await Promise.all(enclaves.map(start))

    const given = (services.register?.command ?? []).map((each) => replaced('register', each))
    const register = () => runHere(...given)
    const { exitCode, stdout, stderr } = await register()
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /^cluster 0, slot 0 .*\n(.*\n){3}cluster 0, slot 4 .*\n$/)
    const pages = fixed
      .filter((port) => port.startsWith('97'))
      .map((port) => `http://127.0.0.1:${replaced('', `:${port}`).slice(1)}`)
    assert.equal(pages.length, 5)
    const Shown = z.object({ condition: z.string(), who: z.object({ seat: z.object({ slot: z.int() }).optional() }) })
    for (const [slot, page] of pages.entries()) {
      const isRunning = async () => {
        const { condition, who } = Shown.parse(await (await fetch(`${page}/status.json`)).json())
        return (condition === 'running' && who.seat?.slot === slot) || undefined
      }
      await waitUntil(isRunning, {
        what: () => `enclave ${slot} to run`,
        timeoutMs: 60_000,
        signal: AbortSignal.timeout(90_000),
      })
    }
    // Those that have seats keep them.
    assert.equal((await register()).stdout, stdout)
  })
})

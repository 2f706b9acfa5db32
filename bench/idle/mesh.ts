import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { developmentSigner } from '../../src/devchain/index.js'
import type { AccountId } from '../../src/domain/index.js'
import { Actors, type Candidate } from '../../src/simulation/index.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

/** From when the mesh is whole until it is measured: until then it meets its neighbours, and keeps the memory of its start. */
const SETTLING_MS = 60_000

const TIMEOUT_MS = 60_000

const LOOK_EVERY_MS = 250

/** What a node took in a window. */
export interface Usage {
  /** Of a core. */
  readonly percent: number
  /** At its end. */
  readonly megabytes: number
}

/** Two enclaves of one slot, as operators run them; the first one is looked at. */
export class IdleMesh {
  readonly #url: string
  readonly #nodes: ChildProcess[] = []
  #folder: string | undefined
  #metricsUrl = ''

  /** @param url of a chain on which nobody has a seat. */
  constructor(url: string) {
    this.#url = url
  }

  async settle(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'slotmesh-bench-'))
    const first = await this.#join('first')
    this.#metricsUrl = first.metrics
    const second = await this.#join('second', '--bootstrap', first.listens)
    await this.#seat([first, second])
    await this.#until(/^slotmesh_state\{state="running"\} 1$/m)
    await pause(SETTLING_MS)
  }

  /** What the first node takes in so many ms. */
  async use(ms: number): Promise<Usage> {
    const [before, begun] = [await this.#metrics(), performance.now()]
    await pause(ms)
    const [after, seconds] = [await this.#metrics(), (performance.now() - begun) / 1_000]
    const used = valueIn(after, 'process_cpu_seconds_total') - valueIn(before, 'process_cpu_seconds_total')
    return { percent: (100 * used) / seconds, megabytes: valueIn(after, 'process_resident_memory_bytes') / 1e6 }
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) {
      node.kill()
      await once(node, 'exit')
    }
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true })
  }

  /** @returns as soon as it says where it listens: a seat comes later. */
  async #join(name: string, ...flags: readonly string[]): Promise<Joined> {
    const config = join(this.#folder ?? '', name, 'slotmesh.yaml')
    const local = ['--listen', '/ip4/127.0.0.1/tcp/0', '--allow-private-addresses', '--api-listen', '0']
    const served = ['--metrics-listen', '0', '--development-seed', SEED]
    const init = ['init', join(this.#folder ?? '', name), '--chain', this.#url, ...local, ...served, ...flags]
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...init])
    const node = spawn(process.execPath, [MAIN, 'join', '--config', config], { stdio: ['ignore', 'pipe', 'ignore'] })
    this.#nodes.push(node)
    const said = new Map<string, string>()
    for await (const line of createInterface({ input: node.stdout })) {
      const [what = '', text = ''] = line.split(/ +/)
      said.set(what, text)
      if (WORDS.every((word) => said.has(word))) break
    }
    const account = /^account {4}\S+ {2}(0x[0-9a-f]{64})$/m.exec(stdout)?.[1]
    const [listens, clients, metrics] = WORDS.map((word) => said.get(word))
    if (!isAccount(account) || listens === undefined || clients === undefined || metrics === undefined) {
      throw new Error(`The node ${name} does not say where it is.`)
    }
    return { account, listens, clients, metrics }
  }

  /** In the same slot, each in a cluster of its own. */
  async #seat(nodes: readonly Joined[]): Promise<void> {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const actors = await Actors.connect({ endpoint: this.#url, committee: developmentSigner('Alice'), signal })
    try {
      const operators = [developmentSigner('Bob'), developmentSigner('Charlie')]
      const candidates: Candidate[] = []
      for (const [at, { account, clients }] of nodes.entries()) {
        const cluster = await actors.createCluster()
        candidates.push({
          account,
          operator: operators[at] ?? developmentSigner('Dave'),
          cluster,
          slot: 0,
          apiUri: clients,
        })
      }
      await actors.seat(candidates)
    } finally {
      await actors.close()
    }
  }

  /** @throws Error when the first node never says so of itself. */
  async #until(said: RegExp): Promise<void> {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    while (!said.test(await this.#metrics())) await pause(LOOK_EVERY_MS, undefined, { signal })
  }

  async #metrics(): Promise<string> {
    return (await fetch(this.#metricsUrl)).text()
  }
}

interface Joined {
  readonly account: AccountId
  readonly listens: string
  readonly clients: string
  readonly metrics: string
}

const SEED = `0x${'01'.repeat(32)}`

/** What a node prints before each of its addresses. */
const WORDS = ['listens', 'clients', 'metrics']

function isAccount(text: string | undefined): text is AccountId {
  return text?.startsWith('0x') === true
}

/** @throws Error when it is not told. */
function valueIn(metrics: string, name: string): number {
  const line = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)
  if (line?.[1] === undefined) throw new Error(`The node does not tell its ${name}.`)
  return Number(line[1])
}

import { spawnSync } from 'node:child_process'
import { SlotmeshError } from '../../../src/domain/index.js'

/** A namespace of the network and of mounts, in which whoever is in it may do as root does: nothing of it shows outside. */
export const INSIDE = ['unshare', '--map-root-user', '--net', '--mount'] as const

/** Where the chain is, on the bridge that all are on. */
export const CHAIN_HOST = '10.88.0.1'

/** To the chain, and to each other: two networks, so that one can be cut without the other. */
const NETWORKS = { chain: '10.88.0', mesh: '10.89.0' } as const
export type NetworkName = keyof typeof NETWORKS

/** Tells why this machine cannot have them, if it cannot. */
export function whyNoNamespaces(): string | undefined {
  const [command, ...parameters] = INSIDE
  const { status, error, stderr } = spawnSync(command, [...parameters, 'ip', 'link', 'add', 'any', 'type', 'bridge'])
  if (status === 0) return undefined
  return (error?.message ?? String(stderr)).trim()
}

/** Makes the bridges, of which the chain's has an address here. To be called inside. @throws SlotmeshError `test/network` */
export function makeBridges(): void {
  run('mount', '-t', 'tmpfs', 'none', '/run')
  ip('link', 'set', 'lo', 'up')
  for (const network of Object.keys(NETWORKS)) {
    ip('link', 'add', network, 'type', 'bridge')
    ip('link', 'set', network, 'up')
  }
  ip('addr', 'add', `${CHAIN_HOST}/24`, 'dev', 'chain')
}

/** A machine of its own, with a cable to each of the two bridges. */
export class Machine {
  readonly name: string
  /** By which others of the mesh reach it. */
  readonly meshHost: string
  readonly #number: number

  /** @param number from 2 to 254, the end of its addresses. @throws SlotmeshError `test/network` */
  constructor(number: number) {
    this.#number = number
    this.name = `machine-${number}`
    this.meshHost = `${NETWORKS.mesh}.${number}`
    ip('netns', 'add', this.name)
    ip('-n', this.name, 'link', 'set', 'lo', 'up')
    for (const [network, prefix] of Object.entries(NETWORKS)) {
      ip('link', 'add', `${network}-${number}`, 'type', 'veth', 'peer', 'name', network, 'netns', this.name)
      ip('link', 'set', `${network}-${number}`, 'master', network, 'up')
      ip('-n', this.name, 'addr', 'add', `${prefix}.${number}/24`, 'dev', network)
      ip('-n', this.name, 'link', 'set', network, 'up')
    }
  }

  /** What starts a program there. */
  get command(): string[] {
    return ['ip', 'netns', 'exec', this.name]
  }

  /** Takes the cable out at the bridge: nobody is told, and what is sent is lost. */
  cut(network: NetworkName): void {
    ip('link', 'set', `${network}-${this.#number}`, 'nomaster')
  }

  heal(network: NetworkName): void {
    ip('link', 'set', `${network}-${this.#number}`, 'master', network)
  }

  /** It comes back elsewhere: nobody answers at the address that it had. */
  moveTo(number: number): string {
    const host = `${NETWORKS.mesh}.${number}`
    ip('-n', this.name, 'addr', 'del', `${this.meshHost}/24`, 'dev', 'mesh')
    ip('-n', this.name, 'addr', 'add', `${host}/24`, 'dev', 'mesh')
    return host
  }

  /** Delays and loses what it sends, on both networks. @returns whether this kernel can do that. */
  impair(latencyMs: number, lossPercent: number): boolean {
    return Object.keys(NETWORKS).every((network) => {
      const netem = ['netem', 'delay', `${latencyMs}ms`, 'loss', `${lossPercent}%`]
      const { status } = spawnSync('tc', ['-n', this.name, 'qdisc', 'add', 'dev', network, 'root', ...netem])
      return status === 0
    })
  }

  repair(): void {
    for (const network of Object.keys(NETWORKS)) run('tc', '-n', this.name, 'qdisc', 'del', 'dev', network, 'root')
  }
}

function ip(...parameters: string[]): void {
  run('ip', ...parameters)
}

function run(command: string, ...parameters: string[]): void {
  const { status, stderr, error } = spawnSync(command, parameters)
  if (status === 0) return
  const reason = error?.message ?? String(stderr)
  throw new SlotmeshError('test/network', `${command} ${parameters.join(' ')} did not work: ${reason}`)
}

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ApiSettings } from '../../../src/api/index.js'
import { createDevelopmentPki, type DevelopmentPki } from '../../../src/attestation/development/index.js'
import { staticCollateral } from '../../../src/attestation/index.js'
import { accountSigner, toHex } from '../../../src/crypto/index.js'
import { type DevelopmentChain, developmentSigner, startDevelopmentChain } from '../../../src/devchain/index.js'
import { CLUSTER_SIZE } from '../../../src/domain/index.js'
import { createEnclaveNode, type EnclaveNode } from '../../../src/node/index.js'
import { Actors } from '../../../src/simulation/index.js'

const BUILD = {
  tee: 'sgx',
  mrEnclave: `0x${'11'.repeat(32)}`,
  mrSigner: `0x${'22'.repeat(32)}`,
  productId: 1,
  securityVersion: 1,
} as const

const seeded = (kind: number, index: number) => accountSigner(new Uint8Array(32).fill(index + 1).fill(kind, 0, 1))

export const owner = seeded(0x0a, 0)
export const ownerSeed = toHex(new Uint8Array(32).fill(1).fill(0x0a, 0, 1))
export const rentee = seeded(0x0b, 0)
export const metricsServer = seeded(0x0c, 0)
export const metricsSeed = toHex(new Uint8Array(32).fill(1).fill(0x0c, 0, 1))

/** Nodes with an API each, and their chain. */
export class ApiMesh {
  readonly nodes: EnclaveNode[] = []
  readonly clusters: number[] = []
  readonly signal = AbortSignal.timeout(540_000)
  chain!: DevelopmentChain
  actors!: Actors
  #pki!: DevelopmentPki
  readonly #folder: string
  readonly #api: ApiSettings

  constructor(folder: string, api: ApiSettings) {
    this.#folder = folder
    this.#api = api
  }

  async start(clusters: number): Promise<void> {
    const operators = Array.from({ length: clusters * CLUSTER_SIZE }, (_, index) => seeded(0x0d, index))
    const endowed = [owner, rentee, metricsServer, ...operators].map(({ account }) => account)
    this.chain = await startDevelopmentChain({ blockTime: 500, endowed })
    this.actors = await Actors.connect({
      endpoint: this.chain.url,
      committee: developmentSigner('Alice'),
      signal: this.signal,
    })
    this.#pki = await createDevelopmentPki({ seed: new Uint8Array(32).fill(9) })
    for (const index of operators.keys()) await this.add(`enclave-${index}`)
    for (let made = 0; made < clusters; made += 1) this.clusters.push(await this.actors.createCluster())
    await this.actors.seat(
      await Promise.all(
        operators.map(async (operator, index) => ({
          operator,
          account: this.node(index).account,
          cluster: this.clusters[Math.floor(index / CLUSTER_SIZE)] ?? 0,
          slot: index % CLUSTER_SIZE,
          apiUri: await this.url(index),
        })),
      ),
    )
    for (const node of this.nodes) await this.until(async () => (await node.status()).state === 'running')
  }

  /** A node that is told of nobody but the first. */
  async add(name: string, bootstrap?: readonly string[]): Promise<EnclaveNode> {
    const platform = this.#pki.platform({ machineId: name, measurement: BUILD })
    const known = (await this.nodes[0]?.status())?.multiaddrs ?? []
    const node = await createEnclaveNode({
      folder: join(this.#folder, name),
      chain: { endpoints: [this.chain.url] },
      mesh: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: bootstrap ?? known, allowPrivateAddresses: true },
      attestation: {
        quoteSource: platform.quoteSource,
        rootCertificate: this.#pki.rootCertificate,
        collateral: staticCollateral(this.#pki.collateral),
        policy: { allowedMeasurements: [{ mrEnclave: BUILD.mrEnclave }] },
      },
      api: this.#api,
      sealingKey: platform.sealingKey(),
    })
    this.nodes.push(node)
    await node.start()
    return node
  }

  node(index: number): EnclaveNode {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`There is no node ${index}.`)
    return node
  }

  async url(index: number): Promise<string> {
    const { api } = await this.node(index).status()
    if (api === undefined) throw new Error(`Node ${index} answers no clients.`)
    return api
  }

  /** Until every node has taken in a block. */
  async seen(block: number): Promise<void> {
    for (const node of this.nodes) await this.until(async () => ((await node.status()).cursor ?? 0) >= block)
  }

  async until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await pause(50, undefined, { signal: this.signal })
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.stop()
    await this.actors?.close()
    await this.chain?.stop()
  }
}

import { connectChain } from '../../chain/index.js'
import { type ShareKey, SlotmeshError, silentLogger } from '../../domain/index.js'
import { createMeshHost, type MeshHost } from '../../mesh/index.js'
import { RefusedError, ShareService } from '../../share/index.js'
import type { Attempt } from '../audit.js'
import { OFFICIAL_BUILD } from './enclave.js'
import type { SimulatedEnclave } from './simulated-enclave.js'
import type { World } from './world.js'

/** What a stranger met, and what it got in spite of that. */
export interface Strangeness {
  readonly attempts: readonly Attempt[]
  readonly shares: readonly ShareKey[]
}

/**
 * Somebody with a PeerId and an account but without a seat, on a genuine platform and with the right software, asks
 * each of these enclaves for all shares that the chain lists.
 */
export async function askAsStranger(world: World, enclaves: readonly SimulatedEnclave[]): Promise<Strangeness> {
  const chain = await connectChain({ endpoints: [world.actors.endpoint], logger: silentLogger })
  try {
    const signer = world.signer('stranger')
    const mesh = await createMeshHost({
      privateKey: world.init.random.bytes('stranger/peer', 32),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: await world.entryPoints(),
      allowPrivateAddresses: true,
      genesisHash: chain.genesisHash,
      signer,
      registry: () => chain.registry(),
      logger: silentLogger,
    })
    const { quoteSource } = world.pki.platform({ machineId: 'stranger', measurement: OFFICIAL_BUILD })
    const attestation = {
      quote: quoteSource.quote,
      verify: () => Promise.reject(new SlotmeshError('simulation/credulous', 'A stranger believes everything.')),
    }
    const share = new ShareService({
      host: mesh.libp2p,
      party: { signer, chain, attestation },
      shares: NO_SHARES,
      logger: silentLogger,
    })
    try {
      await mesh.start()
      return await askEach(world, enclaves, mesh, share)
    } finally {
      await mesh.stop()
    }
  } finally {
    await chain.close()
  }
}

async function askEach(
  world: World,
  enclaves: readonly SimulatedEnclave[],
  mesh: MeshHost,
  share: ShareService,
): Promise<Strangeness> {
  const attempts: Attempt[] = []
  const shares: ShareKey[] = []
  const wants = (await world.listedShares()).map((key) => ({ key, minimumVersion: 0 }))
  for (const { account, name } of enclaves) {
    const onRun = async (run: { shares: readonly { leaf: ShareKey }[] }) => {
      shares.push(...run.shares.map(({ leaf }) => leaf))
    }
    const ask = (signal: AbortSignal) =>
      mesh
        .resolve(account, { signal })
        .then(({ peerId }) => refusalOf(share.request({ account, peer: peerId }, { wants, onRun, signal })))
    const { refusedWith } = await world.waitUntil(
      () => world.withDeadline(ask, () => `${name} to answer the stranger`),
      () => `${name} to answer the stranger`,
    )
    attempts.push({ what: `the stranger at ${name}`, refusedWith })
  }
  return { attempts, shares }
}

/**
 * @returns undefined when the connection was lost, as can happen amid other trouble: that is no answer.
 * @throws whatever else than a refusal ends the exchange.
 */
async function refusalOf(
  exchange: Promise<unknown>,
): Promise<{ readonly refusedWith: string | undefined } | undefined> {
  try {
    await exchange
    return { refusedWith: undefined }
  } catch (error) {
    if (error instanceof RefusedError) return { refusedWith: error.refusal }
    if (error instanceof SlotmeshError && error.code === 'share/cut') return undefined
    throw error
  }
}

/** A stranger never serves. */
const NO_SHARES = {
  knowledge: async () => ({ newestAsOf: 0, takenIn: 0 }),
  heldFrom: async () => [],
  runs: (): never => {
    throw new SlotmeshError('simulation/stranger', 'A stranger has nothing to give.')
  },
}

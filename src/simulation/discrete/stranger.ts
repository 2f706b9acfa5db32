import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { toHex } from '../../crypto/index.js'
import { type AccountId, bounded, SlotmeshError, silentLogger } from '../../domain/index.js'
import { KnownRecords } from '../../mesh/index.js'
import { RefusedError, ShareService } from '../../share/index.js'
import type { Attempt } from '../audit.js'
import { harass } from '../hostility.js'
import { modelAttestation } from './attestation.js'
import { NodeChain } from './chain-view.js'
import { Counters } from './counters.js'
import { modelCryptography, modelSigner } from './cryptography.js'
import { ModelTable } from './dht.js'
import type { DiscreteEnclave } from './enclave.js'
import { addressOf, ModelHost } from './host.js'
import type { Processor } from './processor.js'
import { Stream } from './random.js'
import type { World } from './world.js'

/** How long the stranger waits for one enclave, in ms. */
const PATIENCE_MS = 60_000

interface Stranger {
  readonly account: AccountId
  readonly number: number
  readonly chain: NodeChain
  readonly processor: Processor
  readonly random: Stream
  readonly host: ModelHost
}

/** A host of somebody without a seat. */
async function strangerOf(world: World): Promise<Stranger> {
  const processor = world.processor(world.nextNode())
  const chain = new NodeChain(world.endpoint('elsewhere'), processor)
  const known = new KnownRecords({
    genesisHash: chain.genesisHash,
    registry: () => chain.registry(),
    clock: processor,
    codec: world.records.codec(processor),
    onNews: async () => undefined,
  })
  const number = world.nextNode()
  const account = toHex(world.random.bytes(`account/stranger-${number}`, 32))
  const random = new Stream(world.random, `node/stranger-${number}`)
  const host = new ModelHost({
    peerId: peerIdFromPrivateKey(
      await generateKeyPairFromSeed('Ed25519', world.random.bytes(`peer/stranger-${number}`, 32)),
    ),
    address: addressOf(number),
    loop: world.loop,
    network: world.network,
    place: { name: 'stranger', region: 'elsewhere', slowness: undefined, lineFreeAt: 0 },
    processor,
    counters: new Counters(),
    directory: world.hosts,
    makeTable: (made) => new ModelTable(made, known, world.membership),
  })
  host.start()
  return { account, number, chain, processor, random, host }
}

/** Somebody with the right software, but without a seat, asks each of these enclaves for all that the chain lists. */
export async function askAsStranger(
  world: World,
  enclaves: readonly DiscreteEnclave[],
): Promise<{ readonly attempts: readonly Attempt[]; readonly received: number }> {
  const { account, number, chain, processor, random, host } = await strangerOf(world)
  const share = new ShareService({
    host,
    party: {
      signer: modelSigner(account, processor),
      chain,
      attestation: modelAttestation(processor, 'official', number),
      clock: processor,
      cryptography: modelCryptography(processor, random),
    },
    shares: NO_SHARES,
    logger: silentLogger,
  })
  const wants = world.chain.listedAt(world.chain.finalised).map(({ key }) => ({ key, minimumVersion: 0 }))
  const attempts: Attempt[] = []
  let received = 0
  for (const { account: asked, name, host: provider } of enclaves) {
    if (provider === undefined || wants.length === 0) continue
    const onRun = async (run: { shares: readonly unknown[] }) => {
      received += run.shares.length
    }
    const refusedWith = await bounded({ signals: [], timeoutMs: PATIENCE_MS, clock: processor }, async (signal) => {
      try {
        await share.request({ account: asked, peer: provider.peerId }, { wants, onRun, signal })
        return undefined
      } catch (thrown) {
        return thrown instanceof RefusedError ? thrown.refusal : 'no answer'
      }
    })
    attempts.push({ what: `the stranger at ${name}`, refusedWith })
  }
  await host.stop()
  processor.end()
  return { attempts, received }
}

/** Strangers beset each of these enclaves for so long, in ms. @returns how many streams they were given. */
export async function besetByStrangers(
  world: World,
  enclaves: readonly DiscreteEnclave[],
  lasts: number,
): Promise<number> {
  const { host, processor, random } = await strangerOf(world)
  const { signal } = new AbortController()
  const bytes = (length: number) => random.bytes(length)
  const besetting = enclaves.flatMap(({ host: provider }) =>
    provider === undefined ? [] : [harass({ host, target: provider.peerId, lasts, bytes, clock: processor, signal })],
  )
  const streams = await Promise.all(besetting)
  await host.stop()
  processor.end()
  return streams.reduce((sum, each) => sum + each, 0)
}

/** A stranger never serves. */
const NO_SHARES = {
  knowledge: async () => ({ newestAsOf: 0, takenIn: 0 }),
  heldFrom: async () => [],
  runs: (): never => {
    throw new SlotmeshError('simulation/stranger', 'A stranger has nothing to give.')
  },
}

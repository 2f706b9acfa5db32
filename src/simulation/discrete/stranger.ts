import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { toHex } from '../../crypto/index.js'
import { bounded, SlotmeshError, silentLogger } from '../../domain/index.js'
import { KnownRecords } from '../../mesh/index.js'
import { RefusedError, ShareService } from '../../share/index.js'
import type { Attempt } from '../audit.js'
import { modelAttestation } from './attestation.js'
import { NodeChain } from './chain-view.js'
import { Counters } from './counters.js'
import { modelCryptography, modelSigner } from './cryptography.js'
import { ModelTable } from './dht.js'
import type { DiscreteEnclave } from './enclave.js'
import { addressOf, ModelHost } from './host.js'
import { Stream } from './random.js'
import type { World } from './world.js'

/** How long the stranger waits for one enclave, in ms. */
const PATIENCE_MS = 60_000

/** Somebody with the right software, but without a seat, asks each of these enclaves for all that the chain lists. */
export async function askAsStranger(
  world: World,
  enclaves: readonly DiscreteEnclave[],
): Promise<{ readonly attempts: readonly Attempt[]; readonly received: number }> {
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

/** A stranger never serves. */
const NO_SHARES = {
  knowledge: async () => ({ newestAsOf: 0, takenIn: 0 }),
  heldFrom: async () => [],
  runs: (): never => {
    throw new SlotmeshError('simulation/stranger', 'A stranger has nothing to give.')
  },
}
